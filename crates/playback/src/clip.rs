//! Clips: a stretch of a recording as a file of its own, fragmented MP4.
//!
//! Where segments are cut from the original, so is the clip: from the keyframe shown at or before its
//! begin up to the last frame needed for what is shown before its end; frames are the original's, byte by
//! byte. Where segments are made, the clip is whole segments, as the worker makes them. In both, times
//! begin anew at 0, and picture and sound keep their distance.

use std::ops::Range;

use bytes::Bytes;
use docket_base::ids::RecordingId;

use crate::error::{Error, Result};
use crate::facts::StreamKind;
use crate::fragment::SegmentPlan;
use crate::index::PlaybackIndex;
use crate::made::Variant;
use crate::pool::Playback;
use crate::rows::{Sample, TrackRun};
use crate::source::Source;

/// What a clip is made of, and its exact boundaries.
#[derive(Debug, Clone)]
pub struct ClipPlan {
    index: PlaybackIndex,
    /// Which segments hold it.
    segments: Range<usize>,
    /// Begins at, in microseconds of what a player shows.
    from_us: u64,
    /// Ends at.
    until_us: u64,
    cut: Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Frames as they lie in the original; what becomes 0.
    Frames {
        lead: usize,
        from: Place,
        until: Place,
        zero_us: u64,
    },
    /// Whole segments by the worker.
    Made(Variant),
}

/// A frame of the leading track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    segment: usize,
    sample: usize,
}

impl ClipPlan {
    /// Plans the clip of a stretch; `None` when nothing of the recording is within it.
    ///
    /// # Errors
    /// [`Error::BadIndex`] when the index is damaged.
    pub fn new(index: &PlaybackIndex, from_us: u64, until_us: u64) -> Result<Option<Self>> {
        let all = index.segments();
        let first = all.iter().position(|segment| segment.end_us() > from_us);
        let (Some(first), true) = (first, until_us > from_us) else {
            return Ok(None);
        };
        let past = all.partition_point(|segment| segment.start_us < until_us);
        if past <= first {
            return Ok(None);
        }
        if !index.is_made() {
            return frames(index, first, past, from_us, until_us);
        }
        let variant = match index.init_of(Variant::Full) {
            Some(_) => Variant::Full,
            None => Variant::First,
        };
        Ok(Some(Self {
            index: index.clone(),
            segments: first..past,
            from_us: all[first].start_us,
            until_us: all[past - 1].end_us(),
            cut: Cut::Made(variant),
        }))
    }

    /// Where in the source it begins and ends, exactly, in microseconds of what a player shows.
    pub fn stretch_us(&self) -> Range<u64> {
        self.from_us..self.until_us
    }

    /// Whether its frames are not the original's.
    pub fn is_transcoded(&self) -> bool {
        self.index.is_transcoded()
    }

    /// How many pieces it has; see [`Self::piece`].
    pub fn pieces(&self) -> usize {
        self.segments.len() + 1
    }

    /// Piece `number` of the file: 0 is the head, then fragments. Bounded: a piece is a segment at most.
    ///
    /// # Errors
    /// The source's, the worker's.
    pub async fn piece(
        &self,
        number: usize,
        id: RecordingId,
        source: &Source,
        playback: Option<&Playback>,
    ) -> Result<Bytes> {
        let Some(at) = number.checked_sub(1) else {
            return self.head();
        };
        let segment = self.segments.start + at;
        if segment >= self.segments.end {
            return Err(Error::NoSegment(segment));
        }
        match self.cut {
            Cut::Frames { .. } => {
                let runs = self.runs(segment)?;
                if runs.is_empty() {
                    return Ok(Bytes::new());
                }
                SegmentPlan::new(at, &runs)?.fetch(source).await
            }
            Cut::Made(variant) => {
                let playback = playback.ok_or(Error::ShuttingDown)?;
                let made = playback
                    .segment(id, source.clone(), &self.index, segment, variant)
                    .await?;
                self.moved(made, at)
            }
        }
    }

    fn head(&self) -> Result<Bytes> {
        let variant = match self.cut {
            Cut::Made(variant) => variant,
            Cut::Frames { .. } => Variant::First,
        };
        self.index
            .init_of(variant)
            .ok_or(Error::BadIndex("no init segment"))
    }

