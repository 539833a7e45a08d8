//! HLS from sealed recordings, as players fetch it.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::harness::programs::run;
use crate::harness::{Api, Daemon, until};

/// Films `seconds` of a test picture with these codecs.
pub async fn film(path: &Path, seconds: u32, codecs: &[&str]) {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-loglevel", "error", "-y"])
        .args([
            "-f",
            "lavfi",
            "-i",
            &format!("testsrc2=size=320x240:rate=25:duration={seconds}"),
        ])
        .args([
            "-f",
            "lavfi",
            "-i",
            &format!("sine=frequency=440:duration={seconds}"),
        ])
        .args(codecs)
        .arg(path);
    run(command, "").await.succeeded();
}

pub const H264_AAC: [&str; 8] = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-g",
    "50",
    "-c:a",
    "aac",
];

pub async fn upload_file(api: &Api, path: &Path) -> String {
    let bytes = std::fs::read(path).expect("filmed");
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name");
    let upload = api.create(bytes.len() as u64, &[("filename", name)]).await;
    api.patch(&upload, 0, bytes).await.expect(204);
    let id = crate::harness::api::id_of(&upload);
    api.await_state(&id, "sealed").await;
    id
}

/// Joins what a player would fetch and asks ffprobe how long it is.
pub async fn played_seconds(api: &Api, id: &str, into: PathBuf) -> f64 {
    let base = format!("/v1/recordings/{id}/hls");
    let playlist = until("the playlist is there", || async {
        let answer = api.get(&format!("{base}/index.m3u8")).await;
        assert!(
            matches!(answer.status, 200 | 409 | 503),
            "{}: {}",
            answer.status,
            answer.text()
        );
        (answer.status == 200).then(|| answer.text())
    })
    .await;
    assert!(
        playlist.contains("#EXT-X-ENDLIST") && playlist.contains("#EXT-X-MAP"),
        "{playlist}"
    );
    let map = playlist.lines().find_map(|line| {
        let uri = line.strip_prefix("#EXT-X-MAP:")?.split("URI=\"").nth(1)?;
        uri.split('"').next()
    });
    let segments = playlist
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut joined = Vec::new();
    for uri in map.into_iter().chain(segments) {
        let place = match uri.starts_with('/') {
            true => uri.to_owned(),
            false => format!("{base}/{uri}"),
        };
        joined.extend_from_slice(&api.get(&place).await.expect(200).body);
    }
    std::fs::write(&into, joined).expect("written");
    let mut probe = Command::new("ffprobe");
    probe
        .args([
            "-v",
            "error",
            "-show_entries",
            "format=duration",
            "-of",
            "csv=p=0",
        ])
        .arg(&into);
    let said = run(probe, "").await.succeeded();
    said.last_line().parse().expect("seconds")
}

#[tokio::test]
async fn what_a_browser_plays_is_cut_from_the_original() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    for name in ["后厨.mp4", "后厨.mov", "后厨.mkv"] {
        let file = daemon.folder().join(name);
        film(&file, 13, &H264_AAC).await;
        let id = upload_file(&api, &file).await;
        let seconds = played_seconds(&api, &id, daemon.folder().join("played.mp4")).await;
        assert!((12.8..13.3).contains(&seconds), "{name}: {seconds} s");
        let poster = until("there is a poster", || async {
            let answer = api.get(&format!("/v1/recordings/{id}/poster.jpg")).await;
            (answer.status == 200).then_some(answer)
        })
        .await;
        assert_eq!(&poster.body[..2], [0xff, 0xd8], "no JPEG");
        let facts = api.recording(&id).await;
        assert_eq!(facts["playback"]["state"], "ready");
        assert_eq!(facts["playback"]["width"], 320);
        let views = api.custody(&id).await;
        let views = views.iter().filter(|kind| kind.contains("view")).count();
        assert_eq!(views, 1, "one viewing is one event");
    }
}

#[tokio::test]
async fn what_cannot_be_played_says_why() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    // The power went before its index was written.
    let cut = daemon.folder().join("断电.mp4");
    film(&cut, 2, &H264_AAC).await;
    let bytes = std::fs::read(&cut).expect("filmed");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).expect("written");
    let noise = daemon.folder().join("noise.mp4");
    std::fs::write(&noise, crate::harness::Content::new(5, 50_000).whole()).expect("written");
    for file in [cut, noise] {
        let id = upload_file(&api, &file).await;
        let facts = until("it was looked at", || async {
            let facts = api.recording(&id).await;
            (facts["playback"]["state"] == "impossible").then_some(facts)
        })
        .await;
        let reason = facts["playback"]["reason"].as_str().expect("a reason");
        assert!(!reason.is_empty());
        let answer = api
            .get(&format!("/v1/recordings/{id}/hls/index.m3u8"))
            .await;
        assert!((400..500).contains(&answer.status), "{}", answer.status);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
}
