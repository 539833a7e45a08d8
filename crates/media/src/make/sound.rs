//! Decoding sound and encoding it as AAC, so that segments join to the sample.
//!
//! AAC frames lie on a grid of 1024 samples that begins at time 0. A segment's frames are encoded after
//! a few more before them (the lead-in), whose results are thrown away: each frame overlaps with its
//! neighbour, and the encoder, the resampler and many decoders need a while to settle.

use docket_playback::facts::ReasonCode;
use docket_playback::made::{Feed, MadeRun};
use ffmpeg_next::codec::{decoder, encoder};
use ffmpeg_next::format::stream::Stream;
use ffmpeg_next::format::{Sample, sample};
use ffmpeg_next::software::resampling;
use ffmpeg_next::{ChannelLayout, Packet, codec, frame};

use super::encoders::{sound_channels, sound_encoder};
use crate::codecs;
use crate::fault::Result;

/// Samples in an AAC frame.
pub const FRAME: u64 = 1024;
/// AAC frames before a segment's first.
pub const LEAD_IN: u64 = 4;
/// Longest sound of one segment.
const MOST_SECONDS: u64 = 900;
const FLOATS: Sample = Sample::F32(sample::Type::Planar);

/// The sound of one segment.
pub struct Sound {
    decoder: decoder::Audio,
    encoder: encoder::audio::Encoder,
    resampler: Option<resampling::Context>,
    rate: u32,
    layout: ChannelLayout,
    feed: Feed,
    /// Time of each packet.
    times: Vec<i64>,
    /// The samples of each channel from `start` on.
    channels: Vec<Vec<f32>>,
    start: i64,
    /// Where the next decoded samples go.
    next: Option<i64>,
}

impl Sound {
    /// Opens decoder and encoder.
    pub fn new(stream: &Stream<'_>, rate: u32, feed: &Feed) -> Result<Self> {
        let wanted = feed.until.saturating_sub(feed.from);
        if rate == 0 || wanted > MOST_SECONDS * u64::from(rate) {
            return Err(ReasonCode::IndexDamaged.into());
        }
        let parameters = codecs::parameters(stream);
        let count = sound_channels(parameters.channels);
        let start = feed.from as i64 - (LEAD_IN * FRAME) as i64; // below 2^60
        let length = (wanted + (LEAD_IN + 1) * FRAME) as usize;
        let mut times = Vec::with_capacity(feed.packets.len());
        let mut time = feed.decode_time.cast_signed();
        for packet in &feed.packets {
            times.push(time);
            time = time.saturating_add(i64::from(packet.duration));
        }
        Ok(Self {
            decoder: decoder(stream, rate)?,
            encoder: sound_encoder(&parameters)?,
            resampler: None,
            rate,
            layout: ChannelLayout::default(count),
            feed: feed.clone(),
            times,
            channels: vec![vec![0.0; length]; usize::try_from(count).unwrap_or(1)],
            start,
            next: None,
        })
    }

    /// Decodes one packet.
    pub fn feed(&mut self, at: usize, packet: &mut Packet) -> Result<()> {
        packet.set_pts(Some(self.times[at]));
        packet.set_dts(Some(self.times[at]));
        // A damaged packet is silence.
        if self.decoder.send_packet(packet).is_ok() {
            self.take()?;
        }
        Ok(())
    }

    fn take(&mut self) -> Result<()> {
        let mut decoded = frame::Audio::empty();
        while self.decoder.receive_frame(&mut decoded).is_ok() {
            if decoded.samples() == 0 {
                continue;
            }
            let layout = match decoded.channel_layout() {
                layout if layout.is_empty() => {
                    ChannelLayout::default(i32::from(decoded.channels()))
                }
                layout => layout,
            };
            decoded.set_channel_layout(layout);
            let at = decoded.timestamp();
            // Jitter was settled when the index was made; only true breaks are left, and rounding.
            let jitter = u64::from(self.rate / 50);
            let goes_on = self
                .next
                .filter(|next| at.is_none_or(|at| at.abs_diff(*next) < jitter));
            if goes_on.is_none() {
                self.resampler = None;
            }
            let at = goes_on.or(at).unwrap_or(self.start);
            let samples = self.resampled(&decoded, layout)?;
            self.place(&samples, at);
            self.next = Some(at.saturating_add(samples.samples() as i64));
        }
        Ok(())
    }

