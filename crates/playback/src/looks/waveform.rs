//! Waveforms: how loud the first sound track is in each tenth of a second.

use std::fmt::Write;
use std::ops::Range;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::facts::StreamKind;
use crate::index::{PlaybackIndex, Track};
use crate::made;
use crate::rows::{self, MAX_SEGMENT_SAMPLES};

/// What one peak stands for while a waveform is made.
pub const PEAK_US: u64 = 100_000;
/// A waveform ends after so many peaks (29 hours), whatever a file claims its duration to be.
pub const MOST_PEAKS: usize = 1 << 20;
/// Peaks that are sent; a longer recording has fewer a second.
const MOST_SENT: usize = 36_000;
/// How many peaks may become one, so that a second has 10, 5, 2, 1, ... of them.
const TOGETHER: [usize; 6] = [1, 2, 5, 10, 20, 50];
/// Segments looked at in one request to a worker: a few minutes of sound.
const PART_SEGMENTS: usize = 48;
/// And frames.
const PART_SAMPLES: usize = MAX_SEGMENT_SAMPLES / 2;

/// What a worker is asked at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The track.
    pub track: Track,
    /// The segments it takes in.
    pub segments: Range<usize>,
    /// The peaks it answers.
    pub peaks: Range<usize>,
    /// The frames: packed rows or feeds, as the index has them.
    pub packed: Bytes,
}

/// The track that is heard; `None` where there is none.
pub fn track(index: &PlaybackIndex) -> Option<(usize, &Track)> {
    let mut tracks = index.tracks().iter().enumerate();
    tracks.find(|(_, track)| track.kind == StreamKind::Audio)
}

/// What is to be asked next about the segments `done..listed`; `None` where nothing is left, or no more
/// than a waveform may have.
///
/// # Errors
/// [`Error::BadIndex`] when rows are damaged.
pub fn part(index: &PlaybackIndex, done: usize, listed: usize) -> Result<Option<Part>> {
    let Some((number, track)) = track(index) else {
        return Ok(None);
    };
    let listed = listed.min(index.segments().len());
    let (mut runs, mut feeds) = (Vec::new(), Vec::new());
    let (mut next, mut samples) = (done, 0);
    while next < listed && next - done < PART_SEGMENTS && samples < PART_SAMPLES {
        if index.is_made() {
            let all = made::unpack(&index.feed(next)?)?;
            for feed in all.into_iter().filter(|feed| feed.track == number).take(1) {
                samples += feed.packets.len();
                feeds.push(feed);
            }
        } else {
            let all = index.runs(next)?;
            for run in all.into_iter().filter(|run| run.track == number).take(1) {
                samples += run.samples.len();
                runs.push(run);
            }
        }
        next += 1;
    }
    if next == done || samples > MAX_SEGMENT_SAMPLES {
        return Ok(None);
    }
    let (first, last) = (index.segments()[done], index.segments()[next - 1]);
    let until_us = last.start_us.saturating_add(last.duration_us);
    let from = usize::try_from(first.start_us / PEAK_US).unwrap_or(usize::MAX);
    let until = usize::try_from(until_us.div_ceil(PEAK_US)).unwrap_or(usize::MAX);
    if until > MOST_PEAKS || from >= until {
        return Ok(None);
    }
    let mut packed = Vec::new();
    match index.is_made() {
        true => made::pack(&feeds, &mut packed),
        false => rows::pack(&runs, &mut packed),
    }
    Ok(Some(Part {
        track: track.clone(),
        segments: done..next,
        peaks: from..until,
        packed: packed.into(),
    }))
}

/// Adds what a worker answered.
///
/// # Errors
/// [`Error::Protocol`] when it isn't as much as was asked.
pub fn add(peaks: &mut Vec<u8>, part: &Part, found: &[u8]) -> Result<()> {
    if found.len() != part.peaks.len() {
        return Err(Error::Protocol("another number of peaks".into()));
    }
    if peaks.len() < part.peaks.end {
        peaks.resize(part.peaks.end, 0);
    }
    for (peak, found) in peaks[part.peaks.clone()].iter_mut().zip(found) {
        // Segments end within a tenth of a second.
        *peak = (*peak).max(*found);
    }
    Ok(())
}

/// `{"peaks_per_s":10,"peaks":[0,255]}`, bounded.
pub fn json(peaks: &[u8]) -> String {
    let fits = |together: &&usize| peaks.len().div_ceil(**together) <= MOST_SENT;
    let together = TOGETHER.iter().find(fits).copied().unwrap_or(50);
    let mut text = String::with_capacity(40 + 4 * peaks.len().div_ceil(together));
    // Writing to a String can't fail.
    let _ = match together {
        1 | 2 | 5 | 10 => write!(text, "{{\"peaks_per_s\":{},\"peaks\":[", 10 / together),
        _ => write!(
            text,
            "{{\"peaks_per_s\":{},\"peaks\":[",
            10.0 / together as f64
        ),
    };
    for (number, some) in peaks.chunks(together).enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{}", some.iter().max().copied().unwrap_or(0));
    }
    text.push_str("]}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_bounded() {
        assert_eq!(
            json(&[0, 255, 7]),
            r#"{"peaks_per_s":10,"peaks":[0,255,7]}"#
        );
        let long = json(&vec![9; MOST_SENT + 1]);
        assert!(long.starts_with(r#"{"peaks_per_s":5,"peaks":[9,9"#));
        let read: serde_json::Value = serde_json::from_str(&long).expect("JSON");
        assert_eq!(
            read["peaks"].as_array().map(Vec::len),
            Some(MOST_SENT / 2 + 1)
        );
        let longest = json(&vec![200; MOST_PEAKS]);
        assert!(
            longest.starts_with(r#"{"peaks_per_s":0.2,"#),
            "{}",
            &longest[..30]
        );
        assert!(longest.len() < 200_000);
    }

    #[test]
    fn parts_join_at_their_border() {
        let part = |peaks: Range<usize>| Part {
            track: Track {
                kind: StreamKind::Audio,
                stream: 0,
                timescale: 1,
                codec: String::new(),
                mode: crate::Mode::Raw,
            },
            segments: 0..1,
            peaks,
            packed: Bytes::new(),
        };
        let mut peaks = Vec::new();
        add(&mut peaks, &part(0..3), &[1, 2, 9]).expect("as many");
        add(&mut peaks, &part(2..4), &[5, 6]).expect("as many");
        assert_eq!(peaks, [1, 2, 9, 6]);
        assert!(add(&mut peaks, &part(4..6), &[1]).is_err());
    }
}
