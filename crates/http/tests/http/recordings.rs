//! Reading and annotating recordings.

use docket_catalog::Role;
use serde_json::{Value, json};

use crate::world::{Place, world};

fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().expect("list");
    let id = |item: &Value| item["id"].as_str().expect("id").to_owned();
    items.iter().map(id).collect()
}

#[tokio::test]
async fn a_recording_has_the_shape_the_api_describes() {
    let world = world().await;
    let id = world.recording(Place::Own, b"twelve bytes").await;
    let me = world.token("read", Place::Own).await;
    let answer = me.get(&format!("/v1/recordings/{id}")).await.expect(200);
    let recording = answer.json();
    assert_eq!(recording["state"], "sealed");
    assert_eq!(recording["file_name"], "现场.mp4");
    assert_eq!(recording["size_bytes"], 12);
    assert_eq!(recording["unit"]["name"], "单位O");
    assert_eq!(recording["playback"]["state"], "pending");
    let document = serde_json::to_value(docket_http::openapi()).expect("document");
    let described = &document["components"]["schemas"]["Recording"]["properties"];
    let described: Vec<_> = described.as_object().expect("schema").keys().collect();
    let mut shown: Vec<_> = recording.as_object().expect("object").keys().collect();
    shown.sort();
    let mut described = described;
    described.sort();
    assert_eq!(shown, described);

    let etag = answer.header("etag").to_owned();
    let known = me
        .with("if-none-match", &etag)
        .get(&format!("/v1/recordings/{id}"))
        .await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
}

#[tokio::test]
async fn listings_show_ones_units_only_and_go_on_by_cursor() {
    let world = world().await;
    let mut mine = Vec::new();
    for place in [
        Place::Own,
        Place::Sub,
        Place::Own,
        Place::Sibling,
        Place::Parent,
    ] {
        let id = world.recording(place, b"x").await;
        if place.is_in_reach() {
            mine.push(id.to_string());
        }
        world.clock.advance_seconds(1);
    }
    mine.reverse();
    let me = world.token("read", Place::Own).await;
    let all = me.get("/v1/recordings").await.expect(200).json();
    assert_eq!(ids(&all), mine, "newest first");
    assert_eq!(all["next"], Value::Null);
    let mut walked = Vec::new();
    let mut path = "/v1/recordings?limit=1".to_owned();
    loop {
        let page = me.get(&path).await.expect(200).json();
        walked.extend(ids(&page));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/recordings?limit=1&cursor={next}");
    }
    assert_eq!(walked, mine);
    let sub = world.unit_at(Place::Sub);
    let narrowed = me.get(&format!("/v1/recordings?unit={sub}")).await.json();
    assert_eq!(ids(&narrowed).len(), 1);
    let sibling = world.unit_at(Place::Sibling);
    let nothing = me
        .get(&format!("/v1/recordings?unit={sibling}"))
        .await
        .json();
    assert!(ids(&nothing).is_empty());
}

#[tokio::test]
async fn filters_that_can_not_be_read_are_refused() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    for query in [
        "state=gone",
        "from=yesterday",
        "cursor=%00",
        "unit=1",
        "limit=x",
        "colour=red",
    ] {
        let answer = me.get(&format!("/v1/recordings?{query}")).await.expect(400);
        assert_eq!(answer.problem(), "bad-request", "{query}");
    }
    me.get("/v1/recordings?state=sealed,incomplete&kind=video&q=%20")
        .await
        .expect(200);
    me.get("/v1/recordings/not-an-id").await.expect(404);
}

#[tokio::test]
async fn text_finds_chinese_words() {
    let world = world().await;
    let id = world
        .recording_as(Place::Own, b"x", "video/mp4", "花溪区诊所检查.mp4", None)
        .await;
    let me = world.token("read", Place::Own).await;
    for (word, found) in [
        ("诊所", 1),
        ("溪", 1),
        ("检查", 1),
        ("所检", 1),
        ("学校", 0),
    ] {
        let word: String =
            percent_encoding::utf8_percent_encode(word, percent_encoding::NON_ALPHANUMERIC)
                .collect();
        let list = me
            .get(&format!("/v1/recordings?q={word}"))
            .await
            .expect(200)
            .json();
        assert_eq!(ids(&list).len(), found, "{word}");
    }
    assert!(
        me.get(&format!("/v1/recordings/{id}"))
            .await
            .status
            .is_success()
    );
}

