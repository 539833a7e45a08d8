//! The rows of the playback index: where each frame of a segment lies and when it is shown. Packed as
//! variable-length integers and run lengths, three to five bytes a picture and one to
//! three a sound frame.

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
        let column =
            |value: fn(&Sample) -> u64| run.samples.iter().map(value).collect::<Vec<u64>>();
        pack_column(&column(|s| u64::from(s.size_bytes)), out);
        pack_column(&column(|s| u64::from(s.duration)), out);
        pack_column(&column(|s| zigzag(i64::from(s.composition))), out);
        pack_column(&column(|s| u64::from(s.key)), out);
    }
    pack_places(runs, out);
}

/// Where the frames lie, of all runs in the file's order: how many of which run follow each other, and,
/// where there is one, the gap before them. In an interleaved file that is a byte for each change.
fn pack_places(runs: &[TrackRun], out: &mut Vec<u8>) {
    let mut rest: Vec<&[Sample]> = runs.iter().map(|run| run.samples.as_slice()).collect();
    let mut end = 0_u64;
    loop {
        let waiting = rest
            .iter()
            .enumerate()
            .filter_map(|(run, left)| Some((left.first()?.offset, run)));
        let Some((offset, run)) = waiting.min() else {
            return;
        };
        let gap = offset.wrapping_sub(end).cast_signed();
        let mut count = 0_u64;
        end = offset;
        while let Some((next, left)) = rest[run]
            .split_first()
            .filter(|(next, _)| next.offset == end)
        {
            end = end.wrapping_add(u64::from(next.size_bytes));
            rest[run] = left;
            count += 1;
        }
        put(
            out,
            ((count * runs.len() as u64 + run as u64) << 1) | u64::from(gap != 0),
        );
        if gap != 0 {
            put(out, zigzag(gap));
        }
    }
}

/// The ways to store a column; the shortest is taken.
const REPEATS: u64 = 0;
const PLAIN: u64 = 1;
const DISTANCES: u64 = 2;

pub(crate) fn pack_column(values: &[u64], out: &mut Vec<u8>) {
    let unit = values
        .iter()
        .fold(0, |unit, value| common_divisor(unit, *value))
        .max(1);
    let scaled: Vec<u64> = values.iter().map(|value| value / unit).collect();
    let (mut repeats, mut plain, mut distances) = (Vec::new(), Vec::new(), Vec::new());
    for same in scaled.chunk_by(|a, b| a == b) {
        put(&mut repeats, same[0]);
        put(&mut repeats, same.len() as u64);
    }
    let mut last = 0_u64;
    for value in scaled {
        put(&mut plain, value);
        put(
            &mut distances,
            zigzag(value.wrapping_sub(last).cast_signed()),
        );
        last = value;
    }
    let ways = [(REPEATS, repeats), (PLAIN, plain), (DISTANCES, distances)];
    // There are three, so one of them is the shortest.
    if let Some((way, bytes)) = ways.into_iter().min_by_key(|(_, bytes)| bytes.len()) {
        put(out, way);
        put(out, unit);
        out.extend_from_slice(&bytes);
    }
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
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
        let samples = unpack_samples(&mut bytes, count)?;
        all.push(TrackRun {
            track,
            decode_time,
            samples,
        });
    }
    unpack_places(&mut bytes, &mut all, size_bytes)?;
    match bytes {
        [] => Ok(all),
        _ => Err(Error::BadIndex("bytes after the last row")),
    }
}

/// The frames without their places.
fn unpack_samples(bytes: &mut &[u8], count: usize) -> Result<Vec<Sample>> {
    let sizes = unpack_column(bytes, count)?;
    let durations = unpack_column(bytes, count)?;
    let compositions = unpack_column(bytes, count)?;
    let keys = unpack_column(bytes, count)?;
    let sample = |at: usize| -> Result<Sample> {
        Ok(Sample {
            offset: 0,
            size_bytes: u32::try_from(sizes[at]).map_err(|_| too_large())?,
            duration: u32::try_from(durations[at]).map_err(|_| too_large())?,
            composition: i32::try_from(unzigzag(compositions[at])).map_err(|_| too_large())?,
            key: keys[at] != 0,
        })
    };
    (0..count).map(sample).collect()
}

fn unpack_places(bytes: &mut &[u8], runs: &mut [TrackRun], size_bytes: u64) -> Result<()> {
    let mut rest: Vec<&mut [Sample]> = runs
        .iter_mut()
        .map(|run| run.samples.as_mut_slice())
        .collect();
    let mut end = 0_u64;
    while rest.iter().any(|left| !left.is_empty()) {
        let word = take(bytes)?;
        if word & 1 == 1 {
            end = end.wrapping_add(unzigzag(take(bytes)?).cast_unsigned());
        }
        let (run, count) = (
            (word >> 1) as usize % rest.len(),
            (word >> 1) as usize / rest.len(),
        );
        let left = std::mem::take(&mut rest[run]);
        if count == 0 || count > left.len() {
            return Err(Error::BadIndex("places without frames"));
        }
        let (placed, left) = left.split_at_mut(count);
        for sample in placed {
            sample.offset = end;
            let after = end.checked_add(u64::from(sample.size_bytes));
            end = after
                .filter(|end| *end <= size_bytes)
                .ok_or(Error::BadIndex("a frame lies outside of the recording"))?;
        }
        rest[run] = left;
    }
    Ok(())
}

pub(crate) fn unpack_column(bytes: &mut &[u8], count: usize) -> Result<Vec<u64>> {
    let (way, unit) = (take(bytes)?, take(bytes)?);
    let mut values: Vec<u64> = Vec::new();
    let mut last = 0_u64;
    while values.len() < count {
        let word = take(bytes)?;
        let (value, times) = match way {
            REPEATS => (word, take_count(bytes, count - values.len())?),
            PLAIN => (word, 1),
            DISTANCES => (last.wrapping_add(unzigzag(word).cast_unsigned()), 1),
            _ => return Err(Error::BadIndex("a column of an unknown kind")),
        };
        last = value;
        let scaled = value.checked_mul(unit).ok_or_else(too_large)?;
        values.resize(values.len() + times, scaled);
    }
    Ok(values)
}

fn too_large() -> Error {
    Error::BadIndex("a number is too large")
}

pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn take(bytes: &mut &[u8]) -> Result<u64> {
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

pub(crate) fn take_count(bytes: &mut &[u8], most: usize) -> Result<usize> {
    let count = usize::try_from(take(bytes)?).map_err(|_| too_large())?;
    if count > most {
        Err(too_large())
    } else {
        Ok(count)
    }
}

pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(crate) const fn unzigzag(value: u64) -> i64 {
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
        fn what_is_packed_is_unpacked(other in prop::collection::vec(sample(), 0..40),
            samples in prop::collection::vec(sample(), 0..40), decode_time in any::<u64>()) {
            let other = TrackRun { track: 0, decode_time: 0, samples: other };
            let runs = vec![TrackRun { track: 1, decode_time, samples }, other];
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
