//! Bytes in pieces and requests of every shape, to the sealed original and its receipts.

use docket_base::Sha256Digest;
use docket_catalog::{Error, RecordingState};
use docket_ingest::IngestError;
use docket_ingest::receipts::ReceiptError;
use docket_ingest::upload::{AppendOutcome, Finished, UploadStatus};
use docket_ledger::ReceiptLevel::{Stored, Verified};
use docket_vault::BesideName;

use super::site::Site;
use super::things::*;

#[tokio::test]
async fn an_upload_in_odd_pieces_is_sealed_proven_and_read_back() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(1, 300_007);
    let mut progress = ingest.progress();

    let upload = site.create(&ingest, bytes.len()).await;
    let state = recording(&ingest, upload.id).await.state;
    assert_eq!(state, RecordingState::Receiving);
    for (from, until) in [(0, 1), (1, 100_000), (100_000, 200_003)] {
        let patch = body(&bytes[from..until], 4_099);
        let done = ingest.append(upload.id, from as u64, None, None, patch);
        let done = done.await.expect("taken");
        assert!(matches!(done.outcome, AppendOutcome::Taken), "{done:?}");
        assert_eq!(done.offset_bytes, until as u64);
        assert_eq!(offset(&ingest, upload.id).await, until);
        let row = ingest.catalog.upload(upload.id).await.expect("catalog");
        assert!(received(&ingest, &row.expect("open")).await == bytes[..until]);
    }
    let done = send(&ingest, upload.id, 200_003, &bytes[200_003..]).await;
    let AppendOutcome::Finished(Finished::Sealed { digests }) = done.outcome else {
        panic!("{done:?}")
    };
    assert_eq!(digests.sha256, Sha256Digest::of(&bytes));

    let sealed = recording(&ingest, upload.id).await;
    assert_eq!(sealed.state, RecordingState::Sealed);
    assert_eq!(sealed.sha256, Some(Sha256Digest::of(&bytes)));
    assert_eq!(sealed.size_bytes, Some(bytes.len() as u64));
    assert!(stored(&ingest, &sealed).await == bytes);
    let status = ingest.upload_status(upload.id).await.expect("status");
    assert!(matches!(status, UploadStatus::Complete { size_bytes, .. } if size_bytes == 300_007));
    let mut told = Vec::new();
    while let Ok(step) = progress.try_recv() {
        assert_eq!(step.recording, upload.id);
        told.push(step.received_bytes);
    }
    assert!(
        told.is_sorted() && told.last() == Some(&300_007),
        "{told:?}"
    );

    prove(&site, &ingest, &sealed, &bytes).await;
}

async fn prove(
    site: &Site,
    ingest: &docket_ingest::Ingest,
    sealed: &docket_catalog::Recording,
    bytes: &[u8],
) {
    let id = sealed.id;
    let early = receipt(ingest, id, Stored).await;
    assert!(matches!(early, Err(ReceiptError::NotYet)), "{early:?}");
    let mut events = ingest.sequencer.events();
    publish(ingest).await;
    let mut published = Vec::new();
    while let Ok(event) = events.try_recv() {
        published.push((event.leaf_index, event.kind.clone()));
    }
    assert!(published.iter().any(|(_, kind)| kind == "recording.sealed"));
    assert!(
        published
            .iter()
            .zip(0..)
            .all(|((leaf, _), at)| *leaf == Some(at)),
        "{published:?}"
    );

    let first = receipt(ingest, id, Stored).await.expect("issued");
    site.assert_proves(&first, Stored, bytes);
    let early = receipt(ingest, id, Verified).await;
    assert!(matches!(early, Err(ReceiptError::NotYet)), "{early:?}");
    assert!(ingest.verify(sealed).await.expect("read back"));
    assert!(recording(ingest, id).await.verified_at.is_some());
    publish(ingest).await;
    site.clock.advance_seconds(60);
    let verified = receipt(ingest, id, Verified).await.expect("issued");
    site.assert_proves(&verified, Verified, bytes);

    // Issued once: the log has grown, the clock moved on, the receipts stay.
    site.upload(ingest, b"something else").await;
    publish(ingest).await;
    assert_eq!(receipt(ingest, id, Stored).await.expect("again"), first);
    assert_eq!(
        receipt(ingest, id, Verified).await.expect("again"),
        verified
    );
    assert_eq!(
        kinds(ingest, id).await,
        [
            "recording.announced",
            "recording.sealed",
            "recording.verified"
        ]
    );
    let (key, _) = docket_ingest::read_back::sealed_facts(sealed).expect("closed");
    let beside = ingest.vault.get_beside(&key, BesideName::SideFile).await;
    let side = docket_ledger::SideFile::parse(&beside.expect("vault").expect("there"));
    assert_eq!(
        side.expect("side file").file_name.as_deref(),
        Some("执法 ../录像.mp4")
    );
}

#[tokio::test]
async fn sm3_is_kept_where_it_is_configured_across_requests_and_restarts() {
    let site = Site::new().await;
    let bytes = content(2, 50_000);
    let open = async || {
        let mut parts = site.parts(site.open_catalog().await, site.vault());
        parts.options.sm3 = true;
        docket_ingest::Ingest::open(parts).await.expect("opens")
    };
    let ingest = open().await;
    let upload = site.create(&ingest, bytes.len()).await;
    send(&ingest, upload.id, 0, &bytes[..20_000]).await;
    drop(ingest);
    let ingest = open().await;
    send(&ingest, upload.id, 20_000, &bytes[20_000..]).await;
    let mut whole = docket_base::RunningDigest::new(true);
    whole.update(&bytes);
    assert_eq!(recording(&ingest, upload.id).await.sm3, whole.finish().sm3);
    assert_eq!(
        recording(&ingest, upload.id).await.sha256,
        Some(whole.finish().sha256)
    );
}

