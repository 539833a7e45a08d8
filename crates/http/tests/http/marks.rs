//! Markers and clips.

use docket_catalog::Role;
use serde_json::{Value, json};

use crate::play::playable;
use crate::world::{Place, World, world};

async fn events(world: &World, id: &str) -> Vec<Value> {
    let reader = world.token("audit", Place::Parent).await;
    let path = format!("/v1/recordings/{id}/custody");
    let page = reader.get(&path).await.expect(200).json();
    page["items"].as_array().expect("list").clone()
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["kind"] == kind)
        .collect()
}

#[tokio::test]
async fn a_clip_is_a_recording_that_says_what_it_was_made_of() {
    let world = world().await;
    let source = playable(&world, Place::Own).await.to_string();
    let me = world.signed_in(Role::Supervisor, Place::Own).await;
    let path = format!("/v1/recordings/{source}/clips");
    let wanted = json!({"from_ms": 1_500, "until_ms": 1_600, "reason": "案件听证"});
    let keyed = me.with("idempotency-key", "one");
    let made = keyed.post(&path, wanted.clone()).await.expect(201);
    let clip = made.json();
    let id = clip["id"].as_str().expect("id").to_owned();
    assert_eq!(made.header("location"), format!("/v1/recordings/{id}"));
    assert_eq!(
        (&clip["kind"], &clip["derived_from"]["recording"]),
        (&json!("clip"), &json!(source))
    );
    // From the keyframe on, to the end of the frame.
    assert_eq!(clip["derived_from"]["from_ms"], 1_000);
    assert_eq!(clip["derived_from"]["until_ms"], 2_000);
    assert_eq!(clip["derived_from"]["transcoded"], false);
    let again = keyed.post(&path, wanted).await.expect(201).json();
    assert_eq!(again["id"], clip["id"]);

    world.ingest().clip_round().await.expect("made");
    let sealed = me
        .get(&format!("/v1/recordings/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(sealed["state"], "sealed", "{sealed}");
    let bytes = me
        .get(&format!("/v1/recordings/{id}/original"))
        .await
        .expect(200)
        .body;
    assert!(bytes.starts_with(b"init") && bytes.ends_with(b"BBBBB"));
    let digest = docket_base::Sha256Digest::of(&bytes).to_string();
    assert_eq!(sealed["sha256"], digest);

    world.published().await;
    for about in [&source, &id] {
        let events = events(&world, about).await;
        let made = of(&events, "clip.made");
        assert_eq!(made.len(), 1, "{about}");
        let body = &made[0]["body"];
        assert_eq!(
            (&body["clip"], &body["source"]),
            (&json!(id), &json!(source))
        );
        assert_eq!(body["clip_sha256"], digest);
        assert_eq!(body["source_sha256"], clip["derived_from"]["sha256"]);
        assert!(
            !made[0].to_string().contains("听证"),
            "free text stays out of the log"
        );
    }
    let list = me.get(&path).await.expect(200).json();
    assert_eq!(list["items"][0]["id"], clip["id"]);
    let clips = me.get("/v1/recordings?kind=clip").await.expect(200).json();
    assert_eq!(clips["items"].as_array().expect("list").len(), 1);
    assert_eq!(clips["items"][0]["derived_from"]["reason"], "案件听证");
    let originals = me.get("/v1/recordings?kind=video").await.expect(200).json();
    assert_eq!(originals["items"][0]["id"], json!(source));

    // It never passes as an original, and nothing takes it for an upload.
    let correct = json!({"field": "kind", "value": "video", "reason": "no"});
    me.post(&format!("/v1/recordings/{id}/corrections"), correct)
        .await
        .expect(422);
    let correct = json!({"field": "kind", "value": "clip", "reason": "no"});
    me.post(&format!("/v1/recordings/{source}/corrections"), correct)
        .await
        .expect(422);
}

#[tokio::test]
async fn a_clip_that_can_not_be_is_refused() {
    let world = world().await;
    let source = playable(&world, Place::Own).await;
    let me = world.signed_in(Role::CaseHandler, Place::Own).await;
    let path = format!("/v1/recordings/{source}/clips");
    for bad in [
        json!({"from_ms": 0, "until_ms": 1_000, "reason": " "}),
        json!({"from_ms": 1_000, "until_ms": 1_000, "reason": "r"}),
        json!({"from_ms": 9_000, "until_ms": 10_000, "reason": "r"}),
    ] {
        me.post(&path, bad).await.expect(422);
    }
    let open = world.receiving(Place::Own).await;
    let wanted = json!({"from_ms": 0, "until_ms": 1_000, "reason": "r"});
    me.post(&format!("/v1/recordings/{open}/clips"), wanted)
        .await
        .expect(409);
}

#[tokio::test]
async fn a_marker_is_placed_and_withdrawn_and_its_history_stays() {
    let world = world().await;
    let id = playable(&world, Place::Own).await.to_string();
    let me = world.signed_in(Role::CaseHandler, Place::Own).await;
    let path = format!("/v1/recordings/{id}/markers");
    let late = json!({"at_ms": 1_500, "text": "出示证件"});
    me.post(&path, late).await.expect(201);
    let early = json!({"at_ms": 500, "until_ms": 900, "text": "进入现场"});
    let placed = me.post(&path, early).await.expect(201).json();
    for bad in [
        json!({"at_ms": 2_001, "text": "beyond"}),
        json!({"at_ms": 500, "until_ms": 400, "text": "backwards"}),
        json!({"at_ms": 500, "text": " "}),
    ] {
        me.post(&path, bad).await.expect(422);
    }
    let list = me.get(&path).await.expect(200).json();
    let items = list["items"].as_array().expect("list");
    assert_eq!((items.len(), &items[0]["text"]), (2, &json!("进入现场")));
    assert_eq!(items[0]["until_ms"], 900);

    let one = format!("{path}/{}", placed["id"].as_str().expect("id"));
    me.delete(&one).await.expect(204);
    me.delete(&one).await.expect(204);
    let list = me.get(&path).await.expect(200).json();
    assert!(list["items"][0]["withdrawn_at"].is_string());
    assert!(list["items"][1]["withdrawn_at"].is_null());
    world.published().await;
    let events = events(&world, &id).await;
    let counts = (
        of(&events, "marker.placed").len(),
        of(&events, "marker.withdrawn").len(),
    );
    assert_eq!(counts, (2, 1));
    assert!(!Value::from(events).to_string().contains("现场"));
}
