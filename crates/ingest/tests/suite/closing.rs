//! Ends other than a sealed original: quarantine, termination, expiry; and what reading back finds.

use docket_base::Sha256Digest;
use docket_catalog::RecordingState;
use docket_ingest::receipts::ReceiptError;
use docket_ingest::upload::{AppendOutcome, Finished, UploadStatus};
use docket_ingest::{Ingest, IngestError};
use docket_ledger::Actor;
use docket_ledger::ReceiptLevel::{Stored, Verified};

use super::faulty::{Fault, FaultyVault};
use super::site::Site;
use super::things::*;

const DAYS_40: i64 = 40 * 86_400;

#[tokio::test]
async fn other_bytes_than_promised_go_into_quarantine() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(1, 10_000);
    let promised = Sha256Digest::of(b"something else");
    let mut new = site.new_upload(Some(bytes.len()));
    new.claimed_sha256 = Some(promised);
    let upload = ingest
        .create_upload(site.origin(), &new)
        .await
        .expect("created");
    let done = send(&ingest, upload.id, 0, &bytes).await;
    let AppendOutcome::Finished(Finished::Quarantined { expected, actual }) = done.outcome else {
        panic!("{done:?}")
    };
    assert_eq!((expected, actual), (promised, Sha256Digest::of(&bytes)));
    let kept = recording(&ingest, upload.id).await;
    assert_eq!(kept.state, RecordingState::Quarantined);
    assert_eq!(kept.claimed_sha256, Some(promised));
    assert_eq!(kept.sha256, Some(actual));
    assert!(
        kept.vault_key
            .as_deref()
            .expect("kept")
            .starts_with("quarantine/")
    );
    assert!(stored(&ingest, &kept).await == bytes);
    let status = ingest.upload_status(upload.id).await.expect("status");
    assert!(matches!(
        status,
        UploadStatus::Gone(RecordingState::Quarantined)
    ));
    assert!(ingest.verify(&kept).await.expect("read back"));
    publish(&ingest).await;
    for level in [Stored, Verified] {
        let none = receipt(&ingest, upload.id, level).await;
        assert!(matches!(none, Err(ReceiptError::Never)), "{none:?}");
    }
}

#[tokio::test]
async fn what_came_before_a_termination_is_kept_as_incomplete() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(2, 10_000);
    let upload = site.create(&ingest, 20_000).await;
    send(&ingest, upload.id, 0, &bytes).await;
    let actor = site.origin().actor;
    ingest
        .terminate_upload(upload.id, actor)
        .await
        .expect("terminated");
    assert_incomplete(&site, &ingest, upload.id, &bytes, "terminated").await;
    let again = ingest.terminate_upload(upload.id, actor).await;
    assert!(
        matches!(again, Err(IngestError::WrongState(_))),
        "{again:?}"
    );
    assert_eq!(leftovers(&ingest).await, 0);
}

async fn assert_incomplete(
    site: &Site,
    ingest: &Ingest,
    id: docket_base::ids::RecordingId,
    bytes: &[u8],
    reason: &str,
) {
    let kept = recording(ingest, id).await;
    assert_eq!(kept.state, RecordingState::Incomplete);
    assert_eq!(kept.incomplete_reason.as_deref(), Some(reason));
    assert_eq!(kept.sha256, Some(Sha256Digest::of(bytes)));
    assert!(stored(ingest, &kept).await == bytes);
    let status = ingest.upload_status(id).await.expect("status");
    assert!(matches!(
        status,
        UploadStatus::Gone(RecordingState::Incomplete)
    ));
    let late = ingest
        .append(id, bytes.len() as u64, None, None, body(b"more", 4))
        .await;
    assert!(matches!(late, Err(IngestError::WrongState(_))), "{late:?}");
    publish(ingest).await;
    let receipt = receipt(ingest, id, Stored).await.expect("issued");
    site.assert_proves(&receipt, Stored, bytes);
}

#[tokio::test]
async fn an_upload_without_bytes_is_withdrawn() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let upload = site.create(&ingest, 20_000).await;
    let actor = site.origin().actor;
    ingest
        .terminate_upload(upload.id, actor)
        .await
        .expect("terminated");
    assert_eq!(
        recording(&ingest, upload.id).await.state,
        RecordingState::Deleted
    );
    let told = kinds(&ingest, upload.id).await;
    assert_eq!(told, ["recording.announced", "recording.withdrawn"]);
    assert_eq!(leftovers(&ingest).await, 0);
    let status = ingest.upload_status(upload.id).await.expect("status");
    assert!(matches!(
        status,
        UploadStatus::Gone(RecordingState::Deleted)
    ));
}

#[tokio::test]
async fn time_ends_what_nobody_finished() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(3, 10_000);
    let (some, none) = (
        site.create(&ingest, 20_000).await,
        site.create(&ingest, 20_000).await,
    );
    send(&ingest, some.id, 0, &bytes).await;
    site.clock.advance_seconds(DAYS_40 - 1);
    let late = site.create(&ingest, 20_000).await;
    assert_eq!(ingest.expire_uploads().await.expect("looked"), 0);
    site.clock.advance_seconds(1);
    assert_eq!(ingest.expire_uploads().await.expect("looked"), 2);
    assert_incomplete(&site, &ingest, some.id, &bytes, "expired").await;
    assert_eq!(
        recording(&ingest, none.id).await.state,
        RecordingState::Deleted
    );
    assert_eq!(offset(&ingest, late.id).await, 0);
}

