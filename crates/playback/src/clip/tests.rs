use proptest::prelude::*;

use super::*;
use crate::facts::{Facts, Verdict};
use crate::index::{NewSegment, Track};
use crate::made::{self, MadeRun, Mode};

/// Pictures of 100 ms at 1,000 ticks a second in segments of ten, a keyframe every five, shown 200 ms after
/// they are decoded; sound in frames of 50 ms beside them. Each frame is one byte of the file.
fn index(segments: usize) -> PlaybackIndex {
    let track = |kind, codec: &str| Track {
        kind,
        stream: 0,
        timescale: 1_000,
        codec: codec.into(),
        mode: Mode::Raw,
    };
    let segment = |number: usize| {
        let base = number as u64 * 1_000;
        let picture = (0..10).map(|at| Sample {
            offset: number as u64 * 30 + at,
            size_bytes: 1,
            duration: 100,
            composition: 200,
            key: at % 5 == 0,
        });
        let sound = (0..20).map(|at| Sample {
            offset: number as u64 * 30 + 10 + at,
            size_bytes: 1,
            duration: 50,
            composition: 0,
            key: true,
        });
        let run = |track, samples| TrackRun {
            track,
            decode_time: base,
            samples,
        };
        NewSegment {
            start_us: base * 1_000,
            duration_us: 1_000_000,
            independent: true,
            runs: vec![run(0, picture.collect()), run(1, sound.collect())],
        }
    };
    let facts = Facts {
        container: "mp4".into(),
        size_bytes: segments as u64 * 30,
        claimed_duration_ms: None,
        duration_ms: None,
        creation_claimed_at: None,
        streams: Vec::new(),
        verdict: Verdict::playable(),
    };
    let tracks = vec![
        track(StreamKind::Video, "avc1"),
        track(StreamKind::Audio, "mp4a"),
    ];
    let segments: Vec<_> = (0..segments).map(segment).collect();
    PlaybackIndex::build(facts, tracks, 0, b"init", &segments).expect("builds")
}

fn all_runs(plan: &ClipPlan) -> Vec<TrackRun> {
    let runs = plan.segments.clone().map(|at| plan.runs(at).expect("runs"));
    runs.flatten().collect()
}

#[test]
fn it_begins_at_the_keyframe_and_ends_at_the_frame() {
    let plan = ClipPlan::new(&index(4), 1_350_000, 2_450_000)
        .expect("plans")
        .expect("something");
    // The keyframe decoded at 1,000 is shown at 1,200; the last frame shown before 2,450 ends at 2,500.
    assert_eq!(plan.stretch_us(), 1_200_000..2_500_000);
    assert!(!plan.is_transcoded());
    let runs = all_runs(&plan);
    let count = |track| -> usize {
        let own = runs.iter().filter(|run| run.track == track);
        own.map(|run| run.samples.len()).sum()
    };
    assert_eq!((count(0), count(1)), (13, 26));
    let first = |track| runs.iter().find(|run| run.track == track).expect("a run");
    assert!(first(0).samples[0].key);
    // Shown at 200 and heard at 200: together, as in the source.
    assert_eq!((first(0).decode_time, first(1).decode_time), (0, 200));
}

#[test]
fn a_stretch_without_anything_is_none() {
    let index = index(2);
    for (from, until) in [(5_000_000, 6_000_000), (500, 500), (700_000, 600_000)] {
        assert!(ClipPlan::new(&index, from, until).expect("plans").is_none());
    }
}

#[test]
fn a_made_fragment_begins_anew_and_a_damaged_one_is_refused() {
    let run = MadeRun {
        track: 0,
        decode_time: 5_000,
        frames: vec![(100, 0, true, vec![1, 2, 3])],
    };
    let made = made::segment(7, vec![run]).expect("a segment").to_vec();
    let mut moved = made.clone();
    move_fragment(&mut moved, 4_000_000, &[1_000], 0).expect("moves");
    assert_eq!(moved.len(), made.len());
    let place = moved
        .windows(4)
        .position(|four| four == b"tfdt")
        .expect("tfdt")
        + 8;
    assert_eq!(moved[place..place + 8], 1_000_u64.to_be_bytes());
    let mut cut = made[..made.len() / 2].to_vec();
    assert!(move_fragment(&mut cut, 0, &[1_000], 0).is_err());
    assert!(move_fragment(&mut made.clone(), 0, &[], 0).is_err());
}

proptest! {
    #[test]
    fn boundaries_asked_for_again_are_the_same(from in 0_u64..6_000_000, long in 1_u64..3_000_000) {
        let index = index(5);
        if let Some(plan) = ClipPlan::new(&index, from, from + long).expect("plans") {
            let told = plan.stretch_us();
            prop_assert!(told.start < told.end);
            let again = ClipPlan::new(&index, told.start, told.end).expect("plans").expect("some");
            prop_assert_eq!(again.stretch_us(), told);
            prop_assert_eq!(all_runs(&again), all_runs(&plan));
        }
    }

    #[test]
    fn hostile_fragments_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..200) {
        let _ = move_fragment(&mut bytes, 1, &[1_000], 0);
        let run = MadeRun { track: 0, decode_time: 5_000, frames: vec![(100, 0, true, vec![1])] };
        let mut made = made::segment(0, vec![run]).expect("a segment").to_vec();
        let at = at % made.len();
        made[at] ^= 0x5a;
        let _ = move_fragment(&mut made, u64::MAX, &[1_000], 0);
    }
}
