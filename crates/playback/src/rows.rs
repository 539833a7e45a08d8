//! The rows of the playback index: where each frame of a segment lies and when it is shown. Packed in
//! columns: about two bytes a picture and one a sound frame, nearly all of it their sizes.

use crate::columns::{
    pack_column, put, take, take_count, too_large, unpack_column, unzigzag, zigzag,
};
use crate::error::{Error, Result};

/// Most frames in one segment, all tracks together.
pub const MAX_SEGMENT_SAMPLES: usize = 1 << 18;
/// Most runs in one segment.
const MAX_RUNS: usize = 64;

/// Frames of an index that are looked at, all segments together: feeds of neighbours overlap, so it is four times what a
/// worker indexes. A few bytes can stand for very many frames.
const MOST_FRAMES: usize = 16_000_000;

/// How many frames of an index were looked at, as long as there may be more.
#[derive(Debug, Default)]
pub(crate) struct Counted(usize);

impl Counted {
    pub(crate) fn add(&mut self, frames: usize) -> Result<()> {
        self.0 += frames;
        match self.0 <= MOST_FRAMES {
            true => Ok(()),
            false => Err(Error::BadIndex("more frames than any index has")),
        }
    }
}

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
        pack_column(&column(|s| u64::from(s.duration)), out);
        pack_column(&column(|s| zigzag(i64::from(s.composition))), out);
        pack_column(&column(|s| u64::from(s.key)), out);
        // Keyframes are far larger than others: apart, each scatter around their own size.
        for key in [true, false] {
            let alike = run.samples.iter().filter(|s| s.key == key);
            let sizes: Vec<u64> = alike.map(|s| u64::from(s.size_bytes)).collect();
            pack_column(&sizes, out);
        }
    }
    pack_places(&Stretch::all(runs), runs.len(), out);
}

/// Frames of one run that lie one behind the other in the file.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    run: usize,
    frames: usize,
    /// From the end of the stretch before, or from 0.
    gap: i64,
}

impl Stretch {
    /// All of them, in the file's order.
    fn all(runs: &[TrackRun]) -> Vec<Self> {
        let mut rest: Vec<&[Sample]> = runs.iter().map(|run| run.samples.as_slice()).collect();
        let (mut end, mut all) = (0_u64, Vec::new());
        loop {
            let waiting = rest
                .iter()
                .enumerate()
                .filter_map(|(run, left)| Some((left.first()?.offset, run)));
            let Some((offset, run)) = waiting.min() else {
                return all;
            };
            let gap = offset.wrapping_sub(end).cast_signed();
            let mut frames = 0;
            end = offset;
            while let Some((next, left)) = rest[run]
                .split_first()
                .filter(|(next, _)| next.offset == end)
            {
                end = end.wrapping_add(u64::from(next.size_bytes));
                rest[run] = left;
                frames += 1;
            }
            all.push(Self { run, frames, gap });
        }
    }
}

/// Where the frames lie. In an interleaved file the runs take turns, and mostly without gaps: what is
/// left are two bits or so a stretch for the number of its frames.
fn pack_places(stretches: &[Stretch], runs: usize, out: &mut Vec<u8>) {
    put(out, stretches.len() as u64);
    let Some(first) = stretches.first() else {
        return;
    };
    // A place, not a distance: apart.
    put(out, first.gap.cast_unsigned());
    let gaps: Vec<u64> = stretches[1..].iter().map(|s| zigzag(s.gap)).collect();
    pack_column(&gaps, out);
    let mut before = runs - 1; // there is a stretch, and so a run
    let mut turns = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        turns.push(((stretch.run + runs - before - 1) % runs) as u64);
        before = stretch.run;
    }
    pack_column(&turns, out);
    for run in 0..runs {
        let own = stretches.iter().filter(|s| s.run == run);
        let counts: Vec<u64> = own.map(|s| s.frames as u64).collect();
        pack_column(&counts, out);
    }
}

