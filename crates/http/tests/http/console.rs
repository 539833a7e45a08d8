//! The console's files, where this build has them; else the page that says how to get them.

use std::path::Path;

use crate::world::world;

/// One of the hashed files under `assets/`.
fn asset() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../console/dist/assets");
    let names = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.into_iter().find(|name| name.ends_with(".js"))
}

#[tokio::test]
async fn without_assets_the_page_says_how_to_build_them() {
    if asset().is_some() {
        eprintln!("skipped: console/dist is there");
        return;
    }
    let world = world().await;
    let page = world
        .anonymous()
        .get("/recordings/some-id")
        .await
        .expect(200);
    assert!(page.text().contains("make console"));
}

#[tokio::test]
async fn hashed_files_stay_for_ever_and_the_page_is_asked_for_each_time() {
    let Some(name) = asset() else {
        eprintln!("skipped: no console/dist");
        return;
    };
    let world = world().await;
    let anybody = world.anonymous();
    let page = anybody.get("/").await.expect(200);
    assert_eq!(page.header("cache-control"), "no-cache");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("script-src 'self'") && !policy.contains("unsafe-eval"),
        "{policy}"
    );
    assert_eq!(
        anybody.get("/recordings/some-id").await.expect(200).body,
        page.body
    );

    let path = format!("/assets/{name}");
    let plain = anybody.get(&path).await.expect(200);
    assert!(plain.header("cache-control").ends_with("immutable"));
    assert_eq!(
        plain.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    for (encoding, accepted) in [("br", "gzip, deflate, br"), ("gzip", "gzip")] {
        let packed = anybody
            .with("accept-encoding", accepted)
            .get(&path)
            .await
            .expect(200);
        assert_eq!(packed.header("content-encoding"), encoding);
        assert_eq!(packed.header("vary"), "accept-encoding");
        assert!(packed.body.len() < plain.body.len());
        assert_ne!(packed.header("etag"), plain.header("etag"));
    }
    let etag = plain.header("etag").to_owned();
    let known = anybody
        .with("if-none-match", &etag)
        .get(&path)
        .await
        .expect(304);
    assert!(known.body.is_empty());
    for missing in [
        "/assets/gone.js",
        "/../Cargo.toml",
        "/assets/%2e%2e/%2e%2e/Cargo.toml",
    ] {
        anybody.get(missing).await.expect(404);
    }
}
