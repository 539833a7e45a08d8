//! The collection of recorders' files, whole and broken, against a real daemon: each ends as it plays, it
//! plays in part, or a named reason. `--no-capture` prints the table of docs/playback.md.

use std::path::{Path, PathBuf};

use docket_playback::{Facts, Mode, PlaybackIndex, StreamKind};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::programs::run;
use crate::harness::{Api, Daemon, until};
use crate::playback::upload_file;

/// The folder of recordings, where it is present.
fn cases() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases");
    let folder = std::env::var_os("DOCKET_CASES").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        eprintln!(
            "SKIPPED: no recordings at {} (DOCKET_CASES)",
            folder.display()
        );
        return None;
    }
    Some(folder)
}

fn files(folder: &Path, name: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if name.is_empty() || path.ends_with(name) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// A derivative of a recording on the daemon's disk.
fn derivative(daemon: &Daemon, id: &str, name: &str) -> Option<Vec<u8>> {
    let of_it = |path: &PathBuf| path.to_string_lossy().contains(id);
    let path = files(&daemon.data(), name).into_iter().find(of_it)?;
    std::fs::read(path).ok()
}

/// All that a player fetches; how many streams of it hold something that decodes.
async fn alive(api: &Api, id: &str, into: &Path) -> usize {
    let base = format!("/v1/recordings/{id}/hls");
    let get = async |name: &str| api.get(&format!("{base}/{name}")).await.expect(200);
    let mut list = get("index.m3u8").await.text();
    if list.contains("\nlow.m3u8") {
        list = get("low.m3u8").await.text();
    }
    assert!(list.contains("#EXT-X-ENDLIST"), "{list}");
    let map = list.lines().find_map(|line| {
        let uri = line.strip_prefix("#EXT-X-MAP:URI=\"")?;
        uri.strip_suffix('"')
    });
    let segments = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut joined = Vec::new();
    for name in map.into_iter().chain(segments) {
        joined.extend_from_slice(&get(name).await.body);
    }
    std::fs::write(into, joined).expect("written");
    let mut probe = Command::new("ffprobe");
    probe
        .args(["-v", "quiet", "-count_frames", "-of", "json"])
        .args(["-show_entries", "stream=nb_read_frames"])
        .arg(into);
    let said = run(probe, "").await.succeeded();
    let json: Value = serde_json::from_str(&said.out).expect("JSON");
    let streams = json["streams"].as_array().cloned().unwrap_or_default();
    let count = |stream: &Value| stream["nb_read_frames"].as_str()?.parse::<u64>().ok();
    streams
        .iter()
        .filter_map(count)
        .filter(|count| *count > 0)
        .count()
}

/// What of this kind is shown how.
fn how(index: Option<&PlaybackIndex>, facts: &Facts, kind: StreamKind) -> String {
    let track = index.and_then(|index| index.tracks().iter().find(|t| t.kind == kind));
    let own = facts.streams.iter().find(|stream| stream.kind == kind);
    match (track, own) {
        (Some(track), _) => {
            let codec = &facts.streams[track.stream as usize].codec;
            let way = match track.mode {
                Mode::Raw => "as it lies",
                Mode::Copied => "remuxed",
                Mode::Transcoded => "transcoded",
            };
            format!("{codec}, {way}")
        }
        (None, Some(own)) => format!("{}, not played", own.codec),
        (None, None) => "none".to_owned(),
    }
}

#[tokio::test]
async fn every_file_of_the_collection_plays_or_says_why_not() {
    let Some(folder) = cases() else { return };
    let daemon = Daemon::start().await;
    let (api, process) = (daemon.api().await, daemon.pid());
    let (mut plays, mut in_part, mut named, mut deaths) = (0, 0, 0, 0);
    println!("| recording | container | picture | sound | |");
    println!("|---|---|---|---|---|");
    for part in ["container", "derived", "device", "malformed"] {
        for path in files(&folder.join(part), "") {
            let name = path
                .strip_prefix(&folder)
                .expect("below")
                .display()
                .to_string();
            let id = upload_file(&api, &path).await;
            let playback = until(&format!("{name} was looked at"), || async {
                let playback = api.recording(&id).await["playback"].clone();
                (playback["state"] != "pending").then_some(playback)
            })
            .await;
            let facts = derivative(&daemon, &id, "facts.json").expect("facts");
            let facts: Facts = serde_json::from_slice(&facts).expect("facts");
            let index = derivative(&daemon, &id, "index.bin");
            let index = index.map(|bytes| PlaybackIndex::from_bytes(bytes.into()).expect("whole"));
            let reason = playback["reason"].as_str();
            deaths += usize::from(reason.is_some_and(|reason| reason.starts_with("worker_")));
            let verdict = match (playback["state"].as_str(), reason) {
                (Some("ready"), reason) => {
                    let streams = alive(&api, &id, &daemon.folder().join("joined.mp4")).await;
                    let tracks = index.as_ref().expect("an index").tracks().len();
                    // Of a damaged file a track may hold nothing that decodes.
                    assert!(
                        streams == tracks || part == "malformed",
                        "{name}: {streams}"
                    );
                    *if reason.is_some() {
                        &mut in_part
                    } else {
                        &mut plays
                    } += 1;
                    reason.map_or("plays".to_owned(), |why| format!("plays in part: `{why}`"))
                }
                (Some("impossible"), Some(reason)) => {
                    named += 1;
                    format!("`{reason}`")
                }
                _ => panic!("{name}: {playback}"),
            };
            let row = |kind| how(index.as_ref(), &facts, kind);
            let (picture, sound) = (row(StreamKind::Video), row(StreamKind::Audio));
            let container = &facts.container;
            println!("| `{name}` | {container} | {picture} | {sound} | {verdict} |");
        }
    }
    eprintln!("{plays} play, {in_part} in part, {named} say why not; {deaths} cost a worker");
    assert_eq!(deaths, 0, "files that cost a worker");
    assert!(
        plays >= 35 && in_part >= 4 && named >= 5,
        "{plays} {in_part} {named}"
    );
    assert_eq!(daemon.pid(), process);
    api.get("/v1/recordings").await.expect(200);
    daemon.assert_sound().await;
}
