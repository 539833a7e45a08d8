//! An index while its recording is still arriving: which segments can be cut already, and whether a
//! newer index goes on where an older one stopped.

use crate::error::Result;
use crate::facts::StreamKind;
use crate::index::{PlaybackIndex, SegmentHead};
use crate::made::{self, Feed, Variant};
use crate::playlist;
use crate::rows::{Counted, Sample};

/// How many bytes of the original must be there so that segments `0..=n` can be cut, for each `n`.
///
/// # Errors
/// [`crate::Error::BadIndex`] when rows are damaged, or there are more than any worker finds.
pub fn reach(index: &PlaybackIndex) -> Result<Vec<u64>> {
    if index.is_made() {
        return reach_of_made(index);
    }
    let (mut needed, mut counted) = (0_u64, Counted::default());
    (0..index.segments().len())
        .map(|number| {
            for run in index.runs(number)? {
                counted.add(run.samples.len())?;
                let end =
                    |sample: &Sample| sample.offset.saturating_add(u64::from(sample.size_bytes));
                needed = needed.max(run.samples.iter().map(end).max().unwrap_or(0));
            }
            Ok(needed)
        })
        .collect()
}

/// What is kept of a feed: its frames are many, and there may be many feeds.
struct Fed {
    track: usize,
    offset: u64,
    /// Decode times of its first frame and behind its last. Sound may begin before 0.
    begins: i64,
    ends: i64,
}

impl Fed {
    /// `None` for one that feeds nothing.
    fn of(feed: &Feed) -> Option<Self> {
        let lasts: i64 = feed.packets.iter().map(|p| i64::from(p.duration)).sum();
        let begins = feed.decode_time.cast_signed();
        (!feed.packets.is_empty()).then_some(Self {
            track: feed.track,
            offset: feed.offset,
            begins,
            ends: begins.saturating_add(lasts),
        })
    }
}

/// What feeds each segment; silence, which is made where nothing is, left out.
fn fed(index: &PlaybackIndex) -> Result<Vec<Vec<Fed>>> {
    let mut counted = Counted::default();
    (0..index.segments().len())
        .map(|number| {
            let feeds = made::unpack(&index.feed(number)?)?;
            counted.add(feeds.iter().map(|feed| feed.packets.len()).sum())?;
            Ok(feeds.iter().filter_map(Fed::of).collect())
        })
        .collect()
}

/// A feed tells where its first frame lies and not where its last one ends. A track's frames lie in the
/// order of their decoding: they end before the first of a feed that begins after them, or in the packet in
/// which that one lies. Where none does, all of the file is needed.
fn reach_of_made(index: &PlaybackIndex) -> Result<Vec<u64>> {
    let segments = fed(index)?;
    let mut begins: Vec<Vec<(i64, u64)>> = vec![Vec::new(); index.tracks().len()];
    for fed in segments.iter().flatten() {
        let Some(track) = begins.get_mut(fed.track) else {
            continue; // of a damaged index: nothing is made for it
        };
        // Where a file keeps another order, what lies furthest counts.
        let offset = track
            .last()
            .map_or(fed.offset, |last| last.1.max(fed.offset));
        track.push((fed.begins, offset));
    }
    let size_bytes = index.facts().size_bytes;
    let end_of = |fed: &Fed| {
        let track = begins.get(fed.track)?;
        let after = &track[track.partition_point(|(decode_time, _)| *decode_time < fed.ends)..];
        let ends = end_before(index, fed.track, after).unwrap_or(size_bytes);
        Some(ends.min(size_bytes))
    };
    let mut needed = 0_u64;
    let of_segment = |feeds: &Vec<Fed>| {
        needed = needed.max(feeds.iter().filter_map(end_of).max().unwrap_or(0));
        needed
    };
    Ok(segments.iter().map(of_segment).collect())
}

/// A packet of a program stream has at most so many bytes, header included (ISO/IEC 13818-1, 2.4.3.7).
const MOST_OF_A_PACKET: u64 = 6 + 65_535;

/// Where the bytes of a track's frames end that come before the feeds `after`: when those begin, and where.
fn end_before(index: &PlaybackIndex, track: usize, after: &[(i64, u64)]) -> Option<u64> {
    let (_, next) = *after.first()?;
    let track = index.tracks().get(track)?;
    match index.facts().container.as_str() {
        // The next frame's packet begins with the end of the one before.
        "mpegps" => Some(next.saturating_add(MOST_OF_A_PACKET)),
        // Sound shares packets, and other tracks' bytes lie between a packet's own.
        "mpegts" if track.kind == StreamKind::Audio => {
            let mut others = after.iter().map(|(_, offset)| *offset);
            others.find(|offset| *offset > next)
        }
        _ => Some(next),
    }
}

