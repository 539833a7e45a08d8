//! Storyboards: which keyframes, on which sheet and where on it, and the WebVTT that says so.
//!
//! Every choice depends only on what comes before it: while a recording grows its storyboard grows, and
//! what was shown keeps its place.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::facts::StreamKind;
use crate::index::{PlaybackIndex, Track};
use crate::made;
use crate::rows::Counted;

/// Pictures in a row of a sheet.
pub const COLUMNS: usize = 5;
/// Pictures on a full sheet.
pub const SHEET_PICTURES: usize = 25;
/// A picture fits into a square of so many pixels a side.
pub const PICTURE_PX: u32 = 160;

/// Time is divided into slots, each with at most one picture: up to this time, so long. Later there are
/// none. That bounds a storyboard to 1,200 pictures, whatever a file claims its duration to be.
const SLOTS: [(u64, u64); 5] = [
    (60_000_000, 2_000_000),
    (3_600_000_000, 10_000_000),
    (4 * 3_600_000_000, 30_000_000),
    (12 * 3_600_000_000, 120_000_000),
    (48 * 3_600_000_000, 600_000_000),
];

/// One keyframe: when it is shown, and where a worker finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(u64, u64, u32, i64, i64)", from = "(u64, u64, u32, i64, i64)")]
pub struct Frame {
    /// Shown at.
    pub at_us: u64,
    /// Its place in the file; where the index knows none, reading by bytes may begin here.
    pub offset: u64,
    /// Its length; 0 where it must be found by its time stamp.
    pub size_bytes: u32,
    /// Its own time stamp, where it must be found by that.
    pub stamp: i64,
    /// And that of what lies at `offset`: some containers only count frames.
    pub first: i64,
}

impl From<(u64, u64, u32, i64, i64)> for Frame {
    fn from((at_us, offset, size_bytes, stamp, first): (u64, u64, u32, i64, i64)) -> Self {
        Self {
            at_us,
            offset,
            size_bytes,
            stamp,
            first,
        }
    }
}

impl From<Frame> for (u64, u64, u32, i64, i64) {
    fn from(f: Frame) -> Self {
        (f.at_us, f.offset, f.size_bytes, f.stamp, f.first)
    }
}

fn slot(at_us: u64) -> Option<u64> {
    let (mut from_us, mut before) = (0, 0);
    for (until_us, step_us) in SLOTS {
        if at_us < until_us {
            return Some(before + (at_us - from_us) / step_us);
        }
        before += (until_us - from_us) / step_us;
        from_us = until_us;
    }
    None
}

/// The track that is shown; `None` where there is only sound.
pub fn track(index: &PlaybackIndex) -> Option<&Track> {
    let mut tracks = index.tracks().iter();
    tracks.find(|track| track.kind == StreamKind::Video)
}

/// The keyframes to show of the first `segments` segments: the first of each slot.
///
/// # Errors
/// [`crate::Error::BadIndex`] when rows are damaged.
pub fn frames(index: &PlaybackIndex, segments: usize) -> Result<Vec<Frame>> {
    let mut chosen: Vec<Frame> = Vec::new();
    let (mut last, mut counted) = (None, Counted::default());
    for number in 0..segments.min(index.segments().len()) {
        let mut keys = match index.is_made() {
            true => made_keys(index, number, &mut counted)?,
            false => raw_keys(index, number, &mut counted)?,
        };
        keys.sort_by_key(|frame| frame.at_us);
        for key in keys {
            // Feeds of neighbours overlap: what was passed over stays so.
            let later = chosen.last().is_none_or(|before| before.at_us < key.at_us);
            if let Some(slot) = slot(key.at_us).filter(|slot| last.is_none_or(|last| last < *slot))
                && later
            {
                last = Some(slot);
                chosen.push(key);
            }
        }
    }
    Ok(chosen)
}

fn shown_us(decode: u64, composition: i32, timescale: u32) -> u64 {
    let shown = i128::from(decode) + i128::from(composition);
    let us = shown.max(0) * 1_000_000 / i128::from(timescale.max(1));
    u64::try_from(us).unwrap_or(u64::MAX)
}

fn is_picture(index: &PlaybackIndex, track: usize) -> Option<&Track> {
    let track = index.tracks().get(track)?;
    (track.kind == StreamKind::Video).then_some(track)
}