#[tokio::test]
async fn notes_need_the_version_that_was_read() {
    let world = world().await;
    let id = world.recording(Place::Own, b"x").await;
    let me = world.signed_in(Role::Supervisor, Place::Own).await;
    let path = format!("/v1/recordings/{id}");
    let etag = me.get(&path).await.header("etag").to_owned();
    let change = json!({"notes": "看得清", "tags": ["重点", "重点", " 复查 "]});
    assert_eq!(
        me.patch(&path, change.clone()).await.expect(428).problem(),
        "if-match-required"
    );
    let changed = me
        .with("if-match", &etag)
        .patch(&path, change.clone())
        .await
        .expect(200);
    assert_eq!(changed.json()["notes"], "看得清");
    assert_eq!(changed.json()["tags"], json!(["重点", "复查"]));
    assert_ne!(changed.header("etag"), etag);
    let late = me
        .with("if-match", &etag)
        .patch(&path, change)
        .await
        .expect(412);
    assert_eq!(late.problem(), "precondition-failed");
    // What is left out stays.
    let now = changed.header("etag").to_owned();
    let tagged = me
        .with("if-match", &now)
        .patch(&path, json!({"tags": []}))
        .await
        .expect(200);
    assert_eq!(tagged.json()["notes"], "看得清");
    assert_eq!(tagged.json()["tags"], json!([]));
    let kinds = world.custody_of(id).await;
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| *kind == "recording.annotated")
            .count(),
        2
    );
}

#[tokio::test]
async fn corrections_are_appended_and_move_a_recording_only_with_both_rights() {
    let world = world().await;
    let id = world.recording(Place::Own, b"x").await;
    let officer = world.officer(Place::Own, "黔002").await;
    let me = world.signed_in(Role::Supervisor, Place::Own).await;
    let path = format!("/v1/recordings/{id}/corrections");
    let correction =
        |field: &str, value: Value| json!({"field": field, "value": value, "reason": "看错了"});
    let first = correction("officer", json!(officer.id.to_string()));
    let made = me.post(&path, first).await.expect(201).json();
    assert_eq!(made["old_value"], Value::Null);
    assert_eq!(made["by"]["type"], "user");
    let at = "2026-05-01T08:00:00.000000Z";
    me.post(
        &path,
        correction("recorded_at", json!("2026-05-01T16:00:00+08:00")),
    )
    .await
    .expect(201);
    let shown = me.get(&format!("/v1/recordings/{id}")).await.json();
    assert_eq!(shown["officer"]["name"], "王强");
    assert_eq!(shown["recorded_at"], at);
    for (field, value) in [
        ("colour", json!("red")),
        ("kind", json!("opera")),
        ("officer", json!("x")),
        ("unit", Value::Null),
    ] {
        me.post(&path, correction(field, value)).await.expect(422);
    }
    let empty = json!({"field": "kind", "value": "other", "reason": " "});
    me.post(&path, empty).await.expect(422);

    let sibling = world.unit_at(Place::Sibling).to_string();
    me.post(&path, correction("unit", json!(sibling)))
        .await
        .expect(404);
    let sub = world.unit_at(Place::Sub).to_string();
    me.post(&path, correction("unit", json!(sub)))
        .await
        .expect(201);
    let list = me.get(&path).await.expect(200).json();
    assert_eq!(list["items"].as_array().expect("list").len(), 3);
    let custody = me
        .get(&format!("/v1/recordings/{id}/custody"))
        .await
        .expect(200)
        .json();
    let corrected: Vec<&Value> = custody["items"]
        .as_array()
        .expect("list")
        .iter()
        .filter(|event| event["kind"] == "recording.corrected")
        .collect();
    assert_eq!(corrected.len(), 3);
    assert_eq!(corrected[1]["body"]["correction"]["field"], "recorded_at");
    assert!(corrected[0]["actor"]["name"].is_string());
}

