//! Watching: a recording whose index stands in the vault, without a media worker.

use docket_base::ids::RecordingId;
use docket_catalog::{Playback, PlaybackState, Role};
use docket_ingest::probe::{INDEX, POSTER, derivative};
use docket_playback::index::{NewSegment, Track};
use docket_playback::rows::{Sample, TrackRun};
use docket_playback::{Facts, PlaybackIndex, StreamKind, Verdict};
use serde_json::json;

use crate::world::{Place, World, world};

async fn set(world: &World, id: RecordingId, state: PlaybackState, reason: Option<&str>) {
    let playback = Playback {
        state,
        reason: reason.map(str::to_owned),
        duration_ms: Some(2_000),
        width: Some(640),
        height: Some(360),
        made_video: None,
        made_audio: Some("pcm_mulaw".to_owned()),
    };
    let done = world.app.catalog().set_playback(id, &playback).await;
    done.expect("catalog");
}

async fn keep(world: &World, id: RecordingId, name: &str, bytes: &[u8]) {
    let row = world.app.catalog().recording(id).await.expect("catalog");
    let created_at = row.expect("row").created_at;
    let name = derivative(name).expect("name");
    let vault = world.app.vault();
    let done = vault.put_derivative(id, created_at, &name, bytes).await;
    done.expect("vault");
}

/// Two segments of one second, each one frame of five bytes.
fn index() -> PlaybackIndex {
    let facts = Facts {
        container: "mp4".into(),
        size_bytes: 10,
        claimed_duration_ms: None,
        duration_ms: Some(2_000),
        creation_claimed_at: None,
        streams: Vec::new(),
        verdict: Verdict::playable(),
    };
    let track = Track {
        kind: StreamKind::Video,
        stream: 0,
        timescale: 1_000,
        codec: "avc1.64001f".into(),
        mode: docket_playback::Mode::Raw,
    };
    let segment = |number: u64| {
        let sample = Sample {
            offset: number * 5,
            size_bytes: 5,
            duration: 1_000,
            composition: 0,
            key: true,
        };
        let run = TrackRun {
            track: 0,
            decode_time: number * 1_000,
            samples: vec![sample],
        };
        NewSegment {
            start_us: number * 1_000_000,
            duration_us: 1_000_000,
            independent: true,
            runs: vec![run],
        }
    };
    let segments = [segment(0), segment(1)];
    PlaybackIndex::build(facts, vec![track], 0, b"init", &segments).expect("builds")
}

pub async fn playable(world: &World, place: Place) -> RecordingId {
    let id = world.recording(place, b"AAAAABBBBB").await;
    set(world, id, PlaybackState::Ready, None).await;
    keep(world, id, INDEX, &index().to_bytes()).await;
    id
}

