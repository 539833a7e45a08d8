//! Concatenation.

use crate::harness::api::{id_of, path_of};
use crate::harness::{Api, Content, Daemon};

async fn part(api: &Api, content: Content, start: u64, end: u64) -> String {
    let size = (end - start).to_string();
    let headers = [
        ("upload-concat", "partial"),
        ("upload-length", size.as_str()),
    ];
    let created = api
        .send(api.tus("POST", "/files/", &headers))
        .await
        .expect(201);
    let path = path_of(&created);
    api.patch(&path, 0, content.slice(start, end))
        .await
        .expect(204);
    path
}

#[tokio::test]
async fn parts_are_joined_and_hashed_in_the_background() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(31, 3_000_000);
    let first = part(&api, content, 0, 1_000_001).await;
    let second = part(&api, content, 1_000_001, 3_000_000).await;
    let listed = api.json("/v1/recordings").await;
    assert_eq!(
        listed["items"].as_array().map(Vec::len),
        Some(0),
        "{listed}"
    );

    let concat = format!("final;{first} {second}");
    let encoded = crate::harness::api::encode(&[("filename", "合并.mp4")]);
    let headers = [
        ("upload-concat", concat.as_str()),
        ("upload-metadata", &encoded),
    ];
    let whole = api
        .send(api.tus("POST", "/files/", &headers))
        .await
        .expect(201);
    let path = path_of(&whole);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
    assert_eq!(sealed["file_name"], "合并.mp4");
    assert_eq!(api.get(&path).await.expect(200).body, content.whole());
    api.receipt(&id_of(&path), "verified").await;
    daemon.assert_sound().await;
}

#[tokio::test]
async fn a_final_upload_of_an_unfinished_part_is_refused() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let headers = [("upload-concat", "partial"), ("upload-length", "10")];
    let open = path_of(
        &api.send(api.tus("POST", "/files/", &headers))
            .await
            .expect(201),
    );
    let whole = api.create(5, &[]).await;
    for url in [
        open.as_str(),
        whole.as_str(),
        "/files/0190163d-8694-739a-aea6-966b6d7bd9a9",
    ] {
        let concat = format!("final;{url}");
        let request = api.tus("POST", "/files/", &[("upload-concat", &concat)]);
        let refused = api.send(request).await;
        assert!(
            (400..=422).contains(&refused.status),
            "{url}: {}",
            refused.status
        );
    }
}
