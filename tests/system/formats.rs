//! What recorders write, as players see it: playlist and all segments fetched, joined, looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::process::Command;

use crate::harness::programs::run;
use crate::harness::{Api, Daemon, until};

const SECONDS: u32 = 13;

/// A film: its name, FFmpeg's arguments, and what of it is transcoded.
struct Film {
    name: &'static str,
    arguments: &'static str,
    made: serde_json::Value,
}

fn films() -> Vec<Film> {
    let film = |name, arguments, made| Film {
        name,
        arguments,
        made,
    };
    let h264 = |video, audio| json!({"video": video, "audio": audio});
    vec![
        film(
            "hevc.mp4",
            "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=100 -c:a aac",
            h264(Some("hevc"), None),
        ),
        film(
            "g711.mov",
            "-c:v libx264 -preset ultrafast -bf 2 -g 50 -ar 8000 -c:a pcm_mulaw",
            h264(None, Some("pcm_mulaw")),
        ),
        film(
            "g711.avi",
            "-c:v libx264 -preset ultrafast -bf 2 -g 50 -ar 8000 -c:a pcm_alaw",
            h264(None, Some("pcm_alaw")),
        ),
        film(
            "mpeg4.avi",
            "-c:v mpeg4 -bf 2 -g 50 -c:a libmp3lame",
            h264(Some("mpeg4"), Some("mp3")),
        ),
        film(
            "mjpeg.avi",
            "-c:v mjpeg -c:a pcm_s16le",
            h264(Some("mjpeg"), Some("pcm_s16le")),
        ),
        film(
            "transport.ts",
            "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac",
            serde_json::Value::Null,
        ),
        film(
            "program.mpg",
            "-c:v mpeg2video -g 12 -bf 2 -c:a mp2 -f vob",
            h264(Some("mpeg2video"), Some("mp2")),
        ),
        film(
            "dolby.mkv",
            "-c:v libx264 -preset ultrafast -g 50 -c:a ac3",
            h264(None, Some("ac3")),
        ),
    ]
}

async fn record(path: &Path, size: &str, arguments: &str) {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i"])
        .arg(format!("testsrc2=size={size}:rate=25:duration={SECONDS}"))
        .args(["-f", "lavfi", "-i"])
        .arg(format!(
            "sine=frequency=440:sample_rate=48000:duration={SECONDS}"
        ))
        .args(arguments.split_whitespace())
        .arg(path);
    run(command, "").await.succeeded();
}

async fn sealed(api: &Api, path: &Path) -> String {
    let bytes = std::fs::read(path).expect("recorded");
    let name = path.file_name().and_then(|name| name.to_str());
    let metadata = [("filename", name.expect("a name"))];
    let upload = api.create(bytes.len() as u64, &metadata).await;
    api.patch(&upload, 0, bytes).await.expect(204);
    let id = crate::harness::api::id_of(&upload);
    until(&format!("{name:?} was looked at"), || async {
        let playback = api.recording(&id).await["playback"].clone();
        (playback["state"] != "pending").then_some(())
    })
    .await;
    id
}

/// Fetches a media playlist and everything it names; joined in one file.
async fn fetched(api: &Api, base: &str, playlist: &str, into: PathBuf) -> PathBuf {
    let text = api
        .get(&format!("{base}/{playlist}"))
        .await
        .expect(200)
        .text();
    assert!(text.contains("#EXT-X-ENDLIST"), "{text}");
    let map = text
        .lines()
        .find_map(|line| line.strip_prefix("#EXT-X-MAP:URI=\"")?.strip_suffix('"'));
    let segments = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut joined = Vec::new();
    for uri in map.into_iter().chain(segments) {
        let bytes = api.get(&format!("{base}/{uri}")).await.expect(200).body;
        joined.extend_from_slice(&bytes);
    }
    std::fs::write(&into, joined).expect("written");
    into
}

