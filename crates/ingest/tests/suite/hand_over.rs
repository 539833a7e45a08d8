//! A client comes back on a new connection while the old one still hangs, or was dropped.

use std::sync::Arc;

use docket_base::ids::RecordingId;
use docket_ingest::Ingest;
use docket_ingest::upload::{AppendOutcome, Appended, Body};
use tokio::task::JoinHandle;

use super::faulty::FaultyVault;
use super::site::Site;
use super::things::*;

fn spawn_append(
    ingest: &Arc<Ingest>,
    id: RecordingId,
    from: usize,
    body: Body<'static>,
) -> JoinHandle<docket_ingest::Result<Appended>> {
    let ingest = Arc::clone(ingest);
    tokio::spawn(async move { ingest.append(id, from as u64, None, None, body).await })
}

/// Until a condition holds; the tests' time limit ends what never comes.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn head_makes_a_hanging_patch_save_and_yield() {
    let site = Site::new().await;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    let bytes = content(1, 40_000);
    let upload = site.create(&ingest, bytes.len()).await;
    let hanging = spawn_append(&ingest, upload.id, 0, endless(&bytes[..30_000], 1_000));
    let control = Arc::clone(&vault.control);
    until(|| {
        control
            .appended_bytes
            .load(std::sync::atomic::Ordering::SeqCst)
            == 30_000
    })
    .await;
    assert_eq!(
        offset(&ingest, upload.id).await,
        30_000,
        "all of it is saved"
    );
    let first = hanging.await.expect("task").expect("answered");
    assert!(
        matches!(first.outcome, AppendOutcome::HandedOver),
        "{first:?}"
    );
    assert_eq!(first.offset_bytes, 30_000);
    let done = send(&ingest, upload.id, 30_000, &bytes[30_000..]).await;
    assert!(matches!(done.outcome, AppendOutcome::Finished(_)));
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}

#[tokio::test]
async fn a_second_patch_takes_over_from_the_first() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(2, 40_000);
    let upload = site.create(&ingest, bytes.len()).await;
    let mut progress = ingest.progress();
    let hanging = spawn_append(&ingest, upload.id, 0, endless(&bytes[..30_000], 30_000));
    // Its mark comes by time, without an end of the body.
    let step = progress.recv().await.expect("progress");
    assert_eq!(step.received_bytes, 30_000);
    let done = send(&ingest, upload.id, 30_000, &bytes[30_000..]).await;
    assert!(
        matches!(done.outcome, AppendOutcome::Finished(_)),
        "{done:?}"
    );
    let first = hanging.await.expect("task").expect("answered");
    assert!(
        matches!(first.outcome, AppendOutcome::HandedOver),
        "{first:?}"
    );
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}

#[tokio::test]
async fn a_termination_takes_over_too() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(3, 30_000);
    let upload = site.create(&ingest, 40_000).await;
    let mut progress = ingest.progress();
    let hanging = spawn_append(&ingest, upload.id, 0, endless(&bytes, 30_000));
    progress.recv().await.expect("progress");
    let actor = site.origin().actor;
    ingest
        .terminate_upload(upload.id, actor)
        .await
        .expect("ended");
    hanging.await.expect("task").expect("answered");
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}

/// The server drops a request whose connection is gone, at any point. Marks that are under way then
/// are still committed, and nobody may start from the offset before them.
#[tokio::test]
async fn a_dropped_patch_and_its_successor_agree() {
    let mut site = Site::new().await;
    site.flush_every_bytes = 10_000;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    let bytes = content(4, 40_000);
    let upload = site.create(&ingest, bytes.len()).await;
    let flushes = vault.control.calls("flush");
    vault.control.hold_flushes(true);
    let dropped = spawn_append(&ingest, upload.id, 0, endless(&bytes[..25_000], 1_000));
    let control = Arc::clone(&vault.control);
    until(|| control.calls("flush") >= flushes + 2).await;
    dropped.abort();
    assert!(dropped.await.expect_err("aborted").is_cancelled());

    let asking = Arc::clone(&ingest);
    let head = tokio::spawn(async move { offset(&asking, upload.id).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!head.is_finished(), "the first one's marks are under way");
    vault.control.hold_flushes(false);
    let from = head.await.expect("head");
    assert_eq!(from, 20_000);
    let row = ingest.catalog.upload(upload.id).await.expect("catalog");
    assert!(received(&ingest, &row.expect("open")).await == bytes[..from]);
    let done = send(&ingest, upload.id, from, &bytes[from..]).await;
    assert!(
        matches!(done.outcome, AppendOutcome::Finished(_)),
        "{done:?}"
    );
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}

#[tokio::test]
async fn stopping_saves_what_arrived() {
    let site = Site::new().await;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    let bytes = content(5, 40_000);
    let upload = site.create(&ingest, bytes.len()).await;
    let hanging = spawn_append(&ingest, upload.id, 0, endless(&bytes[..30_000], 1_000));
    let control = Arc::clone(&vault.control);
    until(|| {
        control
            .appended_bytes
            .load(std::sync::atomic::Ordering::SeqCst)
            == 30_000
    })
    .await;
    ingest.stop().await;
    let first = hanging.await.expect("task").expect("answered");
    assert!(
        matches!(first.outcome, AppendOutcome::Shutdown),
        "{first:?}"
    );
    assert_eq!(first.offset_bytes, 30_000);
    drop(ingest);
    let ingest = site.open().await;
    assert_eq!(offset(&ingest, upload.id).await, 30_000);
}