/// Unpacks the runs of one segment and checks that every frame lies within `size_bytes`.
///
/// # Errors
/// [`Error::BadIndex`] when the bytes are not what [`pack`] makes.
pub fn unpack(mut bytes: &[u8], size_bytes: u64) -> Result<Vec<TrackRun>> {
    let runs = take_count(&mut bytes, MAX_RUNS)?;
    let mut all = Vec::with_capacity(runs);
    let mut left = MAX_SEGMENT_SAMPLES;
    for _ in 0..runs {
        let track = take_count(&mut bytes, MAX_RUNS)?;
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
    let stretches = unpack_places(&mut bytes, runs, MAX_SEGMENT_SAMPLES - left)?;
    place(&mut all, &stretches, size_bytes)?;
    match bytes {
        [] => Ok(all),
        _ => Err(Error::BadIndex("bytes after the last row")),
    }
}

/// The frames without their places.
fn unpack_samples(bytes: &mut &[u8], count: usize) -> Result<Vec<Sample>> {
    let durations = unpack_column(bytes, count)?;
    let compositions = unpack_column(bytes, count)?;
    let keys = unpack_column(bytes, count)?;
    let keyed = keys.iter().filter(|key| **key != 0).count();
    let mut key_sizes = unpack_column(bytes, keyed)?.into_iter();
    let mut other_sizes = unpack_column(bytes, count - keyed)?.into_iter();
    let sample = |at: usize| -> Result<Sample> {
        let key = keys[at] != 0;
        let size = match key {
            true => key_sizes.next(),
            false => other_sizes.next(),
        };
        Ok(Sample {
            offset: 0,
            size_bytes: size
                .and_then(|size| u32::try_from(size).ok())
                .ok_or_else(too_large)?,
            duration: u32::try_from(durations[at]).map_err(|_| too_large())?,
            composition: i32::try_from(unzigzag(compositions[at])).map_err(|_| too_large())?,
            key,
        })
    };
    (0..count).map(sample).collect()
}

/// The stretches in which so many frames lie.
fn unpack_places(bytes: &mut &[u8], runs: usize, frames: usize) -> Result<Vec<Stretch>> {
    let count = take_count(bytes, frames)?;
    if count == 0 || runs == 0 {
        return Ok(Vec::new());
    }
    let first = take(bytes)?.cast_signed();
    let gaps = unpack_column(bytes, count - 1)?;
    let turns = unpack_column(bytes, count)?;
    let gaps = std::iter::once(first).chain(gaps.into_iter().map(unzigzag));
    let mut run = runs - 1;
    let mut of_run = vec![0_usize; runs];
    let mut stretches = Vec::with_capacity(count);
    for (gap, turn) in gaps.zip(turns) {
        run = (run + 1 + (turn % runs as u64) as usize) % runs;
        of_run[run] += 1;
        stretches.push(Stretch {
            run,
            frames: 0,
            gap,
        });
    }
    let mut counts = Vec::with_capacity(runs);
    for of_run in of_run {
        counts.push(unpack_column(bytes, of_run)?.into_iter());
    }
    for stretch in &mut stretches {
        let count = counts[stretch.run].next().unwrap_or(0);
        stretch.frames = usize::try_from(count).map_err(|_| too_large())?;
    }
    Ok(stretches)
}

fn place(runs: &mut [TrackRun], stretches: &[Stretch], size_bytes: u64) -> Result<()> {
    let mut rest: Vec<&mut [Sample]> = runs
        .iter_mut()
        .map(|run| run.samples.as_mut_slice())
        .collect();
    let mut end = 0_u64;
    for stretch in stretches {
        end = end.wrapping_add(stretch.gap.cast_unsigned());
        let left = std::mem::take(&mut rest[stretch.run]);
        if stretch.frames > left.len() {
            return Err(Error::BadIndex("places without frames"));
        }
        let (placed, left) = left.split_at_mut(stretch.frames);
        for sample in placed {
            sample.offset = end;
            let after = end.checked_add(u64::from(sample.size_bytes));
            end = after
                .filter(|end| *end <= size_bytes)
                .ok_or(Error::BadIndex("a frame lies outside of the recording"))?;
        }
        rest[stretch.run] = left;
    }
    match rest.iter().all(|left| left.is_empty()) {
        true => Ok(()),
        false => Err(Error::BadIndex("frames without places")),
    }
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

    #[test]
    fn more_frames_than_any_index_has_are_not_looked_at() {
        let mut counted = Counted(MOST_FRAMES - 1);
        assert!(counted.add(1).is_ok());
        assert!(counted.add(1).is_err());
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
