//! One picture of a recording, as JPEG.

use docket_playback::facts::{Reason, ReasonCode};
use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::decoder;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::{Pixel, stream::Disposition};
use ffmpeg_next::software::scaling;
use ffmpeg_next::{Packet, frame, media};
use image::{ExtendedColorType, RgbImage, imageops};

use crate::fault::{Fault, Result};
use crate::probe::rotation;
use crate::recording::Recording;

/// Widest poster that is made.
pub const MAX_WIDTH: u32 = 4096;
/// Packets looked at for one picture.
const MAX_PACKETS: usize = 2000;
const MAX_PICTURE_BYTES: usize = 64 << 20;
/// Largest picture that is decoded.
const MAX_PIXELS: i64 = 64 << 20;
const QUALITY: u8 = 82;

/// The picture at `at_ms`, or the first that isn't dark of a few.
///
/// # Errors
/// [`ReasonCode::NoPicture`] when none can be decoded; the source's failures.
pub fn poster(
    input: &mut Input,
    recording: &Recording,
    at_ms: Option<u64>,
    max_width: u32,
) -> Result<Vec<u8>> {
    let stream = input
        .streams()
        .filter(|s| s.parameters().medium() == media::Type::Video)
        .min_by_key(|s| s.disposition().contains(Disposition::ATTACHED_PIC))
        .ok_or(ReasonCode::NoPicture)?;
    let (index, turn) = (stream.index(), rotation(&stream));
    let mut decoder = decoder(&stream)?;
    let start_us = Some(input_start(input))
        .filter(|start| *start > i64::MIN)
        .unwrap_or(0);
    let length_us = input.duration().max(0);
    let places: Vec<i64> = match at_ms {
        Some(at_ms) => vec![
            i64::try_from(at_ms)
                .unwrap_or(i64::MAX)
                .saturating_mul(1000),
        ],
        None => vec![0, length_us / 10, length_us / 3],
    };
    let mut best: Option<(f64, RgbImage)> = None;
    for place in places {
        let Some(picture) = picture_at(input, &mut decoder, index, start_us.saturating_add(place))?
        else {
            continue;
        };
        let picture = shown(&picture, turn, max_width.clamp(16, MAX_WIDTH))?;
        let spread = contrast(&picture);
        if best.as_ref().is_none_or(|(least, _)| spread > *least) {
            best = Some((spread, picture));
        }
        if spread > 8.0 {
            break;
        }
    }
    if let Some(message) = recording.failure() {
        return Err(Fault::Source(message));
    }
    let (_, picture) = best.ok_or(ReasonCode::NoPicture)?;
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode(
        picture.as_raw(),
        picture.width(),
        picture.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(jpeg)
}

#[allow(unsafe_code)]
fn input_start(input: &Input) -> i64 {
    // SAFETY: a plain field of a live context.
    unsafe { (*input.as_ptr()).start_time }
}

/// A decoder of a picture.
///
/// # Errors
/// [`ReasonCode::NoPicture`] when there is none for it.
#[allow(unsafe_code)]
pub fn decoder(stream: &ffmpeg::Stream<'_>) -> Result<decoder::Video> {
    let parameters = stream.parameters();
    let no_picture = |_| Fault::from(ReasonCode::NoPicture);
    let mut context = ffmpeg::codec::Context::from_parameters(parameters).map_err(no_picture)?;
    // SAFETY: options of a context that isn't open yet. One thread: the sandbox allows no more.
    unsafe {
        let raw = context.as_mut_ptr();
        (*raw).thread_count = 1;
        (*raw).max_pixels = MAX_PIXELS;
        (*raw).pkt_timebase = stream.time_base().into();
    }
    context.decoder().video().map_err(no_picture)
}

/// The first picture that decodes from the keyframe at or before `at_us` on.
fn picture_at(
    input: &mut Input,
    decoder: &mut decoder::Video,
    index: usize,
    at_us: i64,
) -> Result<Option<frame::Video>> {
    if input.seek(at_us, ..at_us.saturating_add(1)).is_err() && input.seek(at_us, ..).is_err() {
        return Ok(None);
    }
    decoder.flush();
    let (mut picture, mut bytes, mut fed) = (frame::Video::empty(), 0, false);
    for _ in 0..MAX_PACKETS {
        let mut packet = Packet::empty();
        match packet.read(input) {
            Ok(()) => {}
            Err(ffmpeg::Error::InvalidData) => continue,
            Err(_) => break, // the source's failures are asked for at the end
        }
        if packet.stream() != index || (!fed && !packet.is_key()) {
            continue;
        }
        bytes += packet.size();
        if bytes > MAX_PICTURE_BYTES {
            break;
        }
        fed |= decoder.send_packet(&packet).is_ok();
        if decoder.receive_frame(&mut picture).is_ok() {
            return Ok(Some(picture));
        }
    }
    // A single picture comes out only when the decoder hears that there is no more.
    let drained = fed && decoder.send_eof().is_ok() && decoder.receive_frame(&mut picture).is_ok();
    decoder.flush();
    Ok(drained.then_some(picture))
}

/// Scaled to fit, square pixels, turned.
fn shown(picture: &frame::Video, turn: u16, max_width: u32) -> Result<RgbImage> {
    let (width, height) = (picture.width(), picture.height());
    if width == 0 || height == 0 {
        return Err(ReasonCode::NoPicture.into());
    }
    let aspect = f64::from(picture.aspect_ratio());
    let stretch = if aspect.is_finite() && (0.1..10.0).contains(&aspect) {
        aspect
    } else {
        1.0
    };
    let (wide, high) = (f64::from(width) * stretch, f64::from(height));
    let sideways = matches!(turn, 90 | 270);
    let shown_width = if sideways { high } else { wide };
    // Also in height: a picture of one column must not become one of a million rows.
    let shown_height = if sideways { wide } else { high };
    let most = f64::from(max_width);
    let scale = (most / shown_width).min(4.0 * most / shown_height).min(1.0);
    let size = |length: f64| (length * scale).round().clamp(1.0, 4.0 * most) as u32;
    let (to_width, to_height) = (size(wide), size(high));
    Ok(turned(scaled(picture, to_width, to_height)?, turn))
}

/// In this size, as it is stored.
///
/// # Errors
/// [`ReasonCode::NoPicture`] when its pixels are of a kind that can't be had as RGB.
pub fn scaled(picture: &frame::Video, to_width: u32, to_height: u32) -> Result<RgbImage> {
    let flags = scaling::Flags::BICUBIC;
    let no_picture = |_| Fault::from(ReasonCode::NoPicture);
    let mut scaler = scaling::Context::get(
        picture.format(),
        picture.width(),
        picture.height(),
        Pixel::RGB24,
        to_width,
        to_height,
        flags,
    )
    .map_err(no_picture)?;
    let mut scaled = frame::Video::empty();
    scaler.run(picture, &mut scaled).map_err(no_picture)?;
    let row_bytes = to_width as usize * 3;
    let rows = scaled
        .data(0)
        .chunks(scaled.stride(0))
        .take(to_height as usize);
    let pixels: Vec<u8> = rows
        .flat_map(|row| row[..row_bytes].iter().copied())
        .collect();
    RgbImage::from_raw(to_width, to_height, pixels)
        .ok_or_else(|| Fault::Media(Reason::of(ReasonCode::NoPicture)))
}

/// As it should be seen.
pub fn turned(picture: RgbImage, turn: u16) -> RgbImage {
    match turn {
        90 => imageops::rotate90(&picture),
        180 => imageops::rotate180(&picture),
        270 => imageops::rotate270(&picture),
        _ => picture,
    }
}

/// Standard deviation of brightness: near 0 for a black or covered lens.
fn contrast(picture: &RgbImage) -> f64 {
    let brightness =
        |p: &image::Rgb<u8>| f64::from(u32::from(p[0]) + u32::from(p[1]) + u32::from(p[2])) / 3.0;
    let sampled: Vec<f64> = picture.pixels().step_by(7).map(brightness).collect();
    let count = sampled.len().max(1) as f64;
    let mean = sampled.iter().sum::<f64>() / count;
    (sampled
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / count)
        .sqrt()
}
