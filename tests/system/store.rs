//! The whole daemon over an S3 store that no one here wrote, looked at by a client that no one here wrote.

#[path = "../../crates/vault/tests/suite/weed.rs"]
mod weed;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use weed::{ACCESS_KEY, SECRET_KEY, Weed};

use crate::harness::api::id_of;
use crate::harness::programs::{Said, checkout, run};
use crate::harness::{Content, Daemon};
use crate::playback::{H264_AAC, film, played_seconds, upload_file};

const MIB: u64 = 1 << 20;

/// A request that curl signs.
async fn signed(store: &Weed, arguments: &[&str], path: &str) -> Said {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail-with-body", "--noproxy", "*"])
        .args(["--aws-sigv4", "aws:amz:us-east-1:s3"])
        .args(["--user", &format!("{ACCESS_KEY}:{SECRET_KEY}")])
        .args(arguments)
        .arg(format!("{}/{path}", store.endpoint()));
    run(curl, "").await.succeeded()
}

async fn daemon_on(store: &Weed) -> Daemon {
    for bucket in ["originals", "work"] {
        signed(store, &["-X", "PUT"], bucket).await;
    }
    Daemon::start_with(&[
        ("VAULT__KIND", "s3"),
        ("VAULT__ENDPOINT", &store.endpoint()),
        ("VAULT__PATH_STYLE", "true"),
        ("VAULT__ORIGINALS_BUCKET", "originals"),
        ("VAULT__WORK_BUCKET", "work"),
        ("VAULT__ACCESS_KEY", ACCESS_KEY),
        ("VAULT__SECRET_KEY", SECRET_KEY),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_over_s3_keeps_what_it_told_and_plays_it() {
    let Some(store) = Weed::start(&checkout("")).await else {
        return;
    };
    let mut daemon = daemon_on(&store).await;
    let api = daemon.api().await;

    // Killed between two parts, and once more with a tail shorter than a part.
    let content = Content::new(91, 21 * MIB + 123);
    let path = api
        .create(content.size_bytes, &[("filename", "后厨 1.mp4")])
        .await;
    let mut told = 0;
    for until in [9 * MIB, 9 * MIB + 77, 21 * MIB + 123] {
        let answer = api
            .patch(&path, told, content.slice(told, until))
            .await
            .expect(204);
        assert_eq!(answer.offset(), Some(until));
        told = until;
        daemon.kill().await;
        daemon.up().await;
        if told < content.size_bytes {
            assert_eq!(api.head(&path).await.expect(200).offset(), Some(told));
        }
    }
    let id = id_of(&path);
    let sealed = api.await_state(&id, "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
    api.receipt(&id, "verified").await;
    let original = api.get(&format!("/v1/recordings/{id}/original")).await;
    assert_eq!(original.expect(200).body, content.whole());

    // One object, byte-identical, under a key a person can read.
    let listed = signed(&store, &[], "originals?list-type=2").await.out;
    let keys: Vec<&str> = listed
        .split("<Key>")
        .skip(1)
        .filter_map(|rest| rest.split("</Key>").next())
        .filter(|key| key.contains(&id) && key.ends_with("/original"))
        .collect();
    let [key] = keys[..] else { panic!("{listed}") };
    let copy = daemon.folder().join("copy");
    let to_file = ["-o", copy.to_str().expect("a path")];
    signed(&store, &to_file, &format!("originals/{key}")).await;
    let digest = Sha256::digest(std::fs::read(&copy).expect("fetched"));
    assert_eq!(hex::encode(digest), content.sha256());

    let file = daemon.folder().join("后厨 2.mp4");
    film(&file, 13, &H264_AAC).await;
    let id = upload_file(&api, &file).await;
    let seconds = played_seconds(&api, &id, daemon.folder().join("played.mp4")).await;
    assert!((12.8..13.3).contains(&seconds), "{seconds} s");
    daemon.assert_sound().await;
}
