//! PATCH with a checksum of its own: nobody sees a byte of it before it was found right.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docket_base::ids::RecordingId;
use docket_ingest::Ingest;
use docket_ingest::upload::{AppendOutcome, Appended, Body};
use docket_tus::Checksum;
use sha1::Digest as _;

use super::faulty::FaultyVault;
use super::site::Site;
use super::things::*;

fn checksum(algorithm: &str, digest: &[u8]) -> Checksum {
    let mut headers = http::HeaderMap::new();
    let value = format!("{algorithm} {}", STANDARD.encode(digest));
    headers.insert("upload-checksum", value.parse().expect("ascii"));
    let checksum = Checksum::from_headers(&headers).expect("a checksum");
    checksum.expect("given")
}

fn sha1(bytes: &[u8]) -> Checksum {
    checksum("sha1", &sha1::Sha1::digest(bytes))
}

fn sha256(bytes: &[u8]) -> Checksum {
    checksum("sha256", &sha2::Sha256::digest(bytes))
}

async fn patch(
    ingest: &Ingest,
    id: RecordingId,
    from: usize,
    checksum: Checksum,
    body: Body<'_>,
) -> Appended {
    ingest
        .append(id, from as u64, None, Some(checksum), body)
        .await
        .expect("answered")
}

#[tokio::test]
async fn right_checksums_are_taken() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(1, 60_000);
    let upload = site.create(&ingest, bytes.len()).await;
    let (first, second) = bytes.split_at(25_000);
    let done = patch(&ingest, upload.id, 0, sha1(first), body(first, 999)).await;
    assert!(matches!(done.outcome, AppendOutcome::Taken), "{done:?}");
    assert_eq!(offset(&ingest, upload.id).await, 25_000);
    let done = patch(
        &ingest,
        upload.id,
        25_000,
        sha256(second),
        body(second, 999),
    )
    .await;
    assert!(
        matches!(done.outcome, AppendOutcome::Finished(_)),
        "{done:?}"
    );
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}

/// Marks every 1,000 bytes: what is wrong is only noticed long after its first bytes were durable.
#[tokio::test]
async fn a_wrong_body_leaves_no_trace() {
    let mut site = Site::new().await;
    site.flush_every_bytes = 1_000;
    let ingest = site.open().await;
    let bytes = content(2, 30_000);
    let upload = site.create(&ingest, bytes.len()).await;
    send(&ingest, upload.id, 0, &bytes[..10_000]).await;
    let mut progress = ingest.progress();
    let mut wrong = bytes[10_000..].to_vec();
    wrong[19_999] ^= 1;
    for checksum in [sha1(&bytes[10_000..]), sha256(&bytes[10_000..])] {
        let done = patch(&ingest, upload.id, 10_000, checksum, body(&wrong, 512)).await;
        assert!(
            matches!(done.outcome, AppendOutcome::ChecksumMismatch),
            "{done:?}"
        );
        assert_eq!(done.offset_bytes, 10_000);
        assert_eq!(offset(&ingest, upload.id).await, 10_000);
        let row = ingest.catalog.upload(upload.id).await.expect("catalog");
        assert!(received(&ingest, &row.expect("open")).await == bytes[..10_000]);
        let leftover = ingest.vault.leftovers(1).await.expect("list");
        assert_eq!(
            leftover[0].size_bytes, 10_000,
            "the wrong bytes are cut off"
        );
    }
    assert!(progress.try_recv().is_err(), "nobody was told of them");
    let right = &bytes[10_000..];
    let done = patch(&ingest, upload.id, 10_000, sha1(right), body(right, 512)).await;
    assert!(
        matches!(done.outcome, AppendOutcome::Finished(_)),
        "{done:?}"
    );
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}

#[tokio::test]
async fn a_checked_body_that_breaks_off_is_undone() {
    let mut site = Site::new().await;
    site.flush_every_bytes = 1_000;
    let ingest = site.open().await;
    let bytes = content(3, 20_000);
    let upload = site.create(&ingest, bytes.len()).await;
    let part = broken(&bytes[..15_000], 700);
    let done = patch(&ingest, upload.id, 0, sha256(&bytes), part).await;
    assert_eq!(done.offset_bytes, 0);
    assert_eq!(offset(&ingest, upload.id).await, 0);
    // More than the length with a checksum: undone, too.
    let long = content(3, 21_000);
    let done = patch(&ingest, upload.id, 0, sha256(&long), body(&long, 700)).await;
    assert_eq!(done.offset_bytes, 0);
    let done = patch(&ingest, upload.id, 0, sha256(&bytes), body(&bytes, 700)).await;
    assert!(
        matches!(done.outcome, AppendOutcome::Finished(_)),
        "{done:?}"
    );
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}

#[tokio::test]
async fn a_checked_request_that_is_dropped_shows_nothing() {
    let mut site = Site::new().await;
    site.flush_every_bytes = 1_000;
    let bytes = content(4, 12_000);
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    let upload = site.create(&ingest, bytes.len()).await;
    let running = {
        let (ingest, checksum) = (Arc::clone(&ingest), sha256(&bytes));
        let body = endless(&bytes[..11_000], 700);
        tokio::spawn(async move {
            ingest
                .append(upload.id, 0, None, Some(checksum), body)
                .await
        })
    };
    while vault.control.durable_bytes.load(Ordering::SeqCst) < 7_000 {
        tokio::task::yield_now().await;
    }
    running.abort();
    assert!(running.await.expect_err("aborted").is_cancelled());
    assert_eq!(offset(&ingest, upload.id).await, 0);
    let done = patch(&ingest, upload.id, 0, sha256(&bytes), body(&bytes, 700)).await;
    assert!(
        matches!(done.outcome, AppendOutcome::Finished(_)),
        "{done:?}"
    );
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}
