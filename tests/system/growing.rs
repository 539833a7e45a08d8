//! Watching while it arrives: real uploads, real workers, films as recorders write them.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::api::id_of;
use crate::harness::programs::run;
use crate::harness::{Api, Daemon, Station, until};

/// An hour-like film in little: a keyframe every 2 s, 40 s, its index where `options` put it.
pub async fn film(daemon: &Daemon, name: &str, options: &[&str]) -> Vec<u8> {
    let path = daemon.folder().join(name);
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i"])
        .arg("testsrc2=size=320x240:rate=25:duration=40")
        .args(["-f", "lavfi", "-i", "sine=frequency=440:duration=40"])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-g", "50"])
        .args(["-c:a", "aac"])
        .args(options)
        .arg(&path);
    run(command, "").await.succeeded();
    std::fs::read(&path).expect("filmed")
}

/// Where the top-level box of this kind begins.
fn box_at(file: &[u8], kind: &[u8; 4]) -> usize {
    let mut at = 0;
    loop {
        let length: [u8; 4] = file[at..at + 4].try_into().expect("a header");
        if &file[at + 4..at + 8] == kind {
            return at;
        }
        let length = match u32::from_be_bytes(length) {
            1 => u64::from_be_bytes(file[at + 8..at + 16].try_into().expect("a long header")),
            length => u64::from(length),
        };
        at += usize::try_from(length).expect("fits");
    }
}

/// An upload that is sent piece by piece.
pub struct Upload {
    api: Api,
    path: String,
    pub id: String,
    file: Vec<u8>,
    sent: usize,
}

impl Upload {
    pub async fn begin(api: Api, name: &str, file: Vec<u8>) -> Self {
        Self::with(api, &[("filename", name)], file).await
    }

    pub async fn with(api: Api, metadata: &[(&str, &str)], file: Vec<u8>) -> Self {
        let path = api.create(file.len() as u64, metadata).await;
        Self {
            api,
            id: id_of(&path),
            path,
            file,
            sent: 0,
        }
    }

    /// Sends up to so many percent.
    pub async fn to(&mut self, percent: usize) {
        let until = self.file.len() * percent / 100;
        let bytes = self.file[self.sent..until].to_vec();
        let answer = self.api.patch(&self.path, self.sent as u64, bytes).await;
        assert_eq!(answer.expect(204).offset(), Some(until as u64));
        self.sent = until;
    }

    async fn hint(
        &self,
        range: std::ops::Range<usize>,
        bytes: &[u8],
    ) -> crate::harness::api::Answer {
        let size = self.file.len();
        let stretch = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        let path = format!("/v1/recordings/{}/hint", self.id);
        let request = self.api.request("PUT", &path);
        let request = request
            .header("content-range", stretch)
            .body(bytes.to_vec());
        self.api.send(request).await
    }

    /// The index at the end, as a station sends it.
    pub async fn true_hint(&self) -> Value {
        let from = box_at(&self.file, b"moov");
        let answer = self.hint(from..self.file.len(), &self.file[from..]).await;
        answer.expect(200).json()
    }

    fn hls(&self, name: &str) -> String {
        format!("/v1/recordings/{}/hls/{name}", self.id)
    }

    /// The playlist, once it satisfies.
    async fn playlist(&self, what: &str, enough: impl Fn(&Playlist) -> bool) -> Playlist {
        until(what, || async {
            let answer = self.api.get(&self.hls("index.m3u8")).await;
            if answer.status != 200 {
                assert_eq!(answer.status, 409, "{}", answer.text());
                assert!(answer.header("retry-after").is_some(), "{}", answer.text());
                return None;
            }
            assert_eq!(answer.header("cache-control"), Some("private, no-store"));
            Some(Playlist::read(&answer.text())).filter(&enough)
        })
        .await
    }

    /// Joins what a player would fetch and lets ffprobe read every packet of it: pictures, seconds.
    async fn joined(&self, playlist: &Playlist, folder: &Path) -> (u64, f64) {
        let mut bytes = self
            .api
            .get(&self.hls("init.mp4"))
            .await
            .expect(200)
            .body
            .to_vec();
        for (_, name) in &playlist.segments {
            bytes.extend_from_slice(&self.api.get(&self.hls(name)).await.expect(200).body);
        }
        let path = folder.join("joined.mp4");
        std::fs::write(&path, bytes).expect("written");
        let mut probe = Command::new("ffprobe");
        probe
            .args(["-v", "error", "-count_frames", "-select_streams", "v"])
            .args(["-show_entries", "stream=nb_read_frames:format=duration"])
            .args(["-of", "json"])
            .arg(&path);
        let said = run(probe, "").await.succeeded();
        assert_eq!(said.err, "", "it decodes without a complaint");
        let facts: Value = serde_json::from_str(&said.out).expect("JSON");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let frames = text(&facts["streams"][0]["nb_read_frames"]);
        let seconds = text(&facts["format"]["duration"]);
        (
            frames.parse().expect("frames"),
            seconds.parse().expect("seconds"),
        )
    }

