//! Every recording of the collection ends as: it plays, it plays in part, or a named reason; and what is
//! said to play is made and decodes. `--nocapture` prints the table of docs/playback.md.

mod common;

use std::path::Path;
use std::process::Command;

use common::{cases, files, id, pool, source};
use docket_playback::{Mode, Playback, PlaybackIndex, StreamKind, Variant, Verdict};

/// All segments as a player gets them.
async fn played(pool: &Playback, number: u8, path: &Path, index: &PlaybackIndex, to: &Path) {
    let mut joined = index.init().to_vec();
    for segment in 0..index.segments().len() {
        let bytes = match index.is_made() {
            true => {
                let made = pool.segment(id(number), source(path), index, segment, Variant::First);
                made.await.expect("is made")
            }
            false => {
                let plan = index.plan(segment).expect("plans");
                plan.fetch(&source(path)).await.expect("reads")
            }
        };
        joined.extend_from_slice(&bytes);
    }
    std::fs::write(to, joined).expect("writes");
}

/// Seconds of each stream that decode.
fn decoded(path: &Path) -> Vec<(String, u64)> {
    let output = Command::new("ffprobe")
        .args(["-v", "quiet", "-count_frames", "-of", "csv=p=0"])
        .args(["-show_entries", "stream=codec_name,nb_read_frames"])
        .arg(path)
        .output()
        .expect("the ffprobe program is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |line: &str| {
        let mut fields = line.split(','); // rotation adds one
        Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

fn how(index: &PlaybackIndex) -> String {
    let mut parts = Vec::new();
    for track in index.tracks() {
        let what = match track.kind {
            StreamKind::Video => "picture",
            _ => "sound",
        };
        let codec = &index.facts().streams[track.stream as usize].codec;
        parts.push(match track.mode {
            Mode::Raw => format!("{what} as it lies ({codec})"),
            Mode::Copied => format!("{what} copied ({codec})"),
            Mode::Transcoded => format!("{what} transcoded ({codec})"),
        });
    }
    parts.join(", ")
}

#[tokio::test]
async fn every_recording_plays_or_says_why_not() {
    let Some(folder) = cases() else { return };
    let (pool, scratch) = (pool(), tempfile::tempdir().expect("a folder"));
    let (mut plays, mut named) = (0, 0);
    for part in ["container", "derived", "device", "malformed"] {
        for (number, path) in files(&folder.join(part)).iter().enumerate() {
            let name = path.strip_prefix(&folder).expect("below").display();
            let number = u8::try_from(number).expect("few");
            let prepared = pool.prepare(id(number), source(path), 320).await;
            let prepared = prepared.expect("an answer");
            let Some(index) = &prepared.index else {
                let Verdict::NotPlayable { reason } = &prepared.facts.verdict else {
                    panic!("{name}: {:?}", prepared.facts.verdict);
                };
                println!("| `{name}` | {:?} | {} |", reason.code, reason.text);
                named += 1;
                continue;
            };
            let joined = scratch.path().join("joined.mp4");
            played(&pool, number, path, index, &joined).await;
            let frames = decoded(&joined);
            let tracks = index.tracks().len();
            let alive = frames.iter().filter(|(_, count)| *count > 0).count();
            // Of a damaged file a track may hold nothing that decodes.
            assert!(alive == tracks || part == "malformed", "{name}: {frames:?}");
            let notes: Vec<String> = match &prepared.facts.verdict {
                Verdict::Playable { notes } => notes.iter().map(|n| n.text.clone()).collect(),
                Verdict::NotPlayable { .. } => panic!("{name}: an index and no verdict"),
            };
            let word = if notes.is_empty() {
                "plays"
            } else {
                "plays in part"
            };
            println!("| `{name}` | {word} | {} {} |", how(index), notes.join(" "));
            plays += 1;
        }
    }
    assert!(plays >= 35 && named >= 5, "{plays} play, {named} don't");
    let still = files(&folder.join("device"));
    let facts = pool.probe(id(255), source(&still[0])).await;
    assert!(facts.expect("the pool goes on").verdict.is_playable());
}
