//! The playback index of one recording: made once by a worker, kept as a derivative, replaceable.
//!
//! Stored form: 8 bytes magic, `u32` length of a JSON head, the head, the init segment, the table of
//! segments, and the packed rows of each. A segment's rows are unpacked only when it is asked for.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::facts::{Facts, StreamKind};
use crate::fragment::SegmentPlan;
use crate::heads;
use crate::made::{self, Feed, Mode, Variant};
use crate::playlist::{self, VariantLine};
use crate::rows::{self, TrackRun};

pub use crate::heads::SegmentHead;

const MAGIC: &[u8; 8] = b"DOCKIDX\x05";
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
    /// Of the full variant; empty where there is none.
    full_init: Range<usize>,
    rows_start: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Head {
    facts: Facts,
    tracks: Vec<Track>,
    origin_us: i64,
    init_bytes: u32,
    /// Of a transcoded picture: size of the first variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_size: Option<(u32, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    full: Option<Full>,
    /// How many there are, and in how many bytes their table lies.
    segment_count: u32,
    table_bytes: u32,
    #[serde(skip)]
    segments: Vec<SegmentHead>,
}

/// The full variant, where it differs from the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Full {
    init_bytes: u32,
    codec: String,
    width: u32,
    height: u32,
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
    /// How it comes from the original. All raw, or none.
    #[serde(default)]
    pub mode: Mode,
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

/// A made segment while an index is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMadeSegment {
    /// Begins at.
    pub start_us: u64,
    /// Lasts.
    pub duration_us: u64,
    /// What the worker reads for it.
    pub feeds: Vec<Feed>,
}

/// The init segments of what is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewInits {
    /// Of the first variant.
    pub first: Vec<u8>,
    /// Its picture, when that is transcoded.
    pub first_size: Option<(u32, u32)>,
    /// Of the full variant: init segment, codec, size.
    pub full: Option<(Vec<u8>, String, (u32, u32))>,
}

