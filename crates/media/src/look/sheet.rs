//! Small pictures of keyframes, side by side on one JPEG.

use docket_playback::facts::ReasonCode;
use docket_playback::index::Track;
use docket_playback::looks::Frame;
use docket_playback::looks::storyboard::{COLUMNS, PICTURE_PX, SHEET_PICTURES};
use docket_playback::made::{Feed, FeedPacket, Mode};
use docket_playback::protocol::FromWorker;
use ffmpeg_next::codec::decoder;
use ffmpeg_next::{Packet, Stream, ffi, frame};
use image::{ExtendedColorType, RgbImage, imageops};

use super::Frames;
use crate::codecs;
use crate::fault::Result;
use crate::make::Way;
use crate::opening::aspect;
use crate::poster;
use crate::probe::rotation;

const QUALITY: u8 = 76;

/// Adds the frames to a sheet on which `had` pictures stand; `pictures` are their pixels.
///
/// # Errors
/// The source's; what makes it impossible to decode or encode anything.
pub fn sheet(
    frames: &mut Frames<'_>,
    track: &Track,
    wanted: &[Frame],
    had: usize,
    pictures: &[u8],
) -> Result<(FromWorker, Vec<u8>)> {
    let stream = frames.stream(track.stream)?;
    let turn = rotation(&stream);
    let (width, height) = size(&stream, turn);
    let mut decoder = small_decoder(&stream)?;
    let picture_bytes = (width * height * 3) as usize;
    let count = had.saturating_add(wanted.len());
    if count == 0 || count > SHEET_PICTURES || pictures.len() != had * picture_bytes {
        return Err(ReasonCode::IndexDamaged.into());
    }
    let (columns, rows) = (count.min(COLUMNS) as u32, count.div_ceil(COLUMNS) as u32);
    let mut sheet = RgbImage::new(columns * width, rows * height);
    let mut all = pictures.to_vec();
    let mut decoded = Vec::with_capacity(wanted.len());
    for one in wanted {
        let picture = match packet(frames, track, one)? {
            Some(packet) => picture(&mut decoder, &packet, (width, height), turn)?,
            None => None,
        };
        decoded.push(picture.is_some());
        match picture {
            Some(picture) => all.extend_from_slice(picture.as_raw()),
            None => all.resize(all.len() + picture_bytes, 0),
        }
    }
    for (number, pixels) in all.chunks_exact(picture_bytes).enumerate() {
        let (x, y) = ((number % COLUMNS) as u32, (number / COLUMNS) as u32);
        let one = RgbImage::from_raw(width, height, pixels.to_vec());
        let one = one.ok_or(ReasonCode::NoPicture)?;
        imageops::replace(&mut sheet, &one, (x * width).into(), (y * height).into());
    }
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode(
        sheet.as_raw(),
        sheet.width(),
        sheet.height(),
        ExtendedColorType::Rgb8,
    )?;
    let answer = FromWorker::Sheet {
        width,
        height,
        decoded,
        jpeg_bytes: jpeg.len() as u32, // a sheet has less than a million pixels
    };
    jpeg.append(&mut all);
    Ok((answer, jpeg))
}

/// The size of every picture of the storyboard, by what the container says: the same on each sheet.
fn size(stream: &Stream<'_>, turn: u16) -> (u32, u32) {
    let parameters = codecs::parameters(stream);
    let (width, height) = (parameters.width, parameters.height);
    let shape = aspect(stream);
    let shape = f64::from(shape.numerator()) / f64::from(shape.denominator());
    let stretch = match shape.is_finite() && (0.1..10.0).contains(&shape) {
        true => shape,
        false => 1.0,
    };
    let (wide, high) = (f64::from(width.max(1)) * stretch, f64::from(height.max(1)));
    let (wide, high) = match turn {
        90 | 270 => (high, wide),
        _ => (wide, high),
    };
    let most = f64::from(PICTURE_PX);
    let scale = (most / wide).min(most / high).min(1.0);
    let length = |length: f64| (length * scale).round().clamp(1.0, most) as u32;
    (length(wide), length(high))
}

#[allow(unsafe_code)]
fn small_decoder(stream: &Stream<'_>) -> Result<decoder::Video> {
    let mut decoder = poster::decoder(stream)?;
    // SAFETY: a plain field of a live context, which may change at any time. What the filter smoothes
    // can't be seen at this size, and it is a third of the work.
    unsafe {
        (*decoder.as_mut_ptr()).skip_loop_filter = ffi::AVDiscard::AVDISCARD_ALL;
    }
    Ok(decoder)
}

fn packet(frames: &mut Frames<'_>, track: &Track, wanted: &Frame) -> Result<Option<Packet>> {
    if track.mode == Mode::Raw {
        return frames.stored(wanted.offset, wanted.size_bytes);
    }
    let one = |stamp: i64| FeedPacket {
        stamp,
        duration: 0,
        composition: 0,
        key: true,
    };
    let mut packets = vec![one(wanted.stamp)];
    let counts = Way::of(&frames.probed.facts.container) == Way::Chunks;
    if counts && wanted.first != wanted.stamp {
        packets.insert(0, one(wanted.first)); // from there on frames are counted
    }
    let last = packets.len() - 1;
    let feed = Feed {
        track: 0,
        offset: wanted.offset,
        decode_time: 0,
        from: 0,
        until: 0,
        packets,
    };
    let recording = frames.recording;
    let mut found = None;
    let mut reading = frames.maker()?.reading(recording, track.stream);
    reading.read(&feed, |at, packet| {
        if at == last {
            found = Some(packet.clone());
        }
        Ok(())
    })?;
    Ok(found)
}

/// The picture of one keyframe; `None` where it can't be decoded.
fn picture(
    decoder: &mut decoder::Video,
    packet: &Packet,
    (width, height): (u32, u32),
    turn: u16,
) -> Result<Option<RgbImage>> {
    let mut picture = frame::Video::empty();
    // A single picture comes out only when the decoder hears that there is no more.
    let decoded = decoder.send_packet(packet).is_ok()
        && decoder.send_eof().is_ok()
        && decoder.receive_frame(&mut picture).is_ok();
    decoder.flush();
    if !decoded || picture.width() == 0 || picture.height() == 0 {
        return Ok(None);
    }
    let stored = match turn {
        90 | 270 => (height, width),
        _ => (width, height),
    };
    Ok(Some(poster::turned(
        poster::scaled(&picture, stored.0, stored.1)?,
        turn,
    )))
}
