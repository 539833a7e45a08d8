//! Media segments: ISO/IEC 14496-12 movie fragments whose `mdat` is copied from the original.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::error::{Error, Result};
use crate::rows::{Sample, TrackRun};
use crate::source::Source;

/// Largest segment that is ever cut: what a viewer's request may hold in memory.
pub const MAX_SEGMENT_BYTES: u64 = 64 << 20;
/// Stretches closer than this are fetched together: a request costs more than these bytes.
const COALESCE_BYTES: u64 = 64 << 10;
/// Largest single fetch.
const MAX_FETCH_BYTES: u64 = 8 << 20;

/// How to make one media segment: `header`, then the `ranges` of the original one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentPlan {
    /// `moof`, and the beginning of `mdat`.
    pub header: Bytes,
    /// Stretches of the original, in the order they are sent. Neighbours are merged.
    pub ranges: Vec<Range<u64>>,
    /// Size of the whole segment.
    pub size_bytes: u64,
}

/// Frames of one track that follow each other in the file: one `trun`.
struct Stretch<'a> {
    run: usize,
    place: Range<u64>,
    samples: &'a [Sample],
    data_offset: u64,
}

impl SegmentPlan {
    /// Plans segment `number` (0 the first) from its rows. `mdat` keeps the file's order, so that one
    /// interleaved stretch of the file is one stretch of the segment.
    ///
    /// # Errors
    /// [`Error::BadIndex`] when the segment would be larger than any that is made.
    pub fn new(number: usize, runs: &[TrackRun]) -> Result<Self> {
        let mut stretches: Vec<Stretch<'_>> = Vec::new();
        for (run, track) in runs.iter().enumerate() {
            stretches.extend(stretches_of(run, &track.samples));
        }
        let mut order: Vec<usize> = (0..stretches.len()).collect();
        order.sort_by_key(|at| stretches[*at].place.start);
        let (mut ranges, mut data_bytes) = (Vec::<Range<u64>>::new(), 0_u64);
        for at in order {
            let stretch = &mut stretches[at];
            stretch.data_offset = data_bytes;
            data_bytes = data_bytes.saturating_add(stretch.place.end - stretch.place.start);
            match ranges.last_mut() {
                Some(last) if last.end == stretch.place.start => last.end = stretch.place.end,
                _ => ranges.push(stretch.place.clone()),
            }
        }
        if data_bytes > MAX_SEGMENT_BYTES {
            return Err(Error::BadIndex("a segment is too large"));
        }
        let header = write_moof(number, runs, &stretches, data_bytes);
        let size_bytes = header.len() as u64 + data_bytes;
        Ok(Self {
            header: header.into(),
            ranges,
            size_bytes,
        })
    }

    /// Fetches the segment's bytes. Near stretches are fetched together. Where the bytes can be
    /// streamed, sending `header` and then each of `ranges` does the same without holding them.
    ///
    /// # Errors
    /// [`Error::Source`].
    pub async fn fetch(&self, source: &Source) -> Result<Bytes> {
        let mut segment = BytesMut::with_capacity(usize::try_from(self.size_bytes).unwrap_or(0));
        segment.extend_from_slice(&self.header);
        let mut rest = self.ranges.as_slice();
        while let Some(first) = rest.first() {
            let near = |pair: &[Range<u64>]| {
                pair[1].start >= pair[0].end
                    && pair[1].start - pair[0].end <= COALESCE_BYTES
                    && pair[1].end - first.start <= MAX_FETCH_BYTES
            };
            let together = 1 + rest.windows(2).take_while(|pair| near(pair)).count();
            let (group, after) = rest.split_at(together);
            let place = first.start..group[together - 1].end;
            let bytes = source.read(place.clone()).await.map_err(Error::Source)?;
            for range in group {
                let (from, to) = (range.start - place.start, range.end - place.start);
                segment.extend_from_slice(&bytes[from as usize..to as usize]);
            }
            rest = after;
        }
        Ok(segment.freeze())
    }
}

fn stretches_of(run: usize, samples: &[Sample]) -> impl Iterator<Item = Stretch<'_>> {
    let follows = |a: &Sample, b: &Sample| a.offset + u64::from(a.size_bytes) == b.offset;
    samples.chunk_by(follows).map(move |samples| {
        let last = samples[samples.len() - 1]; // chunks are never empty
        Stretch {
            run,
            place: samples[0].offset..last.offset + u64::from(last.size_bytes),
            samples,
            data_offset: 0,
        }
    })
}

const TFHD_BYTES: usize = 16;
const TFDT_BYTES: usize = 20;
const TRUN_BYTES: usize = 20;

