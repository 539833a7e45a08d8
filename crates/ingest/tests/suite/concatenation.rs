//! Parts that are joined in the background.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use docket_base::Sha256Digest;
use docket_base::ids::RecordingId;
use docket_catalog::{RecordingState, UploadKind};
use docket_ingest::upload::{AppendOutcome, NewFinal, UploadStatus};
use docket_ingest::{Ingest, IngestError};

use super::faulty::{Fault, FaultyVault};
use super::site::Site;
use super::things::*;

const LENGTHS: [usize; 3] = [7_000, 1, 12_999];

async fn parts(site: &Site, ingest: &Ingest, bytes: &[u8]) -> Vec<RecordingId> {
    let (mut ids, mut from) = (Vec::new(), 0);
    for length in LENGTHS {
        let part = ingest
            .create_partial(site.origin(), site.unit, Some(length as u64), "")
            .await
            .expect("created");
        let done = send(ingest, part.id, 0, &bytes[from..from + length]).await;
        assert!(matches!(done.outcome, AppendOutcome::Taken), "{done:?}");
        ids.push(part.id);
        from += length;
    }
    assert_eq!(from, bytes.len());
    ids
}

fn whole(site: &Site, parts: Vec<RecordingId>) -> NewFinal {
    NewFinal {
        upload: site.new_upload(None),
        parts,
    }
}

async fn assert_joined(ingest: &Ingest, id: RecordingId, bytes: &[u8]) {
    let sealed = recording(ingest, id).await;
    assert_eq!(sealed.state, RecordingState::Sealed);
    assert_eq!(sealed.sha256, Some(Sha256Digest::of(bytes)));
    assert!(stored(ingest, &sealed).await == bytes);
    assert_eq!(leftovers(ingest).await, 0, "no part is left");
    let open = ingest
        .catalog
        .open_uploads(None, 10)
        .await
        .expect("catalog");
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn parts_become_one_recording_and_nothing_else() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(1, 20_000);
    let parts = parts(&site, &ingest, &bytes).await;
    for part in &parts {
        assert!(
            ingest
                .catalog
                .recording(*part)
                .await
                .expect("catalog")
                .is_none()
        );
    }
    let new = whole(&site, parts.clone());
    let joined = ingest
        .create_final(site.origin(), new)
        .await
        .expect("created");
    assert_eq!(
        recording(&ingest, joined.id).await.state,
        RecordingState::Sealing
    );
    let refused = ingest.append(joined.id, 0, None, None, body(b"x", 1)).await;
    assert!(
        matches!(refused, Err(IngestError::Refused(_))),
        "{refused:?}"
    );
    let needed = ingest.terminate_upload(parts[1], site.origin().actor).await;
    assert!(
        matches!(needed, Err(IngestError::WrongState(_))),
        "{needed:?}"
    );
    let whole_too = ingest
        .terminate_upload(joined.id, site.origin().actor)
        .await;
    assert!(
        matches!(whole_too, Err(IngestError::WrongState(_))),
        "{whole_too:?}"
    );
    site.clock.advance_seconds(100 * 86_400);
    assert_eq!(ingest.expire_uploads().await.expect("looked"), 0);
    assert!(ingest.join_round().await.expect("joined"));
    assert_joined(&ingest, joined.id, &bytes).await;
    let told = kinds(&ingest, joined.id).await;
    assert_eq!(told, ["recording.announced", "recording.sealed"]);
    let again = ingest
        .create_final(site.origin(), whole(&site, parts))
        .await;
    assert!(matches!(again, Err(IngestError::Refused(_))), "{again:?}");
}