#[tokio::test]
async fn holds_stand_until_they_are_lifted() {
    let world = world().await;
    let (id, other) = (
        world.recording(Place::Own, b"x").await,
        world.recording(Place::Own, b"y").await,
    );
    let me = world.signed_in(Role::Supervisor, Place::Own).await;
    let path = format!("/v1/recordings/{id}/holds");
    me.post(&path, json!({"reason": ""})).await.expect(422);
    let first = me
        .post(&path, json!({"reason": "复议"}))
        .await
        .expect(201)
        .json();
    let second = me
        .post(&path, json!({"reason": "诉讼"}))
        .await
        .expect(201)
        .json();
    let held = || async { me.get(&format!("/v1/recordings/{id}")).await.json()["held"].clone() };
    assert_eq!(held().await, true);
    let lift = |of: &Value| format!("{path}/{}", of["id"].as_str().expect("id"));
    me.delete(&lift(&first)).await.expect(204);
    assert_eq!(held().await, true);
    me.send("DELETE", &lift(&second), Some(json!({"reason": "结案"})))
        .await
        .expect(204);
    assert_eq!(held().await, false);
    me.delete(&lift(&second)).await.expect(204);
    // A hold has one address: another recording's is not it.
    let elsewhere = format!(
        "/v1/recordings/{other}/holds/{}",
        first["id"].as_str().expect("id")
    );
    me.delete(&elsewhere).await.expect(404);
    let list = me.get(&path).await.json();
    assert!(list["items"][1]["lifted_by"]["id"].is_string());
    let kinds = world.custody_of(id).await;
    let holds: Vec<_> = kinds
        .iter()
        .filter(|kind| kind.starts_with("hold."))
        .collect();
    assert_eq!(
        holds,
        ["hold.placed", "hold.placed", "hold.lifted", "hold.lifted"]
    );
}

#[tokio::test]
async fn receipts_are_there_when_they_can_be() {
    let world = world().await;
    let me = world.token("upload", Place::Own).await;
    let open = world.receiving(Place::Own).await;
    let early = me
        .get(&format!("/v1/recordings/{open}/receipt"))
        .await
        .expect(409);
    assert_eq!(early.problem(), "receipt-not-ready");
    assert_eq!(early.header("retry-after"), "1");
    let id = world.recording(Place::Own, b"x").await;
    world.published().await;
    let path = format!("/v1/recordings/{id}/receipt?level=stored");
    let receipt = me.get(&path).await.expect(200);
    assert_eq!(receipt.header("content-type"), "application/json");
    assert_eq!(
        me.get(&path).await.expect(200).body,
        receipt.body,
        "never issued differently"
    );
    me.get(&format!("/v1/recordings/{id}/receipt?level=best"))
        .await
        .expect(400);
}

#[tokio::test]
async fn custody_names_who_and_pages() {
    let world = world().await;
    let id = world.recording(Place::Own, b"x").await;
    world.published().await;
    let me = world.signed_in(Role::Auditor, Place::Own).await;
    let path = format!("/v1/recordings/{id}/custody");
    let first = me.get(&format!("{path}?limit=1")).await.expect(200).json();
    assert_eq!(first["items"][0]["kind"], "recording.announced");
    assert_eq!(first["items"][0]["actor"]["type"], "system");
    assert!(first["items"][0]["leaf_index"].is_u64());
    let next = first["next"].as_str().expect("more");
    let second = me
        .get(&format!("{path}?limit=1&cursor={next}"))
        .await
        .expect(200)
        .json();
    assert_eq!(second["items"][0]["kind"], "recording.sealed");
    assert_eq!(second["items"][0]["body"]["size_bytes"], 1);
}
