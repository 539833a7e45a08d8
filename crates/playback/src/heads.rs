//! What the playlist needs of each segment, packed in columns: there are 900 an hour.

use crate::columns::{pack_column, unpack_column};
use crate::error::{Error, Result};

/// One segment, as the playlist needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHead {
    /// Begins at.
    pub start_us: u64,
    /// Lasts.
    pub duration_us: u64,
    /// Begins with a frame that decodes without others.
    pub independent: bool,
    /// Length of its packed rows.
    pub(crate) rows_bytes: u32,
}

impl SegmentHead {
    /// Ends at.
    pub fn end_us(&self) -> u64 {
        self.start_us.saturating_add(self.duration_us)
    }
}

impl From<(u64, u64, bool, u32)> for SegmentHead {
    fn from((start_us, duration_us, independent, rows_bytes): (u64, u64, bool, u32)) -> Self {
        Self {
            start_us,
            duration_us,
            independent,
            rows_bytes,
        }
    }
}

/// Packs them.
pub(crate) fn pack(segments: &[SegmentHead]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut end_us = 0_u64;
    let mut gaps = Vec::with_capacity(segments.len());
    for segment in segments {
        gaps.push(segment.start_us.wrapping_sub(end_us));
        end_us = segment.end_us();
    }
    let column = |value: fn(&SegmentHead) -> u64| segments.iter().map(value).collect::<Vec<u64>>();
    pack_column(&gaps, &mut out);
    pack_column(&column(|s| s.duration_us), &mut out);
    pack_column(&column(|s| u64::from(s.independent)), &mut out);
    pack_column(&column(|s| u64::from(s.rows_bytes)), &mut out);
    out
}

/// Unpacks `count` of them, which [`crate::index`] has found to be no more than there may be.
///
/// # Errors
/// [`Error::BadIndex`] when the bytes are not what [`pack`] makes, or segments overlap.
pub(crate) fn unpack(mut bytes: &[u8], count: usize) -> Result<Vec<SegmentHead>> {
    let gaps = unpack_column(&mut bytes, count)?;
    let durations = unpack_column(&mut bytes, count)?;
    let independent = unpack_column(&mut bytes, count)?;
    let rows_bytes = unpack_column(&mut bytes, count)?;
    if !bytes.is_empty() {
        return Err(Error::BadIndex("bytes after the last segment"));
    }
    let overlap = || Error::BadIndex("segments overlap");
    let (mut end_us, mut segments) = (0_u64, Vec::with_capacity(count));
    for at in 0..count {
        let start_us = end_us.checked_add(gaps[at]).ok_or_else(overlap)?;
        end_us = start_us.checked_add(durations[at]).ok_or_else(overlap)?;
        segments.push(SegmentHead {
            start_us,
            duration_us: durations[at],
            independent: independent[at] != 0,
            rows_bytes: u32::try_from(rows_bytes[at])
                .map_err(|_| Error::BadIndex("a segment's rows are too long"))?,
        });
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(all in prop::collection::vec(
            (0..1_u64 << 40, 0..1_u64 << 40, any::<bool>(), any::<u32>()), 0..60)) {
            let mut end_us = 0;
            let segments: Vec<SegmentHead> = all
                .into_iter()
                .map(|(gap, duration_us, independent, rows_bytes)| {
                    let start_us = end_us + gap;
                    end_us = start_us + duration_us;
                    SegmentHead { start_us, duration_us, independent, rows_bytes }
                })
                .collect();
            prop_assert_eq!(unpack(&pack(&segments), segments.len()).expect("unpacks"), segments);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), count in 0..200_usize) {
            let _ = unpack(&bytes, count);
        }
    }

    #[test]
    fn an_hour_takes_little() {
        let segment = |number: u64| {
            let rows_bytes = 280 + (number * 37 % 40) as u32;
            SegmentHead::from((number * 4_000_000, 4_000_000, true, rows_bytes))
        };
        let segments: Vec<SegmentHead> = (0..900).map(segment).collect();
        assert!(pack(&segments).len() < 900 + 16);
    }

    #[test]
    fn segments_that_overlap_are_refused() {
        let segments = [
            SegmentHead::from((0, 9, true, 1)),
            SegmentHead::from((5, 9, true, 1)),
        ];
        assert!(unpack(&pack(&segments), 2).is_err());
    }
}
