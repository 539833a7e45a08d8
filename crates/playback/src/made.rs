//! Made segments: where the original's bytes can't be sent as they lie in the file, the worker makes a
//! segment from them, by copying frames into another container or by transcoding them.
//!
//! For each segment the index keeps what the worker must read for it ([`Feed`]): so any segment is made
//! alone, by any worker, always the same, and joins its neighbours without gap or overlap.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::columns::{pack_column, put, take, take_count, unpack_column, unzigzag, zigzag};
use crate::error::{Error, Result};
use crate::fragment::SegmentPlan;
use crate::rows::{MAX_SEGMENT_SAMPLES, Sample, TrackRun};

/// How a track of what plays comes from the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Its bytes are sent as they lie in the file.
    #[default]
    Raw,
    /// Its frames are the original's, taken out of a container by the worker.
    Copied,
    /// It is decoded and encoded anew, for viewing only.
    Transcoded,
}

/// Which picture of a transcoded recording is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// At most 720 lines: what plays first, and on its own where the original is no larger.
    #[default]
    First,
    /// As large as the original.
    Full,
}

/// What is read from the file for one track of one made segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Index into the playback index's tracks.
    pub track: usize,
    /// Reading by bytes may begin here.
    pub offset: u64,
    /// Decode time of the first packet, in the track's ticks.
    pub decode_time: u64,
    /// Of what is decoded, the segment holds what is shown from here on, in the track's ticks.
    pub from: u64,
    /// And before this.
    pub until: u64,
    /// What is fed, in decoding order; for a transcoded track more than the segment shows.
    pub packets: Vec<FeedPacket>,
}

/// One packet of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedPacket {
    /// Its own time stamp by which the worker finds it, in the stream's ticks.
    pub stamp: i64,
    /// Decode time to the next one's, in the track's ticks.
    pub duration: u32,
    /// Shown at decode time plus this many ticks.
    pub composition: i32,
    /// Decoding can begin here.
    pub key: bool,
}

/// Packs the feeds of one segment.
pub fn pack(feeds: &[Feed], out: &mut Vec<u8>) {
    put(out, feeds.len() as u64);
    for feed in feeds {
        put(out, feed.track as u64);
        put(out, feed.offset);
        put(out, feed.decode_time);
        put(out, feed.from);
        put(out, feed.until);
        put(out, feed.packets.len() as u64);
        let mut last = 0;
        let mut steps = Vec::with_capacity(feed.packets.len());
        for packet in &feed.packets {
            steps.push(zigzag(packet.stamp.wrapping_sub(last)));
            last = packet.stamp;
        }
        // The first is a place, not a distance: apart, so that constant distances stay one run.
        put(out, steps.first().copied().unwrap_or(0));
        pack_column(steps.get(1..).unwrap_or_default(), out);
        let column =
            |value: fn(&FeedPacket) -> u64| feed.packets.iter().map(value).collect::<Vec<u64>>();
        pack_column(&column(|p| u64::from(p.duration)), out);
        pack_column(&column(|p| zigzag(i64::from(p.composition))), out);
        pack_column(&column(|p| u64::from(p.key)), out);
    }
}

/// Unpacks the feeds of one segment.
///
/// # Errors
/// [`Error::BadIndex`] when the bytes are not what [`pack`] makes.
pub fn unpack(mut bytes: &[u8]) -> Result<Vec<Feed>> {
    let bytes = &mut bytes;
    let count = take_count(bytes, 64)?;
    let (mut feeds, mut left) = (Vec::with_capacity(count), MAX_SEGMENT_SAMPLES);
    for _ in 0..count {
        let track = take_count(bytes, 64)?;
        let (offset, decode_time) = (take(bytes)?, take(bytes)?);
        let (from, until) = (take(bytes)?, take(bytes)?);
        let packets = take_count(bytes, left)?;
        left -= packets;
        feeds.push(Feed {
            track,
            offset,
            decode_time,
            from,
            until,
            packets: unpack_packets(bytes, packets)?,
        });
    }
    match bytes {
        [] => Ok(feeds),
        _ => Err(Error::BadIndex("bytes after the last row")),
    }
}