fn raw_keys(index: &PlaybackIndex, number: usize, counted: &mut Counted) -> Result<Vec<Frame>> {
    let mut keys = Vec::new();
    for run in index.runs(number)? {
        counted.add(run.samples.len())?;
        let Some(track) = is_picture(index, run.track) else {
            continue;
        };
        let mut decode = run.decode_time;
        for sample in run.samples {
            if sample.key && sample.size_bytes > 0 {
                keys.push(Frame {
                    at_us: shown_us(decode, sample.composition, track.timescale),
                    offset: sample.offset,
                    size_bytes: sample.size_bytes,
                    stamp: 0,
                    first: 0,
                });
            }
            decode = decode.saturating_add(u64::from(sample.duration));
        }
    }
    Ok(keys)
}

fn made_keys(index: &PlaybackIndex, number: usize, counted: &mut Counted) -> Result<Vec<Frame>> {
    let mut keys = Vec::new();
    for feed in made::unpack(&index.feed(number)?)? {
        counted.add(feed.packets.len())?;
        let Some(track) = is_picture(index, feed.track) else {
            continue;
        };
        let mut decode = feed.decode_time;
        let first = feed.packets.first().map_or(0, |packet| packet.stamp);
        for packet in feed.packets {
            if packet.key {
                keys.push(Frame {
                    at_us: shown_us(decode, packet.composition, track.timescale),
                    offset: feed.offset,
                    size_bytes: 0,
                    stamp: packet.stamp,
                    first,
                });
            }
            decode = decode.saturating_add(u64::from(packet.duration));
        }
    }
    Ok(keys)
}

/// The pictures of a recording so far. Kept as JSON beside its sheets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storyboard {
    /// Size of each picture.
    pub width: u32,
    /// Size of each picture.
    pub height: u32,
    /// Sheet by sheet; all but the last are full.
    pub sheets: Vec<Vec<Shown>>,
    /// The last picture holds until here.
    pub until_us: u64,
    /// Nothing will be added.
    pub whole: bool,
}

/// A place on a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What is there.
    pub frame: Frame,
    /// It could be decoded: else the place is empty, and the picture before holds on.
    pub decoded: bool,
}

impl Storyboard {
    /// Forgets every sheet that doesn't show what it should, and all after it. The last one left may be
    /// the beginning of what it will be.
    pub fn keep_only(&mut self, frames: &[Frame]) {
        let mut wanted = frames.chunks(SHEET_PICTURES);
        let right = |sheet: &&Vec<Shown>| {
            let wanted = wanted.next().unwrap_or_default();
            let there = sheet.iter().map(|shown| shown.frame);
            !sheet.is_empty()
                && sheet.len() <= wanted.len()
                && there.eq(wanted[..sheet.len()].iter().copied())
        };
        let mut count = self.sheets.iter().take_while(right).count();
        // A sheet that is not full can only be the last.
        if let Some(short) = self.sheets[..count]
            .iter()
            .position(|s| s.len() < SHEET_PICTURES)
        {
            count = short + 1;
        }
        self.sheets.truncate(count);
    }

    /// Whether anything is to be seen.
    pub fn is_empty(&self) -> bool {
        !self.sheets.iter().flatten().any(|shown| shown.decoded)
    }

    /// WebVTT whose cues name a stretch of a sheet (`storyboard-0.jpg#xywh=160,0,160,90`), as players
    /// read them.
    pub fn vtt(&self) -> String {
        let mut cues = Vec::new();
        for (number, sheet) in self.sheets.iter().enumerate() {
            for (at, shown) in sheet.iter().enumerate().filter(|(_, shown)| shown.decoded) {
                cues.push((shown.frame.at_us, number, at));
            }
        }
        let mut text = String::with_capacity(16 + cues.len() * 72);
        text.push_str("WEBVTT\n");
        for (number, (from_us, sheet, at)) in cues.iter().enumerate() {
            // What comes before the first keyframe looks like it.
            let from_us = if number == 0 { 0 } else { *from_us };
            let next = cues.get(number + 1).map(|(next, ..)| *next);
            let until_us = next.unwrap_or(self.until_us).max(from_us + 1_000);
            let (x, y) = (at % COLUMNS, at / COLUMNS);
            let (width, height) = (self.width, self.height);
            let (x, y) = (x as u32 * width, y as u32 * height);
            let (from, until) = (Time(from_us), Time(until_us));
            let _ = write!(
                text,
                "\n{from} --> {until}\nstoryboard-{sheet}.jpg#xywh={x},{y},{width},{height}\n"
            ); // writing to a String can't fail
        }
        text
    }
}