impl PlaybackIndex {
    /// Puts an index of made segments together: the worker's side.
    ///
    /// # Errors
    /// [`Error::BadIndex`] when something is beyond the bounds [`Self::from_bytes`] holds it to.
    pub fn build_made(
        facts: Facts,
        tracks: Vec<Track>,
        origin_us: i64,
        inits: &NewInits,
        segments: &[NewMadeSegment],
    ) -> Result<Self> {
        let mut packed = Vec::new();
        let mut heads = Vec::with_capacity(segments.len());
        for segment in segments {
            let before = packed.len();
            made::pack(&segment.feeds, &mut packed);
            heads.push(SegmentHead {
                start_us: segment.start_us,
                duration_us: segment.duration_us,
                independent: true,
                rows_bytes: length(packed.len() - before)?,
            });
        }
        let mut init = inits.first.clone();
        let full = match &inits.full {
            None => None,
            Some((bytes, codec, (width, height))) => {
                init.extend_from_slice(bytes);
                Some(Full {
                    init_bytes: length(bytes.len())?,
                    codec: codec.clone(),
                    width: *width,
                    height: *height,
                })
            }
        };
        let head = Head {
            facts,
            tracks,
            origin_us,
            init_bytes: length(inits.first.len())?,
            made_size: inits.first_size,
            full,
            segment_count: length(heads.len())?,
            table_bytes: 0,
            segments: heads,
        };
        Self::assemble(head, &init, &packed)
    }

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
                rows_bytes: length(packed.len() - before)?,
            });
        }
        let head = Head {
            facts,
            tracks,
            origin_us,
            init_bytes: length(init.len())?,
            made_size: None,
            full: None,
            segment_count: length(heads.len())?,
            table_bytes: 0,
            segments: heads,
        };
        Self::assemble(head, init, &packed)
    }

    fn assemble(mut head: Head, init: &[u8], packed: &[u8]) -> Result<Self> {
        let table = heads::pack(&head.segments);
        head.table_bytes = length(table.len())?;
        let json = serde_json::to_vec(&head).map_err(|_| Error::BadIndex("no JSON"))?;
        let all = 12 + json.len() + init.len() + table.len() + packed.len();
        let mut bytes = Vec::with_capacity(all);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(json.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&json);
        bytes.extend_from_slice(init);
        bytes.extend_from_slice(&table);
        bytes.extend_from_slice(packed);
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
        let mut head: Head =
            serde_json::from_slice(json).map_err(|_| Error::BadIndex("the head is damaged"))?;
        let init_start = 12 + json_bytes;
        let init = init_start..init_start + head.init_bytes as usize;
        let full_bytes = head
            .full
            .as_ref()
            .map_or(0, |full| full.init_bytes as usize);
        let full_init = init.end..init.end + full_bytes;
        head.check()?;
        let rows_start = full_init.end + head.table_bytes as usize;
        let table = bytes
            .get(full_init.end..rows_start)
            .ok_or(Error::BadIndex("the table of segments is cut off"))?;
        head.segments = heads::unpack(table, head.segment_count as usize)?;
        head.check_rows(bytes.len() - rows_start)?;
        Ok(Self {
            head: std::sync::Arc::new(head),
            bytes,
            init,
            full_init,
            rows_start,
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

    /// Where the first so many segments end.
    pub fn end_us(&self, listed: usize) -> u64 {
        let last = self.segments().iter().take(listed).next_back();
        last.map_or(0, SegmentHead::end_us)
    }

    /// What a player calls 0 is this time in the file: usually 0, negative when sound begins earlier.
    pub fn origin_us(&self) -> i64 {
        self.head.origin_us
    }

    /// Segments are made by the worker ([`Self::feed`]), not cut from the original ([`Self::plan`]).
    pub fn is_made(&self) -> bool {
        self.head.tracks.iter().any(|t| t.mode != Mode::Raw)
    }

    /// Making a segment takes a decoder and an encoder.
    pub fn is_transcoded(&self) -> bool {
        self.head.tracks.iter().any(|t| t.mode == Mode::Transcoded)
    }

    /// What of this kind is transcoded for viewing, by its name in the original.
    pub fn transcoded(&self, kind: StreamKind) -> Option<&str> {
        let track = self
            .head
            .tracks
            .iter()
            .find(|t| t.kind == kind && t.mode == Mode::Transcoded)?;
        let stream = self.head.facts.streams.get(track.stream as usize)?;
        Some(&stream.codec)
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

    /// The init segment of a variant; `None` where there is no such variant.
    pub fn init_of(&self, variant: Variant) -> Option<Bytes> {
        match variant {
            Variant::First => Some(self.init()),
            Variant::Full => self
                .head
                .full
                .as_ref()
                .map(|_| self.bytes.slice(self.full_init.clone())),
        }
    }

    /// The HLS playlist a player begins with: a media playlist, or where there are two variants a
    /// multivariant one; see [`crate::playlist`].
    pub fn playlist(&self) -> String {
        self.multivariant()
            .unwrap_or_else(|| playlist::vod(&self.head.segments))
    }

    /// The multivariant playlist, where there are two variants.
    pub fn multivariant(&self) -> Option<String> {
        let full = self.head.full.as_ref()?;
        let (width, height) = self.head.made_size.unwrap_or((full.width, full.height));
        let sound = self.head.tracks.iter().skip(1);
        let full_codecs: Vec<&str> = std::iter::once(full.codec.as_str())
            .chain(sound.map(|t| t.codec.as_str()))
            .collect();
        let line = |uri, codecs, width, height| VariantLine {
            uri,
            codecs,
            width,
            height,
        };
        Some(playlist::multivariant(&[
            line("low.m3u8", self.codecs(), width, height),
            line("full.m3u8", full_codecs.join(","), full.width, full.height),
        ]))
    }

    /// The media playlist of a variant; `None` where there is no such variant.
    pub fn playlist_of(&self, variant: Variant) -> Option<String> {
        (variant == Variant::First || self.head.full.is_some())
            .then(|| playlist::vod_of(&self.head.segments, variant))
    }

    /// The packed feeds of made segment `number`, for the worker.
    ///
    /// # Errors
    /// [`Error::NoSegment`]; [`Error::BadIndex`] when its rows are damaged.
    pub fn feed(&self, number: usize) -> Result<Bytes> {
        Ok(self.bytes.slice(self.rows_of(number)?))
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
        if self.is_made() {
            return Err(Error::BadIndex("its segments are made, not cut"));
        }
        let packed = &self.bytes[self.rows_of(number)?];
        let runs = rows::unpack(packed, self.head.facts.size_bytes)?;
        if runs.iter().any(|run| run.track >= self.head.tracks.len()) {
            return Err(Error::BadIndex("rows of an unknown track"));
        }
        Ok(runs)
    }

    /// What is known of the first `count` segments' frames, packed: the same bytes, the same frames.
    pub fn beginning(&self, count: usize) -> Bytes {
        let segments = self.head.segments.iter().take(count);
        let rows: usize = segments.map(|s| s.rows_bytes as usize).sum();
        let start = self.rows_start;
        self.bytes.slice(start..start + rows)
    }

    /// Where a segment's rows lie in the stored form, which was found whole.
    fn rows_of(&self, number: usize) -> Result<Range<usize>> {
        let segments = &self.head.segments;
        let segment = segments.get(number).ok_or(Error::NoSegment(number))?;
        let before: usize = segments[..number]
            .iter()
            .map(|s| s.rows_bytes as usize)
            .sum();
        let start = self.rows_start + before;
        Ok(start..start + segment.rows_bytes as usize)
    }
}

fn length(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).map_err(|_| Error::BadIndex("too long"))
}

impl Head {
    fn check(&self) -> Result<()> {
        if self.segment_count == 0 || self.segment_count as usize > MAX_SEGMENTS {
            return Err(Error::BadIndex("no segments, or too many"));
        }
        if self.tracks.is_empty()
            || self.tracks.len() > 8
            || self.tracks.iter().any(|t| t.timescale == 0)
        {
            return Err(Error::BadIndex("the tracks are damaged"));
        }
        let full_bytes = self.full.as_ref().map_or(0, |full| full.init_bytes);
        if self.init_bytes.max(full_bytes) as usize > MAX_INIT_BYTES {
            return Err(Error::BadIndex("the init segment is too long"));
        }
        Ok(())
    }

    fn check_rows(&self, rows_bytes: usize) -> Result<()> {
        let all: usize = self.segments.iter().map(|s| s.rows_bytes as usize).sum();
        match all == rows_bytes {
            true => Ok(()),
            false => Err(Error::BadIndex("the rows are cut off")),
        }
    }
}
