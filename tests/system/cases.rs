//! Cases and links, as another system uses them.

use serde_json::{Value, json};

use crate::harness::{Api, Content, Daemon, until};

const NUMBER: &str = "贵卫医罚〔2026〕12号";

/// A case's path; the number is escaped whole, slashes included.
fn path(number: &str) -> String {
    let escaped: String = number.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/v1/cases/{escaped}")
}

async fn links(api: &Api, number: &str) -> Vec<Value> {
    let case = api.json(&path(number)).await;
    case["evidence"].as_array().expect("evidence").clone()
}

#[tokio::test]
async fn tying_twice_is_tying_once() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let id = api.upload(Content::new(91, 1000), &[]).await;
    let first = api
        .put("PUT", &path(NUMBER), &json!({"title": "某餐厅案"}))
        .await;
    assert!(matches!(first.status, 200 | 201), "{}", first.text());
    let again = api
        .put("PUT", &path(NUMBER), &json!({"title": "某餐厅案"}))
        .await
        .expect(200);
    assert_eq!(first.json()["id"], again.json()["id"]);
    for _ in 0..3 {
        let tied = api
            .put(
                "PUT",
                &format!("{}/evidence/{id}", path(NUMBER)),
                &json!({}),
            )
            .await;
        assert!(tied.status < 300, "{}", tied.text());
    }
    assert_eq!(links(&api, NUMBER).await.len(), 1);
    let linked: Vec<String> = api.custody(&id).await;
    let linked = linked.iter().filter(|kind| kind.contains("link")).count();
    assert_eq!(linked, 1, "no logged non-change");
    let untie = api.request("DELETE", &format!("{}/evidence/{id}", path(NUMBER)));
    let untied = api.send(untie).await;
    assert!(untied.status < 300, "{}", untied.text());
    assert!(links(&api, NUMBER).await.is_empty());
}

#[tokio::test]
async fn a_number_is_one_number_in_every_spelling() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let first = api.put("PUT", &path(NUMBER), &json!({})).await.json();
    for spelling in [
        "贵卫医罚[2026]12号",
        "贵卫医罚（2026）12号",
        "贵卫医罚［２０２６］１２号",
    ] {
        let same = api
            .put("PUT", &path(spelling), &json!({}))
            .await
            .expect(200)
            .json();
        assert_eq!(same["id"], first["id"], "{spelling}");
        assert_eq!(same["number"], NUMBER, "stored as first given");
    }
    let slashed = api.put("PUT", &path("黔/2026/7"), &json!({})).await;
    assert!(slashed.status < 300, "{}", slashed.text());
    assert_eq!(api.json(&path("黔/2026/7")).await["number"], "黔/2026/7");
}

#[tokio::test]
async fn an_upload_with_a_case_number_is_tied_or_proposed_by_what_its_token_may() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let station = daemon.token("upload", None).await;
    let proposed = station
        .upload(Content::new(92, 1000), &[("case", NUMBER)])
        .await;
    let tied = api
        .upload(Content::new(93, 1000), &[("case", NUMBER)])
        .await;
    let links = links(&api, NUMBER).await;
    let state = |id: &str| {
        let link = links.iter().find(|link| link["recording"]["id"] == id);
        link.map(|link| link["state"].as_str().expect("a state").to_owned())
    };
    assert_eq!(state(&proposed).as_deref(), Some("proposed"));
    assert_eq!(state(&tied).as_deref(), Some("linked"));
}

#[tokio::test]
async fn a_changed_recording_is_not_overwritten_unseen() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let id = api.upload(Content::new(94, 1000), &[]).await;
    // After this nothing in the background changes it any more.
    api.receipt(&id, "verified").await;
    until("it was looked at", || async {
        let recording = api.recording(&id).await;
        (recording["playback"]["state"] != "pending").then_some(())
    })
    .await;
    let password = "a long enough pass phrase";
    let user = [
        "user",
        "add",
        "--name",
        "督察",
        "--role",
        "supervisor",
        "--password-stdin",
    ];
    daemon.docketd(&user, password).await.succeeded();
    let supervisor = Api::signed_in(&daemon.url(), "督察", password).await;
    let place = format!("/v1/recordings/{id}");
    let seen = supervisor.get(&place).await.expect(200);
    let tag = seen.header("etag").expect("an ETag").to_owned();
    let annotate = |notes: &str| {
        let request = supervisor.request("PATCH", &place);
        request
            .header("if-match", &tag)
            .json(&json!({"notes": notes}))
    };
    supervisor.send(annotate("后厨")).await.expect(200);
    supervisor.send(annotate("前厅")).await.expect(412);
    assert_eq!(supervisor.recording(&id).await["notes"], "后厨");
}

#[tokio::test]
async fn the_same_key_again_is_the_same_answer() {
    let daemon = Daemon::start().await;
    let api = daemon.token("upload,read", None).await;
    let report = json!({"name": "采集站一", "version": "1", "bays": []});
    assert!(api.put("PUT", "/v1/stations/self", &report).await.status < 300);
    let docking = json!({
        "bay": "1",
        "recorder_serial": "ZF-1",
        "started_at": "2026-11-23T08:00:00Z",
        "files": [{"path": "甲.mp4", "size_bytes": 5}],
    });
    let request = || {
        let request = api.request("POST", "/v1/dockings");
        request
            .header("idempotency-key", "one-and-the-same")
            .json(&docking)
    };
    let first = api.send(request()).await.expect(201).json();
    let again = api.send(request()).await.expect(201).json();
    assert_eq!(first, again);
    let page = api.json("/v1/dockings").await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
}
