//! Cutting what the worker makes: where segments begin, and what must be read for each.
//!
//! A transcoded picture may be cut anywhere, for its segment begins with a keyframe of its own: so the
//! first segments are short whatever the recorder's keyframe distance is. What is only copied is cut at
//! the original's keyframes.

use docket_playback::facts::ReasonCode;
use docket_playback::index::NewMadeSegment;
use docket_playback::made::{Feed, FeedPacket, Mode};

use crate::fault::Result;
use crate::make::{FRAME, LEAD_IN};
use crate::scan::Frame;
use crate::segments::{self, Source, Track};

/// Decoding a segment takes seconds: the first ones are shorter still than those that are cut.
const TARGETS_US: [i64; 3] = [1_000_000, 2_000_000, 4_000_000];
/// Decoding begins at most so long before what is shown.
const MOST_LEAD_US: i64 = 60_000_000;
/// Sound alone is cut after so long.
const ALONE_US: i64 = 6_000_000;
/// Decoders of sound settle in this part of a second.
const SETTLING_OF_A_SECOND: i64 = 10;
/// Frames before the first that is needed, to begin where their block does.
const MOST_OF_A_BLOCK: usize = 4096;
/// Frames shown later may be stored so much earlier.
const REORDERED: usize = 64;

/// One track to be cut.
#[derive(Debug)]
pub struct Part {
    /// Ticks a second.
    pub timescale: u32,
    /// Its frames.
    pub frames: Vec<Frame>,
    /// Copied or transcoded.
    pub mode: Mode,
    /// A picture.
    pub is_picture: bool,
    /// See [`Source::primes`].
    pub primes: bool,
    /// See [`Source::reorders`].
    pub reorders: usize,
}

struct Cutting {
    track: Track,
    mode: Mode,
    is_picture: bool,
}

/// Cuts. The first part leads.
///
/// # Errors
/// When there is nothing to cut.
pub fn plan(parts: Vec<Part>) -> Result<segments::Cutting<NewMadeSegment>> {
    let cuttings: Vec<Cutting> = parts
        .into_iter()
        .map(|part| Cutting {
            track: match part.mode {
                Mode::Copied => Track::new(Source {
                    timescale: part.timescale,
                    frames: part.frames,
                    primes: part.primes,
                    reorders: part.reorders,
                }),
                _ => Track::shown(part.timescale, part.frames, part.primes),
            },
            mode: part.mode,
            is_picture: part.is_picture,
        })
        .collect();
    let starts = cuttings.iter().filter_map(|c| c.track.start_us());
    let origin_us = starts.min().ok_or(ReasonCode::NoFrames)?;
    let moved = |c: Cutting| Cutting {
        track: c.track.moved(origin_us),
        ..c
    };
    let cuttings: Vec<Cutting> = cuttings.into_iter().map(moved).collect();
    let lead = cuttings.first().ok_or(ReasonCode::NoFrames)?;
    if lead.track.frames.is_empty() {
        return Err(ReasonCode::NoFrames.into());
    }
    let ends = cuttings.iter().map(|c| c.track.end_us());
    let end_us = ends.max().unwrap_or(0).max(1);
    let mut borders = lead.borders();
    let last = borders
        .last()
        .copied()
        .unwrap_or(0)
        .max(lead.track.end_us());
    // Sound that goes on where the picture has ended.
    let mut alone = last;
    while lead.is_picture && end_us - alone > 2 * ALONE_US {
        borders.push(alone);
        alone += ALONE_US;
    }
    borders.push(end_us);
    borders.dedup();
    let segments = borders.windows(2).enumerate().map(|(number, pair)| {
        let is_last = number + 2 == borders.len();
        let feeds = cuttings
            .iter()
            .enumerate()
            .filter_map(|(at, c)| c.feed(at, pair[0], pair[1], is_last))
            .collect();
        NewMadeSegment {
            start_us: pair[0].unsigned_abs(),
            duration_us: (pair[1] - pair[0]).unsigned_abs(),
            feeds,
        }
    });
    Ok(segments::Cutting {
        origin_us,
        leads: cuttings.iter().map(|c| c.track.lead).collect(),
        segments: segments.collect(),
    })
}

impl Cutting {
    /// Times at which segments may begin; 0 is the first.
    fn borders(&self) -> Vec<i64> {
        let mut borders = vec![0];
        let end_us = self.track.end_us();
        loop {
            let from = borders[borders.len() - 1]; // never empty
            let target = TARGETS_US[(borders.len() - 1).min(TARGETS_US.len() - 1)];
            if end_us - from < target + target / 2 {
                return borders;
            }
            match self.border(from, target) {
                Some(next) if next > from && next < end_us => borders.push(next),
                _ => return borders,
            }
        }
    }

    fn border(&self, from_us: i64, target_us: i64) -> Option<i64> {
        let wanted = from_us + target_us;
        if !self.is_picture {
            return self.track.decode_at_or_after(wanted);
        }
        let key = self.track.key_at_or_after(wanted);
        if self.mode == Mode::Copied {
            return key;
        }
        let near = key.filter(|key| *key <= wanted + target_us / 2);
        let lead = wanted - self.track.key_before(wanted).unwrap_or(0);
        match near {
            Some(key) => Some(key),
            None if lead <= MOST_LEAD_US => self.track.decode_at_or_after(wanted),
            None => key,
        }
    }

