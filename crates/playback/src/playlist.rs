//! HLS media playlists (RFC 8216, version 7: fragmented MP4).

use std::fmt::Write;

use crate::index::SegmentHead;

/// The playlist of a whole recording: `init.mp4`, `0.m4s`, `1.m4s`, ... beside it.
///
/// A segment's duration is the distance to the next one's start, so rounding never adds up.
pub fn vod(segments: &[SegmentHead]) -> String {
    let longest_us = segments.iter().map(|s| s.duration_us).max().unwrap_or(0);
    let mut text = String::with_capacity(160 + segments.len() * 32);
    text.push_str("#EXTM3U\n#EXT-X-VERSION:7\n");
    // Rounded up, at least 1: no segment's rounded duration may exceed it (RFC 8216, 4.3.3.1).
    let target_s = longest_us.div_ceil(1_000_000).max(1);
    let _ = writeln!(text, "#EXT-X-TARGETDURATION:{target_s}"); // writing to a String can't fail
    text.push_str("#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n");
    if segments.iter().all(|s| s.independent) {
        text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    text.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n");
    for (number, segment) in segments.iter().enumerate() {
        let (seconds, micros) = (
            segment.duration_us / 1_000_000,
            segment.duration_us % 1_000_000,
        );
        let _ = writeln!(text, "#EXTINF:{seconds}.{micros:06},\n{number}.m4s");
    }
    text.push_str("#EXT-X-ENDLIST\n");
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
        let dependent = [SegmentHead::from((0, 1, false, 9))];
        assert!(!vod(&dependent).contains("INDEPENDENT"));
    }
}