#[tokio::test]
async fn a_termination_that_broke_off_takes_no_more_bytes() {
    for call in ["get_beside", "resume", "seal"] {
        for fault in [Fault::Fails, Fault::FailsButPersists] {
            let site = Site::new().await;
            let vault = FaultyVault::over(site.vault());
            let ingest = site.open_on(vault.clone()).await;
            let bytes = content(4, 10_000);
            let upload = site.create(&ingest, 20_000).await;
            send(&ingest, upload.id, 0, &bytes).await;
            vault.control.fail(call, 1, fault);
            let actor = site.origin().actor;
            let broken = ingest.terminate_upload(upload.id, actor).await;
            assert!(
                broken.is_err() && vault.control.has_failed(),
                "{call} {fault:?}"
            );
            // A side file about 10,000 bytes may be written: no more may come to them.
            let more = ingest
                .append(upload.id, 10_000, None, None, body(&bytes, 999))
                .await;
            assert!(matches!(more, Err(IngestError::WrongState(_))), "{more:?}");
            let kept = recording(&ingest, upload.id).await;
            assert_eq!(kept.state, RecordingState::Incomplete, "{call} {fault:?}");
            assert!(stored(&ingest, &kept).await == bytes);
        }
    }
}

#[tokio::test]
async fn a_crash_within_a_termination_is_completed_at_the_next_start() {
    let site = Site::new().await;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    let bytes = content(5, 10_000);
    let upload = site.create(&ingest, 20_000).await;
    send(&ingest, upload.id, 0, &bytes).await;
    vault.control.fail("seal", 1, Fault::FailsButPersists);
    let actor = site.origin().actor;
    assert!(ingest.terminate_upload(upload.id, actor).await.is_err());
    drop(ingest);
    let ingest = site.open().await;
    assert_eq!(ingest.recover().await.expect("recovered").sealed, 1);
    // As its side file says, not as recovery would have it.
    assert_incomplete(&site, &ingest, upload.id, &bytes, "terminated").await;
}

#[tokio::test]
async fn a_seal_that_failed_is_made_good_by_whoever_asks() {
    let site = Site::new().await;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    for way in 0..3 {
        // Other bytes each time: the same again would share the object and seal nothing.
        let bytes = content(60 + way, 10_000);
        let upload = site.create(&ingest, bytes.len()).await;
        vault.control.fail("seal", 1, Fault::Fails);
        let patch = ingest
            .append(upload.id, 0, None, None, body(&bytes, 999))
            .await;
        assert!(patch.is_err());
        match way {
            0 => {
                let status = ingest.upload_status(upload.id).await.expect("status");
                assert!(
                    matches!(status, UploadStatus::Complete { .. }),
                    "{status:?}"
                );
            }
            1 => assert!(ingest.join_round().await.expect("round")),
            _ => {
                let again = ingest.append(upload.id, 10_000, None, None, body(&[], 1));
                let again = again.await.expect("sealed");
                assert!(matches!(again.outcome, AppendOutcome::Finished(_)));
            }
        }
        let sealed = recording(&ingest, upload.id).await;
        assert_eq!(sealed.state, RecordingState::Sealed);
        assert!(stored(&ingest, &sealed).await == bytes);
    }
}

#[tokio::test]
async fn a_termination_of_what_is_complete_seals_it() {
    let site = Site::new().await;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    let upload = site.create(&ingest, 5).await;
    vault.control.fail("seal", 1, Fault::FailsButPersists);
    let patch = ingest
        .append(upload.id, 0, None, None, body(b"bytes", 5))
        .await;
    assert!(patch.is_err());
    ingest
        .terminate_upload(upload.id, Actor::System)
        .await
        .expect("ended");
    assert_eq!(
        recording(&ingest, upload.id).await.state,
        RecordingState::Sealed
    );
}

#[tokio::test]
async fn a_flipped_byte_is_found_and_gets_no_receipt() {
    use std::io::{Seek, SeekFrom, Write};
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(7, 10_000);
    let sealed = site.upload(&ingest, &bytes).await;
    let path = in_vault(&site, sealed.vault_key.as_deref().expect("sealed"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("mode");
    let file = std::fs::OpenOptions::new().write(true).open(&path);
    let mut file = file.expect("original");
    file.seek(SeekFrom::Start(5_000)).expect("seek");
    file.write_all(&[bytes[5_000] ^ 1]).expect("flipped");
    drop(file);

    assert!(!ingest.verify(&sealed).await.expect("looked"));
    assert!(recording(&ingest, sealed.id).await.verified_at.is_none());
    publish(&ingest).await;
    let told = kinds(&ingest, sealed.id).await;
    assert_eq!(told.last().expect("events"), "recording.verify_failed");
    let none = receipt(&ingest, sealed.id, Verified).await;
    assert!(matches!(none, Err(ReceiptError::NotYet)), "{none:?}");

    std::fs::write(&path, &bytes[..9_000]).expect("cut");
    assert!(!ingest.verify(&sealed).await.expect("looked"));
    std::fs::remove_file(&path).expect("gone");
    assert!(!ingest.verify(&sealed).await.expect("looked"));
    assert_eq!(kinds(&ingest, sealed.id).await.len(), 5);
}
