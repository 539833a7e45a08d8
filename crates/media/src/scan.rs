//! Where every frame lies: all packets of the streams that play, in decoding order.
//!
//! For MP4 and MOV the media data itself isn't read: places and sizes are in the index, so `mdat` reads
//! as zeros and a recording of many gigabytes costs its `moov` and no more. Matroska has no such index
//! and is read once, whole; each frame's place is proven by comparing bytes.

use docket_playback::facts::ReasonCode;
use ffmpeg_next::codec::packet::side_data::Type as SideData;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Packet, ffi};

use crate::fault::{Fault, Result};
use crate::layout::Layout;
use crate::opening::{Depth, open};
use crate::recording::Recording;

/// Most frames of one recording: 14 hours of 30 pictures and 48 kHz AAC a second. All of them are in
/// memory at once, about 100 bytes each in the end.
const MAX_FRAMES: usize = 4_000_000;
/// Damaged packets that are passed over before giving up.
const MAX_DAMAGED: usize = 1 << 20;
/// A frame lies at most so far behind its block's beginning (lacing headers).
const SLACK_BYTES: usize = 4096;

/// One stored packet. Times are in the track's ticks as the muxer will use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Shown at.
    pub pts: i64,
    /// Where its bytes begin.
    pub offset: u64,
    /// How many they are.
    pub size_bytes: u32,
    /// How long it lasts, by its own account; 0 when it has none.
    pub duration: u32,
    /// Decoding can begin here.
    pub key: bool,
}

/// The streams' frames, and what was noticed.
#[derive(Debug, Default)]
pub struct Scan {
    /// One list for each wanted stream, in the order asked for.
    pub tracks: Vec<Vec<Frame>>,
    /// Something was damaged and left out.
    pub damaged: bool,
    /// Frames are announced that lie beyond the end.
    pub truncated: bool,
}

/// Scans the streams `wanted` into ticks of `timescales`.
///
/// # Errors
/// What of the media makes an index impossible; the source's failures.
pub fn scan(
    recording: &Recording,
    layout: &Layout,
    wanted: &[usize],
    timescales: &[u32],
) -> Result<Scan> {
    let mut input = open(recording, Depth::Container)?;
    keep_only(&mut input, wanted);
    let stored = layout.is_iso;
    if stored {
        recording.skim(layout.media_data.clone());
    }
    let done =
        Scanner::new(recording, &input, wanted, timescales, stored).and_then(|mut scanner| {
            scanner.run(&mut input)?;
            Ok(scanner.scan)
        });
    recording.skim(Vec::new());
    done
}

#[allow(unsafe_code)]
fn keep_only(input: &mut Input, wanted: &[usize]) {
    let count = input.nb_streams() as usize;
    for index in (0..count).filter(|index| !wanted.contains(index)) {
        // SAFETY: `index` is below the number of streams; `discard` is a public field.
        unsafe {
            let stream = *(*input.as_mut_ptr()).streams.add(index);
            (*stream).discard = ffi::AVDiscard::AVDISCARD_ALL;
        }
    }
}

struct Scanner<'a> {
    recording: &'a Recording,
    /// Of each stream of the input: its track, and its ticks as a fraction of the track's.
    map: Vec<Option<(usize, i128, i128)>>,
    smooth: Vec<Smooth>,
    stored: bool,
    /// Beginning of the last block and end of the last frame in it.
    last_block: (u64, u64),
    scan: Scan,
    frames: usize,
}

impl<'a> Scanner<'a> {
    fn new(
        recording: &'a Recording,
        input: &Input,
        wanted: &[usize],
        timescales: &[u32],
        stored: bool,
    ) -> Result<Self> {
        let mut map = vec![None; input.nb_streams() as usize];
        let mut smooth = Vec::new();
        for (track, (index, timescale)) in wanted.iter().zip(timescales).enumerate() {
            let stream = input.stream(*index).ok_or(ReasonCode::IndexDamaged)?;
            let base = stream.time_base();
            if base.numerator() <= 0 || base.denominator() <= 0 {
                return Err(ReasonCode::IndexDamaged.into());
            }
            let numerator = i128::from(base.numerator()) * i128::from(*timescale);
            let denominator = i128::from(base.denominator());
            map[*index] = Some((track, numerator, denominator));
            smooth.push(Smooth::new(&stream, numerator, denominator));
        }
        let scan = Scan {
            tracks: vec![Vec::new(); wanted.len()],
            ..Scan::default()
        };
        Ok(Self {
            recording,
            map,
            smooth,
            stored,
            last_block: (0, 0),
            scan,
            frames: 0,
        })
    }

    fn run(&mut self, input: &mut Input) -> Result<()> {
        let mut damaged = 0;
        loop {
            // A fresh one each time: reading into a used one would leak the old one's buffer.
            let mut packet = Packet::empty();
            match packet.read(input) {
                Ok(()) => self.take(&packet)?,
                Err(ffmpeg_next::Error::Eof) => break,
                Err(ffmpeg_next::Error::InvalidData) if damaged < MAX_DAMAGED => {
                    damaged += 1;
                    self.scan.damaged = true;
                }
                Err(ffmpeg_next::Error::InvalidData) => break,
                Err(error) => {
                    return Err(self.recording.failure().map_or(error.into(), Fault::Source));
                }
            }
        }
        // FFmpeg reports some failures of the source as the end.
        self.recording
            .failure()
            .map_or(Ok(()), |message| Err(Fault::Source(message)))
    }