    fn resampled(&mut self, decoded: &frame::Audio, layout: ChannelLayout) -> Result<frame::Audio> {
        let same = |one: &resampling::Context| {
            let input = one.input();
            input.format == decoded.format()
                && input.channel_layout == layout
                && input.rate == decoded.rate()
        };
        let resampler = match self.resampler.take().filter(same) {
            Some(resampler) => resampler,
            None => resampling::Context::get(
                decoded.format(),
                layout,
                decoded.rate().max(1),
                FLOATS,
                self.layout,
                self.rate,
            )?,
        };
        let resampler = self.resampler.insert(resampler);
        let most =
            decoded.samples() as u64 * u64::from(self.rate) / u64::from(decoded.rate().max(1));
        let mut samples = frame::Audio::new(FLOATS, most as usize + 256, self.layout);
        samples.set_rate(self.rate);
        resampler.run(decoded, &mut samples)?;
        Ok(samples)
    }

    fn place(&mut self, samples: &frame::Audio, at: i64) {
        let offset = at.saturating_sub(self.start);
        let skipped = usize::try_from(offset.saturating_neg()).unwrap_or(0);
        let offset = usize::try_from(offset).unwrap_or(0);
        for (number, channel) in self.channels.iter_mut().enumerate() {
            let from = samples.plane::<f32>(number);
            let from = from.get(skipped..).unwrap_or_default();
            let Some(into) = channel.get_mut(offset..) else {
                continue;
            };
            let count = into.len().min(from.len());
            into[..count].copy_from_slice(&from[..count]);
        }
    }

    /// The run: whole AAC frames from the feed's beginning to its end.
    pub fn finish(mut self) -> Result<MadeRun> {
        if self.decoder.send_eof().is_ok() {
            self.take()?;
        }
        let mut run = MadeRun {
            track: self.feed.track,
            decode_time: self.feed.from,
            frames: Vec::new(),
        };
        let length = self.channels[0].len();
        for at in (0..length).step_by(FRAME as usize) {
            let mut block = frame::Audio::new(FLOATS, FRAME as usize, self.layout);
            for (number, channel) in self.channels.iter().enumerate() {
                let from = &channel[at..length.min(at + FRAME as usize)];
                let into = block.plane_mut::<f32>(number);
                into[..from.len()].copy_from_slice(from);
                into[from.len()..].fill(0.0);
            }
            block.set_rate(self.rate);
            block.set_pts(Some(self.start + at as i64));
            self.encoder.send_frame(&block)?;
            self.keep(&mut run);
        }
        if self.encoder.send_eof().is_ok() {
            self.keep(&mut run);
        }
        Ok(run)
    }

    fn keep(&mut self, run: &mut MadeRun) {
        let range = self.feed.from as i64..self.feed.until as i64;
        let mut packet = Packet::empty();
        while self.encoder.receive_packet(&mut packet).is_ok() {
            if packet.pts().is_some_and(|pts| range.contains(&pts)) {
                let bytes = packet.data().unwrap_or_default().to_vec();
                run.frames.push((FRAME as u32, 0, true, bytes));
            }
        }
    }
}

/// A decoder of sound; packets come in ticks of `rate` a second.
///
/// # Errors
/// When there is none for it.
#[allow(unsafe_code)]
pub fn decoder(stream: &Stream<'_>, rate: u32) -> Result<decoder::Audio> {
    let mut context = codec::Context::from_parameters(stream.parameters())?;
    // SAFETY: options of a context that isn't open yet.
    unsafe {
        let raw = context.as_mut_ptr();
        (*raw).thread_count = 1;
        (*raw).pkt_timebase = ffmpeg_next::Rational(1, i32::try_from(rate).unwrap_or(1)).into();
    }
    Ok(context.decoder().audio()?)
}
