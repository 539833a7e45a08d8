//! The playback index of one recording: made once by a worker, kept as a derivative, replaceable.
//!
//! Stored form: 8 bytes magic, `u32` length of a JSON head, the head, the init segment, and the packed
//! rows of all segments. A segment's rows are unpacked only when it is asked for.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::facts::{Facts, StreamKind};
use crate::fragment::SegmentPlan;
use crate::rows::{self, TrackRun};

const MAGIC: &[u8; 8] = b"DOCKIDX\x02";
/// Longest init segment.
pub const MAX_INIT_BYTES: usize = 256 << 10;
/// Most segments.
const MAX_SEGMENTS: usize = 200_000;

/// Where every frame of a playable recording lies. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaybackIndex {
    head: std::sync::Arc<Head>,
    /// The stored form, whole.
    bytes: Bytes,
    init: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Head {
    facts: Facts,
    tracks: Vec<Track>,
    origin_us: i64,
    init_bytes: u32,
    segments: Vec<SegmentHead>,
}

/// One track of what plays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Picture or sound.
    pub kind: StreamKind,
    /// The stream's number in the file.
    pub stream: u32,
    /// Ticks a second.
    pub timescale: u32,
    /// As browsers name it (RFC 6381): `avc1.64001f`, `mp4a.40.2`.
    pub codec: String,
}

/// One segment, as the playlist needs it. In JSON an array, for there are 600 an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(u64, u64, bool, u32)", from = "(u64, u64, bool, u32)")]
pub struct SegmentHead {
    /// Begins at.
    pub start_us: u64,
    /// Lasts.
    pub duration_us: u64,
    /// Begins with a frame that decodes without others.
    pub independent: bool,
    /// Length of its packed rows.
    rows_bytes: u32,
}

impl From<(u64, u64, bool, u32)> for SegmentHead {
    fn from((start_us, duration_us, independent, rows_bytes): (u64, u64, bool, u32)) -> Self {
        Self {
            start_us,
            duration_us,
            independent,
            rows_bytes,
        }
    }
}

impl From<SegmentHead> for (u64, u64, bool, u32) {
    fn from(s: SegmentHead) -> Self {
        (s.start_us, s.duration_us, s.independent, s.rows_bytes)
    }
}

/// A segment while an index is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSegment {
    /// Begins at.
    pub start_us: u64,
    /// Lasts.
    pub duration_us: u64,
    /// Begins with a frame that decodes without others.
    pub independent: bool,
    /// Its frames.
    pub runs: Vec<TrackRun>,
}

impl PlaybackIndex {
    /// Puts an index together: the worker's side.
    ///
    /// # Errors
    /// [`Error::BadIndex`] when something is beyond the bounds [`Self::from_bytes`] holds it to.
    pub fn build(
        facts: Facts,
        tracks: Vec<Track>,
        origin_us: i64,
        init: &[u8],
        segments: &[NewSegment],
    ) -> Result<Self> {
        let mut packed = Vec::new();
        let mut heads = Vec::with_capacity(segments.len());
        for segment in segments {
            let before = packed.len();
            rows::pack(&segment.runs, &mut packed);
            heads.push(SegmentHead {
                start_us: segment.start_us,
                duration_us: segment.duration_us,
                independent: segment.independent,
                rows_bytes: u32::try_from(packed.len() - before)
                    .map_err(|_| Error::BadIndex("too many rows"))?,
            });
        }
        let init_bytes = u32::try_from(init.len())
            .map_err(|_| Error::BadIndex("the init segment is too long"))?;
        let head = Head {
            facts,
            tracks,
            origin_us,
            init_bytes,
            segments: heads,
        };
        let json = serde_json::to_vec(&head).map_err(|_| Error::BadIndex("no JSON"))?;
        let mut bytes = Vec::with_capacity(12 + json.len() + init.len() + packed.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(json.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&json);
        bytes.extend_from_slice(init);
        bytes.extend_from_slice(&packed);
        Self::from_bytes(bytes.into())
    }

    /// Reads a stored index. It may come from a worker that a hostile file took over, so all of it is
    /// checked: rows when they are used, the rest here.
    ///
    /// # Errors
    /// [`Error::BadIndex`] when it is damaged or of another version: make it again.
    pub fn from_bytes(bytes: Bytes) -> Result<Self> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or(Error::BadIndex("another version"))?;
        let (length, rest) = rest
            .split_first_chunk::<4>()
            .ok_or(Error::BadIndex("too short"))?;
        let json_bytes = u32::from_be_bytes(*length) as usize;
        let json = rest
            .get(..json_bytes)
            .ok_or(Error::BadIndex("the head is cut off"))?;
        let head: Head =
            serde_json::from_slice(json).map_err(|_| Error::BadIndex("the head is damaged"))?;
        let init_start = 12 + json_bytes;
        let init = init_start..init_start + head.init_bytes as usize;
        head.check(bytes.len().checked_sub(init.end))?;
        Ok(Self {
            head: std::sync::Arc::new(head),
            bytes,
            init,
        })
    }