/// A track that stops so long before another has come to its end: it isn't waited for.
const ENDED_US: u64 = 30_000_000;

/// How many segments of a beginning stay as they are when more comes: not the last, and none that ends
/// within `margin_us` before the end of any track. One track may lie further behind in the file than another.
///
/// # Errors
/// [`crate::Error::BadIndex`] when rows are damaged.
pub fn settled(index: &PlaybackIndex, margin_us: u64) -> Result<usize> {
    let Some((last, before)) = index.segments().split_last() else {
        return Ok(0);
    };
    let mut end_us = last.end_us();
    if index.is_made() {
        let ends = ends_of_made(index)?.into_iter();
        let goes_on = |end: &u64| end.saturating_add(ENDED_US) > last.end_us();
        end_us = ends.filter(goes_on).fold(end_us, u64::min);
    }
    let limit = end_us.saturating_sub(margin_us);
    Ok(before.iter().take_while(|at| at.end_us() <= limit).count())
}

/// When the last frame of each track ends.
fn ends_of_made(index: &PlaybackIndex) -> Result<Vec<u64>> {
    let mut ends = vec![0; index.tracks().len()];
    for fed in fed(index)?.iter().flatten() {
        let (Some(end), Some(track)) = (ends.get_mut(fed.track), index.tracks().get(fed.track))
        else {
            continue; // of a damaged index: nothing is made for it
        };
        let us = i128::from(fed.ends.max(0)) * 1_000_000 / i128::from(track.timescale.max(1));
        *end = u64::try_from(us).unwrap_or(u64::MAX).max(*end);
    }
    Ok(ends)
}

/// Whether a player that has the first `count` segments of `earlier` can go on with `later`: same init
/// segment, same tracks, and these segments cut and filled alike. One that has none can.
pub fn goes_on(earlier: &PlaybackIndex, later: &PlaybackIndex, count: usize) -> bool {
    if count == 0 {
        return true;
    }
    let same_head = earlier.init() == later.init()
        && earlier.init_of(Variant::Full) == later.init_of(Variant::Full)
        && earlier.tracks() == later.tracks()
        && earlier.origin_us() == later.origin_us()
        && earlier.segments().get(..count) == later.segments().get(..count)
        && count <= earlier.segments().len();
    let same_frames = |number| match earlier.is_made() {
        true => matches!((earlier.feed(number), later.feed(number)), (Ok(a), Ok(b)) if a == b),
        false => matches!((earlier.runs(number), later.runs(number)), (Ok(a), Ok(b)) if a == b),
    };
    same_head && (0..count).all(same_frames)
}