    async fn sealed(&mut self) -> Playlist {
        self.to(100).await;
        self.api.await_state(&self.id, "sealed").await;
        self.playlist("it has its end", |playlist| playlist.ended)
            .await
    }
}

#[derive(Debug, PartialEq)]
struct Playlist {
    head: String,
    /// Duration as written, and name.
    segments: Vec<(String, String)>,
    ended: bool,
}

impl Playlist {
    fn read(text: &str) -> Self {
        let mut segments = Vec::new();
        let mut lines = text.lines();
        let mut head = String::new();
        while let Some(line) = lines.next() {
            match line.strip_prefix("#EXTINF:") {
                Some(duration) => {
                    let name = lines.next().expect("a name").to_owned();
                    segments.push((duration.to_owned(), name));
                }
                None => head.push_str(&format!("{line}\n")),
            }
        }
        Self {
            ended: head.contains("#EXT-X-ENDLIST"),
            head,
            segments,
        }
    }

    fn seconds(&self) -> f64 {
        let of = |(duration, _): &(String, String)| -> f64 {
            duration.trim_end_matches(',').parse().expect("seconds")
        };
        self.segments.iter().map(of).sum()
    }

    /// 25 pictures a second; sound begins a frame of its own before the first.
    #[track_caller]
    fn has_pictures(&self, frames: u64) {
        let missing = self.seconds() - frames as f64 / 25.0;
        assert!(missing.abs() < 0.05, "{frames} pictures in {self:?}");
    }

    #[track_caller]
    fn goes_on_from(&self, earlier: &Self) {
        assert!(self.segments.len() >= earlier.segments.len());
        let count = earlier.segments.len();
        assert_eq!(
            self.segments[..count],
            earlier.segments[..],
            "listed segments stay"
        );
    }
}

async fn growing(api: &Api, id: &str) -> Value {
    until("it grows", || async {
        let playback = api.recording(id).await["playback"].clone();
        (playback["state"] == "growing").then_some(playback)
    })
    .await
}

#[tokio::test]
async fn an_index_sent_ahead_lets_the_first_bytes_play() {
    let mut daemon = Daemon::start().await;
    let api = daemon.api().await;
    let file = film(&daemon, "后厨.mp4", &[]).await;
    assert!(box_at(&file, b"moov") > box_at(&file, b"mdat"));
    let mut upload = Upload::begin(api.clone(), "后厨.mp4", file).await;
    let hint = upload.true_hint().await;
    assert_eq!(upload.true_hint().await, hint, "the same again is the same");
    upload.to(8).await;
    let first = upload.playlist("it plays", |_| true).await;
    assert!(!first.ended && first.head.contains("#EXT-X-PLAYLIST-TYPE:EVENT"));
    assert!(first.head.contains("#EXT-X-START:TIME-OFFSET=0"));
    assert!((1..5).contains(&first.segments.len()), "{first:?}");
    let (frames, seconds) = upload.joined(&first, daemon.folder()).await;
    first.has_pictures(frames);
    assert!((seconds - first.seconds()).abs() < 0.2, "{seconds}");
    let beyond = upload.hls(&format!("{}.m4s", first.segments.len()));
    api.get(&beyond).await.expect(404);

    let playback = growing(&api, &upload.id).await;
    assert_eq!(playback["preview"], true);
    assert_eq!(playback["width"], 320);
    let playable_ms = playback["playable_ms"].as_f64().expect("a time");
    assert!((playable_ms - first.seconds() * 1000.0).abs() < 2.0);
    assert!((39_900.0..40_300.0).contains(&playback["duration_ms"].as_f64().expect("a time")));
    until("it says that nothing comes", || async {
        let playback = api.recording(&upload.id).await["playback"].clone();
        (playback["stalled"] == true).then_some(())
    })
    .await;

    upload.to(50).await;
    let half = upload.playlist("half of it", |p| p.seconds() > 15.0).await;
    half.goes_on_from(&first);
    assert_eq!(
        api.recording(&upload.id).await["playback"]["stalled"],
        false
    );
    daemon.kill().await;
    daemon.up().await;
    let again = upload.playlist("it plays after a crash", |_| true).await;
    again.goes_on_from(&half);
    upload.to(75).await;
    let more = upload.playlist("it goes on", |p| p.seconds() > 25.0).await;
    more.goes_on_from(&again);
    let whole = upload.sealed().await;
    whole.goes_on_from(&more);
    let (frames, _) = upload.joined(&whole, daemon.folder()).await;
    assert_eq!(frames, 1000);
    let recording = api.recording(&upload.id).await;
    assert_eq!(recording["playback"]["state"], "ready");
    assert_eq!(recording["playback"]["preview"], false);

    let custody = api
        .json(&format!("/v1/recordings/{}/custody?limit=200", upload.id))
        .await;
    let events = custody["items"].as_array().expect("items");
    let opened = events
        .iter()
        .find(|event| event["kind"] == "viewing.opened");
    assert_eq!(
        opened.expect("opened")["body"]["hint_sha256"],
        hint["sha256"]
    );
    assert!(
        events
            .iter()
            .all(|event| event["kind"] != "recording.hint_differed")
    );
    daemon.assert_sound().await;
}

