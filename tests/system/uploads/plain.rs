//! An upload that goes well, and what may be asked of it meanwhile.

use serde_json::json;

use crate::harness::api::{id_of, path_of};
use crate::harness::{Content, Daemon, until};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn a_file_in_pieces_is_sealed_byte_identical() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(1, 5 * MIB + 17);
    let metadata = [
        ("filename", "餐厅检查 第1段.mp4"),
        ("filetype", "video/mp4"),
        ("sha256", &content.sha256()),
        ("recorded_at", "2026-11-23T09:30:00+08:00"),
    ];
    let path = api.create(content.size_bytes, &metadata).await;
    let id = id_of(&path);

    let growing = api.recording(&id).await;
    assert_eq!(growing["state"], "receiving");
    let mut offset = 0;
    for piece in content.pieces(0, 2 * MIB) {
        let length = piece.len() as u64;
        let answer = api.patch(&path, offset, piece).await.expect(204);
        offset += length;
        assert_eq!(answer.offset(), Some(offset));
        if offset < content.size_bytes {
            assert_eq!(api.head(&path).await.expect(200).offset(), Some(offset));
            let range = api.request("GET", &path).header("range", "bytes=100-199");
            let part = api.send(range).await.expect(206);
            assert_eq!(part.body, content.slice(100, 200));
            assert_eq!(part.header("content-range"), Some("bytes 100-199/*"));
        }
    }

    let sealed = api.await_state(&id, "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
    assert_eq!(sealed["size_bytes"], content.size_bytes);
    assert_eq!(sealed["file_name"], "餐厅检查 第1段.mp4");
    assert_eq!(sealed["recorded_at"], "2026-11-23T01:30:00.000000Z");
    for place in [path, format!("/v1/recordings/{id}/original")] {
        let whole = api.get(&place).await.expect(200);
        assert_eq!(whole.body, content.whole());
        let etag = whole.header("etag").expect("an ETag");
        assert!(etag.contains(&content.sha256()), "{etag}");
        assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
        let suffix = api.request("GET", &place).header("range", "bytes=-5");
        let part = api.send(suffix).await.expect(206);
        assert_eq!(
            part.body,
            content.slice(content.size_bytes - 5, content.size_bytes)
        );
        let beyond = api
            .request("GET", &place)
            .header("range", "bytes=99999999-");
        api.send(beyond).await.expect(416);
    }
    let kinds = api.custody(&id).await;
    assert!(
        kinds.iter().any(|kind| kind == "recording.sealed"),
        "{kinds:?}"
    );
    daemon.assert_sound().await;
}

