//! How loud a stretch of sound is.

use docket_playback::facts::ReasonCode;
use docket_playback::index::Track;
use docket_playback::looks::waveform::{MOST_PEAKS, PEAK_US};
use docket_playback::made::{self, Mode};
use docket_playback::rows;
use ffmpeg_next::codec::decoder;
use ffmpeg_next::format::{Sample, sample::Type};
use ffmpeg_next::{Packet, frame};

use super::Frames;
use crate::fault::Result;
use crate::make;

/// The peaks `from..until` of the frames in `packed`: a byte each.
///
/// # Errors
/// The source's; [`ReasonCode::IndexDamaged`] when what is asked for makes no sense.
pub fn peaks(
    frames: &mut Frames<'_>,
    track: &Track,
    (from, until): (u64, u64),
    packed: &[u8],
) -> Result<Vec<u8>> {
    let count = usize::try_from(until.saturating_sub(from)).unwrap_or(usize::MAX);
    if count > MOST_PEAKS || until > MOST_PEAKS as u64 || track.timescale == 0 {
        return Err(ReasonCode::IndexDamaged.into());
    }
    let mut listener = Listener {
        decoder: make::sound_decoder(&frames.stream(track.stream)?, track.timescale)?,
        timescale: track.timescale,
        from,
        loudest: vec![0.0; count],
        next_us: 0,
    };
    if track.mode == Mode::Raw {
        for run in rows::unpack(packed, frames.recording.size_bytes())? {
            let mut time = run.decode_time;
            for sample in run.samples {
                // What the file ends before is silent.
                if let Some(mut packet) = frames.stored(sample.offset, sample.size_bytes)? {
                    listener.hear(&mut packet, time);
                }
                time = time.saturating_add(u64::from(sample.duration));
            }
        }
    } else {
        for feed in made::unpack(packed)? {
            let mut times = Vec::with_capacity(feed.packets.len());
            let mut time = feed.decode_time;
            for packet in &feed.packets {
                times.push(time);
                time = time.saturating_add(u64::from(packet.duration));
            }
            let recording = frames.recording;
            let mut reading = frames.maker()?.reading(recording, track.stream);
            reading.read(&feed, |at, packet| {
                listener.hear(packet, times[at]);
                Ok(())
            })?;
        }
    }
    if listener.decoder.send_eof().is_ok() {
        listener.take();
    }
    let byte = |peak: f32| (peak.min(1.0) * 255.0).round() as u8;
    Ok(listener.loudest.into_iter().map(byte).collect())
}

struct Listener {
    decoder: decoder::Audio,
    timescale: u32,
    from: u64,
    loudest: Vec<f32>,
    /// Where sound without a time goes.
    next_us: u64,
}

impl Listener {
    fn hear(&mut self, packet: &mut Packet, time: u64) {
        let time = i64::try_from(time).ok();
        packet.set_pts(time);
        packet.set_dts(time);
        // A damaged packet is silence.
        if self.decoder.send_packet(packet).is_ok() {
            self.take();
        }
    }

    fn take(&mut self) {
        let mut sound = frame::Audio::empty();
        while self.decoder.receive_frame(&mut sound).is_ok() {
            let rate = u64::from(sound.rate().max(1));
            let given = sound.timestamp().and_then(|at| u64::try_from(at).ok());
            let start_us = given.map_or(self.next_us, |at| self.us(at));
            let samples = sound.samples() as u64;
            let length_us = samples.saturating_mul(1_000_000) / rate;
            self.next_us = start_us.saturating_add(length_us);
            let mut done = 0;
            while done < samples {
                let at_us = start_us.saturating_add(done * 1_000_000 / rate);
                let peak = at_us / PEAK_US;
                let left_us = (peak + 1).saturating_mul(PEAK_US).saturating_sub(at_us);
                let count = (left_us.saturating_mul(rate) / 1_000_000).max(1);
                let some = done..samples.min(done.saturating_add(count));
                done = some.end;
                let into = peak.checked_sub(self.from);
                let into = into.and_then(|at| self.loudest.get_mut(usize::try_from(at).ok()?));
                if let Some(into) = into {
                    *into = into.max(loudest(&sound, some.start as usize..some.end as usize));
                }
            }
        }
    }

    fn us(&self, ticks: u64) -> u64 {
        let us = u128::from(ticks) * 1_000_000 / u128::from(self.timescale);
        u64::try_from(us).unwrap_or(u64::MAX)
    }
}

/// The loudest of these samples on any channel, 0 to 1 (and beyond, where it is distorted).
fn loudest(sound: &frame::Audio, samples: std::ops::Range<usize>) -> f32 {
    let (size, kind) = match sound.format() {
        Sample::U8(kind) => (1, kind),
        Sample::I16(kind) => (2, kind),
        Sample::I32(kind) | Sample::F32(kind) => (4, kind),
        Sample::I64(kind) | Sample::F64(kind) => (8, kind),
        Sample::None => return 0.0,
    };
    let channels = usize::from(sound.channels());
    // Planes of a frame may be longer than its samples.
    let (planes, each) = match kind {
        Type::Planar => (sound.planes(), size),
        Type::Packed => (1, size * channels),
    };
    let mut most = 0.0_f32;
    for plane in 0..planes {
        let bytes = sound.data(plane);
        let end = bytes.len().min(samples.end * each);
        let bytes = bytes.get(samples.start * each..end).unwrap_or_default();
        for value in bytes.chunks_exact(size) {
            most = most.max(level(sound.format(), value)); // of a number that is none: the other
        }
    }
    most
}

fn level(format: Sample, value: &[u8]) -> f32 {
    match (format, value) {
        (Sample::U8(_), [a]) => (f32::from(*a) - 128.0).abs() / 128.0,
        (Sample::I16(_), [a, b]) => f32::from(i16::from_ne_bytes([*a, *b])).abs() / 32_768.0,
        (Sample::I32(_), [a, b, c, d]) => {
            let value = i32::from_ne_bytes([*a, *b, *c, *d]);
            (value as f32).abs() / 2_147_483_648.0
        }
        (Sample::F32(_), [a, b, c, d]) => f32::from_ne_bytes([*a, *b, *c, *d]).abs(),
        (Sample::I64(_), [a, b, c, d, e, f, g, h]) => {
            let value = i64::from_ne_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (value as f64 / 9_223_372_036_854_775_808.0).abs() as f32
        }
        (Sample::F64(_), [a, b, c, d, e, f, g, h]) => {
            f64::from_ne_bytes([*a, *b, *c, *d, *e, *f, *g, *h]).abs() as f32
        }
        _ => 0.0,
    }
}