#[tokio::test]
async fn playlist_and_segments_are_one_viewing() {
    let world = world().await;
    let id = playable(&world, Place::Own).await;
    let me = world.signed_in(Role::Supervisor, Place::Own).await;
    let hls = |name: &str| format!("/v1/recordings/{id}/hls/{name}");
    let list = me.get(&hls("index.m3u8")).await.expect(200);
    assert_eq!(list.header("content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(list.header("cache-control"), "private, no-store");
    let text = list.text();
    assert!(text.contains("init.mp4") && text.contains("1.m4s") && !text.contains("2.m4s"));
    assert_eq!(me.get(&hls("init.mp4")).await.expect(200).body, b"init");
    let first = me.get(&hls("0.m4s")).await.expect(200);
    assert!(first.body.ends_with(b"AAAAA"));
    world.clock.advance_seconds(60);
    let second = me.get(&hls("1.m4s")).await.expect(200);
    assert!(second.body.ends_with(b"BBBBB"));
    for none in ["2.m4s", "x.m4s", "0.mp4", "%2e%2e"] {
        me.get(&hls(none)).await.expect(404);
    }
    world.clock.advance_seconds(601);
    world.app.viewings().close_idle().await.expect("round");
    world.published().await;
    let custody = me.get(&format!("/v1/recordings/{id}/custody")).await.json();
    let events = custody["items"].as_array().expect("list").clone();
    let of = |kind: &str| -> Vec<_> {
        let events = events.iter().filter(|event| event["kind"] == kind);
        events.cloned().collect()
    };
    assert_eq!(of("viewing.opened").len(), 1);
    assert_eq!(of("viewing.opened")[0]["body"]["means"], "hls");
    let closed = of("viewing.closed");
    let served = json!([{"from_ms": 0, "until_ms": 2_000}]);
    assert_eq!((closed.len(), &closed[0]["body"]["served"]), (1, &served));
}

#[tokio::test]
async fn two_people_are_two_viewings_and_a_look_ahead_is_none() {
    let world = world().await;
    let id = playable(&world, Place::Own).await;
    let path = format!("/v1/recordings/{id}/hls/index.m3u8");
    let opened = || async {
        let kinds = world.custody_of(id).await;
        kinds
            .iter()
            .filter(|kind| *kind == "viewing.opened")
            .count()
    };
    let one = world.signed_in(Role::Auditor, Place::Own).await;
    one.send("HEAD", &path, None).await.expect(200);
    assert_eq!(opened().await, 0);
    one.get(&path).await.expect(200);
    one.get(&path).await.expect(200);
    world
        .token("read", Place::Own)
        .await
        .get(&path)
        .await
        .expect(200);
    assert_eq!(opened().await, 2);
    // Nobody's look is logged who was not let in.
    world
        .token("read", Place::Sibling)
        .await
        .get(&path)
        .await
        .expect(404);
    assert_eq!(opened().await, 2);
}

#[tokio::test]
async fn another_player_plays_one_recording_for_a_while() {
    let world = world().await;
    let (id, other) = (
        playable(&world, Place::Own).await,
        playable(&world, Place::Own).await,
    );
    let me = world.signed_in(Role::Supervisor, Place::Own).await;
    let issue = format!("/v1/recordings/{id}/playback-token");
    world
        .token("upload", Place::Own)
        .await
        .post(&issue, json!({}))
        .await
        .expect(403);
    let issued = me
        .with("idempotency-key", "k")
        .post(&issue, json!({}))
        .await
        .expect(201)
        .json();
    let token = issued["token"].as_str().expect("a token").to_owned();
    let again = me
        .with("idempotency-key", "k")
        .post(&issue, json!({}))
        .await
        .expect(201)
        .json();
    assert_ne!(
        again["token"], issued["token"],
        "a secret is not kept to be said again"
    );

    let player = world.anonymous();
    let of = |id: RecordingId, what: &str| format!("/v1/recordings/{id}/{what}?token={token}");
    let list = player
        .get(&of(id, "hls/index.m3u8"))
        .await
        .expect(200)
        .text();
    let names: Vec<&str> = list.lines().filter(|line| line.contains(&token)).collect();
    assert_eq!(names.len(), 3, "{list}");
    for name in list.lines().filter(|line| line.contains(".m4s")) {
        player
            .get(&format!("/v1/recordings/{id}/hls/{name}"))
            .await
            .expect(200);
    }
    player.get(&of(id, "hls/init.mp4")).await.expect(200);
    player.get(&of(id, "original")).await.expect(200);
    for denied in [
        of(other, "hls/index.m3u8"),
        of(id, "custody"),
        of(id, "poster.jpg"),
        format!("/v1/recordings/{id}?token={token}"),
        format!("/v1/recordings/{id}/hls/index.m3u8?token={token}x"),
        format!("/v1/recordings/{id}/hls/index.m3u8?token={token}&token={token}"),
    ] {
        player.get(&denied).await.expect(401);
    }
    // What is watched so is watched by who asked for the token.
    assert_eq!(
        world
            .custody_of(id)
            .await
            .iter()
            .filter(|kind| *kind == "viewing.opened")
            .count(),
        1
    );
    world.clock.advance_seconds(4 * 60 * 60);
    player.get(&of(id, "hls/index.m3u8")).await.expect(401);
}

#[tokio::test]
async fn a_playback_token_ends_with_its_holder() {
    let world = world().await;
    let id = playable(&world, Place::Own).await;
    let holder = world.token("read", Place::Own).await;
    let issue = format!("/v1/recordings/{id}/playback-token");
    let issued = holder.post(&issue, json!({})).await.expect(201).json();
    let token = issued["token"].as_str().expect("a token");
    let path = format!("/v1/recordings/{id}/hls/0.m4s?token={token}");
    world.anonymous().get(&path).await.expect(200);
    let tokens = world.token("admin", Place::Own).await;
    let list = tokens.get("/v1/tokens").await.expect(200).json();
    for item in list["items"].as_array().expect("list") {
        if item["scopes"] == json!(["read"]) || item["scopes"] == "read" {
            let one = format!("/v1/tokens/{}", item["id"].as_str().expect("id"));
            tokens.delete(&one).await.expect(204);
        }
    }
    holder
        .get(&format!("/v1/recordings/{id}"))
        .await
        .expect(401);
    world.anonymous().get(&path).await.expect(401);
}

#[tokio::test]
async fn what_does_not_play_says_why() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    let id = world.recording(Place::Own, b"AAAAABBBBB").await;
    let path = format!("/v1/recordings/{id}/hls/index.m3u8");
    let waiting = me.get(&path).await.expect(409);
    assert_eq!(waiting.problem(), "not-yet-playable");
    assert_eq!(waiting.header("retry-after"), "2");
    let reason = Some("video_codec_unsupported");
    set(&world, id, PlaybackState::Impossible, reason).await;
    let never = me.get(&path).await.expect(409);
    assert_eq!(never.problem(), "not-playable");
    assert_eq!(never.json()["reason"], "video_codec_unsupported");
    assert!(!never.headers.contains_key("retry-after"));
    let open = world.receiving(Place::Own).await;
    let arriving = me
        .get(&format!("/v1/recordings/{open}/hls/index.m3u8"))
        .await
        .expect(409);
    assert_eq!(arriving.problem(), "not-yet-playable");
}

#[tokio::test]
async fn a_damaged_index_is_no_failure_of_ours() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    let id = world.recording(Place::Own, b"AAAAABBBBB").await;
    set(&world, id, PlaybackState::Ready, None).await;
    keep(&world, id, INDEX, b"not an index").await;
    let answer = me
        .get(&format!("/v1/recordings/{id}/hls/0.m4s"))
        .await
        .expect(409);
    assert_eq!(answer.problem(), "not-yet-playable");
}