/// As WebVTT writes times.
struct Time(u64);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = self.0 / 1_000;
        let (s, ms) = (ms / 1_000, ms % 1_000);
        write!(
            f,
            "{:02}:{:02}:{:02}.{ms:03}",
            s / 3600,
            s / 60 % 60,
            s % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Verdict};
    use crate::index::NewSegment;
    use crate::rows::{Sample, TrackRun};
    use proptest::prelude::*;

    /// A keyframe each `gop_s`, of a recording of so many seconds, a segment each.
    fn index(gop_s: u64, seconds: u64) -> PlaybackIndex {
        let facts = Facts {
            container: "mp4".into(),
            size_bytes: 1 << 40,
            claimed_duration_ms: None,
            duration_ms: None,
            creation_claimed_at: None,
            streams: Vec::new(),
            verdict: Verdict::playable(),
        };
        let track = Track {
            kind: StreamKind::Video,
            stream: 0,
            timescale: 1_000,
            codec: "avc1".into(),
            mode: crate::made::Mode::Raw,
        };
        let sample = |number: u64, key| Sample {
            offset: number * 1_000,
            size_bytes: 500,
            duration: gop_s as u32 * 500,
            composition: 0,
            key,
        };
        let segments: Vec<NewSegment> = (0..seconds / gop_s)
            .map(|number| NewSegment {
                start_us: number * gop_s * 1_000_000,
                duration_us: gop_s * 1_000_000,
                independent: true,
                runs: vec![TrackRun {
                    track: 0,
                    decode_time: number * gop_s * 1_000,
                    samples: vec![sample(2 * number, true), sample(2 * number + 1, false)],
                }],
            })
            .collect();
        PlaybackIndex::build(facts, vec![track], 0, b"init", &segments).expect("builds")
    }

    fn times_s(frames: &[Frame]) -> Vec<u64> {
        frames.iter().map(|frame| frame.at_us / 1_000_000).collect()
    }

    #[test]
    fn distances_are_even_and_wider_later() {
        let one = index(1, 90);
        let times = times_s(&frames(&one, 90).expect("whole"));
        assert_eq!(times[..4], [0, 2, 4, 6]);
        assert_eq!(times[29..], [58, 60, 70, 80]);
        let rare = index(30, 180);
        assert_eq!(
            times_s(&frames(&rare, 6).expect("whole")),
            [0, 30, 60, 90, 120, 150]
        );
        let long = index(20, 100 * 3600);
        let all = frames(&long, usize::MAX).expect("whole");
        assert!(all.len() < 1_200, "{}", all.len());
    }

    proptest! {
        #[test]
        fn what_was_chosen_stays_chosen(gop_s in 1..40_u64, count in 1..200_usize) {
            let index = index(gop_s, gop_s * 200);
            let (some, all) = (frames(&index, count).expect("whole"), frames(&index, 200).expect("whole"));
            prop_assert_eq!(&all[..some.len()], &some[..]);
        }
    }

    fn board(frames: &[Frame]) -> Storyboard {
        let shown = |frame: &Frame| Shown {
            frame: *frame,
            decoded: frame.at_us != 2_000_000,
        };
        Storyboard {
            width: 160,
            height: 90,
            sheets: frames
                .chunks(SHEET_PICTURES)
                .map(|sheet| sheet.iter().map(shown).collect())
                .collect(),
            until_us: 61_500_000,
            whole: false,
        }
    }

    #[test]
    fn cues_follow_each_other_and_name_their_place() {
        let index = index(1, 62);
        let text = board(&frames(&index, 62).expect("whole")).vtt();
        assert!(text.starts_with(
            "WEBVTT\n\n00:00:00.000 --> 00:00:04.000\nstoryboard-0.jpg#xywh=0,0,160,90\n\n\
             00:00:04.000 --> 00:00:06.000\nstoryboard-0.jpg#xywh=320,0,160,90\n"
        ));
        assert!(
            text.contains("00:00:10.000 --> 00:00:12.000\nstoryboard-0.jpg#xywh=0,90,160,90\n")
        );
        assert!(
            text.ends_with("00:01:00.000 --> 00:01:01.500\nstoryboard-1.jpg#xywh=0,90,160,90\n")
        );
    }

    #[test]
    fn sheets_that_show_something_else_go() {
        let index = index(1, 70);
        let all = frames(&index, 70).expect("whole");
        assert_eq!(all.len(), 31);
        let mut grown = board(&all[..28]);
        grown.keep_only(&all);
        assert_eq!(grown.sheets.len(), 2, "the second goes on");
        let mut cut = board(&all);
        cut.keep_only(&all[..28]);
        assert_eq!(cut.sheets.len(), 1, "the second shows too much");
        let mut other = all.clone();
        other[3].offset += 1;
        let mut wrong = board(&all);
        wrong.keep_only(&other);
        assert!(wrong.sheets.is_empty());
        let json = serde_json::to_vec(&board(&all)).expect("serialises");
        let read: Storyboard = serde_json::from_slice(&json).expect("is read");
        assert_eq!(read, board(&all));
    }
}
