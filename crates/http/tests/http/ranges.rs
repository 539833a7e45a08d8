//! The original's bytes.

use crate::world::{Place, World, world};
use docket_base::ids::RecordingId;

const BYTES: &[u8] = b"0123456789abcdef";

fn path(id: RecordingId) -> String {
    format!("/v1/recordings/{id}/original")
}

async fn one(world: &World) -> RecordingId {
    world.recording(Place::Own, BYTES).await
}

#[tokio::test]
async fn the_whole_comes_with_digest_and_length() {
    let world = world().await;
    let id = one(&world).await;
    let me = world.token("read", Place::Own).await;
    let answer = me.get(&path(id)).await.expect(200);
    assert_eq!(answer.body, BYTES);
    assert_eq!(answer.header("content-length"), "16");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    let digest = docket_base::Sha256Digest::of(BYTES);
    assert_eq!(answer.header("etag"), format!("\"{digest}\""));
    assert_eq!(answer.header("content-type"), "video/mp4");
    assert!(
        answer
            .header("content-disposition")
            .starts_with("inline; filename*=UTF-8''%E7%8E%B0")
    );
    let head = me.send("HEAD", &path(id), None).await.expect(200);
    assert_eq!((head.body.len(), head.header("content-length")), (0, "16"));
}

#[tokio::test]
async fn ranges_are_exact() {
    let world = world().await;
    let id = one(&world).await;
    let me = world.token("read", Place::Own).await;
    for (range, body, content_range) in [
        ("bytes=0-0", &b"0"[..], "bytes 0-0/16"),
        ("bytes=10-", b"abcdef", "bytes 10-15/16"),
        ("bytes=-3", b"def", "bytes 13-15/16"),
        ("bytes=4-99", b"456789abcdef", "bytes 4-15/16"),
    ] {
        let answer = me.with("range", range).get(&path(id)).await.expect(206);
        assert_eq!(answer.body, body, "{range}");
        assert_eq!(answer.header("content-range"), content_range);
        assert_eq!(answer.header("content-length"), body.len().to_string());
    }
    let several = me
        .with("range", "bytes=0-1,4-5")
        .get(&path(id))
        .await
        .expect(200);
    assert_eq!(several.body, BYTES);
    let beyond = me
        .with("range", "bytes=16-")
        .get(&path(id))
        .await
        .expect(416);
    assert_eq!(beyond.header("content-range"), "bytes */16");
    assert_eq!(beyond.problem(), "range-not-satisfiable");
}

#[tokio::test]
async fn conditions_are_kept() {
    let world = world().await;
    let id = one(&world).await;
    let me = world.token("read", Place::Own).await;
    let etag = format!("\"{}\"", docket_base::Sha256Digest::of(BYTES));
    let part = me.with("range", "bytes=0-3");
    part.with("if-range", &etag)
        .get(&path(id))
        .await
        .expect(206);
    part.with("if-range", "\"old\"")
        .get(&path(id))
        .await
        .expect(200);
    let known = me
        .with("if-none-match", &etag)
        .get(&path(id))
        .await
        .expect(304);
    assert!(known.body.is_empty());
    me.with("if-match", "\"old\"")
        .get(&path(id))
        .await
        .expect(412);
}

#[tokio::test]
async fn what_could_script_the_console_goes_out_as_a_sandboxed_download() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    let hostile = b"<script>fetch('/v1/users')</script>";
    for media_type in [
        "text/html",
        "image/svg+xml",
        "application/pdf",
        "text/html; charset=utf-8",
    ] {
        let id = world
            .recording_as(Place::Own, hostile, media_type, "\"><script>.html", None)
            .await;
        let answer = me.get(&path(id)).await.expect(200);
        assert_eq!(answer.body, hostile, "the bytes are exact");
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert!(
            answer
                .header("content-disposition")
                .starts_with("attachment; ")
        );
        assert!(!answer.header("content-disposition").contains('<'));
        assert!(answer.header("content-security-policy").contains("sandbox"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn what_is_still_arriving_has_no_original() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    let id = world.receiving(Place::Own).await;
    let answer = me.get(&path(id)).await.expect(409);
    assert_eq!(answer.problem(), "conflict");
    assert!(
        answer.json()["detail"]
            .as_str()
            .expect("detail")
            .contains(&format!("/files/{id}"))
    );
}
