//! From frames to segments: cut at keyframes, decode times that never repeat or go back.
//!
//! A frame is shown exactly when the file says, its edit lists included; what is shown or heard first is
//! at 0. Decode times are computed: the n-th frame in decoding order gets the n-th smallest time of
//! showing, less the least delay with which none is shown before it is decoded. So the sum of durations
//! is exact also with variable frame rates. The first few, which would be decoded before 0, are decoded in
//! quicker succession instead: a segment can't begin before 0, and negative composition offsets, which
//! would need no delay, are misread by FFmpeg-based players.
//!
//! Sound before the beginning (an encoder's priming) is kept, and the init segment's edit list says that
//! it isn't heard.

use std::ops::Range;

use docket_playback::facts::ReasonCode;
use docket_playback::index::NewSegment;
use docket_playback::rows::{Sample, TrackRun};

use crate::fault::Result;
use crate::scan::Frame;

/// The first segment is short, so that the first picture comes soon.
const FIRST_US: i64 = 1_500_000;
/// And all are, so that a seek fetches little, as far as most recorders' files go;
const SHORT_US: i64 = 2_000_000;
const SHORT_UNTIL_US: i64 = 1_800_000_000;
/// from there on longer ones, lest the playlist of a long recording takes long to read.
const LONG_US: i64 = 4_000_000;
/// A segment of so many bytes ends at the next keyframe, however short.
const ENOUGH_BYTES: u64 = 8 << 20;
/// A segment of more is cut anywhere: memory for a request is bounded.
const MOST_BYTES: u64 = 32 << 20;
/// And of more frames.
const MOST_FRAMES: usize = 1 << 16;
/// Sound that goes on alone is cut after so long.
const LONGEST_ALONE_US: i64 = 12_000_000;
const ALONE_TARGET_US: i64 = 6_000_000;

/// One track, ready to be cut.
#[derive(Debug)]
pub struct Track {
    pub(crate) timescale: u32,
    pub(crate) frames: Vec<Frame>,
    /// Decode times.
    pub(crate) decode: Vec<i64>,
    /// By so many ticks showing lags behind decoding, on the whole.
    delay: i64,
    /// When the first is shown or heard that is to be, and when the last has been.
    shown: Range<i64>,
    /// It is decoded anew: what lies before 0 is only fed to the decoder.
    is_fed: bool,
    /// Sound may begin before the file's time 0, and isn't heard there.
    primes: bool,
    /// So many ticks of it lie before 0.
    pub(crate) lead: u32,
}

/// One track to be cut.
#[derive(Debug)]
pub struct Source {
    /// Ticks a second.
    pub timescale: u32,
    /// Its frames.
    pub frames: Vec<Frame>,
    /// It is sound of a container whose edit lists (or the like) say what is heard first: at its time 0.
    pub primes: bool,
    /// By so many frames showing may lag behind decoding, as the stream itself says: its beginning alone
    /// doesn't show it.
    pub reorders: usize,
}

/// A recording that was cut.
#[derive(Debug)]
pub struct Cutting<S> {
    /// The time in the file that becomes 0.
    pub origin_us: i64,
    /// Of each track, how many ticks its first segment holds before 0: its edit in the init segment.
    pub leads: Vec<u32>,
    /// The segments.
    pub segments: Vec<S>,
}

/// Where a cut may be, or is: frame numbers of each track, and the time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cut {
    at_us: i64,
    first: Vec<usize>,
}

/// Cuts a recording. The first track leads (the picture, where there is one).
///
/// # Errors
/// When there is nothing to cut, or a frame is larger than any segment may be.
pub fn cut(tracks: Vec<Source>, picture_leads: bool) -> Result<Cutting<NewSegment>> {
    let tracks: Vec<Track> = tracks.into_iter().map(Track::new).collect();
    let origin_us = tracks
        .iter()
        .filter_map(Track::start_us)
        .min()
        .ok_or(ReasonCode::NoFrames)?;
    let tracks: Vec<Track> = tracks
        .into_iter()
        .map(|track| track.moved(origin_us))
        .collect();
    if tracks[0].frames.is_empty() {
        return Err(ReasonCode::NoFrames.into());
    }
    if tracks
        .iter()
        .flat_map(|t| &t.frames)
        .any(|f| u64::from(f.size_bytes) > MOST_BYTES)
    {
        return Err(ReasonCode::IndexDamaged.into());
    }
    let mut cuts = lead_cuts(&tracks[0], tracks.len());
    for (at, track) in tracks.iter().enumerate().skip(1) {
        for cut in cuts.iter_mut().skip(1) {
            cut.first[at] = track.first_from(cut.at_us);
        }
    }
    let end_us = tracks.iter().map(Track::end_us).max().unwrap_or(0);
    let last = Cut {
        at_us: end_us,
        first: tracks.iter().map(|t| t.frames.len()).collect(),
    };
    cuts.push(last);
    let cuts = bounded(&tracks, cuts, picture_leads);
    let segments = cuts
        .windows(2)
        .map(|pair| segment(&tracks, &pair[0], &pair[1], picture_leads));
    Ok(Cutting {
        origin_us,
        leads: tracks.iter().map(|track| track.lead).collect(),
        segments: segments.collect::<Result<_>>()?,
    })
}