#[tokio::test]
async fn another_offset_is_refused_and_takes_nothing() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let upload = site.create(&ingest, 100).await;
    send(&ingest, upload.id, 0, &[1; 40]).await;
    for wrong in [0, 39, 41, 100, u64::MAX] {
        let patch = ingest.append(upload.id, wrong, None, None, body(&[2; 10], 10));
        let refused = patch.await.expect_err("refused");
        assert!(
            matches!(
                &refused,
                IngestError::Catalog(Error::Stale { what: "upload", .. })
            ),
            "{refused}"
        );
    }
    assert_eq!(offset(&ingest, upload.id).await, 40);
    let nobody = docket_base::ids::RecordingId::from_bytes([9; 16]);
    let refused = ingest
        .append(nobody, 0, None, None, body(&[2; 10], 10))
        .await;
    assert!(matches!(refused, Err(IngestError::NotFound { .. })));
}

#[tokio::test]
async fn more_than_the_length_is_not_taken() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(3, 100);
    let upload = site.create(&ingest, 100).await;
    let long = content(3, 150);
    let done = ingest
        .append(upload.id, 0, None, None, body(&long, 60))
        .await;
    let done = done.expect("answered");
    assert!(matches!(done.outcome, AppendOutcome::TooLong), "{done:?}");
    assert_eq!(done.offset_bytes, 60);
    send(&ingest, upload.id, 60, &bytes[60..]).await;
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
    // It is over: whatever comes now meets another offset.
    let after = ingest
        .append(upload.id, 0, None, None, body(&bytes, 60))
        .await;
    assert!(matches!(
        after,
        Err(IngestError::Catalog(Error::Stale { what: "upload", .. }))
    ));
}

#[tokio::test]
async fn what_came_before_the_connection_broke_is_kept() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(4, 90_000);
    let upload = site.create(&ingest, bytes.len()).await;
    let patch = broken(&bytes[..33_333], 1_000);
    let done = ingest.append(upload.id, 0, None, None, patch).await;
    assert_eq!(done.expect("kept").offset_bytes, 33_333);
    assert_eq!(offset(&ingest, upload.id).await, 33_333);
    let done = send(&ingest, upload.id, 33_333, &bytes[33_333..]).await;
    assert!(matches!(done.outcome, AppendOutcome::Finished(_)));
    assert!(stored(&ingest, &recording(&ingest, upload.id).await).await == bytes);
}

#[tokio::test]
async fn a_deferred_length_may_come_with_any_request() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(5, 5_000);
    let new = site.new_upload(None);
    let upload = ingest
        .create_upload(site.origin(), &new)
        .await
        .expect("created");
    let done = send(&ingest, upload.id, 0, &bytes).await;
    assert!(matches!(done.outcome, AppendOutcome::Taken), "{done:?}");
    // Less than has come, then the right one with an empty body, which ends it.
    let less = ingest
        .append(upload.id, 5_000, Some(4_000), None, body(&[], 1))
        .await;
    assert!(less.is_err());
    let done = ingest
        .append(upload.id, 5_000, Some(5_000), None, body(&[], 1))
        .await;
    let done = done.expect("ended");
    assert!(
        matches!(done.outcome, AppendOutcome::Finished(_)),
        "{done:?}"
    );
    let sealed = recording(&ingest, upload.id).await;
    assert_eq!(sealed.size_bytes, Some(5_000));
    assert!(stored(&ingest, &sealed).await == bytes);
}

#[tokio::test]
async fn an_empty_file_is_a_recording_too() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let upload = site.create(&ingest, 0).await;
    let done = ingest.finish_if_complete(&upload).await.expect("sealed");
    assert!(matches!(done, Some(Finished::Sealed { .. })), "{done:?}");
    let sealed = recording(&ingest, upload.id).await;
    assert_eq!(sealed.sha256, Some(Sha256Digest::of(b"")));
    assert!(stored(&ingest, &sealed).await.is_empty());
    assert!(ingest.verify(&sealed).await.expect("read back"));
    publish(&ingest).await;
    let receipt = receipt(&ingest, upload.id, Verified).await.expect("issued");
    site.assert_proves(&receipt, Verified, b"");
}

#[tokio::test]
async fn a_full_disk_takes_nothing_and_keeps_everything() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let upload = site.create(&ingest, 100).await;
    send(&ingest, upload.id, 0, &[1; 50]).await;
    drop(ingest);
    let mut parts = site.parts(site.open_catalog().await, site.vault());
    parts.room = std::sync::Arc::new(super::site::Rooms(false));
    let full = docket_ingest::Ingest::open(parts).await.expect("opens");
    let done = send(&full, upload.id, 50, &[2; 50]).await;
    assert!(matches!(done.outcome, AppendOutcome::Full), "{done:?}");
    assert_eq!(done.offset_bytes, 50);
    let refused = full
        .create_upload(site.origin(), &site.new_upload(Some(1)))
        .await;
    assert!(refused.expect_err("refused").is_full());
    drop(full);
    let ingest = site.open().await;
    let done = send(&ingest, upload.id, 50, &[2; 50]).await;
    assert!(matches!(done.outcome, AppendOutcome::Finished(_)));
}
