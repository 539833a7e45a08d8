//! Where every frame lies: all packets of the streams that play, in decoding order.
//!
//! For MP4 and MOV the media data itself isn't read: places and sizes are in the index, so `mdat` reads
//! as zeros and a recording of many gigabytes costs its `moov` and no more. Matroska has no such index
//! and is read once, whole; each frame's place is proven by comparing bytes. Where the worker makes
//! the segments, a frame's own time stamp and about where reading may begin are enough.

use docket_playback::facts::ReasonCode;
use ffmpeg_next::codec::packet::side_data::Type as SideData;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Packet, ffi};

use crate::epochs::Epochs;
use crate::fault::{Fault, Result};
use crate::keys::Keys;
use crate::layout::Layout;
use crate::make::Way;
use crate::opening::{Depth, open};
use crate::order::Order;
use crate::recording::Recording;
use crate::smooth::Smooth;

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
    /// Its container's edit list says that it is decoded and not shown.
    pub hidden: bool,
    /// Its time stamp as the demuxer gives it, in the stream's ticks: what it is found by again.
    pub stamp: i64,
}

/// How frames are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// They are sent as they lie in the file: each one's place must be exact.
    Exact,
    /// The worker reads them again by this way.
    Again(Way),
}

impl Look {
    fn stamp(self, packet: &Packet) -> Option<i64> {
        match self {
            Self::Exact => packet.dts().or(packet.pts()),
            Self::Again(way) => way.stamp(packet),
        }
    }
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
pub fn scan(recording: &Recording, layout: &Layout, wanted: &[Wanted], look: Look) -> Result<Scan> {
    let depth = match look {
        Look::Exact => Depth::Container,
        Look::Again(way) => way.depth(),
    };
    let mut input = open(recording, depth)?;
    let streams: Vec<usize> = wanted.iter().map(|one| one.stream).collect();
    keep_only(&mut input, &streams);
    let stored = layout.is_iso;
    if stored {
        recording.skim(layout.media_data.clone());
    }
    let done = Scanner::new(recording, &input, wanted, look, stored).and_then(|mut scanner| {
        if scanner.orders.iter().any(Option::is_some) {
            // What opening has read ahead went through the parser already.
            rewind(&mut input, look);
        }
        scanner.run(&mut input)?;
        Ok(scanner.done())
    });
    recording.skim(Vec::new());
    done
}

#[allow(unsafe_code)]
fn rewind(input: &mut Input, look: Look) {
    let flags = match look {
        Look::Again(Way::Bytes) => ffi::AVSEEK_FLAG_BYTE,
        _ => ffi::AVSEEK_FLAG_BACKWARD,
    };
    // SAFETY: the input is open. An input that can't seek goes on where it is.
    unsafe { ffi::av_seek_frame(input.as_mut_ptr(), -1, 0, flags) };
}

/// One stream to be scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its number.
    pub stream: usize,
    /// Ticks a second of its frames' times.
    pub timescale: u32,
    /// It is sound to be transcoded, whose frames must join to the sample.
    pub joined: bool,
}

/// Packets of other streams are passed over.
#[allow(unsafe_code)]
pub fn keep_only(input: &mut Input, wanted: &[usize]) {
    let count = input.nb_streams() as usize;
    for index in 0..count {
        // SAFETY: `index` is below the number of streams; `discard` is a public field.
        unsafe {
            let stream = *(*input.as_mut_ptr()).streams.add(index);
            (*stream).discard = match wanted.contains(&index) {
                true => ffi::AVDiscard::AVDISCARD_DEFAULT,
                false => ffi::AVDiscard::AVDISCARD_ALL,
            };
        }
    }
}

struct Scanner<'a> {
    recording: &'a Recording,
    /// Of each stream of the input: its track, and its ticks as a fraction of the track's.
    map: Vec<Option<(usize, i128, i128)>>,
    timescales: Vec<u32>,
    smooth: Vec<Smooth>,
    orders: Vec<Option<Order>>,
    keys: Vec<Keys>,
    /// When each track's last frame is decoded, and how long it lasts.
    decoded: Vec<Option<(i64, u32)>>,
    /// Of what has no index: each stretch between its recorder's starts may count anew.
    epochs: Option<Epochs>,
    look: Look,
    stored: bool,
    /// Beginning of the last block, and where the last frame in it ends.
    last_block: (u64, u64),
    scan: Scan,
    frames: usize,
}

