//! A clip is a file of its own that any player plays.

mod common;

use std::path::Path;
use std::process::Command;

use common::{H264_AAC, footage, id, packets, pool, source};
use docket_playback::{ClipPlan, Playback, Verdict};

/// Cuts a stretch into a file; from where to where it truly goes.
async fn cut(pool: &Playback, from: &Path, (from_us, until_us): (u64, u64), to: &Path) -> ClipPlan {
    let (facts, index) = pool.index(id(1), source(from)).await.expect("answers");
    let index = index.unwrap_or_else(|| panic!("{:?}", facts.verdict));
    let plan = ClipPlan::new(&index, from_us, until_us).expect("plans");
    let plan = plan.expect("something");
    let mut bytes = Vec::new();
    for number in 0..plan.pieces() {
        let from = source(from);
        let piece = plan.piece(number, id(1), &from, Some(pool));
        bytes.extend_from_slice(&piece.await.expect("a piece"));
    }
    std::fs::write(to, bytes).expect("writes");
    plan
}

/// Another player's opinion: every frame decodes, and nothing is complained of.
fn decodes(path: &Path) {
    let out = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(path)
        .args(["-f", "null", "-"])
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        out.status.success() && said.is_empty(),
        "{}: {said}",
        path.display()
    );
}

#[tokio::test]
async fn a_clip_without_transcoding_holds_the_originals_frames() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pool, at) = (pool(), folder.path());
    let to = at.join("clip.mp4");
    for (name, arguments) in [
        ("moov last.mp4", H264_AAC.to_owned()),
        ("matroska.mkv", H264_AAC.to_owned()),
        (
            "silent.mp4",
            "-c:v libx264 -preset ultrafast -g 25 -an".to_owned(),
        ),
    ] {
        let path = footage(at, name, 13, &arguments);
        let plan = cut(&pool, &path, (5_300_000, 7_100_000), &to).await;
        let stretch = plan.stretch_us();
        assert!(!plan.is_transcoded(), "{name}");
        assert!(
            stretch.start <= 5_300_000 && stretch.end >= 7_100_000,
            "{name}: {stretch:?}"
        );
        // Within a frame of what was asked for at the end.
        assert!(stretch.end <= 7_200_000, "{name}: {stretch:?}");
        decodes(&to);
        let (facts, _) = pool.index(id(2), source(&to)).await.expect("answers");
        assert_eq!(facts.verdict, Verdict::playable(), "{name}");
        let (of_clip, _) = packets(&to);
        assert!(
            of_clip.values().all(|packets| !packets.is_empty()),
            "{name}"
        );
        let length_ms = (stretch.end - stretch.start) / 1_000;
        let claimed_ms = facts.duration_ms.expect("a duration");
        assert!(
            claimed_ms.abs_diff(length_ms) <= 200,
            "{name}: {claimed_ms} {length_ms}"
        );
    }
}

#[tokio::test]
async fn what_is_transcoded_says_so_and_plays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pool, at) = (pool(), folder.path());
    let path = footage(at, "old.avi", 9, "-c:v mpeg4 -c:a pcm_mulaw");
    let to = at.join("clip.mp4");
    let plan = cut(&pool, &path, (4_000_000, 6_000_000), &to).await;
    let stretch = plan.stretch_us();
    assert!(plan.is_transcoded());
    assert!(
        stretch.start <= 4_000_000 && stretch.end >= 6_000_000,
        "{stretch:?}"
    );
    decodes(&to);
    let (facts, _) = pool.index(id(2), source(&to)).await.expect("answers");
    assert_eq!(facts.verdict, Verdict::playable());
}
