//! One opening and one closing event a viewing; one event a download; none for looking at facts.

use crate::play::playable;
use crate::world::{Place, world};

#[tokio::test]
async fn many_ranges_are_one_viewing_that_ends_when_idle() {
    let world = world().await;
    let id = world.recording(Place::Own, b"0123456789").await;
    let me = world.token("read", Place::Own).await;
    let path = format!("/v1/recordings/{id}/original");
    let events = |kinds: Vec<String>| -> Vec<String> {
        kinds
            .into_iter()
            .filter(|kind| kind.starts_with("viewing.") || kind.ends_with(".downloaded"))
            .collect()
    };
    for range in ["bytes=0-", "bytes=2-4", "bytes=5-6"] {
        me.with("range", range).get(&path).await.expect(206);
        world.clock.advance_seconds(30);
    }
    assert_eq!(events(world.custody_of(id).await), ["viewing.opened"]);
    assert_eq!(world.app.viewings().close_idle().await.expect("round"), 0);
    world.clock.advance_seconds(601);
    assert_eq!(world.app.viewings().close_idle().await.expect("round"), 1);
    assert_eq!(world.app.viewings().close_idle().await.expect("round"), 0);
    assert_eq!(
        events(world.custody_of(id).await),
        ["viewing.opened", "viewing.closed"]
    );
    world.published().await;
    let auditor = world.token("audit", Place::Own).await;
    let custody = auditor
        .get(&format!("/v1/recordings/{id}/custody"))
        .await
        .expect(200)
        .json();
    let all = custody["items"].as_array().expect("list");
    let closed = all.iter().find(|event| event["kind"] == "viewing.closed");
    let closed = closed.expect("closed");
    assert_eq!(closed["body"]["served_bytes"], 10 + 3 + 2);

    // Looking again is another viewing.
    me.with("range", "bytes=0-").get(&path).await.expect(206);
    assert_eq!(
        events(world.custody_of(id).await),
        ["viewing.opened", "viewing.closed", "viewing.opened"]
    );
}

#[tokio::test]
async fn a_viewing_left_open_by_a_crash_is_closed_too() {
    let world = world().await;
    let id = world.recording(Place::Own, b"0123456789").await;
    let me = world.token("read", Place::Own).await;
    me.with("range", "bytes=0-")
        .get(&format!("/v1/recordings/{id}/original"))
        .await
        .expect(206);
    world.clock.advance_seconds(601);
    // The daemon that opened it is gone: another one knows nothing but the catalog.
    let after = docket_ingest::viewing::Viewings::new(world.app.ingest().clone());
    assert_eq!(after.close_idle().await.expect("round"), 1);
    assert!(
        world
            .custody_of(id)
            .await
            .contains(&"viewing.closed".to_owned())
    );
}

#[tokio::test]
async fn downloads_are_logged_one_by_one_and_facts_not_at_all() {
    let world = world().await;
    let id = world.recording(Place::Own, b"0123456789").await;
    let me = world.token("read", Place::Own).await;
    // Read-back goes on beside; it is nobody's looking.
    let looked = |kinds: Vec<String>| -> Vec<String> {
        let own = |kind: &String| !kind.starts_with("recording.verif");
        kinds.into_iter().filter(own).collect()
    };
    let before = looked(world.custody_of(id).await).len();
    let path = format!("/v1/recordings/{id}/original");
    me.send("HEAD", &path, None).await.expect(200);
    me.get(&format!("/v1/recordings/{id}")).await.expect(200);
    me.get(&format!("/v1/recordings/{id}/custody"))
        .await
        .expect(200);
    me.with("range", "bytes=99-").get(&path).await.expect(416);
    assert_eq!(looked(world.custody_of(id).await).len(), before);
    me.get(&path).await.expect(200);
    me.get(&path).await.expect(200);
    let kinds = looked(world.custody_of(id).await);
    assert_eq!(
        &kinds[before..],
        ["recording.downloaded", "recording.downloaded"]
    );
}

#[tokio::test]
async fn what_a_player_says_it_showed_is_logged_as_its_claim() {
    let world = world().await;
    let id = playable(&world, Place::Own).await;
    let me = world.token("read", Place::Own).await;
    let path = format!("/v1/recordings/{id}/shown");
    let claim = serde_json::json!({"stretches": [
        {"from_ms": 0, "until_ms": 4000}, {"from_ms": 3000, "until_ms": 5000}, {"from_ms": 9000, "until_ms": 9500}]});
    // Nothing was served yet, so there is nothing to claim.
    me.send("POST", &path, Some(claim.clone()))
        .await
        .expect(409);
    me.get(&format!("/v1/recordings/{id}/hls/0.m4s"))
        .await
        .expect(200);
    me.send("POST", &path, Some(claim)).await.expect(204);
    for wrong in [(5, 5), (0, u64::MAX)] {
        let wrong = serde_json::json!({"stretches": [{"from_ms": wrong.0, "until_ms": wrong.1}]});
        me.send("POST", &path, Some(wrong)).await.expect(422);
    }
    let other = world.token("read", Place::Sibling).await;
    let none = serde_json::json!({"stretches": []});
    other.send("POST", &path, Some(none)).await.expect(404);

    world.clock.advance_seconds(601);
    assert_eq!(world.app.viewings().close_idle().await.expect("round"), 1);
    world.published().await;
    let auditor = world.token("audit", Place::Own).await;
    let custody = auditor
        .get(&format!("/v1/recordings/{id}/custody"))
        .await
        .expect(200)
        .json();
    let all = custody["items"].as_array().expect("list");
    let closed = all.iter().find(|event| event["kind"] == "viewing.closed");
    let claimed = &closed.expect("closed")["body"]["claimed"];
    let expected = serde_json::json!([
        {"from_ms": 0, "until_ms": 5000}, {"from_ms": 9000, "until_ms": 9500}]);
    assert_eq!(claimed, &expected);
}