#[tokio::test]
async fn every_original_lies_readable_in_the_vault_and_nobody_may_write_it() {
    use std::os::unix::fs::PermissionsExt;
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(2, 70_000);
    let id = api
        .upload(content, &[("filename", "../../etc/passwd")])
        .await;
    api.await_state(&id, "sealed").await;
    let originals = daemon.data().join("vault/originals");
    let found = walk(&originals);
    let original = found
        .iter()
        .find(|path| path.ends_with(format!("{id}/original")));
    let original = original.unwrap_or_else(|| panic!("no original of {id} among {found:?}"));
    assert_eq!(std::fs::read(original).expect("readable"), content.whole());
    let mode = std::fs::metadata(original)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o222, 0, "mode {mode:o}");
    assert!(!daemon.data().join("vault/etc").exists());
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.file_type().expect("a type").is_dir() {
            true => found.extend(walk(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

#[tokio::test]
async fn options_say_what_is_spoken_and_other_versions_are_refused() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let options = api
        .send(api.request("OPTIONS", "/files/"))
        .await
        .expect(204);
    assert_eq!(options.header("tus-version"), Some("1.0.0"));
    let extensions = options.header("tus-extension").expect("extensions");
    for extension in [
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "termination",
        "expiration",
        "checksum",
        "concatenation",
    ] {
        assert!(
            extensions.split(',').any(|one| one == extension),
            "{extensions}"
        );
    }
    let old = api
        .request("POST", "/files/")
        .header("tus-resumable", "0.2.2");
    let refused = api.send(old.header("upload-length", "1")).await.expect(412);
    assert_eq!(refused.header("tus-version"), Some("1.0.0"));
}

#[tokio::test]
async fn the_first_bytes_may_come_with_the_creation_and_the_length_later() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(3, 300_000);
    let headers = [
        ("upload-defer-length", "1"),
        ("content-type", "application/offset+octet-stream"),
    ];
    let created = api
        .tus("POST", "/files/", &headers)
        .body(content.slice(0, 100_000));
    let created = api.send(created).await.expect(201);
    assert_eq!(created.offset(), Some(100_000));
    let path = path_of(&created);
    let head = api.head(&path).await.expect(200);
    assert_eq!(head.header("upload-defer-length"), Some("1"));
    assert!(
        head.header("upload-expires")
            .is_some_and(|at| at.ends_with(" GMT"))
    );
    let length = [("upload-length", "300000")];
    let rest = api.patch_request(&path, 100_000, &length, content.slice(100_000, 300_000));
    api.send(rest).await.expect(204);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
}

#[tokio::test]
async fn an_empty_file_is_a_recording_too() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(4, 0);
    let id = api.upload(content, &[("filename", "empty.mp4")]).await;
    let sealed = api.await_state(&id, "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
    assert_eq!(sealed["size_bytes"], 0);
}

#[tokio::test]
async fn a_patch_at_another_offset_changes_nothing() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(5, 1000);
    let path = api.create(1000, &[]).await;
    api.patch(&path, 0, content.slice(0, 600)).await.expect(204);
    for offset in [0, 599, 601, 1000] {
        api.patch(&path, offset, content.slice(0, 100))
            .await
            .expect(409);
    }
    api.patch(&path, 600, content.slice(0, 401))
        .await
        .expect(413);
    assert_eq!(api.head(&path).await.expect(200).offset(), Some(600));
    api.patch(&path, 600, content.slice(600, 1000))
        .await
        .expect(204);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
}

#[tokio::test]
async fn a_client_that_comes_back_takes_over_from_its_stale_connection() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(6, 8 * MIB);
    let path = api.create(content.size_bytes, &[]).await;
    // A connection that sends half and then neither goes on nor goes away.
    let (send, receive) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(receive));
    let stale = api.patch_request(&path, 0, &[], body);
    let stale = tokio::spawn(async move { stale.send().await });
    send.send(Ok(content.slice(0, 4 * MIB)))
        .await
        .expect("taken");
    until("the half that was sent is there", || async {
        let recording = api.recording(&id_of(&path)).await;
        recording["received_bytes"].as_u64().filter(|n| *n > 0)
    })
    .await;

    let offset = api
        .head(&path)
        .await
        .expect(200)
        .offset()
        .expect("an offset");
    assert!(offset <= 4 * MIB);
    let rest = content.slice(offset, content.size_bytes);
    api.patch(&path, offset, rest).await.expect(204);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
    drop(send);
    stale.abort();
}

#[tokio::test]
async fn the_same_content_again_keeps_its_own_id_event_and_receipt() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(7, 200_000);
    let first = api.upload(content, &[("filename", "甲.mp4")]).await;
    api.await_state(&first, "sealed").await;
    let second = api.upload(content, &[("filename", "乙.mp4")]).await;
    let again = api.await_state(&second, "sealed").await;
    assert_ne!(first, second);
    assert_eq!(again["duplicate_of"], json!(first));
    let one = api.receipt(&first, "stored").await.json();
    let other = api.receipt(&second, "stored").await.json();
    assert_ne!(one["receipt"]["leaf_index"], other["receipt"]["leaf_index"]);
    api.receipt(&second, "verified").await;
    let original = api
        .get(&format!("/v1/recordings/{second}/original"))
        .await
        .expect(200);
    assert_eq!(original.body, content.whole());
    daemon.assert_sound().await;
}