/// The playlist of what can be watched so far (RFC 8216, 4.3.3.5): it only grows, and has no end yet.
/// `all` are the segments the index knows, of which the first `listed` can be cut or made.
pub fn playlist(all: &[SegmentHead], listed: usize, variant: Variant) -> String {
    // Without a start players begin near the end, as with a live broadcast.
    let kind = "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n";
    playlist::media(all, listed, variant, kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Verdict};
    use crate::index::{NewInits, NewMadeSegment, NewSegment, Track};
    use crate::made::FeedPacket;
    use crate::rows::{MAX_SEGMENT_SAMPLES, TrackRun};

    fn index(places: &[(u64, u32)], init: &[u8]) -> PlaybackIndex {
        let facts = Facts {
            container: "mp4".into(),
            size_bytes: 1_000,
            claimed_duration_ms: None,
            duration_ms: Some(1),
            creation_claimed_at: None,
            streams: Vec::new(),
            verdict: Verdict::playable(),
        };
        let track = Track {
            kind: StreamKind::Video,
            stream: 0,
            timescale: 1_000,
            codec: "avc1".into(),
            mode: crate::made::Mode::Raw,
        };
        let segment = |(number, (offset, size_bytes)): (usize, &(u64, u32))| NewSegment {
            start_us: number as u64 * 2_000_000,
            duration_us: 2_000_000,
            independent: true,
            runs: vec![TrackRun {
                track: 0,
                decode_time: number as u64 * 2_000,
                samples: vec![Sample {
                    offset: *offset,
                    size_bytes: *size_bytes,
                    duration: 2_000,
                    composition: 0,
                    key: true,
                }],
            }],
        };
        let segments: Vec<NewSegment> = places.iter().enumerate().map(segment).collect();
        PlaybackIndex::build(facts, vec![track], 0, init, &segments).expect("builds")
    }

    #[test]
    fn segments_are_listed_in_order_even_when_bytes_are_not() {
        let index = index(&[(0, 10), (500, 10), (20, 10)], b"init");
        assert_eq!(reach(&index).expect("whole"), [10, 510, 510]);
    }

    #[test]
    fn an_index_goes_on_only_where_what_was_listed_stays() {
        let short = index(&[(0, 10), (10, 10)], b"init");
        let longer = index(&[(0, 10), (10, 10), (20, 5)], b"init");
        assert!(goes_on(&short, &longer, 2));
        assert!(!goes_on(&longer, &short, 3));
        assert!(goes_on(&short, &index(&[(7, 10)], b"other"), 0));
        assert!(!goes_on(
            &short,
            &index(&[(0, 10), (11, 10), (21, 5)], b"init"),
            2
        ));
        assert!(goes_on(
            &short,
            &index(&[(0, 10), (11, 10), (21, 5)], b"init"),
            1
        ));
        assert!(!goes_on(
            &short,
            &index(&[(0, 10), (10, 10), (20, 5)], b"other"),
            2
        ));
    }

    #[test]
    fn a_track_that_lies_behind_is_waited_for_and_one_that_ended_is_not() {
        let both = |picture: u64, sound: u64| {
            let feeds = |number: u64| {
                let feed = |track: usize, until: u64| Feed {
                    track,
                    offset: number,
                    decode_time: number * 1_000,
                    from: 0,
                    until: 0,
                    packets: vec![packet(); usize::from(number < until)],
                };
                vec![feed(0, picture), feed(1, sound)]
            };
            made_of(2, (0..picture).map(feeds).collect())
        };
        let margin = 2_000_000;
        assert_eq!(settled(&both(10, 10), margin).expect("whole"), 8);
        assert_eq!(settled(&both(10, 6), margin).expect("whole"), 4);
        assert_eq!(settled(&both(60, 6), margin).expect("whole"), 58);
        assert_eq!(settled(&both(1, 1), margin).expect("whole"), 0);
        let raw = index(&[(0, 10), (10, 10), (20, 5)], b"init");
        assert_eq!(settled(&raw, margin).expect("whole"), 2);
    }

    fn made_index(places: &[(u64, u64, u64)]) -> PlaybackIndex {
        let feed = |(offset, decode_time, packets): &(u64, u64, u64)| Feed {
            track: 0,
            offset: *offset,
            decode_time: *decode_time,
            from: 0,
            until: 0,
            packets: vec![packet(); *packets as usize],
        };
        made_of(1, places.iter().map(|place| vec![feed(place)]).collect())
    }

    fn packet() -> FeedPacket {
        FeedPacket {
            stamp: 0,
            duration: 1_000,
            composition: 0,
            key: true,
        }
    }

    fn made_of(tracks: usize, feeds: Vec<Vec<Feed>>) -> PlaybackIndex {
        let raw = index(&[(0, 1)], b"init");
        let segments: Vec<NewMadeSegment> = feeds
            .into_iter()
            .enumerate()
            .map(|(number, feeds)| NewMadeSegment {
                start_us: number as u64 * 1_000_000,
                duration_us: 1_000_000,
                feeds,
            })
            .collect();
        let track = Track {
            mode: crate::made::Mode::Transcoded,
            ..raw.tracks()[0].clone()
        };
        let inits = NewInits {
            first: b"init".to_vec(),
            ..NewInits::default()
        };
        PlaybackIndex::build_made(
            raw.facts().clone(),
            vec![track; tracks],
            0,
            &inits,
            &segments,
        )
        .expect("builds")
    }

    #[test]
    fn a_made_segment_needs_what_lies_before_a_feed_that_begins_after_it() {
        // The second and third are decoded from one keyframe; the last one's end is not told.
        let index = made_index(&[(0, 0, 1), (100, 1_000, 1), (100, 1_000, 2), (300, 3_000, 1)]);
        assert_eq!(reach(&index).expect("whole"), [100, 300, 300, 1_000]);
        assert!(goes_on(
            &index,
            &made_index(&[(0, 0, 1), (100, 1_000, 1), (150, 2_000, 1)]),
            2
        ));
        assert!(!goes_on(
            &index,
            &made_index(&[(0, 0, 1), (101, 1_000, 1), (150, 2_000, 1)]),
            2
        ));
    }

    /// Which is why frames are counted, not bytes: what is beyond all bounds is refused by `Counted`.
    #[test]
    fn few_bytes_stand_for_very_many_frames() {
        let index = made_index(&[(0, 0, MAX_SEGMENT_SAMPLES as u64)]);
        assert!(index.feed(0).expect("whole").len() < 64);
        assert!(reach(&index).is_ok());
    }

    #[test]
    fn a_growing_playlist_starts_at_its_beginning_and_has_no_end() {
        let index = index(&[(0, 10), (10, 10)], b"init");
        assert_eq!(
            playlist(index.segments(), 1, Variant::First),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n\
             #EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2.000000,\n0.m4s\n"
        );
        assert!(!playlist(index.segments(), 2, Variant::First).contains("ENDLIST"));
    }
}