fn lead_cuts(lead: &Track, tracks: usize) -> Vec<Cut> {
    let mut cuts = vec![Cut {
        at_us: 0,
        first: vec![0; tracks],
    }];
    let mut bytes = 0_u64;
    for (number, frame) in lead.frames.iter().enumerate() {
        let at_us = lead.micros(frame.pts);
        let since_us = at_us - cuts[cuts.len() - 1].at_us; // never empty
        let target_us = match cuts.len() {
            1 => FIRST_US,
            _ if at_us < SHORT_UNTIL_US => SHORT_US,
            _ => LONG_US,
        };
        let enough = since_us >= target_us || bytes >= ENOUGH_BYTES;
        if frame.key && number > 0 && since_us > 0 && enough {
            let mut first = vec![0; tracks];
            first[0] = number;
            cuts.push(Cut { at_us, first });
            bytes = 0;
        }
        bytes += u64::from(frame.size_bytes);
    }
    cuts
}

/// Cuts further what is too large, and sound that goes on where the picture has ended.
fn bounded(tracks: &[Track], cuts: Vec<Cut>, picture_leads: bool) -> Vec<Cut> {
    let mut done: Vec<Cut> = Vec::with_capacity(cuts.len());
    let mut ahead: Vec<Cut> = cuts.into_iter().rev().collect();
    while let Some(cut) = ahead.pop() {
        let Some(next) = ahead.last() else {
            done.push(cut);
            break;
        };
        match split(tracks, &cut, next, picture_leads) {
            Some(middle) => {
                ahead.push(middle);
                ahead.push(cut);
            }
            None => done.push(cut),
        }
    }
    done
}

fn split(tracks: &[Track], from: &Cut, to: &Cut, picture_leads: bool) -> Option<Cut> {
    let ranges: Vec<Range<usize>> = from
        .first
        .iter()
        .zip(&to.first)
        .map(|(a, b)| *a..*b)
        .collect();
    let frames: usize = ranges.iter().map(Range::len).sum();
    let all = tracks
        .iter()
        .zip(&ranges)
        .map(|(t, r)| &t.frames[r.clone()]);
    let bytes: u64 = all.flatten().map(|f| u64::from(f.size_bytes)).sum();
    let alone_us = match tracks[0].decode[ranges[0].clone()].last() {
        Some(last) if picture_leads => tracks[0].micros(*last).max(from.at_us),
        _ => from.at_us,
    };
    if bytes > MOST_BYTES || frames > MOST_FRAMES {
        let middle = middle(tracks, from, to, &ranges);
        return (middle.first != from.first && middle.first != to.first).then_some(middle);
    }
    let at_us = alone_us + ALONE_TARGET_US;
    if to.at_us - alone_us <= LONGEST_ALONE_US || tracks.len() < 2 || !picture_leads {
        return None;
    }
    let mut first: Vec<usize> = tracks.iter().map(|t| t.first_from(at_us)).collect();
    first[0] = to.first[0];
    (first[1..] != from.first[1..] && first[1..] != to.first[1..]).then_some(Cut { at_us, first })
}

/// Halves a segment: by time, or where that doesn't part the frames, by the largest track's frames.
fn middle(tracks: &[Track], from: &Cut, to: &Cut, ranges: &[Range<usize>]) -> Cut {
    let bytes = |at: usize| -> u64 {
        tracks[at].frames[ranges[at].clone()]
            .iter()
            .map(|f| u64::from(f.size_bytes) + 64)
            .sum()
    };
    let largest = (0..tracks.len()).max_by_key(|at| bytes(*at)).unwrap_or(0);
    let half = ranges[largest].start + ranges[largest].len() / 2;
    let by_count = tracks[largest]
        .decode
        .get(half)
        .map(|ticks| tracks[largest].micros(*ticks));
    let at_us = by_count.unwrap_or(to.at_us).clamp(from.at_us, to.at_us);
    let first = (0..tracks.len()).map(|at| match at {
        at if at == largest => half,
        at => tracks[at]
            .decode_first_from(at_us)
            .clamp(ranges[at].start, ranges[at].end),
    });
    Cut {
        at_us,
        first: first.collect(),
    }
}