impl<'a> Scanner<'a> {
    fn new(
        recording: &'a Recording,
        input: &Input,
        wanted: &[Wanted],
        look: Look,
        stored: bool,
    ) -> Result<Self> {
        let mut map = vec![None; input.nb_streams() as usize];
        let (mut smooth, mut orders, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for (track, one) in wanted.iter().enumerate() {
            let stream = input.stream(one.stream).ok_or(ReasonCode::IndexDamaged)?;
            let base = stream.time_base();
            if base.numerator() <= 0 || base.denominator() <= 0 {
                return Err(ReasonCode::IndexDamaged.into());
            }
            let numerator = i128::from(base.numerator()) * i128::from(one.timescale);
            let denominator = i128::from(base.denominator());
            map[one.stream] = Some((track, numerator, denominator));
            smooth.push(match one.joined {
                true => Smooth::joined(&stream, one.timescale),
                false => Smooth::new(&stream, numerator, denominator),
            });
            keys.push(Keys::of_stream(&stream));
            let parsed = matches!(look, Look::Again(Way::Chunks | Way::Index | Way::Bytes));
            let tells = look == Look::Again(Way::Bytes);
            orders.push(parsed.then(|| Order::of(&stream, tells)).flatten());
        }
        let scan = Scan {
            tracks: vec![Vec::new(); wanted.len()],
            ..Scan::default()
        };
        Ok(Self {
            recording,
            map,
            timescales: wanted.iter().map(|one| one.timescale).collect(),
            smooth,
            orders,
            keys,
            decoded: vec![None; wanted.len()],
            epochs: (look == Look::Again(Way::Bytes)).then(|| Epochs::new(wanted.len())),
            look,
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
                Ok(()) => self.take(&packet, input)?,
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

    fn take(&mut self, packet: &Packet, input: &Input) -> Result<()> {
        let Some((track, numerator, denominator)) =
            self.map.get(packet.stream()).copied().flatten()
        else {
            return Ok(());
        };
        let changes = |kind| kind == SideData::NewExtraData || kind == SideData::ParamChange;
        // What is decoded anew or carries its parameters along may change them.
        if self.look == Look::Exact
            && packet.side_data().any(|data| changes(data.kind()))
            && !self.scan.tracks[track].is_empty()
        {
            return Err(ReasonCode::ParametersChange.into());
        }
        let (Some(stamp), Ok(size_bytes)) = (self.look.stamp(packet), u32::try_from(packet.size()))
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
        let own = |value: i64| rescale(i128::from(value), numerator, denominator);
        let duration = own(packet.duration())
            .and_then(|d| u32::try_from(d).ok())
            .unwrap_or(0);
        let Some((pts, decode)) = self.times(track, packet, own, duration)? else {
            self.scan.damaged = true;
            return Ok(());
        };
        self.decoded[track] = Some((decode, duration));
        let smooth = &mut self.smooth[track];
        let (pts, duration) = smooth.settle(pts, duration, packet.size());
        if let Some(order) = &mut self.orders[track] {
            order.note(input, packet, decode);
        }
        let frame = Frame {
            pts,
            offset,
            size_bytes,
            duration,
            key: self.keys[track].of(packet),
            hidden: is_hidden(packet),
            stamp,
        };
        self.scan.tracks[track].push(frame);
        Ok(())
    }

    /// When a frame is shown and decoded, in the track's ticks. One that has no time of its own is decoded
    /// after the one before; `None` where there is none before.
    fn times(
        &mut self,
        track: usize,
        packet: &Packet,
        own: impl Fn(i64) -> Option<i64>,
        duration: u32,
    ) -> Result<Option<(i64, i64)>> {
        let Some(pts) = packet.pts().or(packet.dts()) else {
            let after = self.decoded[track]
                .map(|(decode, lasts)| decode.saturating_add(i64::from(lasts.max(1))));
            return Ok(after.map(|after| (after, after)));
        };
        let timescale = i128::from(self.timescales[track]);
        let added = self.epochs.as_mut().map_or(Some(0), |epochs| {
            let micros = |ticks: i64| rescale(i128::from(ticks), 1_000_000, timescale);
            let decode = micros(own(packet.dts().unwrap_or(pts))?)?;
            let added = epochs.added_us(track, decode, micros(i64::from(duration))?);
            rescale(i128::from(added), timescale, 1_000_000)
        });
        let added = added.ok_or(ReasonCode::IndexDamaged)?;
        let ticks = |value: i64| own(value)?.checked_add(added);
        let pts = ticks(pts).ok_or(ReasonCode::IndexDamaged)?;
        Ok(Some((pts, packet.dts().and_then(ticks).unwrap_or(pts))))
    }

    /// The frames, those without times of their own in the order they are shown.
    fn done(mut self) -> Scan {
        for (frames, order) in self.scan.tracks.iter_mut().zip(&self.orders) {
            if let Some(order) = order {
                order.apply(frames);
            }
        }
        self.scan
    }

    /// Where the packet's bytes lie; `None` when not all of them are there.
    fn place(&mut self, packet: &Packet) -> Result<Option<u64>> {
        let size_bytes = packet.size() as u64;
        if self.look != Look::Exact && !self.stored {
            if packet.is_corrupt() {
                self.scan.truncated = true;
                return Ok(None);
            }
            // Frames after the first of their block have no place of their own.
            let place = u64::try_from(packet.position()).ok();
            let Some(place) = place.filter(|place| !self.goes_on_within(*place)) else {
                self.last_block.1 = self.last_block.1.saturating_add(size_bytes);
                return Ok(Some(self.last_block.0));
            };
            self.last_block = (place, place.saturating_add(size_bytes));
            return Ok(Some(place));
        }
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

    /// AVI's chunks of sound are read in parts, which adjoin; between chunks there are headers. Reading can
    /// go on from a chunk only.
    fn goes_on_within(&self, place: u64) -> bool {
        self.look == Look::Again(Way::Chunks) && place == self.last_block.1
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

#[allow(unsafe_code)]
fn is_hidden(packet: &Packet) -> bool {
    use ffmpeg_next::packet::Ref;
    // SAFETY: a plain field of a live packet.
    unsafe { (*packet.as_ptr()).flags & ffi::AV_PKT_FLAG_DISCARD != 0 }
}

/// `value * numerator / denominator`, rounded to nearest; `None` beyond what a muxer can write.
pub(crate) fn rescale(value: i128, numerator: i128, denominator: i128) -> Option<i64> {
    let scaled = value.checked_mul(numerator)?;
    let rounded = (scaled + denominator / 2).div_euclid(denominator);
    i64::try_from(rounded)
        .ok()
        .filter(|ticks| ticks.unsigned_abs() < 1 << 60)
}
