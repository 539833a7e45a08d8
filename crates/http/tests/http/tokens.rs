//! Bearer tokens.

use docket_catalog::Role;
use serde_json::json;

use crate::call::Caller;
use crate::world::{Place, world};

#[tokio::test]
async fn a_token_is_told_once_works_and_is_taken_back() {
    let world = world().await;
    let admin = world.signed_in(Role::Administrator, Place::Own).await;
    let wanted = json!({"name": "案件系统", "scopes": ["link", "read"]});
    let made = admin.post("/v1/tokens", wanted).await.expect(201).json();
    let secret = made["secret"].as_str().expect("secret").to_owned();
    assert_eq!(made["scopes"], json!(["read", "link"]));
    let listed = admin.get("/v1/tokens").await.expect(200);
    assert!(!listed.text().contains(&secret));

    let token = Caller::bearer(&world, secret.clone());
    token.get("/v1/recordings").await.expect(200);
    // Neither session nor Origin is needed, and a foreign Origin does not matter.
    token
        .with("origin", "http://evil.example")
        .put("/v1/cases/1", json!({}))
        .await
        .expect(201);
    let path = format!("/v1/tokens/{}", made["id"].as_str().expect("id"));
    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.expect(204);
    let refused = token.get("/v1/recordings").await.expect(401);
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    let last = admin.get("/v1/tokens").await.json();
    assert!(last["items"][0]["revoked_at"].is_string());
    assert!(last["items"][0]["last_used_at"].is_string());
}

#[tokio::test]
async fn nothing_but_the_exact_token_opens() {
    let world = world().await;
    let text = world.token_text("read", Place::Own).await;
    let mut other = text.clone();
    let last = if other.pop() == Some('A') { 'E' } else { 'A' };
    other.push(last);
    for wrong in [
        "",
        "dkt_",
        &other,
        &text[..text.len() - 2],
        &format!("{text}x"),
    ] {
        Caller::bearer(&world, wrong.to_owned())
            .get("/v1/units")
            .await
            .expect(401);
    }
    let basic = world
        .anonymous()
        .with("authorization", &format!("Basic {text}"));
    basic.get("/v1/units").await.expect(401);
    // Never in an address.
    world
        .anonymous()
        .get(&format!("/v1/units?token={text}&access_token={text}"))
        .await
        .expect(401);
    Caller::bearer(&world, text)
        .get("/v1/units")
        .await
        .expect(200);
}

#[tokio::test]
async fn unknown_scopes_and_roles_are_refused() {
    let world = world().await;
    let admin = world.token("admin", Place::Own).await;
    let answer = admin
        .post("/v1/tokens", json!({"name": "x", "scopes": ["root"]}))
        .await;
    assert_eq!(answer.expect(422).problem(), "invalid");
    let answer = admin
        .post("/v1/tokens", json!({"name": "x", "scopes": []}))
        .await;
    answer.expect(422);
    let user = json!({"name": "x", "role": "king", "password": "0123456789"});
    admin.post("/v1/users", user).await.expect(422);
    let user = json!({"name": "x", "role": "auditor", "password": "short"});
    admin.post("/v1/users", user).await.expect(422);
}
