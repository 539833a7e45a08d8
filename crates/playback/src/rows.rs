//! The rows of the playback index: where each frame of a segment lies and when it is shown. Packed as
//! variable-length integers and run lengths, about three bytes a picture and two a sound frame.

use crate::error::{Error, Result};

/// Most frames in one segment, all tracks together.
pub const MAX_SEGMENT_SAMPLES: usize = 1 << 18;

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Where its bytes begin in the original.
    pub offset: u64,
    /// How many they are.
    pub size_bytes: u32,
    /// Decode time to the next one's, in the track's ticks.
    pub duration: u32,
    /// Shown at decode time plus this many ticks.
    pub composition: i32,
    /// Decoding can begin here.
    pub key: bool,
}

/// One track's frames in one segment, in decoding order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackRun {
    /// Index into the playback index's tracks; the track's id in the segments is one more.
    pub track: usize,
    /// Decode time of the first frame, in the track's ticks.
    pub decode_time: u64,
    /// The frames.
    pub samples: Vec<Sample>,
}

/// Packs the runs of one segment.
pub fn pack(runs: &[TrackRun], out: &mut Vec<u8>) {
    put(out, runs.len() as u64);
    for run in runs {
        put(out, run.track as u64);
        put(out, run.decode_time);
        put(out, run.samples.len() as u64);
        pack_places(&run.samples, out);
        run.samples
            .iter()
            .for_each(|s| put(out, u64::from(s.size_bytes)));
        pack_repeats(run.samples.iter().map(|s| u64::from(s.duration)), out);
        pack_repeats(
            run.samples.iter().map(|s| zigzag(i64::from(s.composition))),
            out,
        );
        pack_repeats(run.samples.iter().map(|s| u64::from(s.key)), out);
    }
}

/// Stretches of frames that follow each other in the file: (distance from the last one's end, frames).
fn pack_places(samples: &[Sample], out: &mut Vec<u8>) {
    let mut places: Vec<(i64, u64)> = Vec::new();
    let mut end = 0_u64;
    for sample in samples {
        let distance = sample.offset.wrapping_sub(end).cast_signed();
        match places.last_mut() {
            Some((_, count)) if distance == 0 => *count += 1,
            _ => places.push((distance, 1)),
        }
        end = sample.offset.wrapping_add(u64::from(sample.size_bytes));
    }
    put(out, places.len() as u64);
    for (distance, count) in places {
        put(out, zigzag(distance));
        put(out, count);
    }
}

fn pack_repeats(values: impl Iterator<Item = u64>, out: &mut Vec<u8>) {
    let mut repeats: Vec<(u64, u64)> = Vec::new();
    for value in values {
        match repeats.last_mut() {
            Some((last, count)) if *last == value => *count += 1,
            _ => repeats.push((value, 1)),
        }
    }
    put(out, repeats.len() as u64);
    for (value, count) in repeats {
        put(out, value);
        put(out, count);
    }
}

/// Unpacks the runs of one segment and checks that every frame lies within `size_bytes`.
///
/// # Errors
/// [`Error::BadIndex`] when the bytes are not what [`pack`] makes.
pub fn unpack(mut bytes: &[u8], size_bytes: u64) -> Result<Vec<TrackRun>> {
    let runs = take_count(&mut bytes, 64)?;
    let mut all = Vec::with_capacity(runs);
    let mut left = MAX_SEGMENT_SAMPLES;
    for _ in 0..runs {
        let track = take_count(&mut bytes, 64)?;
        let decode_time = take(&mut bytes)?;
        let count = take_count(&mut bytes, left)?;
        left -= count;
        let samples = unpack_samples(&mut bytes, count, size_bytes)?;
        all.push(TrackRun {
            track,
            decode_time,
            samples,
        });
    }
    match bytes {
        [] => Ok(all),
        _ => Err(Error::BadIndex("bytes after the last row")),
    }
}

