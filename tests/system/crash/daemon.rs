//! The daemon dies; clients go on.

use std::time::Duration;

use docket_base::{OsRandom, random};
use futures_util::StreamExt;
use serde_json::json;
use tokio::task::JoinSet;

use super::told::Told;
use crate::harness::api::{encode, id_of, path_of};
use crate::harness::{Api, Content, Daemon};

const ROUNDS: usize = 30;
const CLIENTS: u64 = 3;
const CASE: &str = "crash-1";

fn dice(below: u64) -> u64 {
    u64::from_le_bytes(random::bytes(&OsRandom)) % below
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_of_the_daemon_takes_back_nothing_that_was_told() {
    let mut daemon = Daemon::start().await;
    let api = daemon.api().await;
    api.put(
        "PUT",
        &format!("/v1/cases/{CASE}"),
        &json!({"title": "crash"}),
    )
    .await;
    let told = Told::default();
    for round in 0..ROUNDS {
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let (api, told) = (api.clone(), told.clone());
            let seed = round as u64 * CLIENTS + client;
            clients.spawn(async move { work(&api, &told, seed).await });
        }
        clients.spawn(watch(api.clone(), told.clone()));
        // Short lives catch the beginnings, long ones the ends.
        tokio::time::sleep(Duration::from_millis(
            20 + dice(if round % 3 == 0 { 1500 } else { 400 }),
        ))
        .await;
        daemon.kill().await;
        while let Some(ended) = clients.join_next().await {
            ended.expect("a client found what it was told taken back");
        }
        daemon.up().await;
        told.assert_kept(&api).await;
    }

    for (path, upload) in told.open() {
        let offset = api
            .head(&path)
            .await
            .expect(200)
            .offset()
            .expect("an offset");
        let rest = upload.content.slice(offset, upload.content.size_bytes);
        if !rest.is_empty() {
            api.patch(&path, offset, rest).await.expect(204);
        }
        told.offset(&path, upload.content, upload.content.size_bytes);
    }
    told.assert_kept(&api).await;
    daemon.assert_sound().await;
    let (begun, whole, receipts, links) = told.counts();
    println!("{ROUNDS} deaths; {begun} uploads, {whole} whole, {receipts} receipts, {links} links");
    assert!(
        whole > 0 && receipts > 0 && links > 0,
        "the daemon never got anything done"
    );
}

/// Goes on with an open upload or begins one, until the daemon is gone.
async fn work(api: &Api, told: &Told, seed: u64) -> Option<()> {
    let open = told.open();
    let mut next = open.into_iter().nth(usize::try_from(seed % CLIENTS).ok()?);
    loop {
        let (path, content) = match next.take() {
            Some((path, upload)) => (path, upload.content),
            None => begin(api, told, Content::new(dice(u64::MAX), 1 + dice(6_000_000))).await?,
        };
        let head = api.try_send(api.tus("HEAD", &path, &[])).await?;
        let mut offset = head.expect(200).offset().expect("an offset");
        told.offset(&path, content, offset);
        while offset < content.size_bytes {
            offset = advance(api, told, &path, content, offset).await?;
        }
        finish(api, told, &id_of(&path)).await?;
    }
}

async fn begin(api: &Api, told: &Told, content: Content) -> Option<(String, Content)> {
    let size = content.size_bytes.to_string();
    let metadata = encode(&[("filename", "断电.mp4"), ("sha256", &content.sha256())]);
    let headers = [
        ("upload-length", size.as_str()),
        ("upload-metadata", &metadata),
    ];
    let created = api.try_send(api.tus("POST", "/files/", &headers)).await?;
    let path = path_of(&created.expect(201));
    told.offset(&path, content, 0);
    Some((path, content))
}

/// One PATCH: of one piece, or of all the rest in a stream.
async fn advance(api: &Api, told: &Told, path: &str, content: Content, offset: u64) -> Option<u64> {
    let end = match dice(4) {
        0 => content.size_bytes,
        _ => (offset + 1 + dice(1_000_000)).min(content.size_bytes),
    };
    let stretch = content.slice(offset, end);
    let pieces = futures_util::stream::iter(0..stretch.len().div_ceil(50_000)).map(move |n| {
        let start = n * 50_000;
        let piece = stretch.slice(start..(start + 50_000).min(stretch.len()));
        Ok::<_, std::io::Error>(piece)
    });
    let request = api.patch_request(path, offset, &[], reqwest::Body::wrap_stream(pieces));
    let answer = api.try_send(request).await?;
    // Another client of this test may have taken the upload over.
    if answer.status == 409 || answer.status == 423 {
        return api.try_send(api.tus("HEAD", path, &[])).await?.offset();
    }
    let offset = answer.expect(204).offset().expect("an offset");
    told.offset(path, content, offset);
    Some(offset)
}

/// Takes a receipt and ties the recording to the case.
async fn finish(api: &Api, told: &Told, id: &str) -> Option<()> {
    let link = api.request("PUT", &format!("/v1/cases/{CASE}/evidence/{id}"));
    let answer = api.try_send(link.json(&json!({}))).await?;
    assert!(answer.status < 300, "{}", answer.text());
    told.link(CASE, id);
    for level in ["stored", "verified"] {
        let path = format!("/v1/recordings/{id}/receipt?level={level}");
        loop {
            let answer = api.try_send(api.request("GET", &path)).await?;
            match answer.status {
                200 => {
                    told.receipt(&path, &answer.body);
                    break;
                }
                409 => tokio::time::sleep(Duration::from_millis(10)).await,
                _ => panic!("{}: {}", answer.status, answer.text()),
            }
        }
    }
    Some(())
}

/// Reads offsets and checkpoints from the side: what a bystander is told counts as well.
async fn watch(api: Api, told: Told) -> Option<()> {
    loop {
        for (path, upload) in told.open() {
            let facts = api.request("GET", &format!("/v1/recordings/{}", id_of(&path)));
            let facts = api.try_send(facts).await?.expect(200).json();
            let received = facts["received_bytes"].as_u64().expect("a number");
            told.offset(&path, upload.content, received);
        }
        let checkpoint = api
            .try_send(api.request("GET", "/v1/ledger/checkpoint"))
            .await?;
        if checkpoint.status == 200 {
            told.checkpoint(&checkpoint.text());
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

#[tokio::test]
async fn crash_and_resumption_read_nothing_back() {
    let mut daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(61, 96 << 20);
    let path = api.create(content.size_bytes, &[]).await;
    let half = content.size_bytes / 2;
    api.patch(&path, 0, content.slice(0, half))
        .await
        .expect(204);
    daemon.kill().await;
    daemon.up().await;

    let before = bytes_read(daemon.pid());
    assert_eq!(api.head(&path).await.expect(200).offset(), Some(half));
    api.patch(&path, half, content.slice(half, half + 1000))
        .await
        .expect(204);
    let read = bytes_read(daemon.pid()) - before;
    assert!(read < 8 << 20, "{read} bytes were read to go on");

    api.patch(
        &path,
        half + 1000,
        content.slice(half + 1000, content.size_bytes),
    )
    .await
    .expect(204);
    let sealed = api.await_state(&id_of(&path), "sealed").await;
    assert_eq!(sealed["sha256"], content.sha256());
}

/// Bytes that came out of `read` and its like, files' and pipes'.
fn bytes_read(pid: u32) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).expect("it runs");
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "))
        .expect("rchar");
    line.trim().parse().expect("a number")
}
