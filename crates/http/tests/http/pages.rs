//! What everybody sees: headers, problems, descriptions, the console's place.

use serde_json::Value;

use crate::world::{Place, world};

#[tokio::test]
async fn every_answer_has_the_security_headers_and_an_id() {
    let world = world().await;
    for path in [
        "/",
        "/healthz",
        "/v1/units",
        "/nothing.js",
        "/v1/nothing",
        "/openapi.json",
        "/api",
        "/problems",
    ] {
        let answer = world.anonymous().get(path).await;
        for name in [
            "x-content-type-options",
            "content-security-policy",
            "referrer-policy",
            "x-frame-options",
            "x-request-id",
        ] {
            assert!(answer.headers.contains_key(name), "{path}: {name}");
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src 'unsafe"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    assert_eq!(
        me.get("/v1/nothing").await.expect(404).problem(),
        "not-found"
    );
    let wrong = me.send("DELETE", "/v1/units", None).await.expect(405);
    assert_eq!(wrong.problem(), "method-not-allowed");
    assert!(wrong.header("allow").contains("GET"));
    let id = me.with("x-request-id", "abc-1").get("/v1/nothing").await;
    assert_eq!(id.json()["request_id"], "abc-1");
    let hostile = me.with("x-request-id", "a b").get("/v1/nothing").await;
    assert_ne!(hostile.header("x-request-id"), "a b");
}

#[tokio::test]
async fn bodies_that_can_not_be_read_are_problems() {
    let world = world().await;
    let admin = world.token("admin", Place::Own).await;
    let send = |kind: &str, text: String| {
        let body = Some((kind.to_owned(), text));
        let admin = admin.clone();
        async move {
            admin
                .send_body("POST", "/v1/officers", body)
                .await
                .problem()
        }
    };
    assert_eq!(send("application/json", "{".into()).await, "bad-request");
    assert_eq!(
        send("application/json", "{\"nom\": 1}".into()).await,
        "invalid"
    );
    assert_eq!(
        send("text/plain", "{}".into()).await,
        "unsupported-media-type"
    );
    let endless = format!("\"{}\"", "a".repeat(5 << 20));
    assert_eq!(send("application/json", endless).await, "too-large");
}

#[tokio::test]
async fn the_description_stands_by_itself() {
    let world = world().await;
    let document: Value = world
        .anonymous()
        .get("/openapi.json")
        .await
        .expect(200)
        .json();
    assert!(
        document["openapi"]
            .as_str()
            .expect("version")
            .starts_with("3.1")
    );
    let text = document.to_string();
    // Every reference leads somewhere.
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().expect("name");
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
    let page = world.anonymous().get("/api").await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        page.text()
            .contains("/v1/cases/{number}/evidence/{recording}")
    );
    for outside in ["http://", "https://", "<script"] {
        assert!(
            !page.text().contains(outside),
            "loads nothing from outside: {outside}"
        );
    }
}

#[tokio::test]
async fn every_problem_explains_itself() {
    let world = world().await;
    let list = world.anonymous().get("/problems").await.expect(200).text();
    for kind in docket_http::problem::KINDS {
        let path = format!("/problems/{}", kind.slug());
        assert!(list.contains(&path));
        let page = world.anonymous().get(&path).await.expect(200).text();
        assert!(page.contains(kind.about_zh()));
    }
    world.anonymous().get("/problems/none").await.expect(404);
}

#[tokio::test]
async fn the_ledger_is_readable_by_everybody_but_its_entries() {
    let world = world().await;
    world.recording(Place::Own, b"x").await;
    world.published().await;
    let anybody = world.anonymous();
    let key = anybody.get("/v1/ledger/key").await.expect(200).text();
    assert!(key.starts_with("docket.test/ledger+") && key.ends_with('\n'));
    let checkpoint = anybody
        .get("/v1/ledger/checkpoint")
        .await
        .expect(200)
        .text();
    let size = checkpoint.lines().nth(1).expect("size");
    let tile = format!("/v1/ledger/tile/0/000.p/{size}");
    let hashes = anybody.get(&tile).await.expect(200);
    assert_eq!(
        hashes.body.len(),
        32 * size.parse::<usize>().expect("number")
    );
    assert!(hashes.header("cache-control").contains("immutable"));
    let bundle = format!("/v1/ledger/tile/entries/000.p/{size}");
    anybody.get(&bundle).await.expect(401);
    world
        .token("read,audit", Place::Own)
        .await
        .get(&bundle)
        .await
        .expect(403);
    let auditor = world.token("audit", Place::Parent).await;
    let entries = auditor.get(&bundle).await.expect(200);
    assert!(entries.text().contains("recording.sealed"));
    for wrong in [
        "0/0",
        "../checkpoint",
        "0/000.p/999",
        "9/000",
        "%2e%2e/key",
        "entries",
    ] {
        anybody
            .get(&format!("/v1/ledger/tile/{wrong}"))
            .await
            .expect(404);
    }
}
