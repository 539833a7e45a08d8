//! HLS media playlists (RFC 8216, version 7: fragmented MP4).

use std::fmt::Write;

use crate::index::SegmentHead;
use crate::made::Variant;

/// The playlist of a whole recording: `init.mp4`, `0.m4s`, `1.m4s`, ... beside it.
///
/// A segment's duration is the distance to the next one's start, so rounding never adds up.
pub fn vod(segments: &[SegmentHead]) -> String {
    vod_of(segments, Variant::First)
}

/// What the names of a variant's files begin with.
pub fn prefix(variant: Variant) -> &'static str {
    match variant {
        Variant::First => "",
        Variant::Full => "full-",
    }
}

/// One variant in a multivariant playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantLine {
    /// Its playlist.
    pub uri: &'static str,
    /// RFC 6381 codecs.
    pub codecs: String,
    /// Picture as stored.
    pub width: u32,
    /// Picture as stored.
    pub height: u32,
}

/// A multivariant playlist (RFC 8216, 4.3.4); players begin with the first one.
pub fn multivariant(variants: &[VariantLine]) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for variant in variants {
        let VariantLine {
            uri,
            codecs,
            width,
            height,
        } = variant;
        // Peaks of what the worker encodes: 4 bits a pixel and second, and the sound.
        let bandwidth = u64::from(*width) * u64::from(*height) * 4 + 160_000;
        let _ = writeln!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION={width}x{height},CODECS=\"{codecs}\"\n{uri}"
        );
    }
    text
}

/// The playlist of one variant.
pub fn vod_of(segments: &[SegmentHead], variant: Variant) -> String {
    let mut text = media(
        segments,
        segments.len(),
        variant,
        "#EXT-X-PLAYLIST-TYPE:VOD\n",
    );
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// A media playlist without its end. `all` are the segments the index knows, of which the first `listed` can
/// be had; `kind` are the lines that say what sort of playlist it is.
pub(crate) fn media(all: &[SegmentHead], listed: usize, variant: Variant, kind: &str) -> String {
    let prefix = prefix(variant);
    let longest_us = all.iter().map(|s| s.duration_us).max().unwrap_or(0);
    let mut text = String::with_capacity(240 + listed * 32);
    text.push_str("#EXTM3U\n#EXT-X-VERSION:7\n");
    // Rounded up, at least 1: no segment's rounded duration may exceed it (RFC 8216, 4.3.3.1).
    let target_s = longest_us.div_ceil(1_000_000).max(1);
    let _ = writeln!(text, "#EXT-X-TARGETDURATION:{target_s}"); // writing to a String can't fail
    text.push_str("#EXT-X-MEDIA-SEQUENCE:0\n");
    text.push_str(kind);
    if all.iter().all(|s| s.independent) {
        text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    let _ = writeln!(text, "#EXT-X-MAP:URI=\"{prefix}init.mp4\"");
    for (number, segment) in all.iter().take(listed).enumerate() {
        let (seconds, micros) = (
            segment.duration_us / 1_000_000,
            segment.duration_us % 1_000_000,
        );
        let _ = writeln!(text, "#EXTINF:{seconds}.{micros:06},\n{prefix}{number}.m4s");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playlist_text() {
        let segments = [
            SegmentHead::from((0, 2_002_000, true, 9)),
            SegmentHead::from((2_002_000, 4_004_001, true, 9)),
        ];
        assert_eq!(
            vod(&segments),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n\
             #EXTINF:2.002000,\n0.m4s\n#EXTINF:4.004001,\n1.m4s\n#EXT-X-ENDLIST\n"
        );
        let full = vod_of(&segments, Variant::Full);
        assert!(full.contains("\"full-init.mp4\"") && full.contains("\nfull-1.m4s\n"));
        let dependent = [SegmentHead::from((0, 1, false, 9))];
        assert!(!vod(&dependent).contains("INDEPENDENT"));
    }

    #[test]
    fn the_smaller_variant_comes_first() {
        let line = |uri, width, height| VariantLine {
            uri,
            codecs: "avc1.64001f,mp4a.40.2".into(),
            width,
            height,
        };
        let text = multivariant(&[line("low.m3u8", 1280, 720), line("full.m3u8", 1920, 1080)]);
        assert!(text.contains(
            "BANDWIDTH=3846400,RESOLUTION=1280x720,CODECS=\"avc1.64001f,mp4a.40.2\"\nlow.m3u8\n"
        ));
        assert!(text.ends_with("full.m3u8\n"));
    }
}
