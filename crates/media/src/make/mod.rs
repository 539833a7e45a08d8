//! Making a segment: reading what its feeds name, and copying or transcoding it.

pub mod bits;
mod encoders;
mod finding;
mod picture;
mod reading;
mod sound;

use docket_container::resume::{Head, Kind};
use docket_playback::facts::{ReasonCode, StreamKind};
use docket_playback::index::Track;
use docket_playback::made::{self, Feed, MadeRun, Mode, Variant};
use ffmpeg_next::Packet;
use ffmpeg_next::format::context::Input;

use crate::fault::{Fault, Result};
use crate::opening::{Depth, open};
use crate::probe::Probed;
use crate::recording::Recording;

pub use bits::audio_specific_config;
pub use encoders::{Size, picture_encoder, sound_encoder, sound_rate};
pub use sound::{FRAME, LEAD_IN, decoder as sound_decoder};

/// How frames are found again in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the stream's own index: MP4, MOV, 3GP.
    Stored,
    /// By the index of the picture; packets come as they are stored: Matroska.
    Picture,
    /// By the index of the picture; packets must be parsed: AVI, which counts frames and says no times.
    Chunks,
    /// By the index of the picture; packets must be parsed: others.
    Index,
    /// By bytes: transport and program streams have no index.
    Bytes,
}

impl Way {
    /// The way for a container.
    pub fn of(container: &str) -> Self {
        match container {
            "mp4" | "mov" | "3gp" => Self::Stored,
            "matroska" => Self::Picture,
            "avi" => Self::Chunks,
            "mpegts" | "mpegps" => Self::Bytes,
            _ => Self::Index,
        }
    }

    /// How it must be opened.
    pub fn depth(self) -> Depth {
        match self {
            Self::Stored | Self::Picture => Depth::Container,
            Self::Chunks | Self::Index | Self::Bytes => Depth::Streams,
        }
    }

    /// And where its head is joined to a later part of it: what there is to be found out is known.
    fn depth_joined(self) -> Depth {
        match self.depth() {
            Depth::Streams => Depth::Parsed,
            depth => depth,
        }
    }

    /// The time stamp by which a packet is known, in the stream's ticks.
    pub fn stamp(self, packet: &Packet) -> Option<i64> {
        match self {
            // Some frames come without a time of showing: what the parser makes of it depends on where it
            // began.
            Self::Chunks | Self::Index => packet.dts().or(packet.pts()),
            Self::Bytes => packet.dts().or(packet.pts()).or_else(|| by_place(packet)),
            _ => packet.pts().or(packet.dts()),
        }
    }
}

/// A program stream says a time for one frame of those that begin in a packet: others are known by their
/// place. No time stamp is so small.
fn by_place(packet: &Packet) -> Option<i64> {
    let place = u64::try_from(packet.position()).ok()?;
    (i64::MIN / 2).checked_add_unsigned(place)
}

/// Makes segments of one recording.
pub struct Maker {
    input: Input,
    way: Way,
    /// Of what can be read on from the middle.
    head: Option<Head>,
}

impl Maker {
    /// Opens a recording for making.
    ///
    /// # Errors
    /// As [`open`].
    pub fn new(recording: &Recording, probed: &Probed) -> Result<Self> {
        let container = probed.facts.container.as_str();
        let way = Way::of(container);
        let input = open(recording, way.depth())?;
        let kind = match container {
            "avi" => Some(Kind::Avi),
            "matroska" => Some(Kind::Matroska),
            _ => None,
        };
        let head = match kind {
            Some(kind) => Head::of(&mut &*recording, kind),
            None => Ok(None),
        };
        let head = head.map_err(|error| Fault::Source(error.to_string()))?;
        Ok(Self { input, way, head })
    }

    /// Reads packets of one stream.
    pub(crate) fn reading<'a>(
        &'a mut self,
        recording: &'a Recording,
        stream: u32,
    ) -> reading::Reading<'a> {
        reading::Reading {
            input: &mut self.input,
            way: self.way,
            head: self.head,
            recording,
            stream: stream as usize,
        }
    }

    /// One media segment.
    ///
    /// # Errors
    /// The source's; what makes it impossible to decode or encode anything.
    pub fn segment(
        &mut self,
        recording: &Recording,
        probed: &Probed,
        number: u32,
        variant: Variant,
        tracks: &[Track],
        packed: &[u8],
    ) -> Result<Vec<u8>> {
        let mut runs = Vec::new();
        for feed in made::unpack(packed)? {
            let track = tracks.get(feed.track).ok_or(ReasonCode::IndexDamaged)?;
            runs.push(self.run(recording, probed, variant, track, &feed)?);
        }
        Ok(made::segment(number as usize, runs)?.to_vec())
    }

    fn run(
        &mut self,
        recording: &Recording,
        probed: &Probed,
        variant: Variant,
        track: &Track,
        feed: &Feed,
    ) -> Result<MadeRun> {
        let parameters = probed.input.as_ref().ok_or(ReasonCode::IndexDamaged)?;
        let stream = parameters
            .stream(track.stream as usize)
            .ok_or(ReasonCode::IndexDamaged)?;
        let mut reading = self.reading(recording, track.stream);
        match (track.mode, track.kind) {
            (Mode::Copied, _) => {
                let form = bits::Form::of(&stream);
                let mut frames: Vec<Option<Vec<u8>>> = vec![None; feed.packets.len()];
                reading.read(feed, |at, packet| {
                    frames[at] = form.copied(packet.data().unwrap_or_default());
                    Ok(())
                })?;
                Ok(copied(feed, frames))
            }
            (Mode::Transcoded, StreamKind::Video) => {
                let mut pictures = picture::Pictures::new(&stream, variant, track.timescale, feed)?;
                reading.read(feed, |at, packet| pictures.feed(at, packet))?;
                pictures.finish()
            }
            (Mode::Transcoded, StreamKind::Audio) => {
                let mut sound = sound::Sound::new(&stream, track.timescale, feed)?;
                reading.read(feed, |at, packet| sound.feed(at, packet))?;
                sound.finish()
            }
            _ => Err(Fault::from(ReasonCode::IndexDamaged)),
        }
    }
}

/// Frames that could not be had are bridged by the one before, so that what follows keeps its time.
fn copied(feed: &Feed, frames: Vec<Option<Vec<u8>>>) -> MadeRun {
    let mut run = MadeRun {
        track: feed.track,
        decode_time: feed.decode_time,
        frames: Vec::with_capacity(frames.len()),
    };
    for (packet, bytes) in feed.packets.iter().zip(frames) {
        match (bytes, run.frames.last_mut()) {
            (Some(bytes), _) => {
                run.frames
                    .push((packet.duration, packet.composition, packet.key, bytes));
            }
            (None, Some(last)) => last.0 = last.0.saturating_add(packet.duration),
            (None, None) => run.decode_time += u64::from(packet.duration),
        }
    }
    run
}
