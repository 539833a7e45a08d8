//! The same content again.

use docket_base::Sha256Digest;
use docket_catalog::{Recording, RecordingState};
use docket_ingest::Ingest;
use docket_ledger::ReceiptLevel::{Stored, Verified};
use docket_vault::StoredForm;

use super::faulty::{Fault, FaultyVault};
use super::site::Site;
use super::things::*;

async fn form(ingest: &Ingest, recording: &Recording) -> StoredForm {
    let all = ingest.vault.originals(None, 100).await.expect("list");
    let found = all.into_iter().find(|found| found.id == recording.id);
    found.expect("stored").form
}

#[tokio::test]
async fn the_second_time_shares_the_verified_object() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(1, 20_000);
    let first = site.upload(&ingest, &bytes).await;
    assert!(ingest.verify(&first).await.expect("read back"));
    site.clock.advance_seconds(86_400);
    let second = site.upload(&ingest, &bytes).await;
    assert_ne!(second.id, first.id);
    assert_eq!(second.state, RecordingState::Sealed);
    assert_eq!(second.duplicate_of, Some(first.id));
    assert!(matches!(
        form(&ingest, &second).await,
        StoredForm::SameAs(_)
    ));
    assert!(stored(&ingest, &second).await == bytes);
    assert_eq!(
        leftovers(&ingest).await,
        1,
        "its own bytes, until the object was read again"
    );
    assert!(ingest.verify(&second).await.expect("read back"));
    assert_eq!(leftovers(&ingest).await, 0);

    publish(&ingest).await;
    for level in [Stored, Verified] {
        let mine = receipt(&ingest, second.id, level).await.expect("issued");
        site.assert_proves(&mine, level, &bytes);
        assert_ne!(
            mine,
            receipt(&ingest, first.id, level).await.expect("issued")
        );
    }
    let told = kinds(&ingest, second.id).await;
    assert_eq!(
        told,
        [
            "recording.announced",
            "recording.sealed",
            "recording.verified"
        ]
    );
    // A third one is a duplicate of the first, not of the second.
    let third = site.upload(&ingest, &bytes).await;
    assert_eq!(third.duplicate_of, Some(first.id));
}

#[tokio::test]
async fn what_was_not_read_back_yet_is_shared_too_but_never_another_units() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(2, 20_000);
    let first = site.upload(&ingest, &bytes).await;
    let second = site.upload(&ingest, &bytes).await;
    assert_eq!(second.duplicate_of, Some(first.id));
    assert!(matches!(
        form(&ingest, &second).await,
        StoredForm::SameAs(_)
    ));
    assert_eq!(leftovers(&ingest).await, 1, "its own bytes stay meanwhile");

    let mut new = site.new_upload(Some(bytes.len()));
    new.unit = site.other_unit;
    let other = ingest
        .create_upload(site.origin(), &new)
        .await
        .expect("created");
    send(&ingest, other.id, 0, &bytes).await;
    let other = recording(&ingest, other.id).await;
    assert_eq!(other.duplicate_of, None);
    assert!(matches!(
        form(&ingest, &other).await,
        StoredForm::Object { .. }
    ));
}

#[tokio::test]
async fn a_claim_alone_attaches_nothing() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(3, 20_000);
    let first = site.upload(&ingest, &bytes).await;
    assert!(ingest.verify(&first).await.expect("read back"));
    let mut new = site.new_upload(Some(bytes.len()));
    new.claimed_sha256 = Some(Sha256Digest::of(&bytes));
    let upload = ingest
        .create_upload(site.origin(), &new)
        .await
        .expect("created");
    assert_eq!(offset(&ingest, upload.id).await, 0);
    send(&ingest, upload.id, 0, &content(4, 20_000)).await;
    let kept = recording(&ingest, upload.id).await;
    assert_eq!(kept.state, RecordingState::Quarantined);
    assert_eq!(kept.duplicate_of, None);
}

/// The shared object is damaged: the duplicate's own bytes are the last good copy, and stay.
#[tokio::test]
async fn own_bytes_stay_when_the_shared_object_is_not_what_it_was() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(5, 20_000);
    let first = site.upload(&ingest, &bytes).await;
    assert!(ingest.verify(&first).await.expect("read back"));
    let path = in_vault(&site, first.vault_key.as_deref().expect("sealed"));
    std::fs::remove_file(&path).expect("original");
    std::fs::write(&path, content(6, 20_000)).expect("damaged");
    let second = site.upload(&ingest, &bytes).await;
    assert_eq!(second.duplicate_of, Some(first.id));
    assert!(!ingest.verify(&second).await.expect("looked"));
    drop(ingest);
    let ingest = site.open().await;
    assert_eq!(ingest.recover().await.expect("recovered").discarded, 0);
    assert_eq!(leftovers(&ingest).await, 1);
}

/// An earlier try to seal wrote its side file and failed; meanwhile the content was verified under
/// another id. The choice of the first try stands, so that side file, entry and vault agree.
#[tokio::test]
async fn a_seal_begun_before_stays_what_it_was() {
    let site = Site::new().await;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    let bytes = content(7, 20_000);
    let mine = site.create(&ingest, bytes.len()).await;
    vault.control.fail("seal", 1, Fault::FailsButPersists);
    let patch = ingest
        .append(mine.id, 0, None, None, body(&bytes, 999))
        .await;
    assert!(patch.is_err());
    let other = site.upload(&ingest, &bytes).await;
    assert!(ingest.verify(&other).await.expect("read back"));
    ingest.upload_status(mine.id).await.expect("sealed now");
    let sealed = recording(&ingest, mine.id).await;
    assert_eq!(sealed.duplicate_of, None);
    assert!(matches!(
        form(&ingest, &sealed).await,
        StoredForm::Object { .. }
    ));
}

#[tokio::test]
async fn a_crash_around_sharing_leaves_nothing_behind() {
    for (call, fault) in [
        ("share", Fault::Fails),
        ("share", Fault::FailsButPersists),
        ("discard", Fault::Fails),
        ("leftovers", Fault::Fails),
    ] {
        let site = Site::new().await;
        let vault = FaultyVault::over(site.vault());
        let ingest = site.open_on(vault.clone()).await;
        let bytes = content(8, 20_000);
        let first = site.upload(&ingest, &bytes).await;
        assert!(ingest.verify(&first).await.expect("read back"));
        let second = site.create(&ingest, bytes.len()).await;
        vault.control.fail(call, 1, fault);
        let patch = ingest
            .append(second.id, 0, None, None, body(&bytes, 999))
            .await;
        assert_eq!(patch.is_err(), call == "share");
        if call != "share" {
            let row = recording(&ingest, second.id).await;
            assert!(ingest.verify(&row).await.expect("read back"));
        }
        assert!(vault.control.has_failed());
        drop(ingest);
        let ingest = site.open().await;
        ingest.recover().await.expect("recovered");
        let sealed = recording(&ingest, second.id).await;
        assert_eq!(sealed.duplicate_of, Some(first.id), "{call} {fault:?}");
        if sealed.verified_at.is_none() {
            assert!(ingest.verify(&sealed).await.expect("read back"));
        }
        assert!(stored(&ingest, &sealed).await == bytes);
        assert_eq!(leftovers(&ingest).await, 0, "{call} {fault:?}");
    }
}