    /// The frames of one segment that belong to it, with their new times.
    fn runs(&self, segment: usize) -> Result<Vec<TrackRun>> {
        let Cut::Frames {
            lead,
            from,
            until,
            zero_us,
        } = self.cut
        else {
            return Err(Error::BadIndex("its segments are made, not cut"));
        };
        let mut kept = Vec::new();
        for run in self.index.runs(segment)? {
            let scale = self.index.tracks()[run.track].timescale;
            let from_ticks = ticks(self.from_us, scale);
            let until_ticks = ticks(self.until_us, scale);
            let mut out = TrackRun {
                track: run.track,
                decode_time: 0,
                samples: Vec::new(),
            };
            let mut time = run.decode_time;
            for (number, sample) in run.samples.iter().enumerate() {
                let place = Place {
                    segment,
                    sample: number,
                };
                let shown = time.saturating_add_signed(i64::from(sample.composition));
                let inside = match run.track == lead {
                    // Frames after the first keyframe that are shown before it need what was cut off.
                    true => (from..=until).contains(&place) && shown >= from_ticks,
                    false => (from_ticks..until_ticks).contains(&shown),
                };
                if inside {
                    if out.samples.is_empty() {
                        out.decode_time = time.saturating_sub(ticks(zero_us, scale));
                    }
                    out.samples.push(*sample);
                } else if let Some(last) = out.samples.last_mut() {
                    // What follows keeps its time.
                    last.duration = last.duration.saturating_add(sample.duration);
                }
                time = time.saturating_add(u64::from(sample.duration));
            }
            trim(&run, &mut out);
            if !out.samples.is_empty() {
                kept.push(out);
            }
        }
        Ok(kept)
    }

    /// A made segment with times counted from the clip's begin, and its number in the clip.
    fn moved(&self, made: Bytes, at: usize) -> Result<Bytes> {
        let scales: Vec<u32> = self.index.tracks().iter().map(|t| t.timescale).collect();
        let mut bytes = made.to_vec();
        move_fragment(&mut bytes, self.from_us, &scales, at)?;
        Ok(bytes.into())
    }
}

/// The last kept frame's duration is its own: what was cut off behind it is not waited for.
fn trim(run: &TrackRun, out: &mut TrackRun) {
    let Some(last) = out.samples.last_mut() else {
        return;
    };
    let own = run.samples.iter().rev().find(|s| s.offset == last.offset);
    if let (Some(own), Some(end)) = (own, run.samples.last())
        && own.offset != end.offset
    {
        last.duration = own.duration;
    }
}

