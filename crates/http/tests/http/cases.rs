//! Cases and what is tied to them.

use docket_catalog::Role;
use serde_json::{Value, json};

use crate::world::{Place, world};

/// 贵卫医罚〔2026〕12号 as browsers send it.
const NUMBER: &str =
    "/v1/cases/%E8%B4%B5%E5%8D%AB%E5%8C%BB%E7%BD%9A%E3%80%942026%E3%80%9512%E5%8F%B7";

fn items(list: &Value) -> usize {
    list["items"].as_array().expect("list").len()
}

#[tokio::test]
async fn a_case_is_put_and_put_again() {
    let world = world().await;
    let me = world.token("link,read", Place::Own).await;
    let first = me
        .put(NUMBER, json!({"title": "无证行医"}))
        .await
        .expect(201);
    assert_eq!(first.json()["number"], "贵卫医罚〔2026〕12号");
    let again = me
        .put(NUMBER, json!({"title": "无证行医"}))
        .await
        .expect(200);
    assert_eq!(again.json(), first.json());
    // Without a body nothing changes.
    me.send("PUT", NUMBER, None).await.expect(200);
    // Other brackets and widths are the same number.
    let other =
        "/v1/cases/%E8%B4%B5%E5%8D%AB%E5%8C%BB%E7%BD%9A%5B2026%5D%EF%BC%91%EF%BC%92%E5%8F%B7";
    assert_eq!(me.get(other).await.expect(200).json(), first.json());
    assert_eq!(items(&me.get("/v1/cases").await.json()), 1);

    let changed = me
        .put(NUMBER, json!({"title": "无证行医案", "state": "closed"}))
        .await
        .expect(200);
    assert_eq!(changed.json()["state"], "closed");
    assert_eq!(changed.json()["title"], "无证行医案");
    world.published().await;
    let events = world
        .app
        .catalog()
        .events_from_leaf(0, 1_000)
        .await
        .expect("events");
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| event.kind.as_str())
        .filter(|kind| kind.starts_with("case."))
        .collect();
    assert_eq!(
        kinds,
        ["case.put", "case.put", "case.closed"],
        "no event without a change"
    );
}

#[tokio::test]
async fn slashes_in_a_number_are_part_of_it() {
    let world = world().await;
    let me = world.token("link,read", Place::Own).await;
    let made = me
        .put("/v1/cases/2026%2F12%2Fa%3Fb", json!({}))
        .await
        .expect(201);
    assert_eq!(made.json()["number"], "2026/12/a?b");
    let id = world.recording(Place::Own, b"x").await;
    let path = format!("/v1/cases/2026%2F12%2Fa%3Fb/evidence/{id}");
    me.put(&path, json!({})).await.expect(201);
    let case = me
        .get("/v1/cases/2026%2F12%2Fa%3Fb")
        .await
        .expect(200)
        .json();
    assert_eq!(case["evidence"][0]["recording"]["id"], id.to_string());
}

#[tokio::test]
async fn a_version_can_be_insisted_on() {
    let world = world().await;
    let me = world.token("link,read", Place::Own).await;
    let etag = me
        .put("/v1/cases/1", json!({}))
        .await
        .expect(201)
        .header("etag")
        .to_owned();
    let insisting = me.with("if-match", &etag);
    insisting
        .put("/v1/cases/1", json!({"title": "a"}))
        .await
        .expect(200);
    let late = insisting
        .put("/v1/cases/1", json!({"title": "b"}))
        .await
        .expect(412);
    assert_eq!(late.problem(), "precondition-failed");
    insisting.put("/v1/cases/2", json!({})).await.expect(412);
}