#[tokio::test]
async fn a_hint_that_lies_is_noticed() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let file = film(&daemon, "后厨.mp4", &[]).await;
    let from = box_at(&file, b"moov");
    let mut lie = file[from..].to_vec();
    let stts = lie
        .windows(4)
        .position(|kind| kind == b"stts")
        .expect("stts");
    // Every picture lasts twice as long.
    let delta = stts + 4 + 4 + 4 + 4;
    let ticks = u32::from_be_bytes(lie[delta..delta + 4].try_into().expect("four"));
    lie[delta..delta + 4].copy_from_slice(&(ticks * 2).to_be_bytes());
    let mut upload = Upload::begin(api.clone(), "后厨.mp4", file).await;
    upload.hint(from..upload.file.len(), &lie).await.expect(200);
    let again = upload
        .hint(from..upload.file.len(), &upload.file[from..])
        .await;
    again.expect(409);
    upload.to(50).await;
    let told = upload.playlist("it plays", |_| true).await;
    let first = &told.segments[0].0;
    assert!(first.starts_with("4."), "as the lie says: {told:?}");
    let whole = upload.sealed().await;
    assert!((39.9..40.3).contains(&whole.seconds()), "{whole:?}");
    let kinds = api.custody(&upload.id).await;
    let differed = kinds
        .iter()
        .filter(|kind| *kind == "recording.hint_differed");
    assert_eq!(differed.count(), 1, "{kinds:?}");
    upload
        .hint(from..upload.file.len(), &upload.file[from..])
        .await
        .expect(409);
    daemon.assert_sound().await;
}

#[tokio::test]
async fn a_station_lets_what_it_sends_be_watched() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let station = Station::enrolled(&daemon, "keep").await;
    let file = film(&daemon, "后厨.mp4", &["-b:v", "2M"]).await;
    std::fs::copy(daemon.folder().join("后厨.mp4"), station.card("后厨.mp4")).expect("copied");
    // Slow enough to look at it on its way.
    let slow = "[[bandwidth]]\nfrom = \"00:00\"\nuntil = \"24:00\"\nlimit_mbit_per_s = 2\n";
    station.configure(slow);
    let mut dock = station.command("run").spawn().expect("it starts");
    let id = until("its upload is there", || async {
        let page = api.json("/v1/recordings").await;
        Some(page["items"][0]["id"].as_str()?.to_owned())
    })
    .await;
    let playback = growing(&api, &id).await;
    assert_eq!(playback["preview"], true);
    let recording = api.recording(&id).await;
    assert_eq!(recording["state"], "receiving");
    assert!(recording["received_bytes"].as_u64() < Some(file.len() as u64));
    dock.kill().await.expect("killed");
}

