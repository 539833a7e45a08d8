//! `Idempotency-Key`.

use docket_catalog::Role;
use serde_json::json;

use crate::world::{Place, world};

#[tokio::test]
async fn the_same_request_is_done_once() {
    let world = world().await;
    let station = world.token("upload", Place::Own).await;
    let docking = json!({"bay": "1", "recorder_serial": "x", "started_at": "2026-01-01T00:00:00Z", "files": []});
    let keyed = station.with("idempotency-key", "docking-1");
    let first = keyed
        .post("/v1/dockings", docking.clone())
        .await
        .expect(201);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = keyed
        .post("/v1/dockings", docking.clone())
        .await
        .expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("content-type"), "application/json");
    let list = station.get("/v1/dockings").await.json();
    assert_eq!(list["items"].as_array().expect("list").len(), 1);

    let mut different = docking.clone();
    different["bay"] = json!("2");
    let refused = keyed.post("/v1/dockings", different).await.expect(409);
    assert_eq!(refused.problem(), "idempotency-conflict");
    // The key is the sender's own.
    let other = world.token("upload", Place::Own).await;
    let other = other.with("idempotency-key", "docking-1");
    let theirs = other.post("/v1/dockings", docking).await.expect(201);
    assert_ne!(theirs.json(), first.json());
}

#[tokio::test]
async fn what_failed_may_be_tried_again_under_the_same_key() {
    let world = world().await;
    let id = world.recording(Place::Own, b"x").await;
    let me = world.signed_in(Role::Supervisor, Place::Own).await;
    let keyed = me.with("idempotency-key", "hold-1");
    let path = format!("/v1/recordings/{id}/holds");
    keyed
        .post("/v1/recordings/none/holds", json!({"reason": "x"}))
        .await
        .expect(404);
    keyed.post(&path, json!({"reason": "x"})).await.expect(201);
    keyed.post(&path, json!({"reason": "x"})).await.expect(201);
    let holds = me.get(&path).await.json();
    assert_eq!(holds["items"].as_array().expect("list").len(), 1);
}

#[tokio::test]
async fn a_key_opens_nothing() {
    let world = world().await;
    let keyed = world.anonymous().with("idempotency-key", "k");
    let docking = json!({"bay": "1", "recorder_serial": "x", "started_at": "2026-01-01T00:00:00Z", "files": []});
    keyed.post("/v1/dockings", docking).await.expect(401);
}