fn segment(tracks: &[Track], from: &Cut, to: &Cut, picture_leads: bool) -> Result<NewSegment> {
    let mut runs = Vec::new();
    for (number, track) in tracks.iter().enumerate() {
        let range = from.first[number]..to.first[number];
        if range.is_empty() {
            continue;
        }
        runs.push(TrackRun {
            track: number,
            decode_time: track.written(range.start)?,
            samples: range.map(|at| track.sample(at)).collect::<Result<_>>()?,
        });
    }
    let lead = runs.iter().find(|run| run.track == 0);
    let independent = !picture_leads || lead.is_none_or(|run| run.samples[0].key);
    Ok(NewSegment {
        start_us: from.at_us.max(0).unsigned_abs(),
        duration_us: (to.at_us - from.at_us).max(0).unsigned_abs(),
        independent,
        runs,
    })
}

impl Track {
    /// A track whose frames are decoded again: what counts is when they are shown.
    pub(crate) fn shown(timescale: u32, frames: Vec<Frame>, primes: bool) -> Self {
        let mut decode: Vec<i64> = frames.iter().map(|frame| frame.pts).collect();
        decode.sort_unstable();
        let seen = frames.iter().filter(|frame| !frame.hidden);
        let seen = seen.map(|frame| frame.pts).min();
        let start = seen.or(decode.first().copied()).unwrap_or(0);
        Self {
            timescale,
            frames,
            decode,
            delay: 0,
            shown: start..start,
            is_fed: true,
            primes,
            lead: 0,
        }
        .ended()
    }

    fn ended(mut self) -> Self {
        let last = self.decode.len().wrapping_sub(1);
        if let Some(ticks) = self.decode.get(last) {
            let shown = ticks.saturating_add(self.delay);
            self.shown.end = shown.saturating_add(i64::from(self.duration(last)));
        }
        self
    }

    /// A decode time as a segment has it, which can't be negative.
    pub(crate) fn written(&self, at: usize) -> Result<u64> {
        let written = self.decode[at] + i64::from(self.lead);
        u64::try_from(written).map_err(|_| ReasonCode::IndexDamaged.into())
    }

    /// The first time of decoding at or after this.
    pub(crate) fn decode_at_or_after(&self, at_us: i64) -> Option<i64> {
        let at = self.decode_first_from(at_us);
        self.decode.get(at).map(|ticks| self.micros(*ticks))
    }

    /// The first keyframe, in the order of decoding, shown at this time or later.
    pub(crate) fn first_key_from(&self, at_us: i64) -> usize {
        let is_it = |frame: &Frame| frame.key && self.micros(frame.pts) >= at_us;
        // Shown never earlier than decoded: no need to look before.
        let near = self.decode_first_from(at_us - self.micros(self.delay));
        let from = near.saturating_sub(1);
        let found = self.frames[from..].iter().position(is_it);
        found.map_or(self.frames.len(), |at| from + at)
    }

    /// When the first keyframe shown at this time or later is shown.
    pub(crate) fn key_at_or_after(&self, at_us: i64) -> Option<i64> {
        let key = self.frames.get(self.first_key_from(at_us))?;
        Some(self.micros(key.pts))
    }

    /// When the last keyframe shown before this time is shown.
    pub(crate) fn key_before(&self, at_us: i64) -> Option<i64> {
        let until = self.first_key_from(at_us);
        let key = self.frames[..until].iter().rev().find(|frame| frame.key)?;
        Some(self.micros(key.pts))
    }

    /// Ticks of a time, rounded to nearest.
    pub(crate) fn ticks(&self, at_us: i64) -> i64 {
        let scaled = i128::from(at_us) * i128::from(self.timescale);
        i64::try_from((scaled + 500_000).div_euclid(1_000_000)).unwrap_or(i64::MAX / 4)
    }

    /// When the last frame has been shown.
    pub(crate) fn end_ticks(&self) -> i64 {
        self.shown.end
    }

    pub(crate) fn new(source: Source) -> Self {
        let Source {
            timescale,
            mut frames,
            primes,
            reorders,
        } = source;
        if !primes {
            squeeze_hidden(&mut frames);
        }
        let mut decode: Vec<i64> = frames.iter().map(|frame| frame.pts).collect();
        decode.sort_unstable();
        let lags = decode
            .iter()
            .zip(&frames)
            .map(|(sorted, frame)| sorted - frame.pts);
        let start = decode.first().copied().unwrap_or(0);
        // Not only what is seen: times of decoding stay when more of the recording arrives.
        let told = decode.get(reorders).map_or(0, |ticks| ticks - start);
        let delay = lags.max().unwrap_or(0).max(told);
        decode.iter_mut().for_each(|ticks| *ticks -= delay);
        Self {
            timescale,
            frames,
            decode,
            delay,
            shown: start..start,
            is_fed: false,
            primes,
            lead: 0,
        }
        .ended()
    }

