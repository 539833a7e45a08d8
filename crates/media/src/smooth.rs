//! Times that are better than the file's: containers round them, sound joins to the sample.

use ffmpeg_next::ffi;

use crate::scan::rescale;

/// Sound whose time stamps are off by no more than this much of a second is taken to go on without a
/// break: recorders' stamps jitter.
const JITTER_OF_A_SECOND: i64 = 20;

/// Matroska rounds times to milliseconds, which makes sound frames seem to overlap or gape. Where a
/// time is within that rounding of the exact one, the exact one is taken. Sound that is decoded is
/// joined to the sample, by what each packet holds.
pub struct Smooth {
    step: i64,
    tolerance: i64,
    expected: Option<i64>,
    joined: Option<Joined>,
}

/// Sound counted in samples since the last break.
struct Joined {
    parameters: ffmpeg_next::codec::Parameters,
    rate: i128,
    timescale: i128,
    anchor: i64,
    samples: i128,
}

impl Smooth {
    /// For frames that are sent as they are.
    #[allow(unsafe_code)]
    pub fn new(stream: &ffmpeg_next::Stream<'_>, numerator: i128, denominator: i128) -> Self {
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
            joined: None,
        }
    }

    /// For sound that is transcoded.
    #[allow(unsafe_code)]
    pub fn joined(stream: &ffmpeg_next::Stream<'_>, timescale: u32) -> Self {
        let parameters = stream.parameters();
        // SAFETY: a plain field of parameters that live as long as the stream.
        let rate = unsafe { (*parameters.as_ptr()).sample_rate };
        Self {
            step: 0,
            tolerance: i64::from(timescale) / JITTER_OF_A_SECOND,
            expected: None,
            joined: Some(Joined {
                parameters,
                rate: i128::from(rate.max(1)),
                timescale: i128::from(timescale),
                anchor: 0,
                samples: 0,
            }),
        }
    }

    /// The time and duration to take for a packet of this time, duration and size.
    pub fn settle(&mut self, pts: i64, duration: u32, size_bytes: usize) -> (i64, u32) {
        if self.tolerance == 0 {
            return (pts, duration);
        }
        let near = |expected: &i64| expected.abs_diff(pts) <= self.tolerance.unsigned_abs();
        let goes_on = self.expected.filter(near);
        let settled = goes_on.unwrap_or(pts);
        let Some(joined) = &mut self.joined else {
            self.expected = settled.checked_add(self.step);
            return (settled, duration);
        };
        if goes_on.is_none() {
            (joined.anchor, joined.samples) = (pts, 0);
        }
        joined.samples += joined.samples_of(size_bytes, duration);
        let next = joined.now().unwrap_or(settled);
        self.expected = Some(next);
        (settled, u32::try_from(next - settled).unwrap_or(0))
    }
}

impl Joined {
    #[allow(unsafe_code)]
    fn samples_of(&mut self, size_bytes: usize, duration: u32) -> i128 {
        let size = i32::try_from(size_bytes).unwrap_or(0);
        // SAFETY: reads fields of parameters that are alive.
        let samples =
            unsafe { ffi::av_get_audio_frame_duration2(self.parameters.as_mut_ptr(), size) };
        match samples {
            samples if samples > 0 => i128::from(samples),
            _ => i128::from(duration) * self.rate / self.timescale.max(1),
        }
    }

    fn now(&self) -> Option<i64> {
        self.anchor
            .checked_add(rescale(self.samples, self.timescale, self.rate)?)
    }
}
