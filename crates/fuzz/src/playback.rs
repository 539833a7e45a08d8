//! The playback index: made by a worker that a hostile file may have taken over.

use bytes::Bytes;
use docket_playback::looks::{storyboard, waveform};
use docket_playback::made::{self, Feed, Variant};
use docket_playback::rows::{self, MAX_SEGMENT_SAMPLES, TrackRun};
use docket_playback::{ClipPlan, PlaybackIndex, growth};

use crate::number;

/// Segments that are looked into: the next ones are alike.
const LOOKED_INTO: usize = 6;
/// Packing many rows takes long and finds nothing that few don't.
const PACKED_AGAIN: usize = 2_000;

/// Rows lie within the file, are bounded, and are the same when they are packed and unpacked again.
pub fn rows(bytes: &[u8]) {
    let (size_bytes, packed) = number::<5>(bytes);
    let Ok(runs) = rows::unpack(packed, size_bytes) else {
        return;
    };
    let samples: usize = runs.iter().map(|run| run.samples.len()).sum();
    assert!(samples <= MAX_SEGMENT_SAMPLES);
    assert!(runs.iter().all(|run| within(run, size_bytes)));
    if samples <= PACKED_AGAIN {
        let mut again = Vec::new();
        rows::pack(&runs, &mut again);
        assert_eq!(rows::unpack(&again, size_bytes).expect("packed here"), runs);
    }
}

fn within(run: &TrackRun, size_bytes: u64) -> bool {
    let end = |offset: u64, size: u32| offset.checked_add(size.into());
    run.samples
        .iter()
        .all(|s| end(s.offset, s.size_bytes).is_some_and(|end| end <= size_bytes))
}

/// The same of feeds.
pub fn feeds(bytes: &[u8]) {
    let Ok(feeds) = made::unpack(bytes) else {
        return;
    };
    let packets: usize = feeds.iter().map(|feed| feed.packets.len()).sum();
    assert!(packets <= MAX_SEGMENT_SAMPLES);
    if packets <= PACKED_AGAIN {
        let mut again = Vec::new();
        made::pack(&feeds, &mut again);
        assert_eq!(made::unpack(&again).expect("packed here"), feeds);
    }
}

/// An index goes forward in time, plans segments within the file, and everything that is made of it is bounded.
pub fn index(bytes: &[u8]) {
    let Ok(index) = PlaybackIndex::from_bytes(Bytes::copy_from_slice(bytes)) else {
        return;
    };
    assert_eq!(index.to_bytes(), bytes);
    assert!(!index.tracks().is_empty() && !index.segments().is_empty());
    assert!(
        index
            .segments()
            .windows(2)
            .all(|pair| pair[0].end_us() <= pair[1].start_us)
    );
    let playlist = index
        .playlist_of(Variant::First)
        .expect("the first is always there");
    assert_eq!(playlist.matches(".m4s\n").count(), index.segments().len());
    assert_eq!(
        index.playlist_of(Variant::Full).is_some(),
        index.init_of(Variant::Full).is_some()
    );
    let _ = (
        index.playlist(),
        index.codecs(),
        index.init(),
        index.facts().shown_size(),
    );
    let looked_into = index.segments().len().min(LOOKED_INTO);
    for number in 0..looked_into {
        segment(&index, number);
    }
    assert!(index.plan(index.segments().len()).is_err());
    if index.segments().len() <= LOOKED_INTO {
        whole(&index);
    }
}

fn segment(index: &PlaybackIndex, number: usize) {
    let packed = index.feed(number).expect("rows are found whole");
    assert!(index.beginning(number + 1).ends_with(&packed));
    if index.is_made() {
        assert!(index.plan(number).is_err());
        let _: Option<Vec<Feed>> = made::unpack(&packed).ok();
        return;
    }
    let Ok(runs) = index.runs(number) else { return };
    let size_bytes = index.facts().size_bytes;
    assert!(
        runs.iter()
            .all(|run| run.track < index.tracks().len() && within(run, size_bytes))
    );
    if let Ok(plan) = index.plan(number) {
        let copied: u64 = plan
            .ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum();
        let frames: u64 = runs
            .iter()
            .flat_map(|run| &run.samples)
            .map(|s| u64::from(s.size_bytes))
            .sum();
        assert_eq!(
            (plan.size_bytes, copied),
            (plan.header.len() as u64 + copied, frames)
        );
        assert!(plan.ranges.iter().all(|range| range.end <= size_bytes));
    }
}

/// What looks at every segment.
fn whole(index: &PlaybackIndex) {
    let count = index.segments().len();
    if let Ok(reach) = growth::reach(index) {
        assert_eq!(reach.len(), count);
        assert!(
            reach.is_sorted()
                && reach
                    .iter()
                    .all(|end| *end <= index.facts().size_bytes || index.is_made())
        );
        assert!(growth::goes_on(index, index, count));
    }
    if let Ok(frames) = storyboard::frames(index, count) {
        assert!(frames.len() <= 1_200);
        assert!(frames.windows(2).all(|pair| pair[0].at_us < pair[1].at_us));
    }
    let mut done = 0;
    while let Ok(Some(part)) = waveform::part(index, done, count) {
        assert!(
            part.segments.start == done && part.segments.end > done && part.segments.end <= count
        );
        assert!(part.peaks.start < part.peaks.end && part.peaks.end <= waveform::MOST_PEAKS);
        done = part.segments.end;
    }
    let end_us = index.end_us(count);
    for (from_us, until_us) in [
        (0, end_us),
        (end_us / 3, end_us / 2),
        (end_us / 2, u64::MAX),
        (1, 1),
    ] {
        if let Ok(Some(plan)) = ClipPlan::new(index, from_us, until_us) {
            assert!(plan.pieces() >= 2 && plan.pieces() <= count + 1);
        }
    }
}

