//! Uploads that end before their last byte.

use crate::harness::api::id_of;
use crate::harness::{Content, Daemon};

#[tokio::test]
async fn what_a_terminated_upload_holds_is_sealed_as_incomplete() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(21, 500_000);
    let path = api
        .create(content.size_bytes, &[("filename", "半截.mp4")])
        .await;
    api.patch(&path, 0, content.slice(0, 123_456))
        .await
        .expect(204);
    api.send(api.tus("DELETE", &path, &[])).await.expect(204);

    let kept = api.await_state(&id_of(&path), "incomplete").await;
    let arrived = Content::new(21, 123_456);
    assert_eq!(kept["sha256"], arrived.sha256());
    assert_eq!(kept["received_bytes"], 123_456);
    assert!(kept["incomplete_reason"].is_string(), "{kept}");
    api.head(&path).await.expect(410);
    let original = api
        .get(&format!("/v1/recordings/{}/original", id_of(&path)))
        .await;
    assert_eq!(original.expect(200).body, arrived.whole());
    api.receipt(&id_of(&path), "stored").await;
    daemon.assert_sound().await;
}

#[tokio::test]
async fn an_upload_terminated_before_its_first_byte_is_gone() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let path = api.create(10, &[]).await;
    api.send(api.tus("DELETE", &path, &[])).await.expect(204);
    let status = api.head(&path).await.status;
    assert!(matches!(status, 404 | 410), "{status}");
    api.patch(&path, 0, "0123456789").await.expect(status);
}

#[tokio::test]
async fn unknown_recorders_and_officers_are_accepted_and_marked() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let metadata = [
        ("recorder", "ZF-9999"),
        ("officer", "黔卫0000"),
        ("mark", "key"),
    ];
    let id = api.upload(Content::new(22, 10), &metadata).await;
    let sealed = api.await_state(&id, "sealed").await;
    let marks: Vec<&str> = sealed["marks"]
        .as_array()
        .expect("marks")
        .iter()
        .filter_map(|mark| mark.as_str())
        .collect();
    for mark in ["key", "unknown_recorder", "unknown_officer"] {
        assert!(marks.contains(&mark), "{marks:?}");
    }
    assert_eq!(sealed["recorder_claimed"], "ZF-9999");
    assert_eq!(sealed["officer_claimed"], "黔卫0000");
}
