//! Decoding a picture and encoding it as H.264.

use docket_playback::facts::ReasonCode;
use docket_playback::made::{Feed, MadeRun, Variant};
use ffmpeg_next::codec::{decoder, encoder};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::format::stream::Stream;
use ffmpeg_next::software::scaling;
use ffmpeg_next::{Packet, frame, picture};

use super::bits::Form;
use super::encoders::{Size, picture_encoder};
use crate::codecs;
use crate::fault::{Fault, Result};
use crate::opening::aspect;
use crate::poster;

/// The pictures of one segment.
pub struct Pictures {
    decoder: decoder::Video,
    encoder: encoder::video::Encoder,
    size: Size,
    scaler: Option<(Pixel, u32, u32, scaling::Context)>,
    feed: Feed,
    /// Decode time of each packet.
    decode: Vec<i64>,
    /// Shown last, so that no time is used twice.
    last: Option<i64>,
    /// Encoded: shown at, bytes.
    encoded: Vec<(i64, bool, Vec<u8>)>,
}

impl Pictures {
    /// Opens decoder and encoder.
    pub fn new(stream: &Stream<'_>, variant: Variant, timescale: u32, feed: &Feed) -> Result<Self> {
        let parameters = codecs::parameters(stream);
        let encoder = picture_encoder(
            &parameters,
            (aspect(stream), stream.avg_frame_rate()),
            timescale,
            variant,
        )?;
        let mut decode = Vec::with_capacity(feed.packets.len());
        let mut time = feed.decode_time.cast_signed();
        for packet in &feed.packets {
            decode.push(time);
            time = time.saturating_add(i64::from(packet.duration));
        }
        Ok(Self {
            decoder: poster::decoder(stream)?,
            encoder,
            size: Size::of(&parameters, variant),
            scaler: None,
            feed: feed.clone(),
            decode,
            last: None,
            encoded: Vec::new(),
        })
    }

    /// Decodes one packet, and encodes what comes of it.
    pub fn feed(&mut self, at: usize, packet: &mut Packet) -> Result<()> {
        let composition = i64::from(self.feed.packets[at].composition);
        packet.set_pts(Some(self.decode[at].saturating_add(composition)));
        packet.set_dts(Some(self.decode[at]));
        // A damaged frame is one that isn't shown.
        if self.decoder.send_packet(packet).is_ok() {
            self.take_pictures()?;
        }
        Ok(())
    }

    fn take_pictures(&mut self) -> Result<()> {
        let mut picture = frame::Video::empty();
        while self.decoder.receive_frame(&mut picture).is_ok() {
            let range = self.feed.from as i64..self.feed.until as i64; // both below 2^60
            let shown = picture.timestamp().filter(|at| range.contains(at));
            let Some(at) = shown.filter(|at| self.last.is_none_or(|last| last < *at)) else {
                continue;
            };
            self.last = Some(at);
            self.encode(&picture, at)?;
        }
        Ok(())
    }

    fn encode(&mut self, picture: &frame::Video, at: i64) -> Result<()> {
        let mut fitted = match self.fits(picture) {
            true => picture.clone(),
            false => self.scaled(picture)?,
        };
        fitted.set_kind(picture::Type::None); // the encoder decides
        fitted.set_pts(Some(at));
        self.encoder.send_frame(&fitted)?;
        self.take_packets();
        Ok(())
    }

    fn fits(&self, picture: &frame::Video) -> bool {
        picture.format() == Pixel::YUV420P
            && picture.width() == self.size.width
            && picture.height() == self.size.height
    }

    fn scaled(&mut self, picture: &frame::Video) -> Result<frame::Video> {
        let (format, width, height) = (picture.format(), picture.width(), picture.height());
        let same = |(f, w, h, _): &(Pixel, u32, u32, scaling::Context)| {
            (*f, *w, *h) == (format, width, height)
        };
        if !self.scaler.as_ref().is_some_and(same) {
            let size = self.size;
            let flags = scaling::Flags::BILINEAR;
            let scaler = scaling::Context::get(
                format,
                width,
                height,
                Pixel::YUV420P,
                size.width,
                size.height,
                flags,
            )?;
            self.scaler = Some((format, width, height, scaler));
        }
        let Some((_, _, _, scaler)) = &mut self.scaler else {
            return Err(Fault::OutOfMemory); // was filled above
        };
        let mut scaled = frame::Video::empty();
        scaler.run(picture, &mut scaled)?;
        Ok(scaled)
    }

    fn take_packets(&mut self) {
        let mut packet = Packet::empty();
        while self.encoder.receive_packet(&mut packet).is_ok() {
            let bytes = Form::StartCodes.copied(packet.data().unwrap_or_default());
            if let (Some(pts), Some(bytes)) = (packet.pts(), bytes) {
                self.encoded.push((pts, packet.is_key(), bytes));
            }
        }
    }

    /// The run. It fills its time without a gap: where frames could not be decoded, the one before stays.
    pub fn finish(mut self) -> Result<MadeRun> {
        if self.decoder.send_eof().is_ok() {
            self.take_pictures()?;
        }
        let shown = |at: usize| {
            self.decode[at].saturating_add(i64::from(self.feed.packets[at].composition))
        };
        let (from, until) = (self.feed.from as i64, self.feed.until as i64);
        let all = (0..self.decode.len()).map(shown);
        let first = all
            .filter(|at| (from..until).contains(at))
            .min()
            .unwrap_or(from);
        if self.last.is_none() {
            self.encode(&grey(self.size), first)?;
        }
        if self.encoder.send_eof().is_ok() {
            self.take_packets();
        }
        let starts: Vec<i64> = self.encoded.iter().map(|(pts, ..)| *pts).collect();
        let ends = starts.iter().skip(1).copied().chain([until]);
        let mut run = MadeRun {
            track: self.feed.track,
            decode_time: first.unsigned_abs(),
            frames: Vec::with_capacity(starts.len()),
        };
        let mut start = first;
        for ((_, key, bytes), end) in self.encoded.into_iter().zip(ends) {
            let duration = u32::try_from(end - start).map_err(|_| ReasonCode::IndexDamaged)?;
            run.frames.push((duration, 0, key, bytes));
            start = end;
        }
        Ok(run)
    }
}

/// Shown where nothing at all could be decoded.
fn grey(size: Size) -> frame::Video {
    let mut picture = frame::Video::new(Pixel::YUV420P, size.width, size.height);
    for plane in 0..3 {
        picture.data_mut(plane).fill(128);
    }
    picture
}