    /// When its first frame is shown or heard.
    pub(crate) fn start_us(&self) -> Option<i64> {
        self.decode.first()?;
        let first = self.micros(self.shown.start);
        let is_heard = self.end_us() > 0;
        Some(match self.primes && is_heard {
            true => first.max(0),
            false => first,
        })
    }

    /// Times counted from `origin_us` on.
    pub(crate) fn moved(mut self, origin_us: i64) -> Self {
        let scaled = i128::from(origin_us) * i128::from(self.timescale);
        let origin = (scaled + 500_000).div_euclid(1_000_000) as i64; // times are bounded by 2^60 ticks
        for (frame, decode) in self.frames.iter_mut().zip(&mut self.decode) {
            frame.pts -= origin;
            *decode -= origin;
        }
        self.shown = self.shown.start - origin..self.shown.end - origin;
        if self.is_fed {
            return self;
        }
        let first = self.shown.start;
        // The track that begins first may miss 0 by a tick's rounding.
        let primed = self.primes && self.micros(first) < -1;
        match u32::try_from(first.saturating_neg()) {
            Ok(lead) if primed => self.lead = lead,
            _ => self.not_before_zero(),
        }
        self
    }

    /// Frames that would be decoded before 0 are decoded in quicker succession, none after it is shown.
    fn not_before_zero(&mut self) {
        self.frames.iter_mut().for_each(|f| f.pts = f.pts.max(0));
        let early = self.decode.partition_point(|ticks| *ticks < 0);
        // Half as far apart as usual, so that twice as many are enough to catch up.
        let until = (early * 2).min(self.decode.len().saturating_sub(1));
        let Some(reached) = self.decode.get(until).map(|ticks| (*ticks).max(0)) else {
            return;
        };
        let mut shown_after = i64::MAX;
        let mut latest: Vec<i64> = self.frames[..early.max(until)]
            .iter()
            .rev()
            .map(|frame| {
                shown_after = shown_after.min(frame.pts);
                shown_after
            })
            .collect();
        latest.reverse();
        for (at, latest) in latest.into_iter().enumerate() {
            let spread = i128::from(reached) * at as i128 / until.max(1) as i128;
            let spread = i64::try_from(spread).unwrap_or(0).min(latest);
            self.decode[at] = self.decode[at].max(spread);
        }
        self.decode.iter_mut().for_each(|d| *d = (*d).max(0));
    }

    /// Microseconds, rounded to nearest. Beyond 2^63 µs a time is nonsense and only has to stay in order.
    fn micros(&self, ticks: i64) -> i64 {
        let scale = i128::from(self.timescale.max(1));
        let micros = (i128::from(ticks) * 1_000_000 + scale / 2).div_euclid(scale);
        i64::try_from(micros.clamp(i128::from(i64::MIN / 4), i128::from(i64::MAX / 4))).unwrap_or(0)
    }

    /// The first frame in decoding order that is decoded at `at_us` or later.
    pub(crate) fn decode_first_from(&self, at_us: i64) -> usize {
        self.decode
            .partition_point(|ticks| self.micros(*ticks) < at_us)
    }

    /// The same for sound, whose frames are decoded as they are shown.
    fn first_from(&self, at_us: i64) -> usize {
        self.decode_first_from(at_us)
    }

    pub(crate) fn end_us(&self) -> i64 {
        self.micros(self.end_ticks())
    }

    pub(crate) fn duration(&self, at: usize) -> u32 {
        let distance = |a: i64, b: i64| u32::try_from(b - a).unwrap_or(u32::MAX);
        match self.decode.get(at + 1) {
            Some(next) => distance(self.decode[at], *next),
            None if self.frames[at].duration > 0 => self.frames[at].duration,
            None if at > 0 => distance(self.decode[at - 1], self.decode[at]),
            None => self.timescale / 25,
        }
    }

    fn sample(&self, at: usize) -> Result<Sample> {
        let frame = &self.frames[at];
        Ok(Sample {
            offset: frame.offset,
            size_bytes: frame.size_bytes,
            duration: self.duration(at),
            composition: i32::try_from(frame.pts - self.decode[at])
                .map_err(|_| ReasonCode::IndexDamaged)?,
            key: frame.key,
        })
    }
}

/// Frames that are only there for others to be decoded (an edit list begins between keyframes) are shown
/// for a tick each, right before the first that is to be seen: players drop what lies before 0, and with
/// it all that needs it.
fn squeeze_hidden(frames: &mut [Frame]) {
    let seen = frames.iter().filter(|frame| !frame.hidden);
    let Some(first) = seen.map(|frame| frame.pts).min() else {
        return;
    };
    let mut early: Vec<usize> = (0..frames.len())
        .filter(|at| frames[*at].hidden && frames[*at].pts < first)
        .collect();
    early.sort_by_key(|at| frames[*at].pts);
    for (before, at) in early.into_iter().rev().enumerate() {
        frames[at].pts = first - 1 - before as i64;
    }
}