#[tokio::test]
async fn a_link_is_made_once_and_removed_once() {
    let world = world().await;
    let me = world.signed_in(Role::CaseHandler, Place::Own).await;
    let id = world.recording(Place::Sub, b"x").await;
    me.put(NUMBER, json!({})).await.expect(201);
    let path = format!("{NUMBER}/evidence/{id}");
    let first = me
        .put(&path, json!({"note": "现场"}))
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&first["state"], &first["note"]),
        (&json!("linked"), &json!("现场"))
    );
    assert_eq!(first["by"]["type"], "user");
    me.put(&path, json!({})).await.expect(200);
    let case = me.get(NUMBER).await.expect(200).json();
    assert_eq!(case["evidence"].as_array().expect("list").len(), 1);
    let recording = me
        .get(&format!("/v1/recordings/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(recording["cases"][0]["number"], "贵卫医罚〔2026〕12号");
    let by_case = me
        .get("/v1/recordings?case=%E8%B4%B5%E5%8D%AB%E5%8C%BB%E7%BD%9A%282026%2912%E5%8F%B7")
        .await;
    assert_eq!(items(&by_case.expect(200).json()), 1);
    assert_eq!(
        items(&me.get("/v1/recordings?case=nothing").await.json()),
        0
    );

    me.delete(&path).await.expect(204);
    me.delete(&path).await.expect(204);
    let kinds = world.custody_of(id).await;
    let links: Vec<_> = kinds
        .iter()
        .filter(|kind| kind.starts_with("link."))
        .collect();
    assert_eq!(links, ["link.made", "link.removed"]);
}

#[tokio::test]
async fn without_the_right_to_link_it_is_a_proposal() {
    let world = world().await;
    let uploader = world.token("upload", Place::Own).await;
    let handler = world.signed_in(Role::CaseHandler, Place::Own).await;
    let id = world.recording(Place::Own, b"x").await;
    handler.put("/v1/cases/1", json!({})).await.expect(201);
    let path = format!("/v1/cases/1/evidence/{id}");
    let proposed = uploader.put(&path, json!({})).await.expect(201).json();
    assert_eq!(proposed["state"], "proposed");
    uploader.put(&path, json!({})).await.expect(200);
    uploader.delete(&path).await.expect(403);
    let confirmed = handler.put(&path, json!({})).await.expect(200).json();
    assert_eq!(confirmed["state"], "linked");
    // A proposal after that takes nothing back.
    assert_eq!(
        uploader.put(&path, json!({})).await.expect(200).json()["state"],
        "linked"
    );
    let kinds = world.custody_of(id).await;
    let links: Vec<_> = kinds
        .iter()
        .filter(|kind| kind.starts_with("link."))
        .collect();
    assert_eq!(links, ["link.proposed", "link.made"]);
}

#[tokio::test]
async fn everything_of_an_officer_and_a_time_is_tied_at_once() {
    let world = world().await;
    let officer = world.officer(Place::Own, "黔001").await;
    let mut mine = Vec::new();
    for _ in 0..3 {
        mine.push(
            world
                .recording_as(Place::Own, b"x", "video/mp4", "a.mp4", Some("黔001"))
                .await,
        );
        world.clock.advance_seconds(3_600);
    }
    world.recording(Place::Own, b"somebody else's").await;
    let hidden = world
        .recording_as(Place::Sibling, b"x", "video/mp4", "a.mp4", Some("黔001"))
        .await;
    let start = 1_795_000_000_i64;
    let at = |hours: i64| docket_base::Micros((start + hours * 3_600) * 1_000_000).to_rfc3339();
    let me = world.signed_in(Role::CaseHandler, Place::Own).await;
    me.put("/v1/cases/1", json!({})).await.expect(201);
    let window = |from, until| json!({"officer": officer.id.to_string(), "from_at": at(from), "until_at": at(until)});
    let path = "/v1/cases/1/evidence";
    let first = me.post(path, window(0, 2)).await.expect(200).json();
    assert_eq!((items(&first), &first["created"]), (2, &json!(2)));
    let all = me.post(path, window(-1, 100)).await.expect(200).json();
    assert_eq!((items(&all), &all["created"]), (3, &json!(1)));
    let case = me.get("/v1/cases/1").await.json().to_string();
    assert!(mine.iter().all(|id| case.contains(&id.to_string())));
    assert!(!case.contains(&hidden.to_string()));
    me.post(path, window(2, 1)).await.expect(422);
    let unknown = json!({"officer": mine[0].to_string(), "from_at": at(0), "until_at": at(1)});
    me.post(path, unknown).await.expect(422);
}

#[tokio::test]
async fn the_same_number_in_two_units_must_be_told_apart() {
    let world = world().await;
    let (own, sibling) = (world.unit_at(Place::Own), world.unit_at(Place::Sibling));
    let above = world.token("link,read", Place::Parent).await;
    above
        .put(&format!("/v1/cases/7?unit={own}"), json!({"title": "a"}))
        .await
        .expect(201);
    // One alone is found from above.
    assert_eq!(
        above.get("/v1/cases/7").await.expect(200).json()["title"],
        "a"
    );
    above
        .put(
            &format!("/v1/cases/7?unit={sibling}"),
            json!({"title": "b"}),
        )
        .await
        .expect(201);
    let which = above.get("/v1/cases/7").await.expect(409);
    assert_eq!(which.json()["units"].as_array().expect("units").len(), 2);
    let named = above
        .get(&format!("/v1/cases/7?unit={sibling}"))
        .await
        .expect(200);
    assert_eq!(named.json()["title"], "b");
    // From within each unit there is only the own one.
    let inside = world.token("read", Place::Own).await;
    assert_eq!(
        inside.get("/v1/cases/7").await.expect(200).json()["title"],
        "a"
    );
    inside
        .get(&format!("/v1/cases/7?unit={sibling}"))
        .await
        .expect(404);
}

#[tokio::test]
async fn a_case_shows_no_recording_of_other_units() {
    let world = world().await;
    let above = world.token("link,read", Place::Parent).await;
    let own = world.unit_at(Place::Own);
    let (seen, unseen) = (
        world.recording(Place::Own, b"x").await,
        world.recording(Place::Sibling, b"y").await,
    );
    above
        .put(&format!("/v1/cases/1?unit={own}"), json!({}))
        .await
        .expect(201);
    for id in [seen, unseen] {
        above
            .put(&format!("/v1/cases/1/evidence/{id}?unit={own}"), json!({}))
            .await
            .expect(201);
    }
    let inside = world.token("read", Place::Own).await;
    let case = inside.get("/v1/cases/1").await.expect(200).json();
    assert_eq!(case["evidence"].as_array().expect("list").len(), 1);
    assert_eq!(case["evidence"][0]["recording"]["id"], seen.to_string());
}