    fn take(&mut self, packet: &Packet) -> Result<()> {
        let Some((track, numerator, denominator)) =
            self.map.get(packet.stream()).copied().flatten()
        else {
            return Ok(());
        };
        let changes = |kind| kind == SideData::NewExtraData || kind == SideData::ParamChange;
        if packet.side_data().any(|data| changes(data.kind()))
            && !self.scan.tracks[track].is_empty()
        {
            return Err(ReasonCode::ParametersChange.into());
        }
        let (Some(pts), Ok(size_bytes)) =
            (packet.pts().or(packet.dts()), u32::try_from(packet.size()))
        else {
            self.scan.damaged = true;
            return Ok(());
        };
        if size_bytes == 0 {
            return Ok(());
        }
        let Some(offset) = self.place(packet)? else {
            return Ok(());
        };
        self.frames += 1;
        if self.frames > MAX_FRAMES {
            return Err(ReasonCode::TooManyFrames.into());
        }
        let ticks = |value: i64| rescale(i128::from(value), numerator, denominator);
        let pts = ticks(pts).ok_or(ReasonCode::IndexDamaged)?;
        let duration = ticks(packet.duration())
            .and_then(|d| u32::try_from(d).ok())
            .unwrap_or(0);
        let pts = self.smooth[track].settle(pts);
        let frame = Frame {
            pts,
            offset,
            size_bytes,
            duration,
            key: packet.is_key(),
        };
        self.scan.tracks[track].push(frame);
        Ok(())
    }

    /// Where the packet's bytes lie; `None` when not all of them are there.
    fn place(&mut self, packet: &Packet) -> Result<Option<u64>> {
        let size_bytes = packet.size() as u64;
        let Ok(position) = u64::try_from(packet.position()) else {
            return Err(ReasonCode::FramesPacked.into());
        };
        let end = position.checked_add(size_bytes);
        if packet.is_corrupt() || end.is_none_or(|end| end > self.recording.size_bytes()) {
            self.scan.truncated = true;
            return Ok(None);
        }
        if self.stored {
            return Ok(Some(position));
        }
        self.find(position, packet.data().unwrap_or_default())
            .map(Some)
    }

    /// Finds a frame's bytes in the block that begins at `block`.
    fn find(&mut self, block: u64, data: &[u8]) -> Result<u64> {
        let from = if self.last_block.0 == block {
            self.last_block.1
        } else {
            block
        };
        let mut window = Vec::new();
        // Nearly always it begins after four bytes of block header, or where its neighbour ended.
        for slack in [16, SLACK_BYTES] {
            let left = self.recording.size_bytes().saturating_sub(from);
            let length = (data.len() + slack).min(usize::try_from(left).unwrap_or(usize::MAX));
            window.resize(length, 0);
            let read = self.recording.fill_at(from, &mut window);
            read.map_err(|error| Fault::Source(error.to_string()))?;
            let head = &data[..data.len().min(32)];
            let found = window
                .windows(data.len())
                .take(slack)
                .position(|bytes| bytes.starts_with(head) && bytes == data);
            if let Some(at) = found {
                let offset = from + at as u64;
                self.last_block = (block, offset + data.len() as u64);
                return Ok(offset);
            }
        }
        Err(ReasonCode::FramesPacked.into())
    }
}

/// Matroska rounds times to milliseconds, which makes sound frames seem to overlap or gape. Where a
/// time is within that rounding of the exact one, the exact one is taken.
struct Smooth {
    step: i64,
    tolerance: i64,
    expected: Option<i64>,
}

impl Smooth {
    #[allow(unsafe_code)]
    fn new(stream: &ffmpeg_next::Stream<'_>, numerator: i128, denominator: i128) -> Self {
        let parameters = stream.parameters();
        // SAFETY: plain fields of parameters that live as long as the stream.
        let (kind, samples) = unsafe { (parameters.medium(), (*parameters.as_ptr()).frame_size) };
        let is_sound = kind == ffmpeg_next::media::Type::Audio;
        // One tick of the file is several of the track only where the file is coarser.
        let tick = i64::try_from(numerator / denominator).unwrap_or(0);
        let (step, tolerance) = if is_sound && tick > 1 {
            (i64::from(samples.max(0)), tick)
        } else {
            (0, 0)
        };
        let step = if step == 0 && tolerance > 0 {
            1024
        } else {
            step
        };
        Self {
            step,
            tolerance,
            expected: None,
        }
    }

    fn settle(&mut self, pts: i64) -> i64 {
        if self.tolerance == 0 {
            return pts;
        }
        let near = |expected: &i64| expected.abs_diff(pts) <= self.tolerance.unsigned_abs();
        let settled = self.expected.filter(near).unwrap_or(pts);
        self.expected = settled.checked_add(self.step);
        settled
    }
}

/// `value * numerator / denominator`, rounded to nearest; `None` beyond what a muxer can write.
fn rescale(value: i128, numerator: i128, denominator: i128) -> Option<i64> {
    let scaled = value.checked_mul(numerator)?;
    let rounded = (scaled + denominator / 2).div_euclid(denominator);
    i64::try_from(rounded)
        .ok()
        .filter(|ticks| ticks.unsigned_abs() < 1 << 60)
}