/// Codec of each stream, and the times its frames are decoded at.
async fn frames(path: &Path) -> BTreeMap<u64, (String, Vec<f64>)> {
    let mut probe = Command::new("ffprobe");
    probe
        .args([
            "-v",
            "error",
            "-of",
            "json",
            "-show_packets",
            "-show_entries",
        ])
        .arg("packet=stream_index,dts_time:stream=index,codec_name")
        .arg(path);
    let said = run(probe, "").await.succeeded();
    let json: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let mut found = BTreeMap::new();
    for stream in json["streams"].as_array().expect("streams") {
        let name = stream["codec_name"].as_str().expect("a codec").to_owned();
        found.insert(
            stream["index"].as_u64().expect("a number"),
            (name, Vec::new()),
        );
    }
    for packet in json["packets"].as_array().expect("packets") {
        let stream = packet["stream_index"].as_u64().expect("a number");
        let time = packet["dts_time"].as_str().expect("a time").parse();
        let (_, times) = found.get_mut(&stream).expect("a stream");
        times.push(time.expect("seconds"));
    }
    found
}

/// Holds what was fetched to what was recorded: H.264 and AAC, whole, without gaps, decodable.
async fn assert_plays(name: &str, path: &Path) {
    let streams = frames(path).await;
    let codecs: Vec<&str> = streams.values().map(|(codec, _)| codec.as_str()).collect();
    assert_eq!(codecs, ["h264", "aac"], "{name}");
    for (stream, (_, times)) in &streams {
        let step = (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
        let even = times.windows(2).all(|pair| {
            let apart = pair[1] - pair[0];
            apart > 0.0 && apart < step * 1.5 + 0.001
        });
        assert!(even, "{name}: stream {stream} has gaps: {times:?}");
        let length = times[times.len() - 1] - times[0] + step;
        assert!(
            (length - f64::from(SECONDS)).abs() < 0.2,
            "{name}: stream {stream} lasts {length} s"
        );
    }
    let mut decode = Command::new("ffmpeg");
    decode
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-f", "null", "-"]);
    let said = run(decode, "").await.succeeded();
    assert_eq!(said.err, "", "{name}");
}

#[tokio::test]
async fn every_usual_format_plays() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    for film in films() {
        let name = film.name;
        let path = daemon.folder().join(name);
        record(&path, "320x240", film.arguments).await;
        let id = sealed(&api, &path).await;
        let playback = api.recording(&id).await["playback"].clone();
        assert_eq!(playback["state"], "ready", "{name}: {playback}");
        assert_eq!(playback["made"], film.made, "{name}");
        let base = format!("/v1/recordings/{id}/hls");
        let into = daemon.folder().join(format!("{name}.played.mp4"));
        let played = fetched(&api, &base, "index.m3u8", into).await;
        assert_plays(name, &played).await;
    }
}

#[tokio::test]
async fn a_tall_picture_has_a_second_variant_and_is_made_once() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let path = daemon.folder().join("tall.mp4");
    let hevc = "-c:v libx265 -preset ultrafast -x265-params log-level=error -c:a aac";
    record(&path, "1280x960", hevc).await;
    let id = sealed(&api, &path).await;
    let base = format!("/v1/recordings/{id}/hls");
    let entry = api.get(&format!("{base}/index.m3u8")).await.expect(200);
    let uris: Vec<String> = entry
        .text()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    assert_eq!(uris, ["low.m3u8", "full.m3u8"], "{}", entry.text());
    assert!(
        entry.text().contains("RESOLUTION=960x720"),
        "{}",
        entry.text()
    );
    for (playlist, segment) in [("low.m3u8", "0.m4s"), ("full.m3u8", "full-0.m4s")] {
        let into = daemon.folder().join(format!("{playlist}.mp4"));
        // Several who ask at once get the same bytes.
        let segment = format!("{base}/{segment}");
        let (one, other) = tokio::join!(api.get(&segment), api.get(&segment));
        assert_eq!(one.expect(200).body, other.expect(200).body);
        let played = fetched(&api, &base, playlist, into).await;
        assert_plays(playlist, &played).await;
    }
}