fn write_moof(
    number: usize,
    runs: &[TrackRun],
    stretches: &[Stretch<'_>],
    data_bytes: u64,
) -> Vec<u8> {
    let composed: Vec<bool> = runs
        .iter()
        .map(|run| run.samples.iter().any(|s| s.composition != 0))
        .collect();
    let row_bytes = |run: usize| if composed[run] { 16 } else { 12 };
    let traf_bytes: Vec<usize> = (0..runs.len())
        .map(|run| {
            let own = stretches.iter().filter(|s| s.run == run);
            8 + TFHD_BYTES
                + TFDT_BYTES
                + own
                    .map(|s| TRUN_BYTES + s.samples.len() * row_bytes(run))
                    .sum::<usize>()
        })
        .collect();
    let moof_bytes = 8 + 16 + traf_bytes.iter().sum::<usize>();
    let mut out = Vec::with_capacity(moof_bytes + 8);
    open_box(&mut out, moof_bytes, b"moof");
    open_box(&mut out, 16, b"mfhd");
    put_u32(&mut out, 0);
    put_u32(&mut out, number as u32 + 1);
    for (at, run) in runs.iter().enumerate() {
        open_box(&mut out, traf_bytes[at], b"traf");
        open_box(&mut out, TFHD_BYTES, b"tfhd");
        put_u32(&mut out, 0x02_0000); // default-base-is-moof
        put_u32(&mut out, run.track as u32 + 1);
        open_box(&mut out, TFDT_BYTES, b"tfdt");
        put_u32(&mut out, 0x0100_0000); // version 1: 64 bits
        out.extend_from_slice(&run.decode_time.to_be_bytes());
        for stretch in stretches.iter().filter(|s| s.run == at) {
            write_trun(&mut out, stretch, composed[at], moof_bytes as u64 + 8);
        }
    }
    open_box(&mut out, data_bytes as usize + 8, b"mdat");
    out
}

fn write_trun(out: &mut Vec<u8>, stretch: &Stretch<'_>, composed: bool, data_start: u64) {
    let row_bytes = if composed { 16 } else { 12 };
    open_box(out, TRUN_BYTES + stretch.samples.len() * row_bytes, b"trun");
    // Version 1 (signed composition offsets); data offset; duration, size, flags and offset a sample.
    put_u32(out, 0x0100_0701 | if composed { 0x800 } else { 0 });
    put_u32(out, stretch.samples.len() as u32);
    put_u32(out, (data_start + stretch.data_offset) as u32);
    for sample in stretch.samples {
        put_u32(out, sample.duration);
        put_u32(out, sample.size_bytes);
        // Depends on no other; or depends on others and is no sync sample (14496-12, 8.8.3.1).
        put_u32(out, if sample.key { 0x0200_0000 } else { 0x0101_0000 });
        if composed {
            out.extend_from_slice(&sample.composition.to_be_bytes());
        }
    }
}

fn open_box(out: &mut Vec<u8>, size_bytes: usize, kind: &[u8; 4]) {
    put_u32(out, size_bytes as u32);
    out.extend_from_slice(kind);
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(offset: u64, size_bytes: u32, composition: i32) -> Sample {
        Sample {
            offset,
            size_bytes,
            duration: 10,
            composition,
            key: offset == 100,
        }
    }

    #[test]
    fn an_interleaved_stretch_is_one_range_and_boxes_add_up() {
        let video = vec![sample(100, 10, 2), sample(110, 10, -2), sample(130, 5, 0)];
        let audio = vec![sample(120, 10, 0), sample(200, 1, 0)];
        let runs = [
            TrackRun {
                track: 0,
                decode_time: 7,
                samples: video,
            },
            TrackRun {
                track: 1,
                decode_time: 9,
                samples: audio,
            },
        ];
        let plan = SegmentPlan::new(0, &runs).expect("plans");
        assert_eq!(plan.ranges, vec![100..135, 200..201]);
        assert_eq!(plan.size_bytes, plan.header.len() as u64 + 36);
        let moof_bytes = u32::from_be_bytes(plan.header[..4].try_into().expect("four")) as usize;
        assert_eq!(moof_bytes + 8, plan.header.len());
        assert_eq!(&plan.header[moof_bytes + 4..], b"mdat");
        assert_eq!(
            plan.header[moof_bytes..moof_bytes + 4],
            44_u32.to_be_bytes()
        );
    }

    #[test]
    fn an_oversized_segment_is_refused() {
        let run = TrackRun {
            track: 0,
            decode_time: 0,
            samples: vec![sample(0, u32::MAX, 0)],
        };
        assert!(matches!(
            SegmentPlan::new(0, &[run]),
            Err(Error::BadIndex(_))
        ));
    }
}