fn ticks(us: u64, scale: u32) -> u64 {
    let scaled = (u128::from(us) * u128::from(scale) + 500_000) / 1_000_000;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

fn micros(ticks: u64, scale: u32) -> u64 {
    let scaled = (u128::from(ticks) * 1_000_000 + u128::from(scale) / 2) / u128::from(scale.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// A frame of the leading track as the search sees it.
struct Seen {
    place: Place,
    decoded: u64,
    shown: u64,
    sample: Sample,
}

fn lead_frames(index: &PlaybackIndex, segment: usize, lead: usize) -> Result<Vec<Seen>> {
    let mut seen = Vec::new();
    for run in index.runs(segment)? {
        let mut time = run.decode_time;
        for (number, sample) in run.samples.iter().enumerate().filter(|_| run.track == lead) {
            seen.push(Seen {
                place: Place {
                    segment,
                    sample: number,
                },
                decoded: time,
                shown: time.saturating_add_signed(i64::from(sample.composition)),
                sample: *sample,
            });
            time = time.saturating_add(u64::from(sample.duration));
        }
    }
    Ok(seen)
}

fn frames(
    index: &PlaybackIndex,
    first: usize,
    past: usize,
    from_us: u64,
    until_us: u64,
) -> Result<Option<ClipPlan>> {
    let tracks = index.tracks();
    let lead = tracks.iter().position(|t| t.kind == StreamKind::Video);
    let lead = lead.unwrap_or(0);
    let scale = tracks[lead].timescale;
    let (from, until) = (ticks(from_us, scale), ticks(until_us, scale));
    let Some(start) = key_before(index, first, past, lead, from)? else {
        return Ok(None);
    };
    let mut last = None;
    // Segments end where the next keyframe is decoded; what is shown before may be decoded behind.
    let beyond = (past + 1).min(index.segments().len());
    for segment in start.place.segment..beyond {
        for seen in lead_frames(index, segment, lead)? {
            if seen.place < start.place || seen.shown < start.shown || seen.shown >= until {
                continue;
            }
            last = Some(seen.place);
        }
    }
    let Some(last) = last else {
        return Ok(None);
    };
    let mut end = 0;
    for segment in start.place.segment..=last.segment {
        for seen in lead_frames(index, segment, lead)? {
            if (start.place..=last).contains(&seen.place) {
                let over = seen.shown.saturating_add(u64::from(seen.sample.duration));
                end = end.max(over);
            }
        }
    }
    Ok(Some(ClipPlan {
        index: index.clone(),
        // Sound of the clip's last moments may lie in the next segment.
        segments: start.place.segment..beyond.max(last.segment + 1),
        from_us: micros(start.shown, scale),
        until_us: micros(end, scale),
        cut: Cut::Frames {
            lead,
            from: start.place,
            until: last,
            zero_us: micros(start.decoded, scale),
        },
    }))
}

/// The last frame at which decoding can begin that is shown at or before this time, else the first one.
fn key_before(
    index: &PlaybackIndex,
    first: usize,
    past: usize,
    lead: usize,
    from: u64,
) -> Result<Option<Seen>> {
    for segment in (0..=first).rev() {
        let mut frames = lead_frames(index, segment, lead)?.into_iter().rev();
        if let Some(found) = frames.find(|seen| seen.sample.key && seen.shown <= from) {
            return Ok(Some(found));
        }
    }
    for segment in first..past {
        let mut keys = lead_frames(index, segment, lead)?.into_iter();
        if let Some(found) = keys.find(|seen| seen.sample.key) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Rewrites the times of a fragment as [`crate::made::segment`] writes it. The worker may have been taken
/// over by a hostile file: everything is checked.
fn move_fragment(bytes: &mut [u8], zero_us: u64, scales: &[u32], at: usize) -> Result<()> {
    const BAD: Error = Error::BadIndex("a made segment is none");
    let moof = box_at(bytes, 0..bytes.len()).ok_or(BAD)?;
    if &moof.0 != b"moof" {
        return Err(BAD);
    }
    let mut rest = moof.1.clone();
    while let Some((kind, content)) = box_at(bytes, rest.clone()) {
        rest.start = content.end;
        match &kind {
            b"mfhd" => {
                let place = content.start + 4..content.start + 8;
                let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
                bytes
                    .get_mut(place)
                    .filter(|_| content.len() >= 8)
                    .ok_or(BAD)?
                    .copy_from_slice(&number.to_be_bytes());
            }
            b"traf" => move_track(bytes, content, zero_us, scales).ok_or(BAD)?,
            _ => {}
        }
    }
    Ok(())
}

fn move_track(bytes: &mut [u8], traf: Range<usize>, zero_us: u64, scales: &[u32]) -> Option<()> {
    let mut rest = traf;
    let mut scale = None;
    while let Some((kind, content)) = box_at(bytes, rest.clone()) {
        rest.start = content.end;
        if &kind == b"tfhd" {
            let id = bytes.get(content.start + 4..content.start + 8)?;
            let id = u32::from_be_bytes(id.try_into().ok()?) as usize;
            scale = scales.get(id.checked_sub(1)?).copied();
        } else if &kind == b"tfdt" && content.len() == 12 {
            let place = bytes.get_mut(content.start + 4..content.end)?;
            let time = u64::from_be_bytes(<[u8; 8]>::try_from(&*place).ok()?);
            let moved = time.saturating_sub(ticks(zero_us, scale?));
            place.copy_from_slice(&moved.to_be_bytes());
        }
    }
    Some(())
}

/// Kind and content of the box at the beginning of a range.
fn box_at(bytes: &[u8], range: Range<usize>) -> Option<([u8; 4], Range<usize>)> {
    let head = bytes.get(range.start..range.end)?.get(..8)?;
    let size = u32::from_be_bytes(head[..4].try_into().ok()?) as usize;
    let kind = head[4..8].try_into().ok()?;
    let end = range.start.checked_add(size)?;
    (size >= 8 && end <= range.end).then_some((kind, range.start + 8..end))
}

#[cfg(test)]
mod tests;
