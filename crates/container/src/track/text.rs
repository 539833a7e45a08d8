//! Positions written as text: in a subtitle track, or in a file beside the film.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::samples::{self, Media};
use super::srt::{self, Cues};
use super::{MOST_SAMPLE_BYTES, Points, Source, Track, nmea, sample_bytes};

/// So much of a side file is read: a day of sentences, four hours of subtitles.
const MOST_TEXT_BYTES: u64 = 64 << 20;
/// So much is looked at to find out whether it is one.
const MOST_HEAD_BYTES: u64 = 64 << 10;
const LONGEST_LINE_BYTES: u64 = 8 << 10;

/// Whether a track's samples are text.
pub(super) fn is_text(media: &Media) -> bool {
    matches!(&media.handler, b"text" | b"sbtl" | b"subt")
        && matches!(&media.format, b"tx3g" | b"text")
}

/// The positions in a subtitle track.
pub(super) fn subtitles(
    source: &mut (impl Read + Seek),
    media: &Media,
) -> io::Result<Option<Track>> {
    let (mut into, mut kind) = (Points::default(), Source::Srt);
    let mut left = MOST_SAMPLE_BYTES;
    for sample in &media.samples {
        let at_ms = sample.at_us.div_euclid(1000);
        if into.has_at(at_ms) {
            continue;
        }
        let Some(bytes) = sample_bytes(source, sample, &mut left)? else {
            continue;
        };
        let text = String::from_utf8_lossy(samples::timed_text(&bytes));
        let found = srt::position(&text, at_ms);
        let sentences = found
            .is_none()
            .then(|| nmea::in_text(&text, at_ms))
            .flatten();
        if sentences.is_some() {
            kind = Source::Nmea;
        }
        into.extend(found.or(sentences));
    }
    Ok(into.track(kind))
}

/// The positions in a file of SRT or NMEA; `None` where it is neither.
pub(super) fn side_file(
    source: &mut (impl Read + Seek),
    size_bytes: u64,
) -> io::Result<Option<Track>> {
    source.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    source
        .by_ref()
        .take(MOST_HEAD_BYTES)
        .read_to_end(&mut head)?;
    let head = String::from_utf8_lossy(&head);
    let is_srt = head.lines().any(|line| srt::begin_ms(line).is_some());
    if head.contains('\0') || !(is_srt || head.contains('$')) {
        return Ok(None);
    }
    source.seek(SeekFrom::Start(0))?;
    let mut lines = BufReader::new(source.take(size_bytes.min(MOST_TEXT_BYTES)));
    let (mut into, mut cues, mut log) = (Points::default(), Cues::default(), nmea::Log::default());
    let mut line = Vec::new();
    while lines
        .by_ref()
        .take(LONGEST_LINE_BYTES)
        .read_until(b'\n', &mut line)?
        > 0
    {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\r', '\n']);
        match is_srt {
            true => cues.line(text, &mut into),
            false => log.line(text, &mut into),
        }
        line.clear();
    }
    let kind = match is_srt {
        true => {
            cues.flush(&mut into);
            if cues.is_nmea {
                Source::Nmea
            } else {
                Source::Srt
            }
        }
        false => {
            log.flush(&mut into);
            Source::Nmea
        }
    };
    Ok(into.track(kind))
}