/// To begin with.
pub mod seeds {
    use docket_playback::facts::{Facts, StreamFacts, StreamKind, Verdict};
    use docket_playback::index::{NewInits, NewMadeSegment, NewSegment, PlaybackIndex, Track};
    use docket_playback::made::{self, Feed, FeedPacket, Mode};
    use docket_playback::rows::{self, Sample, TrackRun};

    const SIZE: u64 = 1 << 24;

    /// Two seconds of picture and sound, interleaved.
    fn runs(number: u64) -> Vec<TrackRun> {
        let run = |track: usize, samples: Vec<Sample>| TrackRun {
            track,
            decode_time: number * 2_000,
            samples,
        };
        let sample = |at: u64, size_bytes: u32, composition: i32, key: bool| Sample {
            offset: number * 100_000 + at,
            size_bytes,
            duration: 200,
            composition,
            key,
        };
        let pictures = (0..10_u64).map(|at| {
            sample(
                at * 9_000,
                700 + 37 * at as u32,
                (at % 3) as i32 * 200 - 200,
                at == 0,
            )
        });
        let sound = (0..10_u64).map(|at| sample(at * 9_000 + 8_000, 90 + at as u32, 0, true));
        vec![run(0, pictures.collect()), run(1, sound.collect())]
    }

    fn fed(number: u64) -> Vec<Feed> {
        let packet = |at: i64| FeedPacket {
            stamp: number as i64 * 2_000 + at * 40,
            duration: 40,
            composition: (at % 2) as i32 * 40,
            key: at == 0,
        };
        let feed = |track: usize| Feed {
            track,
            offset: number * 100_000,
            decode_time: number * 2_000,
            from: number * 2_000,
            until: number * 2_000 + 2_000,
            packets: (0..12).map(packet).collect(),
        };
        vec![feed(0), feed(1)]
    }

    /// Rows of a segment, behind the file's size.
    pub fn rows() -> Vec<Vec<u8>> {
        let seed = |runs: &[TrackRun]| {
            let mut packed = SIZE.to_be_bytes()[3..].to_vec();
            rows::pack(runs, &mut packed);
            packed
        };
        vec![
            seed(&runs(0)),
            seed(&runs(3)),
            seed(&runs(1)[..1]),
            seed(&[]),
        ]
    }

    /// Feeds of a segment.
    pub fn feeds() -> Vec<Vec<u8>> {
        let seed = |feeds: &[Feed]| {
            let mut packed = Vec::new();
            made::pack(feeds, &mut packed);
            packed
        };
        vec![seed(&fed(0)), seed(&fed(2)), seed(&[])]
    }

    /// What is known of the film in these indexes.
    pub(crate) fn facts() -> Facts {
        Facts {
            container: "mp4".into(),
            size_bytes: SIZE,
            claimed_duration_ms: Some(6_000),
            duration_ms: Some(6_000),
            creation_claimed_at: None,
            streams: vec![StreamFacts {
                index: 0,
                kind: StreamKind::Video,
                codec: "h264".into(),
                width: Some(320),
                height: Some(240),
                rotation_degrees: 90,
                frames_per_second: None,
                sample_rate_hz: None,
                channels: None,
                carried: true,
            }],
            verdict: Verdict::playable(),
        }
    }

    fn tracks(mode: Mode) -> Vec<Track> {
        let track = |kind, stream, codec: &str| Track {
            kind,
            stream,
            timescale: 1_000,
            codec: codec.into(),
            mode,
        };
        vec![
            track(StreamKind::Video, 0, "avc1.64001f"),
            track(StreamKind::Audio, 1, "mp4a.40.2"),
        ]
    }

    /// One whose segments are cut, one whose segments are made, one with two variants.
    pub fn index() -> Vec<Vec<u8>> {
        let cut = |number| NewSegment {
            start_us: number * 2_000_000,
            duration_us: 2_000_000,
            independent: true,
            runs: runs(number),
        };
        let cut: Vec<NewSegment> = (0..3).map(cut).collect();
        let made = |number| NewMadeSegment {
            start_us: number * 2_000_000,
            duration_us: 2_000_000,
            feeds: fed(number),
        };
        let made: Vec<NewMadeSegment> = (0..3).map(made).collect();
        let full = (b"full".to_vec(), "avc1.640028".to_owned(), (1920, 1080));
        let inits = |full| NewInits {
            first: b"init".to_vec(),
            first_size: Some((1280, 720)),
            full,
        };
        let of_made =
            |mode, inits| PlaybackIndex::build_made(facts(), tracks(mode), -21_000, &inits, &made);
        let all = [
            PlaybackIndex::build(facts(), tracks(Mode::Raw), 0, b"init", &cut),
            of_made(Mode::Copied, inits(None)),
            of_made(Mode::Transcoded, inits(Some(full))),
        ];
        all.into_iter()
            .map(|index| index.expect("sound").to_bytes().to_vec())
            .collect()
    }
}