#[tokio::test]
async fn a_poster_is_a_picture_and_no_viewing() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    let id = world.recording(Place::Own, b"AAAAABBBBB").await;
    let path = format!("/v1/recordings/{id}/poster.jpg");
    me.get(&path).await.expect(404);
    keep(&world, id, POSTER, b"\xff\xd8\xff jpeg").await;
    let poster = me.get(&path).await.expect(200);
    assert_eq!(poster.header("content-type"), "image/jpeg");
    let etag = poster.header("etag").to_owned();
    me.with("if-none-match", &etag).get(&path).await.expect(304);
    assert!(
        !world
            .custody_of(id)
            .await
            .contains(&"viewing.opened".to_owned())
    );
}

#[tokio::test]
async fn a_track_is_kept_and_no_viewing() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    let id = playable(&world, Place::Own).await;
    let path = format!("/v1/recordings/{id}/track.json");
    assert_eq!(me.get(&path).await.expect(404).problem(), "not-found");
    let points = br#"{"source":"gpmf","from_recording":null,"points":[]}"#;
    let of = |made: &str| [made.as_bytes(), b"\n", points].concat();
    keep(
        &world,
        id,
        "track.jsonl",
        &of(r#"{"own":true,"beside":[],"from":null}"#),
    )
    .await;
    let found = me.get(&path).await.expect(200);
    assert_eq!(found.header("content-type"), "application/json");
    assert_eq!(found.header("cache-control"), "private, max-age=300");
    assert_eq!(found.body, points);
    let known = me.with("if-none-match", found.header("etag"));
    known.get(&path).await.expect(304);
    let sibling = world.token("read", Place::Sibling).await;
    sibling.get(&path).await.expect(404);
    // A side file may still come; and of one that is gone nothing is shown.
    keep(
        &world,
        id,
        "track.jsonl",
        &of(r#"{"own":false,"beside":[],"from":null}"#),
    )
    .await;
    let found = me.get(&path).await.expect(200);
    assert_eq!(found.header("cache-control"), "private, no-cache");
    let gone = RecordingId::from_bytes([7; 16]);
    let made = format!(r#"{{"own":false,"beside":["{gone}"],"from":"{gone}"}}"#);
    keep(&world, id, "track.jsonl", &of(&made)).await;
    me.get(&path).await.expect(404);
    let custody = world.custody_of(id).await;
    assert!(!custody.contains(&"viewing.opened".to_owned()));
}

#[tokio::test]
async fn storyboard_and_waveform_are_kept_and_no_viewing() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    let id = playable(&world, Place::Own).await;
    let of = |name: &str| format!("/v1/recordings/{id}/{name}");
    for name in ["storyboard.vtt", "storyboard-0.jpg", "waveform.json"] {
        assert_eq!(me.get(&of(name)).await.expect(404).problem(), "not-found");
    }
    let shown = json!({"frame": [0, 0, 5, 0, 0], "decoded": true});
    let board = json!({"width": 160, "height": 90, "sheets": [[shown]], "until_us": 2_000_000, "whole": true});
    let board = serde_json::to_vec(&board).expect("serialises");
    keep(&world, id, "storyboard.json", &board).await;
    keep(&world, id, "storyboard-0.jpg", b"\xff\xd8\xff jpeg").await;
    let peaks = br#"{"peaks_per_s":10,"peaks":[0,255]}"#;
    keep(&world, id, "waveform.json", peaks).await;
    let vtt = me.get(&of("storyboard.vtt")).await.expect(200);
    let cue = "00:00:00.000 --> 00:00:02.000\nstoryboard-0.jpg#xywh=0,0,160,90\n";
    assert_eq!(vtt.text(), format!("WEBVTT\n\n{cue}"));
    assert_eq!(vtt.header("content-type"), "text/vtt; charset=utf-8");
    let sheet = me.get(&of("storyboard-0.jpg?pictures=1")).await.expect(200);
    assert_eq!(sheet.header("content-type"), "image/jpeg");
    let wave = me.get(&of("waveform.json")).await.expect(200);
    assert_eq!(wave.header("content-type"), "application/json");
    assert_eq!(wave.body, peaks);
    for (name, answer) in [
        ("storyboard.vtt", vtt),
        ("storyboard-0.jpg", sheet),
        ("waveform.json", wave),
    ] {
        assert_eq!(answer.header("cache-control"), "private, max-age=300");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let known = me.with("if-none-match", answer.header("etag"));
        known.get(&of(name)).await.expect(304);
        let sibling = world.token("read", Place::Sibling).await;
        sibling.get(&of(name)).await.expect(404);
    }
    for none in ["storyboard-1.jpg", "storyboard-00.jpg", "anything"] {
        me.get(&of(none)).await.expect(404);
    }
    let custody = world.custody_of(id).await;
    assert!(!custody.contains(&"viewing.opened".to_owned()));
}