    fn feed(&self, track: usize, from_us: i64, until_us: i64, is_last: bool) -> Option<Feed> {
        match (self.mode, self.is_picture) {
            (Mode::Transcoded, true) => self.picture_feed(track, from_us, until_us, is_last),
            (Mode::Transcoded, false) => Some(self.sound_feed(track, from_us, until_us)),
            _ => self.copied_feed(track, from_us, until_us, is_last),
        }
    }

    fn copied_feed(
        &self,
        track: usize,
        from_us: i64,
        until_us: i64,
        is_last: bool,
    ) -> Option<Feed> {
        let first = |at_us: i64| match self.is_picture {
            true => self.track.first_key_from(at_us),
            false => self.track.decode_first_from(at_us),
        };
        let start = if from_us == 0 { 0 } else { first(from_us) };
        let end = if is_last {
            self.track.frames.len()
        } else {
            first(until_us)
        };
        (start < end).then(|| self.taken(track, start, end, 0, 0))
    }

    /// What is shown in the time, from the keyframe before it on.
    fn picture_feed(
        &self,
        track: usize,
        from_us: i64,
        until_us: i64,
        is_last: bool,
    ) -> Option<Feed> {
        let ticks = &self.track.decode; // here the times of showing, in order
        let first = self.track.decode_first_from(from_us);
        let beyond = match is_last {
            true => ticks.len(),
            false => self.track.decode_first_from(until_us),
        };
        let from = *ticks.get(first).filter(|_| first < beyond)?;
        let until = match ticks.get(beyond) {
            Some(next) => *next,
            None => self.track.end_ticks(),
        };
        let frames = &self.track.frames;
        // Sorted and stored places differ by little: search around.
        let near = (first + REORDERED).min(frames.len());
        let start = (0..near)
            .rev()
            .find(|at| frames[*at].key && frames[*at].pts <= from)
            .unwrap_or(0);
        let stop = (beyond + REORDERED).min(frames.len());
        let end = (start..stop).rev().find(|at| frames[*at].pts < until)? + 1;
        Some(self.taken(track, start, end, from, until))
    }

    /// What sounds in the time, and what must be decoded before and after. Silence is encoded where
    /// there is nothing: a player stops where one track has a hole.
    fn sound_feed(&self, track: usize, from_us: i64, until_us: i64) -> Feed {
        let frame = FRAME as i64;
        let grid = |at_us: i64| {
            let ticks = self.track.ticks(at_us);
            ticks.div_euclid(frame) * frame
                + if ticks.rem_euclid(frame) > 0 {
                    frame
                } else {
                    0
                }
        };
        let (from, until) = (grid(from_us), grid(until_us));
        let settling = i64::from(self.track.timescale) / SETTLING_OF_A_SECOND;
        let heard = from - (LEAD_IN * FRAME) as i64 - settling;
        let ticks = &self.track.decode;
        let start = ticks.partition_point(|at| *at <= heard).saturating_sub(1);
        let start = self.block_start(start);
        let end = ticks.partition_point(|at| *at < until + frame);
        self.taken(track, start, end.max(start), from, until)
    }

    /// Where the block begins that holds the frame: reading can begin there.
    fn block_start(&self, at: usize) -> usize {
        let frames = &self.track.frames;
        let Some(own) = frames.get(at) else {
            return at;
        };
        let before = frames[..at].iter().rev().take(MOST_OF_A_BLOCK + 1);
        match before.take_while(|f| f.offset == own.offset).count() {
            more if more > MOST_OF_A_BLOCK => at,
            count => at - count,
        }
    }

    /// As segments have it; of what is decoded anew it may be negative, in two's complement.
    fn decode_time(&self, at: usize) -> u64 {
        let lead = i64::from(self.track.lead);
        let ticks = self.track.decode.get(at).map_or(0, |ticks| ticks + lead);
        match self.mode {
            Mode::Transcoded => ticks.cast_unsigned(),
            _ => ticks.max(0).unsigned_abs(),
        }
    }

    fn taken(&self, track: usize, start: usize, end: usize, from: i64, until: i64) -> Feed {
        let packet = |at: usize| {
            let (frame, decode) = (&self.track.frames[at], self.track.decode[at]);
            let composition = frame.pts.saturating_sub(decode);
            FeedPacket {
                stamp: frame.stamp,
                duration: self.track.duration(at),
                // Beyond 32 bits the times are nonsense: shown as decoded.
                composition: i32::try_from(composition).unwrap_or(0),
                key: frame.key,
            }
        };
        let first = self.track.frames.get(start);
        Feed {
            track,
            offset: first.map_or(0, |frame| frame.offset),
            decode_time: self.decode_time(start),
            from: from.max(0).unsigned_abs(),
            until: until.max(0).unsigned_abs(),
            packets: (start..end).map(packet).collect(),
        }
    }
}