#[tokio::test]
async fn another_player_needs_no_sign_in_and_leaves_no_secret() {
    let daemon = Daemon::start_with(&[("LOG__FILTER", "debug")]).await;
    let api = daemon.api().await;
    let file = film(&daemon, "后厨.mp4", &[]).await;
    let mut upload = Upload::begin(api.clone(), "后厨.mp4", file).await;
    upload.true_hint().await;
    upload.to(30).await;
    upload.playlist("it plays", |_| true).await;
    let issue = format!("/v1/recordings/{}/playback-token", upload.id);
    let issued = api.put("POST", &issue, &serde_json::json!({})).await;
    let token = issued.expect(201).json()["token"].clone();
    let token = token.as_str().expect("a token");
    let player = Api::anonymous(&daemon.url());
    let path = upload.hls(&format!("index.m3u8?token={token}"));
    let list = Playlist::read(&player.get(&path).await.expect(200).text());
    let (_, first) = &list.segments[0];
    player.get(&upload.hls(first)).await.expect(200);
    player.get(&upload.hls("0.m4s")).await.expect(401);
    upload.sealed().await;
    player.get(&path).await.expect(200);
    let log = daemon.log_text();
    assert!(log.contains("/hls/index.m3u8"), "requests are logged");
    let secret = token.trim_start_matches("dkp_");
    assert!(!log.contains(secret), "the token is not");
}

#[tokio::test]
async fn a_hint_beyond_its_limits_is_refused() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let path = api.create(100 << 20, &[("filename", "x.mp4")]).await;
    let hint = format!("/v1/recordings/{}/hint", id_of(&path));
    let put = async |api: &Api, stretch: &str, bytes: usize| {
        let request = api.request("PUT", &hint).header("content-range", stretch);
        api.send(request.body(vec![7; bytes])).await.status
    };
    let size = 100 << 20;
    let over = (32 << 20) + 1;
    assert_eq!(
        put(&api, &format!("bytes 0-{}/{size}", over - 1), over).await,
        413
    );
    assert_eq!(put(&api, &format!("bytes 0-9/{}", size + 1), 10).await, 422);
    assert_eq!(put(&api, &format!("bytes 0-9/{size}"), 9).await, 422);
    assert_eq!(put(&api, &format!("bytes 0-9/{size}"), 11).await, 422);
    assert_eq!(
        put(&api, &format!("bytes {size}-{size}/{size}"), 1).await,
        422
    );
    assert_eq!(put(&api, "bytes 0-9/*", 10).await, 400);
    let stranger = daemon.token("upload", None).await;
    assert_eq!(put(&stranger, &format!("bytes 0-9/{size}"), 10).await, 404);
    assert_eq!(put(&api, &format!("bytes 0-9/{size}"), 10).await, 200);
    assert_eq!(put(&api, &format!("bytes 5-14/{size}"), 10).await, 409);
}

#[tokio::test]
async fn what_needs_no_hint_grows_by_itself() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let fragmented = ["-movflags", "frag_keyframe+empty_moov"];
    for (name, options) in [
        ("前.mp4", &["-movflags", "faststart"][..]),
        ("段.mp4", &fragmented[..]),
        ("库.mkv", &[][..]),
    ] {
        let file = film(&daemon, name, options).await;
        let mut upload = Upload::begin(api.clone(), name, file).await;
        upload.to(25).await;
        let first = upload.playlist(&format!("{name} plays"), |_| true).await;
        assert!(!first.ended && first.seconds() < 12.0, "{name}: {first:?}");
        let (frames, _) = upload.joined(&first, daemon.folder()).await;
        first.has_pictures(frames);
        assert_eq!(growing(&api, &upload.id).await["preview"], false);
        upload.to(80).await;
        let more = upload
            .playlist(&format!("{name} goes on"), |p| p.seconds() > 20.0)
            .await;
        more.goes_on_from(&first);
        let whole = upload.sealed().await;
        whole.goes_on_from(&more);
        let (frames, _) = upload.joined(&whole, daemon.folder()).await;
        assert_eq!(frames, 1000, "{name}");
    }
}