fn unpack_packets(bytes: &mut &[u8], count: usize) -> Result<Vec<FeedPacket>> {
    let mut stamp = unzigzag(take(bytes)?);
    let steps = unpack_column(bytes, count.saturating_sub(1))?;
    let durations = unpack_column(bytes, count)?;
    let compositions = unpack_column(bytes, count)?;
    let keys = unpack_column(bytes, count)?;
    let too_large = |_| Error::BadIndex("a number is too large");
    let mut packets = Vec::with_capacity(count);
    for at in 0..count {
        if at > 0 {
            stamp = stamp.wrapping_add(unzigzag(steps[at - 1]));
        }
        packets.push(FeedPacket {
            stamp,
            duration: u32::try_from(durations[at]).map_err(too_large)?,
            composition: i32::try_from(unzigzag(compositions[at])).map_err(too_large)?,
            key: keys[at] != 0,
        });
    }
    Ok(packets)
}

/// One track of a segment as the worker made it: samples whose offsets don't matter, and their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeRun {
    /// Index into the playback index's tracks.
    pub track: usize,
    /// Decode time of the first frame, in the track's ticks.
    pub decode_time: u64,
    /// The frames: duration, composition offset, whether decoding can begin, bytes.
    pub frames: Vec<(u32, i32, bool, Vec<u8>)>,
}

/// Puts a media segment together: the worker's side.
///
/// # Errors
/// [`Error::BadIndex`] when it would be larger than any segment may be.
pub fn segment(number: usize, runs: Vec<MadeRun>) -> Result<Bytes> {
    let (mut planned, mut data, mut offset) = (Vec::new(), Vec::new(), 0_u64);
    for run in runs.into_iter().filter(|run| !run.frames.is_empty()) {
        let mut samples = Vec::with_capacity(run.frames.len());
        for (duration, composition, key, bytes) in run.frames {
            let size_bytes =
                u32::try_from(bytes.len()).map_err(|_| Error::BadIndex("a frame is too large"))?;
            samples.push(Sample {
                offset,
                size_bytes,
                duration,
                composition,
                key,
            });
            offset += u64::from(size_bytes);
            data.push(bytes);
        }
        planned.push(TrackRun {
            track: run.track,
            decode_time: run.decode_time,
            samples,
        });
    }
    let plan = SegmentPlan::new(number, &planned)?;
    let mut segment = BytesMut::with_capacity(plan.header.len() + offset as usize);
    segment.put(plan.header);
    data.iter()
        .for_each(|bytes| segment.put_slice(bytes.as_slice()));
    Ok(segment.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet() -> impl Strategy<Value = FeedPacket> {
        (any::<i64>(), any::<u32>(), any::<i32>(), any::<bool>()).prop_map(
            |(stamp, duration, composition, key)| FeedPacket {
                stamp,
                duration,
                composition,
                key,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(packets in prop::collection::vec(packet(), 0..40), offset in any::<u64>(),
            from in any::<u64>()) {
            let feed = Feed { track: 1, offset, decode_time: 7, from, until: 9, packets };
            let feeds = vec![feed.clone(), Feed { track: 0, ..feed }];
            let mut bytes = Vec::new();
            pack(&feeds, &mut bytes);
            prop_assert_eq!(unpack(&bytes).expect("unpacks"), feeds);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn a_made_segment_holds_its_frames() {
        let run = |track, bytes: &[u8]| MadeRun {
            track,
            decode_time: 5,
            frames: vec![
                (10, 0, true, bytes.to_vec()),
                (10, 3, false, bytes.to_vec()),
            ],
        };
        let made = segment(3, vec![run(0, b"ab"), run(1, b"c")]).expect("makes");
        assert!(made.ends_with(b"mdatababcc"));
    }
}
