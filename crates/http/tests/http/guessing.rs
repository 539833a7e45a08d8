//! Guessing passwords is slow and tells nothing.

use docket_catalog::Role;
use serde_json::json;

use crate::call::Answer;
use crate::world::{PASSWORD, Place, World, world};

async fn try_in(world: &World, name: &str, password: &str) -> Answer {
    let body = json!({"name": name, "password": password});
    world.anonymous().post("/v1/session", body).await
}

#[tokio::test]
async fn a_known_and_an_unknown_name_answer_alike_and_lock_alike() {
    let world = world().await;
    let known = world.user(Role::Auditor, Place::Own).await;
    for name in [known.as_str(), "nobody"] {
        for _ in 0..5 {
            let answer = try_in(&world, name, "wrong password").await.expect(401);
            assert_eq!(answer.problem(), "wrong-password");
        }
        let locked = try_in(&world, name, "wrong password").await.expect(429);
        assert_eq!(locked.problem(), "locked-out");
        assert_eq!(locked.header("retry-after"), "61");
    }
    // Not even the right one opens it, until the time is over.
    try_in(&world, &known, PASSWORD).await.expect(429);
    world.clock.advance_seconds(61);
    try_in(&world, &known, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn the_name_is_the_same_however_it_is_written() {
    let world = world().await;
    let known = world.user(Role::Auditor, Place::Own).await;
    for spelling in [&known, &known.to_uppercase(), &format!(" {known} ")] {
        try_in(&world, spelling, PASSWORD).await.expect(200);
    }
    for n in 0..5 {
        let spelling = if n % 2 == 0 {
            known.to_uppercase()
        } else {
            known.clone()
        };
        try_in(&world, &spelling, "wrong password")
            .await
            .expect(401);
    }
    try_in(&world, &known, PASSWORD).await.expect(429);
}

#[tokio::test]
async fn wrong_passwords_and_locks_are_logged() {
    let world = world().await;
    let known = world.user(Role::Auditor, Place::Own).await;
    for _ in 0..5 {
        try_in(&world, &known, "wrong password").await.expect(401);
    }
    try_in(&world, "nobody", "wrong password").await.expect(401);
    world.published().await;
    let events = world
        .app
        .catalog()
        .events_from_leaf(0, 1_000)
        .await
        .expect("events");
    let count = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
    assert_eq!(
        count("session.refused"),
        5,
        "unknown names can't fill the ledger"
    );
    assert_eq!(count("session.locked"), 1);
}
