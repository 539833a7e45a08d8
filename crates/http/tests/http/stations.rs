//! Stations and dockings.

use docket_catalog::Role;
use serde_json::{Value, json};

use crate::world::{Place, world};

#[tokio::test]
async fn a_station_is_known_by_its_token() {
    let world = world().await;
    let token = world.token("upload", Place::Own).await;
    let bay = json!({"name": "A1", "state": "uploading", "recorder_serial": "R1", "officer_name": null,
        "files_total": 4, "files_done": 1, "bytes_total": 400, "bytes_done": 120, "rate_bytes_per_s": 20, "message": null});
    let report = json!({"name": "一号采集站", "version": "0.1.0", "bays": [bay]});
    let first = token
        .put("/v1/stations/self", report.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(first["bays"][0], bay);
    let again = token
        .put("/v1/stations/self", report.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(again["id"], first["id"]);
    let mut renamed = report;
    renamed["name"] = json!("二号采集站");
    let renamed = token
        .put("/v1/stations/self", renamed)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&renamed["id"], &renamed["name"]),
        (&first["id"], &json!("二号采集站"))
    );

    let list = token.get("/v1/stations").await.expect(200).json();
    assert_eq!(list["items"].as_array().expect("list").len(), 1);
    assert_eq!(list["items"][0]["online"], true);
    world.clock.advance_seconds(61);
    let path = format!("/v1/stations/{}", first["id"].as_str().expect("id"));
    assert_eq!(token.get(&path).await.expect(200).json()["online"], false);
    world.published().await;
    let events = world
        .app
        .catalog()
        .events_from_leaf(0, 1_000)
        .await
        .expect("events");
    assert_eq!(
        events
            .iter()
            .filter(|event| event.kind == "station.seen")
            .count(),
        2,
        "heartbeats are not evidence"
    );
}

#[tokio::test]
async fn hostile_reports_are_refused() {
    let world = world().await;
    let token = world.token("upload", Place::Own).await;
    for report in [
        json!({"name": ""}),
        json!({"name": "x".repeat(600)}),
        json!({"name": "x", "bays": [{"name": "1", "state": "exploded"}]}),
        json!({"name": "x", "bays": vec![json!({"name": "1", "state": "empty"}); 300]}),
    ] {
        token.put("/v1/stations/self", report).await.expect(422);
    }
    let docking = |files: Value| json!({"bay": "1", "recorder_serial": "x", "started_at": "2026-01-01T00:00:00Z", "files": files});
    for files in [
        json!([{"path": "", "size_bytes": 1}]),
        json!([{"path": "a", "size_bytes": 1}, {"path": "a", "size_bytes": 1}]),
        json!([{"path": "a", "size_bytes": u64::MAX}]),
        json!([{"path": "a", "size_bytes": -1}]),
    ] {
        token.post("/v1/dockings", docking(files)).await.expect(422);
    }
}

#[tokio::test]
async fn a_file_that_is_wanted_now_is_told_with_the_heartbeat() {
    let world = world().await;
    let token = world.token("upload", Place::Own).await;
    let docking = json!({"bay": "A1", "recorder_serial": "R1", "started_at": "2026-11-23T08:00:00+08:00",
        "files": [{"path": "DCIM/一.mp4", "size_bytes": 10}]});
    let id = token.post("/v1/dockings", docking).await.expect(201).json()["id"].clone();
    let path = format!("/v1/dockings/{}/first", id.as_str().expect("id"));
    let me = world.signed_in(Role::Supervisor, Place::Own).await;
    let wish = json!({"path": "DCIM/一.mp4"});
    me.post(&path, wish.clone()).await.expect(204);
    me.post(&path, wish.clone()).await.expect(204);
    me.post(&path, json!({"path": "DCIM/二.mp4"}))
        .await
        .expect(404);
    let stranger = world.token("read", Place::Sibling).await;
    stranger.post(&path, wish.clone()).await.expect(404);
    let beat = || token.put("/v1/stations/self", json!({"name": "一号采集站"}));
    let told = beat().await.expect(200).json();
    assert_eq!(
        told["first"],
        json!([{"docking": id, "path": "DCIM/一.mp4"}])
    );
    let end = json!({"finished_at": "2026-11-23T09:00:00+08:00", "outcome": "removed"});
    let finish = path.replace("/first", "/finish");
    token.post(&finish, end).await.expect(204);
    assert_eq!(beat().await.expect(200).json()["first"], json!([]));
    me.post(&path, wish).await.expect(409);
}

#[tokio::test]
async fn what_was_on_the_card_and_never_arrived_is_shown() {
    let world = world().await;
    let token = world.token("upload", Place::Own).await;
    let docking = json!({"bay": "A1", "recorder_serial": "R1", "started_at": "2026-11-23T08:00:00+08:00",
        "recorder_clock_offset_ms": -1500,
        "files": [{"path": "DCIM/一.mp4", "size_bytes": 10, "modified_at": "2026-11-22T08:00:00Z"},
            {"path": "DCIM/二.mp4", "size_bytes": 20}]});
    let id = token.post("/v1/dockings", docking).await.expect(201).json()["id"].clone();
    let path = format!("/v1/dockings/{}", id.as_str().expect("id"));
    let shown = token.get(&path).await.expect(200).json();
    assert_eq!(shown["recorder_clock_offset_ms"], -1500);
    assert_eq!(shown["started_at"], "2026-11-23T00:00:00.000000Z");
    let files = shown["files"].as_array().expect("files");
    assert_eq!(files.len(), 2);
    assert!(files.iter().all(|file| file["recording"].is_null()));
    let end = json!({"finished_at": "2026-11-23T09:00:00+08:00", "outcome": "removed"});
    token.post(&format!("{path}/finish"), end).await.expect(204);
    let shown = token.get(&path).await.expect(200).json();
    assert_eq!(shown["outcome"], "recorder_lost");
    let end = json!({"finished_at": "2026-11-23T09:00:00+08:00", "outcome": "exploded"});
    token.post(&format!("{path}/finish"), end).await.expect(422);
    let station = shown["station_id"].as_str().expect("station");
    let list = token
        .get(&format!("/v1/dockings?station={station}"))
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"].as_array().expect("list").len(), 1);
}
