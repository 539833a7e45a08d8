use docket_base::clock::{ManualClock, Micros};
use docket_base::ids::{EventId, RecordingId};
use docket_base::random::CountingRandom;
use docket_base::{OsRandom, RunningDigest, Sha256Digest};
use docket_ledger::kinds::{
    IncompleteReason, RecordingKind, RecordingSealed, RecordingVerified, RecordingWithdrawn,
    SealedState,
};
use docket_ledger::note::Note;
use docket_ledger::proof::make_inclusion;
use docket_ledger::receipt::{BadReceipt, SEPARATOR};
use docket_ledger::{
    Actor, ClockState, Entry, Event, Integrator, Issue, LedgerKey, Receipt, ReceiptLevel, Subject,
    TileMap, Verdict, VerifierKey, verify_receipt,
};

use crate::integration::key;

const ORIGINAL: &[u8] = b"the exact bytes of a recording";

fn sealed() -> RecordingSealed {
    let mut running = RunningDigest::new(true);
    running.update(ORIGINAL);
    let digests = running.finish();
    RecordingSealed {
        state: SealedState::Sealed,
        kind: RecordingKind::Video,
        size_bytes: ORIGINAL.len() as u64,
        sha256: digests.sha256,
        sm3: digests.sm3,
        claimed_sha256: None,
        vault_key: "originals/2026/11/23/x/original".to_owned(),
        side_file_sha256: Sha256Digest::of(b"side"),
        officer: None,
        recorder: None,
        station: None,
        token: None,
        docking: None,
        recorded_at: None,
        created_at: Micros(0),
        incomplete_reason: None,
        duplicate_of: None,
        key_mark: false,
        unknown_recorder: false,
        unknown_officer: false,
    }
}

fn verified() -> RecordingVerified {
    let sealed = sealed();
    RecordingVerified {
        state: sealed.state,
        size_bytes: sealed.size_bytes,
        sha256: sealed.sha256,
        sm3: sealed.sm3,
        vault_key: sealed.vault_key,
        sealed_by: EventId::from_bytes([7; 16]),
    }
}

fn entry(event: impl Into<Event>) -> Vec<u8> {
    let (clock, random) = (
        ManualClock::at(Micros(1_700_000_000_000_000)),
        CountingRandom::default(),
    );
    let subject = Subject::recording(RecordingId::from_bytes([5; 16]));
    Entry::new(&clock, &random, Actor::System, None, subject, event)
        .to_bytes()
        .unwrap()
}

/// Issues a receipt for an entry in the midst of a log of 300.
fn issue(key: &LedgerKey, entry: &[u8]) -> Result<Receipt, BadReceipt> {
    let mut files = TileMap::new();
    let integrator = Integrator::open(key.clone(), None, &files).unwrap();
    let mut entries = vec![b"{}".to_vec(); 300];
    entries[270] = entry.to_vec();
    let batch = integrator.integrate(0, &entries).unwrap();
    for file in &batch.files {
        files.insert(file.path.clone(), file.bytes.clone());
    }
    let issue = Issue {
        entry,
        leaf_index: 270,
        inclusion_proof: make_inclusion(270, 300, &files).unwrap(),
        checkpoint: &batch.checkpoint,
        issued_at: Micros(1_700_000_001_000_000),
        clock: ClockState {
            synchronised: Some(true),
            max_error_us: Some(1500),
        },
    };
    Receipt::issue(key, issue)
}

fn judge(receipt: &Receipt, pinned: Option<&VerifierKey>) -> Verdict {
    verify_receipt(
        receipt,
        pinned,
        &Sha256Digest::of(ORIGINAL),
        ORIGINAL.len() as u64,
    )
}

#[test]
fn both_levels_are_proven_with_the_key_and_unpinned_without() {
    let key = key();
    for (bytes, level) in [
        (entry(sealed()), ReceiptLevel::Stored),
        (entry(verified()), ReceiptLevel::Verified),
    ] {
        let receipt = issue(&key, &bytes).unwrap();
        let text = receipt.to_bytes().unwrap();
        let parsed = Receipt::parse(&text).unwrap();
        assert_eq!(parsed, receipt);
        assert_eq!(
            Receipt::parse(&[text.as_slice(), b"\n"].concat()).unwrap(),
            receipt
        );
        let verdict = judge(&parsed, Some(key.verifier()));
        let proof = verdict.proven().expect("proven");
        assert_eq!((proof.level, proof.head.size), (level, 300));
        assert!(matches!(judge(&parsed, None), Verdict::Unpinned(_)));
        assert!(judge(&parsed, None).proven().is_none());
    }
}