#[tokio::test]
async fn only_complete_parts_of_the_same_sender_and_unit_are_joined() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let (unit, origin) = (site.unit, site.origin());
    let unfinished = ingest
        .create_partial(origin, unit, Some(10), "")
        .await
        .expect("created");
    let elsewhere = ingest.create_partial(origin, site.other_unit, Some(0), "");
    let elsewhere = elsewhere.await.expect("created");
    let mut somebody = origin;
    somebody.actor = docket_ledger::Actor::System;
    let another = ingest
        .create_partial(somebody, unit, Some(0), "")
        .await
        .expect("created");
    let no_part = site.create(&ingest, 10).await;
    let nothing = RecordingId::from_bytes([9; 16]);
    for id in [unfinished.id, elsewhere.id, another.id, no_part.id, nothing] {
        let refused = ingest.create_final(origin, whole(&site, vec![id])).await;
        assert!(
            matches!(refused, Err(IngestError::Refused(_))),
            "{refused:?}"
        );
    }
    assert!(
        ingest
            .create_final(origin, whole(&site, vec![]))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn joining_goes_on_where_a_crash_left_it() {
    let mut site = Site::new().await;
    site.flush_every_bytes = 1_000;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    let bytes = content(2, 20_000);
    let parts = parts(&site, &ingest, &bytes).await;
    let new = whole(&site, parts);
    let joined = ingest
        .create_final(site.origin(), new)
        .await
        .expect("created");
    // Blocks of the parts come large; the second part's is the second append.
    vault.control.fail("append", 2, Fault::Fails);
    assert!(!ingest.join_round().await.expect("round"));
    let row = ingest.catalog.upload(joined.id).await.expect("catalog");
    let done = row.expect("open").offset_bytes;
    assert!(done > 0 && done < 20_000, "{done}");
    // Asking does not stop the joining, nor tell of bytes that could be sent.
    let status = ingest.upload_status(joined.id).await.expect("status");
    assert!(matches!(status, UploadStatus::Open(row) if row.kind == UploadKind::Final));
    drop(ingest);

    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    ingest.recover().await.expect("recovered");
    assert!(ingest.join_round().await.expect("joined"));
    let again = vault.control.appended_bytes.load(Ordering::SeqCst);
    assert_eq!(again, 20_000 - done, "nothing is read twice");
    assert_joined(&ingest, joined.id, &bytes).await;
}

#[tokio::test]
async fn a_crash_anywhere_around_the_joining_leaves_one_recording() {
    for (call, nth, fault) in [
        ("resume", 1, Fault::Fails),
        ("read_assembly", 2, Fault::Fails),
        ("flush", 1, Fault::Fails),
        ("flush", 1, Fault::FailsButPersists),
        ("seal", 1, Fault::Fails),
        ("seal", 1, Fault::FailsButPersists),
        ("discard", 1, Fault::Fails),
        ("discard", 2, Fault::FailsButPersists),
    ] {
        let site = Site::new().await;
        let vault = FaultyVault::over(site.vault());
        let ingest = site.open_on(vault.clone()).await;
        let bytes = content(3, 20_000);
        let parts = parts(&site, &ingest, &bytes).await;
        let new = whole(&site, parts);
        let joined = ingest
            .create_final(site.origin(), new)
            .await
            .expect("created");
        vault.control.fail(call, nth, fault);
        assert!(
            !ingest.join_round().await.expect("round"),
            "{call} {fault:?}"
        );
        assert!(vault.control.has_failed());
        drop(ingest);
        let ingest = site.open().await;
        ingest.recover().await.expect("recovered");
        assert!(
            ingest.join_round().await.expect("joined"),
            "{call} {fault:?}"
        );
        assert_joined(&ingest, joined.id, &bytes).await;
        // And no part comes back as a recording of its own.
        site.clock.advance_seconds(41 * 86_400);
        assert_eq!(ingest.expire_uploads().await.expect("looked"), 0);
    }
}

#[tokio::test]
async fn a_part_shared_by_two_goes_with_the_second() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(4, 20_000);
    let ids = parts(&site, &ingest, &bytes).await;
    let first = ingest.create_final(site.origin(), whole(&site, vec![ids[0]]));
    let first = first.await.expect("created");
    let second = ingest.create_final(site.origin(), whole(&site, ids));
    let second = second.await.expect("created");
    assert!(ingest.join_round().await.expect("joined"));
    assert!(stored(&ingest, &recording(&ingest, first.id).await).await == bytes[..7_000]);
    assert_joined(&ingest, second.id, &bytes).await;
}

#[tokio::test]
async fn a_joined_digest_is_compared_like_any_other() {
    let site = Site::new().await;
    let ingest = site.open().await;
    let bytes = content(5, 20_000);
    let mut new = whole(&site, parts(&site, &ingest, &bytes).await);
    new.upload.claimed_sha256 = Some(Sha256Digest::of(b"another"));
    let joined = ingest
        .create_final(site.origin(), new)
        .await
        .expect("created");
    assert!(ingest.join_round().await.expect("joined"));
    let kept = recording(&ingest, joined.id).await;
    assert_eq!(kept.state, RecordingState::Quarantined);
    assert!(stored(&ingest, &kept).await == bytes);
    assert_eq!(leftovers(&ingest).await, 0);
}

#[tokio::test]
async fn parts_that_nobody_joined_are_kept_as_incomplete_recordings() {
    let site = Site::new().await;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    let bytes = content(6, 20_000);
    let ids = parts(&site, &ingest, &bytes).await;
    let empty = ingest.create_partial(site.origin(), site.unit, Some(5), "");
    let empty = empty.await.expect("created");
    site.clock.advance_seconds(40 * 86_400);
    // The first one breaks off between its announcement and its seal.
    vault.control.fail("seal", 1, Fault::Fails);
    assert_eq!(ingest.expire_uploads().await.expect("looked"), 3);
    let ingest: Arc<Ingest> = {
        drop(ingest);
        site.open().await
    };
    ingest.recover().await.expect("recovered");
    assert_eq!(ingest.expire_uploads().await.expect("looked"), 0);
    let mut all = Vec::new();
    for id in ids {
        let kept = recording(&ingest, id).await;
        assert_eq!(kept.state, RecordingState::Incomplete);
        all.extend_from_slice(&stored(&ingest, &kept).await);
        let told = kinds(&ingest, id).await;
        assert_eq!(told, ["recording.announced", "recording.sealed"]);
    }
    assert!(all == bytes);
    assert!(
        ingest
            .catalog
            .recording(empty.id)
            .await
            .expect("catalog")
            .is_none()
    );
    assert_eq!(leftovers(&ingest).await, 0);
}