#[tokio::test]
async fn what_is_made_for_viewing_grows_as_well() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let hevc = [
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=error:keyint=50",
    ];
    let g711 = ["-ar", "8000", "-c:a", "pcm_alaw", "-movflags", "faststart"];
    for (name, options, hint, made) in [
        (
            "热成像.mp4",
            &hevc[..],
            true,
            json!({"video": "hevc", "audio": null}),
        ),
        (
            "大厅.mov",
            &g711[..],
            false,
            json!({"video": null, "audio": "pcm_alaw"}),
        ),
        ("采集.ts", &[][..], false, Value::Null),
        (
            "车载.avi",
            &["-ar", "8000", "-c:a", "pcm_mulaw"][..],
            false,
            json!({"video": null, "audio": "pcm_mulaw"}),
        ),
        (
            "旧机.avi",
            &[
                "-c:v",
                "mjpeg",
                "-q:v",
                "9",
                "-ar",
                "16000",
                "-c:a",
                "pcm_s16le",
            ][..],
            false,
            json!({"video": "mjpeg", "audio": "pcm_s16le"}),
        ),
        (
            "光盘.mpg",
            &["-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2", "-f", "vob"][..],
            false,
            json!({"video": "mpeg2video", "audio": "mp2"}),
        ),
        (
            "热像.mkv",
            &hevc[..],
            false,
            json!({"video": "hevc", "audio": null}),
        ),
        (
            "环绕.mkv",
            &["-c:a", "ac3"][..],
            false,
            json!({"video": null, "audio": "ac3"}),
        ),
    ] {
        let file = film(&daemon, name, options).await;
        let mut upload = Upload::begin(api.clone(), name, file).await;
        if hint {
            upload.true_hint().await;
        }
        upload.to(40).await;
        let first = upload.playlist(&format!("{name} plays"), |_| true).await;
        assert!(!first.ended && first.seconds() < 18.0, "{name}: {first:?}");
        let (frames, _) = upload.joined(&first, daemon.folder()).await;
        first.has_pictures(frames);
        let playback = growing(&api, &upload.id).await;
        assert_eq!(playback["preview"], hint, "{name}");
        assert_eq!(playback["made"], made, "{name}");
        upload.to(80).await;
        let more = upload
            .playlist(&format!("{name} goes on"), |p| p.seconds() > 20.0)
            .await;
        more.goes_on_from(&first);
        let whole = upload.sealed().await;
        whole.goes_on_from(&more);
        let (frames, _) = upload.joined(&whole, daemon.folder()).await;
        assert_eq!(frames, 1000, "{name}");
    }
    daemon.assert_sound().await;
}

#[tokio::test]
async fn a_large_picture_grows_in_two_sizes() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let large = "-r 5 -s 960x736 -c:v libx265 -x265-params log-level=error:keyint=10";
    let options: Vec<&str> = large.split(' ').collect();
    let file = film(&daemon, "广角.mp4", &options).await;
    let mut upload = Upload::begin(api.clone(), "广角.mp4", file).await;
    upload.true_hint().await;
    upload.to(40).await;
    let both = upload.playlist("it plays", |_| true).await.head;
    assert!(both.contains("\nlow.m3u8\n") && both.contains("\nfull.m3u8\n"));
    let get = async |name: &str| api.get(&upload.hls(name)).await.expect(200);
    for (list, prefix) in [("low.m3u8", ""), ("full.m3u8", "full-")] {
        let list = Playlist::read(&get(list).await.text());
        assert!(
            !list.ended && list.seconds() > 2.0 && list.seconds() < 20.0,
            "{list:?}"
        );
        assert_eq!(list.segments[0].1, format!("{prefix}0.m4s"));
        let last = &list.segments[list.segments.len() - 1].1;
        for name in [&format!("{prefix}init.mp4"), last] {
            assert!(get(name).await.body.len() > 500, "{name}");
        }
    }
    upload.to(100).await;
    api.await_state(&upload.id, "sealed").await;
    let ended = until("it has its end", || async {
        let list = Playlist::read(&api.get(&upload.hls("low.m3u8")).await.text());
        list.ended.then_some(list)
    })
    .await;
    assert!((39.7..40.5).contains(&ended.seconds()), "{ended:?}");
    let sealed = upload.playlist("it plays", |_| true).await.head;
    assert_eq!(sealed, both, "a player goes on with the addresses it has");
}

#[tokio::test]
async fn an_index_at_the_end_that_nobody_sent_is_waited_for() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let file = film(&daemon, "后厨.mp4", &[]).await;
    let mut upload = Upload::begin(api.clone(), "后厨.mp4", file).await;
    upload.to(60).await;
    until("it says why it waits", || async {
        let answer = api.get(&upload.hls("index.m3u8")).await.expect(409);
        (answer.json()["reason"] == "index_at_end").then_some(())
    })
    .await;
    let playback = api.recording(&upload.id).await["playback"].clone();
    assert_eq!(playback["state"], "pending");
    assert_eq!(playback["reason"], "index_at_end");
    upload.true_hint().await;
    let late = upload
        .playlist("a late hint serves as well", |_| true)
        .await;
    assert!(late.seconds() > 18.0, "{late:?}");
    upload.sealed().await.goes_on_from(&late);
}