#[test]
fn other_bytes_and_other_keys_are_told_apart() {
    let (key, other) = (
        key(),
        LedgerKey::generate("docket.example/county", &OsRandom).unwrap(),
    );
    let receipt = issue(&key, &entry(sealed())).unwrap();
    let wrong = Sha256Digest::of(b"THE exact bytes of a recording");
    let verdict = verify_receipt(
        &receipt,
        Some(key.verifier()),
        &wrong,
        ORIGINAL.len() as u64,
    );
    assert!(matches!(verdict, Verdict::DigestMismatch { .. }));
    let verdict = verify_receipt(&receipt, None, &Sha256Digest::of(ORIGINAL), 3);
    assert!(matches!(
        verdict,
        Verdict::SizeMismatch {
            original_bytes: 3,
            ..
        }
    ));
    assert!(matches!(
        judge(&receipt, Some(other.verifier())),
        Verdict::WrongKey { .. }
    ));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let key = key();
    let text = issue(&key, &entry(sealed())).unwrap().to_bytes().unwrap();
    for bit in 0..text.len() * 8 {
        let mut flipped = text.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let Ok(receipt) = Receipt::parse(&flipped) else {
            continue;
        };
        // Without a pinned key: the weakest question, and even that must fail.
        let verdict = judge(&receipt, None);
        assert!(
            matches!(verdict, Verdict::Bad(_)),
            "bit {} of byte {}: {verdict:?}",
            bit % 8,
            bit / 8
        );
    }
}

#[test]
fn only_what_fits_together_is_issued() {
    let key = key();
    let honest = issue(&key, &entry(sealed())).unwrap().body;
    // Only the entry speaks, and only two kinds of entry do.
    let event = RecordingWithdrawn {
        reason: IncompleteReason::Expired,
    };
    assert_eq!(
        issue(&key, &entry(event)).unwrap_err(),
        BadReceipt::Claim("level")
    );
    // Proof or index that do not fit are noticed before anything is given out.
    let bytes = entry(sealed());
    let make = |leaf_index, inclusion_proof| {
        Receipt::issue(
            &key,
            Issue {
                entry: &bytes,
                leaf_index,
                inclusion_proof,
                checkpoint: &honest.checkpoint,
                issued_at: Micros(0),
                clock: ClockState::default(),
            },
        )
    };
    assert!(make(270, honest.inclusion_proof.clone()).is_ok());
    assert!(matches!(
        make(271, honest.inclusion_proof.clone()),
        Err(BadReceipt::Proof(_))
    ));
    assert!(matches!(make(270, Vec::new()), Err(BadReceipt::Proof(_))));
    let other = LedgerKey::generate("docket.example/other", &OsRandom).unwrap();
    assert!(matches!(
        Receipt::issue(
            &other,
            Issue {
                entry: &bytes,
                leaf_index: 270,
                inclusion_proof: honest.inclusion_proof.clone(),
                checkpoint: &honest.checkpoint,
                issued_at: Micros(0),
                clock: ClockState::default(),
            }
        ),
        Err(BadReceipt::Checkpoint(_))
    ));
}

#[test]
fn what_a_receipt_signs_is_never_a_note() {
    assert_eq!(SEPARATOR.last(), Some(&0));
    let text = format!(
        "{}{{}}\n\n\u{2014} a AAAAAAAA\n",
        String::from_utf8_lossy(SEPARATOR)
    );
    assert!(Note::parse(&text).is_err());
}

#[test]
fn hostile_receipts_do_not_panic() {
    let text = issue(&key(), &entry(sealed())).unwrap().to_bytes().unwrap();
    for cut in 0..text.len() {
        assert!(Receipt::parse(&text[..cut]).is_err());
    }
    assert!(matches!(
        Receipt::parse(&vec![b' '; 300_000]),
        Err(BadReceipt::TooLong(_))
    ));
    assert!(Receipt::parse("[".repeat(200_000).as_bytes()).is_err());
}
