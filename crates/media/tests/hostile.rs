//! Hostile and broken files end as a verdict, never as a hang or a dead pool.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{H264_AAC, cases, config, files, footage, id, join, source};
use docket_playback::{Config, Playback, Prepared, ReasonCode, Variant, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};

fn strict() -> Playback {
    let request_timeout = Duration::from_secs(20);
    Playback::new(Config {
        request_timeout,
        ..config()
    })
    .expect("the worker is built")
}

/// Examines, and where it is said to play, makes every segment.
async fn examine(pool: &Playback, number: u8, path: &Path) -> Prepared {
    let prepared = pool
        .prepare(id(number), source(path), 160)
        .await
        .expect("an answer");
    if let Some(index) = prepared.index.as_ref().filter(|index| index.is_made()) {
        for segment in 0..index.segments().len() {
            let made = pool.segment(id(number), source(path), index, segment, Variant::First);
            // Damage may leave nothing to make a segment of: an answer, and the pool goes on.
            if let Err(error) = made.await {
                assert!(error.reason().is_some(), "{error}");
            }
        }
    } else if let Some(index) = &prepared.index {
        join(index, &source(path), &path.with_extension("joined")).await;
    }
    assert_eq!(
        prepared.index.is_some(),
        prepared.facts.verdict.is_playable()
    );
    prepared
}

fn code(verdict: &Verdict) -> Option<ReasonCode> {
    verdict.first_reason().map(|reason| reason.code)
}

#[tokio::test]
async fn every_malformed_recording_ends_as_a_verdict() {
    let Some(folder) = cases() else { return };
    let (pool, scratch) = (strict(), tempfile::tempdir().expect("a folder"));
    let mut seen = 0;
    for path in files(&folder.join("malformed")) {
        let copy = scratch.path().join("copy");
        std::fs::copy(&path, &copy).expect("copies");
        let prepared = examine(&pool, seen, &copy).await;
        println!("{}: {:?}", path.display(), prepared.facts.verdict);
        seen += 1;
    }
    assert!(seen >= 8);
}

#[tokio::test]
async fn what_cannot_play_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(at.join(name), bytes).expect("writes");
        at.join(name)
    };
    let last = footage(at, "last.mp4", 3, H264_AAC);
    let first = footage(
        at,
        "first.mp4",
        3,
        &format!("{H264_AAC} -movflags +faststart"),
    );
    let (last, first) = (
        std::fs::read(last).expect("reads"),
        std::fs::read(first).expect("reads"),
    );
    let (cut_last, cut_first) = (&last[..last.len() * 6 / 10], &first[..first.len() * 6 / 10]);
    let hevc = "-c:v libx265 -preset ultrafast -x265-params log-level=none -c:a aac";
    let table = [
        (write("cut.mp4", cut_last), Some(ReasonCode::IndexMissing)),
        (
            write("cut first.mp4", cut_first),
            Some(ReasonCode::Truncated),
        ),
        (
            write("text.mp4", b"These are not the bytes you are looking for."),
            Some(ReasonCode::UnknownContainer),
        ),
        (write("empty.mp4", b""), Some(ReasonCode::UnknownContainer)),
        (
            write("index cut.mp4", &first[..200]),
            Some(ReasonCode::IndexDamaged),
        ),
        (footage(at, "h265.mp4", 1, hevc), None),
        (footage(at, "avi.avi", 1, H264_AAC), None),
        (
            footage(at, "g711.mov", 1, "-c:v libx264 -c:a pcm_mulaw -ar 8000"),
            None,
        ),
        (
            footage(at, "g711 alone.mov", 1, "-vn -c:a pcm_mulaw -ar 8000"),
            None,
        ),
        (footage(at, "mpeg4.mkv", 1, "-c:v mpeg4 -c:a aac"), None),
        (
            footage(at, "lossless.mkv", 1, "-an -c:v ffv1"),
            Some(ReasonCode::VideoCodecUnsupported),
        ),
        (footage(at, "fine.mp4", 1, H264_AAC), None),
    ];
    let pool = strict();
    for (number, (path, expected)) in table.iter().enumerate() {
        let prepared = examine(&pool, number as u8, path).await;
        let verdict = &prepared.facts.verdict;
        assert_eq!(code(verdict), *expected, "{}: {verdict:?}", path.display());
        // A picture of it can often be shown where it doesn't play.
        let pictured = ["h265.mp4", "avi.avi", "mpeg4.mkv", "fine.mp4"].map(|name| at.join(name));
        assert!(
            prepared.poster.is_some() || !pictured.contains(path),
            "{}",
            path.display()
        );
    }
}

#[test]
fn arbitrary_and_damaged_bytes_never_hurt_the_pool() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let good = footage(
        folder.path(),
        "good.mp4",
        1,
        &format!("{H264_AAC} -movflags +faststart"),
    );
    let (good_bytes, path) = (
        std::fs::read(&good).expect("reads"),
        folder.path().join("bad"),
    );
    let pool = runtime.block_on(async { strict() });
    let mut runner = TestRunner::new(Cases {
        cases: 40,
        failure_persistence: None,
        ..Cases::default()
    });
    let damage = prop::collection::vec((0..6000_usize, any::<u8>()), 1..30);
    let arbitrary = prop::collection::vec(any::<u8>(), 0..5000);
    let number = std::cell::Cell::new(0_u8);
    let examined = runner.run(
        &(damage, arbitrary, any::<bool>()),
        |(damage, arbitrary, from_good)| {
            let mut bytes = if from_good {
                good_bytes.clone()
            } else {
                arbitrary
            };
            for (at, value) in damage {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            std::fs::write(&path, &bytes).expect("writes");
            number.set(number.get().wrapping_add(1));
            runtime.block_on(examine(&pool, number.get(), &path));
            Ok(())
        },
    );
    examined.expect("every one of them ends as a verdict");
    let facts = runtime
        .block_on(pool.probe(id(255), source(&good)))
        .expect("answers");
    assert!(facts.verdict.is_playable());
}