    /// The stored form.
    pub fn to_bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// What the recording is; its duration is exact here.
    pub fn facts(&self) -> &Facts {
        &self.head.facts
    }

    /// The tracks that play, in the order of their ids (1 the first).
    pub fn tracks(&self) -> &[Track] {
        &self.head.tracks
    }

    /// The segments.
    pub fn segments(&self) -> &[SegmentHead] {
        &self.head.segments
    }

    /// What a player calls 0 is this time in the file: usually 0, negative when sound begins earlier.
    pub fn origin_us(&self) -> i64 {
        self.head.origin_us
    }

    /// RFC 6381 codecs, for a multivariant playlist or `MediaSource.isTypeSupported`.
    pub fn codecs(&self) -> String {
        let names: Vec<&str> = self.head.tracks.iter().map(|t| t.codec.as_str()).collect();
        names.join(",")
    }

    /// The init segment (`init.mp4`).
    pub fn init(&self) -> Bytes {
        self.bytes.slice(self.init.clone())
    }

    /// The HLS media playlist; see [`crate::playlist`].
    pub fn playlist(&self) -> String {
        crate::playlist::vod(&self.head.segments)
    }

    /// How to make media segment `number` (`{number}.m4s`), 0 the first.
    ///
    /// # Errors
    /// [`Error::NoSegment`]; [`Error::BadIndex`] when its rows are damaged.
    pub fn plan(&self, number: usize) -> Result<SegmentPlan> {
        SegmentPlan::new(number, &self.runs(number)?)
    }

    /// The frames of segment `number`.
    ///
    /// # Errors
    /// [`Error::NoSegment`]; [`Error::BadIndex`] when its rows are damaged.
    pub fn runs(&self, number: usize) -> Result<Vec<TrackRun>> {
        let segment = self
            .head
            .segments
            .get(number)
            .ok_or(Error::NoSegment(number))?;
        let before = &self.head.segments[..number];
        let start = self.init.end + before.iter().map(|s| s.rows_bytes as usize).sum::<usize>();
        let packed = self
            .bytes
            .get(start..start + segment.rows_bytes as usize)
            .ok_or(Error::BadIndex("rows are cut off"))?;
        let runs = rows::unpack(packed, self.head.facts.size_bytes)?;
        if runs.iter().any(|run| run.track >= self.head.tracks.len()) {
            return Err(Error::BadIndex("rows of an unknown track"));
        }
        Ok(runs)
    }
}

impl Head {
    fn check(&self, rows_bytes: Option<usize>) -> Result<()> {
        if self.segments.is_empty() || self.segments.len() > MAX_SEGMENTS {
            return Err(Error::BadIndex("no segments, or too many"));
        }
        if self.tracks.is_empty()
            || self.tracks.len() > 8
            || self.tracks.iter().any(|t| t.timescale == 0)
        {
            return Err(Error::BadIndex("the tracks are damaged"));
        }
        if self.init_bytes as usize > MAX_INIT_BYTES {
            return Err(Error::BadIndex("the init segment is too long"));
        }
        let all: usize = self.segments.iter().map(|s| s.rows_bytes as usize).sum();
        if rows_bytes != Some(all) {
            return Err(Error::BadIndex("the rows are cut off"));
        }
        let ends = self
            .segments
            .iter()
            .map(|s| s.start_us.checked_add(s.duration_us));
        let starts = self.segments.iter().skip(1).map(|s| Some(s.start_us));
        if ends
            .zip(starts.chain([Some(u64::MAX)]))
            .any(|(end, next)| end.is_none() || end > next)
        {
            return Err(Error::BadIndex("segments overlap"));
        }
        Ok(())
    }
}
