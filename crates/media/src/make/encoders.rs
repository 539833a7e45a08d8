//! What is encoded for viewing: H.264 by x264 and AAC. The same settings for every segment of a track,
//! so that all fit the one init segment.

use docket_playback::facts::ReasonCode;
use docket_playback::made::Variant;

use ffmpeg_next::codec::{self, encoder};
use ffmpeg_next::format::{Pixel, Sample, sample};
use ffmpeg_next::{ChannelLayout, Dictionary, Rational};

use crate::codecs::Parameters;
use crate::fault::{Fault, Result};

/// The shorter side of the first variant's picture.
const FIRST_LINES: u32 = 720;
/// Above so many pixels in the original decoding alone keeps a core busy.
const MANY_PIXELS: u32 = 1280 * 720;
/// x264's constant quality.
const QUALITY: &str = "23";
/// Peak bits a second for each pixel of the picture: 3.7 Mbit/s at 720p.
const PEAK_BITS_A_PIXEL: usize = 4;
/// Pictures a second; what is slower counts as the first.
const RATES_OF_PICTURES: [i32; 4] = [30, 60, 120, 240];
/// Sound samples a second that AAC knows (ISO/IEC 14496-3, table 1.18).
const RATES: [u32; 12] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
];

/// A picture's size and the shape of its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl Size {
    /// What a variant of a picture is scaled to. Even, for colour has half the resolution.
    pub fn of(parameters: &Parameters, variant: Variant) -> Self {
        let (width, height) = (parameters.width.max(2), parameters.height.max(2));
        let shorter = width.min(height);
        let (width, height) = match variant {
            Variant::First if shorter > FIRST_LINES => {
                let scaled = |side: u32| {
                    let scaled = u64::from(side) * u64::from(FIRST_LINES);
                    u32::try_from((scaled + u64::from(shorter) / 2) / u64::from(shorter))
                        .unwrap_or(FIRST_LINES)
                };
                (scaled(width), scaled(height))
            }
            _ => (width, height),
        };
        Self {
            width: (width & !1).max(2),
            height: (height & !1).max(2),
        }
    }
}

/// The encoder of one variant of a picture.
///
/// # Errors
/// When there is no x264, or it refuses the size.
#[allow(unsafe_code)]
pub fn picture_encoder(
    parameters: &Parameters,
    (aspect, rate): (Rational, Rational),
    timescale: u32,
    variant: Variant,
) -> Result<encoder::video::Encoder> {
    let missing = || Fault::from(ReasonCode::NoEncoder);
    let codec = encoder::find_by_name("libx264").ok_or_else(missing)?;
    let size = Size::of(parameters, variant);
    let mut video = codec::Context::new_with_codec(codec).encoder().video()?;
    video.set_width(size.width);
    video.set_height(size.height);
    video.set_format(Pixel::YUV420P);
    video.set_aspect_ratio(aspect);
    let scale = i32::try_from(timescale).map_err(|_| ReasonCode::IndexDamaged)?;
    video.set_time_base(Rational(1, scale));
    video.set_frame_rate(Some(Rational(usual_rate(rate.into()), 1)));
    video.set_gop(1 << 20); // the first frame of each segment is the only keyframe
    video.set_max_b_frames(0);
    let peak = size.width as usize * size.height as usize * PEAK_BITS_A_PIXEL;
    video.set_max_bit_rate(peak);
    video.set_flags(codec::Flags::GLOBAL_HEADER);
    // SAFETY: plain fields of a context that isn't open yet. One thread: the sandbox allows no more.
    unsafe {
        let raw = video.as_mut_ptr();
        (*raw).thread_count = 1;
        (*raw).rc_buffer_size = i32::try_from(2 * peak).unwrap_or(i32::MAX);
    }
    let many = parameters.width.saturating_mul(parameters.height) > MANY_PIXELS;
    let mut options = Dictionary::new();
    options.set("preset", if many { "ultrafast" } else { "veryfast" });
    options.set("tune", "zerolatency");
    options.set("crf", QUALITY);
    options.set("x264-params", "scenecut=0:threads=1:sliced-threads=0");
    Ok(video.open_with(options)?)
}

/// Pictures a second, roughly: only for x264's idea of a level and of what is usual, for times are each
/// frame's own. Where the rate is an estimate it gets better the more of a recording is there, and what is
/// written into the init segment must not.
fn usual_rate(rate: f64) -> i32 {
    let usual = RATES_OF_PICTURES.into_iter();
    let mut usual = usual.filter(|usual| rate.is_finite() && rate < f64::from(*usual) * 1.2);
    usual.next().unwrap_or(RATES_OF_PICTURES[0])
}

/// Samples a second of the sound made from sound of this rate.
pub fn sound_rate(rate_hz: u32) -> u32 {
    match RATES.contains(&rate_hz) {
        true => rate_hz,
        false => 48_000,
    }
}

/// Channels of the sound made from this many.
pub fn sound_channels(channels: u32) -> i32 {
    if channels == 1 { 1 } else { 2 }
}

/// The encoder of a sound track.
///
/// # Errors
/// When there is no AAC encoder.
pub fn sound_encoder(parameters: &Parameters) -> Result<encoder::audio::Encoder> {
    let missing = || Fault::from(ReasonCode::NoEncoder);
    let codec = encoder::find_by_name("aac").ok_or_else(missing)?;
    let mut audio = codec::Context::new_with_codec(codec).encoder().audio()?;
    let rate = sound_rate(parameters.sample_rate_hz);
    let channels = sound_channels(parameters.channels);
    let rate_hz = i32::try_from(rate).map_err(|_| ReasonCode::IndexDamaged)?;
    audio.set_rate(rate_hz);
    audio.set_channel_layout(ChannelLayout::default(channels));
    audio.set_format(Sample::F32(sample::Type::Planar));
    audio.set_time_base(Rational(1, rate_hz));
    let per_channel = if rate > 24_000 { 64_000 } else { 32_000 };
    audio.set_bit_rate(per_channel * usize::try_from(channels).unwrap_or(1));
    audio.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
    Ok(audio.open()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32, variant: Variant) -> (u32, u32) {
        let parameters = Parameters {
            name: "hevc".into(),
            tag: String::new(),
            extradata: Vec::new(),
            width,
            height,
            sample_rate_hz: 0,
            channels: 0,
        };
        let size = Size::of(&parameters, variant);
        (size.width, size.height)
    }

    #[test]
    fn a_rate_is_told_roughly() {
        for (rate, usual) in [
            (25.0, 30),
            (24.83, 30),
            (30.3, 30),
            (50.0, 60),
            (100.0, 120),
            (f64::NAN, 30),
            (f64::INFINITY, 30),
            (9_000.0, 30),
        ] {
            assert_eq!(usual_rate(rate), usual, "{rate}");
        }
    }

    #[test]
    fn at_most_720_lines_first() {
        assert_eq!(size(1920, 1080, Variant::First), (1280, 720));
        assert_eq!(size(1080, 1920, Variant::First), (720, 1280));
        assert_eq!(size(2592, 1944, Variant::First), (960, 720));
        assert_eq!(size(1920, 1080, Variant::Full), (1920, 1080));
        assert_eq!(size(641, 361, Variant::First), (640, 360));
        assert_eq!(size(1, 1, Variant::First), (2, 2));
    }
}