fn unpack_samples(bytes: &mut &[u8], count: usize, size_bytes: u64) -> Result<Vec<Sample>> {
    let mut places = Vec::new();
    for _ in 0..take_count(bytes, count)? {
        places.push((unzigzag(take(bytes)?), take_count(bytes, count)?));
    }
    let sizes = (0..count)
        .map(|_| take_u32(bytes))
        .collect::<Result<Vec<_>>>()?;
    let durations = unpack_repeats(bytes, count)?;
    let compositions = unpack_repeats(bytes, count)?;
    let keys = unpack_repeats(bytes, count)?;
    let mut samples = Vec::with_capacity(count);
    let mut end = 0_u64;
    for (distance, stretch) in places {
        end = end.wrapping_add(distance.cast_unsigned());
        for _ in 0..stretch {
            let at = samples.len();
            let size = *sizes
                .get(at)
                .ok_or(Error::BadIndex("more places than frames"))?;
            let sample = Sample {
                offset: end,
                size_bytes: size,
                duration: u32::try_from(durations[at]).map_err(|_| too_large())?,
                composition: i32::try_from(unzigzag(compositions[at])).map_err(|_| too_large())?,
                key: keys[at] != 0,
            };
            end = end
                .checked_add(u64::from(size))
                .filter(|end| *end <= size_bytes)
                .ok_or(Error::BadIndex("a frame lies outside of the recording"))?;
            samples.push(sample);
        }
    }
    if samples.len() != count {
        return Err(Error::BadIndex("fewer places than frames"));
    }
    Ok(samples)
}

fn unpack_repeats(bytes: &mut &[u8], count: usize) -> Result<Vec<u64>> {
    let mut values = Vec::with_capacity(count);
    for _ in 0..take_count(bytes, count)? {
        let value = take(bytes)?;
        let times = take_count(bytes, count - values.len())?;
        values.resize(values.len() + times, value);
    }
    if values.len() != count {
        return Err(Error::BadIndex("a column is too short"));
    }
    Ok(values)
}

fn too_large() -> Error {
    Error::BadIndex("a number is too large")
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes
            .split_first()
            .ok_or(Error::BadIndex("rows end early"))?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(too_large())
}

fn take_u32(bytes: &mut &[u8]) -> Result<u32> {
    u32::try_from(take(bytes)?).map_err(|_| too_large())
}

fn take_count(bytes: &mut &[u8], most: usize) -> Result<usize> {
    let count = usize::try_from(take(bytes)?).map_err(|_| too_large())?;
    if count > most {
        Err(too_large())
    } else {
        Ok(count)
    }
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> impl Strategy<Value = Sample> {
        (
            0..1_u64 << 40,
            0..1_u32 << 20,
            any::<u32>(),
            any::<i32>(),
            any::<bool>(),
        )
            .prop_map(|(offset, size_bytes, duration, composition, key)| Sample {
                offset,
                size_bytes,
                duration,
                composition,
                key,
            })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(samples in prop::collection::vec(sample(), 0..40), decode_time in any::<u64>()) {
            let runs = vec![TrackRun { track: 1, decode_time, samples }];
            let mut bytes = Vec::new();
            pack(&runs, &mut bytes);
            prop_assert_eq!(unpack(&bytes, 1 << 41).expect("unpacks"), runs);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes, 1 << 20);
        }
    }

    #[test]
    fn frames_outside_of_the_recording_are_refused() {
        let sample = Sample {
            offset: 90,
            size_bytes: 20,
            duration: 1,
            composition: 0,
            key: true,
        };
        let mut bytes = Vec::new();
        pack(
            &[TrackRun {
                track: 0,
                decode_time: 0,
                samples: vec![sample],
            }],
            &mut bytes,
        );
        assert!(unpack(&bytes, 110).is_ok());
        assert!(matches!(unpack(&bytes, 109), Err(Error::BadIndex(_))));
    }
}
