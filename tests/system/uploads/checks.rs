//! Digests that do not agree.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::harness::api::id_of;
use crate::harness::{Content, Daemon};

#[tokio::test]
async fn a_file_that_is_not_the_announced_one_goes_to_quarantine() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(11, 400_000);
    let announced = Content::new(12, 400_000).sha256();
    let path = api
        .create(content.size_bytes, &[("sha256", &announced)])
        .await;
    let refused = api.patch(&path, 0, content.whole()).await.expect(422);
    let kind = refused.json()["type"].as_str().expect("a type").to_owned();
    assert!(kind.ends_with("digest-mismatch"), "{kind}");
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );

    api.head(&path).await.expect(410);
    let kept = api.await_state(&id_of(&path), "quarantined").await;
    assert_eq!(kept["quarantine"]["expected_sha256"], announced);
    assert_eq!(kept["quarantine"]["actual_sha256"], content.sha256());
    let custody = api
        .json(&format!("/v1/recordings/{}/custody", id_of(&path)))
        .await;
    let logged = custody["items"].to_string();
    assert!(logged.contains(&announced), "{logged}");
    assert!(logged.contains(&content.sha256()), "{logged}");
    daemon.assert_sound().await;
}

#[tokio::test]
async fn a_body_without_its_announced_checksum_leaves_no_trace() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(13, 600_000);
    let path = api.create(content.size_bytes, &[]).await;
    api.patch(&path, 0, content.slice(0, 200_000))
        .await
        .expect(204);

    let next = content.slice(200_000, 400_000);
    let right = format!("sha256 {}", STANDARD.encode(Sha256::digest(&next)));
    let wrong = format!("sha256 {}", STANDARD.encode([7; 32]));
    let request = |checksum: &str| {
        api.patch_request(
            &path,
            200_000,
            &[("upload-checksum", checksum)],
            next.clone(),
        )
    };
    api.send(request(&wrong)).await.expect(460);
    assert_eq!(api.head(&path).await.expect(200).offset(), Some(200_000));
    assert_eq!(api.get(&path).await.body.len(), 200_000);
    api.send(request("md5 1B2M2Y8AsgTpgAmY7PhCfg=="))
        .await
        .expect(400);

    let answer = api.send(request(&right)).await.expect(204);
    assert_eq!(answer.offset(), Some(400_000));
    api.patch(&path, 400_000, content.slice(400_000, 600_000))
        .await
        .expect(204);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
}

#[tokio::test]
async fn bytes_under_a_checksum_are_shown_to_nobody_before_it_was_checked() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(14, 12_000_000);
    let path = api.create(content.size_bytes, &[]).await;
    let checksum = format!(
        "sha256 {}",
        STANDARD.encode(Sha256::digest(content.whole()))
    );
    let (send, receive) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(receive));
    let under_way = api.patch_request(&path, 0, &[("upload-checksum", &checksum)], body);
    let under_way = tokio::spawn(async move { under_way.send().await });
    for piece in content.pieces(0, 1_000_000).take(10) {
        send.send(Ok(piece)).await.expect("taken");
        let recording = api.recording(&id_of(&path)).await;
        assert_eq!(recording["received_bytes"], 0);
        let shown = api.get(&path).await;
        assert!(
            shown.body.is_empty() || shown.status >= 400,
            "{}",
            shown.body.len()
        );
    }
    for piece in content.pieces(10_000_000, 1_000_000) {
        send.send(Ok(piece)).await.expect("taken");
    }
    drop(send);
    let answer = under_way.await.expect("not cancelled").expect("an answer");
    assert_eq!(answer.status().as_u16(), 204);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
}

#[tokio::test]
async fn sm3_is_there_where_it_is_configured() {
    let daemon = Daemon::start_with(&[("INGEST__SM3", "true")]).await;
    let api = daemon.api().await;
    let path = api.create(3, &[]).await;
    api.patch(&path, 0, "a").await.expect(204);
    api.patch(&path, 1, "bc").await.expect(204);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(
        sealed["sm3"],
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    );
}
