//! Receipts: what allows evidence to be erased.

use std::sync::LazyLock;

use docket_base::{Micros, Sha256Digest};
use docket_dock::receipts::{Expected, judge};
use docket_ledger::proof::make_inclusion;
use docket_ledger::receipt::Issue;
use docket_ledger::{ClockState, Receipt, Verdict, verify_receipt};

use crate::log::{HONEST, recording};

static ISSUED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let honest = &*HONEST;
    let proof = make_inclusion(0, honest.head.size, &honest.files).expect("whole files");
    let issue = Issue {
        entry: &honest.entry,
        leaf_index: 0,
        inclusion_proof: proof,
        checkpoint: &honest.checkpoint,
        issued_at: Micros(1_795_000_000_000_000),
        clock: ClockState::default(),
    };
    let receipt = Receipt::issue(&honest.key, issue).expect("it fits together");
    receipt.to_bytes().expect("plain")
});

/// A receipt has one spelling; and of all there are, only the one that was issued passes as proof.
pub fn judged(bytes: &[u8]) {
    let bare = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let abc = Sha256Digest::of(b"abc");
    if let Ok(receipt) = Receipt::parse(bytes) {
        assert_eq!(receipt.to_bytes().as_deref(), Ok(bare));
        let verdict = verify_receipt(&receipt, None, &abc, 3);
        assert!(
            !matches!(verdict, Verdict::Proven(_)),
            "nobody's key was pinned"
        );
    }
    let expected = Expected {
        recording: recording(),
        sha256: abc,
        size_bytes: 3,
    };
    if judge(bytes, HONEST.key.verifier(), &expected).is_ok() {
        assert_eq!(bare, ISSUED.as_slice());
    }
}

/// To begin with.
pub mod seeds {
    /// The one.
    pub fn judged() -> Vec<Vec<u8>> {
        vec![super::ISSUED.clone()]
    }
}
