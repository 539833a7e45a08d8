//! Sign-in, sessions, CSRF.

use docket_catalog::Role;
use docket_http::Settings;
use serde_json::json;

use crate::call::{Answer, Caller, HOST_NAME, Session};
use crate::world::{PASSWORD, Place, world, world_with};

#[tokio::test]
async fn a_session_begins_tells_who_it_is_and_ends() {
    let world = world().await;
    let name = world.user(Role::Supervisor, Place::Own).await;
    let body = json!({"name": name, "password": PASSWORD});
    let answer = world
        .anonymous()
        .post("/v1/session", body)
        .await
        .expect(200);
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("docket_session="));
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain HTTP: {cookie}");
    let user = &answer.json()["user"];
    assert_eq!(user["name"], name);
    assert_eq!(user["role"], "supervisor");
    assert_eq!(user["unit"]["name"], "单位O");

    let me = Caller::session(&world, Session::open(&world, &name, PASSWORD).await);
    let again = me.get("/v1/session").await.expect(200).json();
    assert_eq!(again["user"]["name"], name);
    me.delete("/v1/session").await.expect(204);
    assert_eq!(me.get("/v1/session").await.problem(), "sign-in-required");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure() {
    let settings = Settings {
        tls: true,
        ..Settings::default()
    };
    let world = world_with(settings).await;
    let name = world.user(Role::Auditor, Place::Own).await;
    let body = json!({"name": name, "password": PASSWORD});
    let answer = world
        .anonymous()
        .post("/v1/session", body)
        .await
        .expect(200);
    assert!(answer.header("set-cookie").contains("; Secure"));
}

async fn put(who: Caller<'_>) -> Answer {
    who.put("/v1/cases/1", json!({})).await
}

#[tokio::test]
async fn a_change_needs_the_token_and_the_own_origin() {
    let world = world().await;
    let me = world.signed_in(Role::CaseHandler, Place::Own).await;
    let refused = put(me.without("x-docket-csrf")).await;
    assert_eq!(refused.problem(), "csrf-mismatch");
    let refused = put(me.with("x-docket-csrf", "AAAA")).await;
    assert_eq!(refused.problem(), "csrf-mismatch");
    for origin in [
        "http://evil.example",
        "null",
        "http://docket.test",
        "http://docket.test:8601",
    ] {
        let refused = put(me.with("origin", origin)).await;
        assert_eq!(refused.problem(), "origin-mismatch", "{origin}");
    }
    assert_eq!(put(me.without("origin")).await.problem(), "origin-mismatch");
    put(me.with("origin", &format!("https://{HOST_NAME}")))
        .await
        .expect(201);
    put(me).await.expect(200);
}

#[tokio::test]
async fn the_token_of_another_session_is_no_token() {
    let world = world().await;
    let name = world.user(Role::CaseHandler, Place::Own).await;
    let one = Session::open(&world, &name, PASSWORD).await;
    let other = Session::open(&world, &name, PASSWORD).await;
    assert_ne!(one.csrf, other.csrf);
    let mixed = Session {
        csrf: other.csrf,
        ..one
    };
    let answer = Caller::session(&world, mixed)
        .put("/v1/cases/1", json!({}))
        .await;
    assert_eq!(answer.problem(), "csrf-mismatch");
}

#[tokio::test]
async fn another_site_signs_nobody_in() {
    let world = world().await;
    let name = world.user(Role::Auditor, Place::Own).await;
    let body = json!({"name": name, "password": PASSWORD});
    let foreign = world.anonymous().with("origin", "http://evil.example");
    assert_eq!(
        foreign.post("/v1/session", body.clone()).await.problem(),
        "origin-mismatch"
    );
    // And a form can't: it sends no JSON.
    let form = ("text/plain".to_owned(), body.to_string());
    let answer = world
        .anonymous()
        .send_body("POST", "/v1/session", Some(form))
        .await;
    assert_eq!(answer.problem(), "unsupported-media-type");
}

#[tokio::test]
async fn sessions_end_when_idle_and_at_the_latest() {
    let world = world().await;
    let (idle, longest) = (3_600, 12 * 3_600);
    let me = world.signed_in(Role::Auditor, Place::Own).await;
    for _ in 0..3 {
        world.clock.advance_seconds(idle - 60);
        me.get("/v1/session").await.expect(200);
    }
    world.clock.advance_seconds(idle + 1);
    assert_eq!(me.get("/v1/session").await.problem(), "sign-in-required");

    let busy = world.signed_in(Role::Auditor, Place::Own).await;
    let mut lived = 0;
    while lived + idle / 2 < longest {
        world.clock.advance_seconds(idle / 2);
        lived += idle / 2;
        busy.get("/v1/session").await.expect(200);
    }
    world.clock.advance_seconds(idle / 2 + 1);
    assert_eq!(busy.get("/v1/session").await.problem(), "sign-in-required");
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let world = world().await;
    let name = world.user(Role::Supervisor, Place::Own).await;
    let here = Caller::session(&world, Session::open(&world, &name, PASSWORD).await);
    let elsewhere = Caller::session(&world, Session::open(&world, &name, PASSWORD).await);
    let change = |old: &str, new: &str| json!({"old": old, "new": new});
    let path = "/v1/session/password";
    let wrong = here
        .post(path, change("not the password", "a new long one"))
        .await;
    assert_eq!(wrong.problem(), "wrong-password");
    assert_eq!(
        here.post(path, change(PASSWORD, "short")).await.problem(),
        "invalid"
    );
    here.post(path, change(PASSWORD, "a new long one"))
        .await
        .expect(204);
    here.get("/v1/session").await.expect(200);
    elsewhere.get("/v1/session").await.expect(401);
    let old = json!({"name": name, "password": PASSWORD});
    world.anonymous().post("/v1/session", old).await.expect(401);
    Session::open(&world, &name, "a new long one").await;
}

#[tokio::test]
async fn who_is_kept_out_or_demoted_feels_it_at_once() {
    let world = world().await;
    let admin = world.signed_in(Role::Administrator, Place::Own).await;
    let name = world.user(Role::Supervisor, Place::Sub).await;
    let them = Caller::session(&world, Session::open(&world, &name, PASSWORD).await);
    let id = them.get("/v1/session").await.json()["user"]["id"].clone();
    let path = format!("/v1/users/{}", id.as_str().expect("id"));
    admin
        .patch(&path, json!({"disabled": true}))
        .await
        .expect(200);
    them.get("/v1/recordings").await.expect(401);
    let body = json!({"name": name, "password": PASSWORD});
    let answer = world.anonymous().post("/v1/session", body).await;
    assert_eq!(answer.problem(), "wrong-password");
}

#[tokio::test]
async fn host_names_can_be_listed() {
    let settings = Settings {
        allowed_hosts: vec!["docket.test".to_owned()],
        ..Settings::default()
    };
    let world = world_with(settings).await;
    world.anonymous().get("/healthz").await.expect(200);
    let rebound = world.anonymous().with("host", "evil.example:8600");
    assert_eq!(
        rebound.get("/healthz").await.problem(),
        "misdirected-request"
    );
}
