//! Receipts 回执: the ledger's signed statement about one recording, checkable off-line.
//!
//! A receipt is canonical JSON, `{"receipt":{...},"signature":"..."}`. What is signed is
//! [`SEPARATOR`] and then the canonical bytes of `receipt`; the separator ends in NUL, which no
//! signed note may hold, so neither can pass for the other. Everything it claims about the recording
//! is taken from the entry it carries, and is checked against it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docket_base::ids::RecordingId;
use docket_base::{Micros, Sha256Digest, Sm3Digest};
use serde::{Deserialize, Serialize};

use crate::canonical::{CanonicalError, from_canonical, to_canonical};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::entry::{Entry, EntryError};
use crate::hash::TreeHash;
use crate::key::{LedgerKey, SIGNATURE_BYTES, VerifierKey};
use crate::kinds::{Event, SealedState, words};
use crate::proof::{ProofError, verify_inclusion};
use crate::tree::TreeHead;

/// What stands before the signed bytes of a receipt.
pub const SEPARATOR: &[u8] = b"docket-receipt-v1\0";
/// A receipt longer than this is refused unread: an entry, a proof of 64 hashes and a note fit.
pub const MAX_RECEIPT_BYTES: usize = 256 * 1024;
/// The schema of receipts made today.
const SCHEMA: u32 = 1;
/// No tree of 64 bits has longer proofs.
const MAX_PROOF: usize = 64;

words! {
    /// How much the daemon had done when it issued the receipt.
    ReceiptLevel {
        /// The original is stored durably and its seal is in the ledger.
        Stored,
        /// It was also read back from the vault, past caches, and found the same.
        Verified,
    }
}

impl ReceiptLevel {
    /// `stored` or `verified`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Verified => "verified",
        }
    }
}

/// What the daemon knew about its own clock when it issued the receipt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockState {
    /// Whether the kernel said that the clock is synchronised; absent when it was not asked.
    pub synchronised: Option<bool>,
    /// The kernel's bound on the clock's error, in microseconds.
    pub max_error_us: Option<u64>,
}

/// What a receipt states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptBody {
    /// 1.
    pub schema: u32,
    /// `stored` or `verified`.
    pub level: ReceiptLevel,
    /// The log, by the name of its key.
    pub origin: String,
    /// The key that signed. It proves nothing by itself: compare it with one you have from elsewhere.
    pub key: VerifierKey,
    /// The recording.
    pub recording: RecordingId,
    /// Whole, incomplete or quarantined.
    pub state: SealedState,
    /// SHA-256 of the original.
    pub sha256: Sha256Digest,
    /// SM3 of the original, where configured.
    pub sm3: Option<Sm3Digest>,
    /// Length of the original.
    pub size_bytes: u64,
    /// Where the vault keeps it.
    pub vault_key: String,
    /// Which entry of the log says so, counted from 0.
    pub leaf_index: u64,
    /// The entry: the exact text whose UTF-8 bytes are in the log.
    pub entry: String,
    /// RFC 6962 inclusion proof of the entry under the checkpoint, leaf's sibling first.
    pub inclusion_proof: Vec<TreeHash>,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// When the receipt was issued, by the daemon's clock.
    pub issued_at: Micros,
    /// What was known about that clock.
    pub clock: ClockState,
}

/// A receipt with its signature. Only [`verify_receipt`] says what it is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it states.
    pub body: ReceiptBody,
    signature: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    receipt: ReceiptBody,
    signature: String,
}

/// Why a receipt is worthless, whoever's it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReceipt {
    /// Not a receipt's form.
    #[error("not a receipt: {0}")]
    Form(#[from] CanonicalError),
    /// Too long to be one.
    #[error("not a receipt: {0} bytes")]
    TooLong(usize),
    /// Made by a newer Docket.
    #[error("receipt of schema {0}, this program knows {SCHEMA}")]
    Schema(u32),
    /// The receipt's own signature is wrong.
    #[error("the receipt's signature is wrong")]
    Signature,
    /// The checkpoint in it is not signed by the same key, or is none.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry in it is none.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The entry is not in the checkpoint's tree.
    #[error("inclusion proof: {0}")]
    Proof(#[from] ProofError),
    /// The receipt says something else than its entry.
    #[error("the receipt's {0} is not what its entry says")]
    Claim(&'static str),
}

/// What [`Receipt::issue`] is given.
#[derive(Debug, Clone)]
pub struct Issue<'a> {
    /// The entry's bytes: of `recording.sealed` for a `stored` receipt, of `recording.verified` for a
    /// `verified` one. The level follows from it.
    pub entry: &'a [u8],
    /// Its index.
    pub leaf_index: u64,
    /// Its proof under the checkpoint.
    pub inclusion_proof: Vec<TreeHash>,
    /// The published checkpoint.
    pub checkpoint: &'a str,
    /// Now.
    pub issued_at: Micros,
    /// What is known about the clock.
    pub clock: ClockState,
}

/// What an entry says about a recording.
struct Claims {
    level: ReceiptLevel,
    recording: RecordingId,
    state: SealedState,
    sha256: Sha256Digest,
    sm3: Option<Sm3Digest>,
    size_bytes: u64,
    vault_key: String,
}

fn claims(entry: &Entry) -> Result<Claims, BadReceipt> {
    let recording = entry
        .subject
        .recording
        .ok_or(BadReceipt::Claim("recording"))?;
    match &entry.event {
        Event::RecordingSealed(body) => Ok(Claims {
            level: ReceiptLevel::Stored,
            recording,
            state: body.state,
            sha256: body.sha256,
            sm3: body.sm3,
            size_bytes: body.size_bytes,
            vault_key: body.vault_key.clone(),
        }),
        Event::RecordingVerified(body) => Ok(Claims {
            level: ReceiptLevel::Verified,
            recording,
            state: body.state,
            sha256: body.sha256,
            sm3: body.sm3,
            size_bytes: body.size_bytes,
            vault_key: body.vault_key.clone(),
        }),
        _ => Err(BadReceipt::Claim("level")),
    }
}

impl Receipt {
    /// Makes and signs a receipt. It is checked before it is given out: a daemon with a damaged log
    /// must notice that here, not in court.
    ///
    /// # Errors
    /// [`BadReceipt`] says what does not fit together.
    pub fn issue(key: &LedgerKey, issue: Issue<'_>) -> Result<Self, BadReceipt> {
        let claims = claims(&Entry::parse(issue.entry)?)?;
        let text = String::from_utf8(issue.entry.to_vec());
        let body = ReceiptBody {
            schema: SCHEMA,
            level: claims.level,
            origin: key.verifier().name().to_owned(),
            key: key.verifier().clone(),
            recording: claims.recording,
            state: claims.state,
            sha256: claims.sha256,
            sm3: claims.sm3,
            size_bytes: claims.size_bytes,
            vault_key: claims.vault_key,
            leaf_index: issue.leaf_index,
            entry: text.map_err(|error| CanonicalError::Structure(error.to_string()))?,
            inclusion_proof: issue.inclusion_proof,
            checkpoint: issue.checkpoint.to_owned(),
            issued_at: issue.issued_at,
            clock: issue.clock,
        };
        let mut signature = key.verifier().hash().to_vec();
        signature.extend_from_slice(&key.sign(&signed_bytes(&body)?));
        let receipt = Self { body, signature };
        check(&receipt)?;
        Ok(receipt)
    }

    /// The receipt's bytes, for file and HTTP alike.
    ///
    /// # Errors
    /// [`CanonicalError`]; never for a receipt that was issued or parsed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        to_canonical(&Form {
            receipt: self.body.clone(),
            signature: STANDARD.encode(&self.signature),
        })
    }

    /// Reads a receipt; one newline at the end is allowed. Nothing is verified yet.
    ///
    /// # Errors
    /// [`BadReceipt`]: any other spelling of a receipt is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadReceipt> {
        if bytes.len() > MAX_RECEIPT_BYTES {
            return Err(BadReceipt::TooLong(bytes.len()));
        }
        let form: Form = from_canonical(bytes.strip_suffix(b"\n").unwrap_or(bytes))?;
        if form.receipt.schema != SCHEMA {
            return Err(BadReceipt::Schema(form.receipt.schema));
        }
        let signature = STANDARD
            .decode(&form.signature)
            .map_err(|_| BadReceipt::Signature)?;
        Ok(Self {
            body: form.receipt,
            signature,
        })
    }
}

fn signed_bytes(body: &ReceiptBody) -> Result<Vec<u8>, CanonicalError> {
    let mut bytes = SEPARATOR.to_vec();
    bytes.extend_from_slice(&to_canonical(body)?);
    Ok(bytes)
}

/// What a good receipt proves, to whoever trusts its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Who says so: the key, whose name is the log's.
    pub key: VerifierKey,
    /// How much the daemon had done.
    pub level: ReceiptLevel,
    /// The tree that the entry is in.
    pub head: TreeHead,
    /// The entry, read.
    pub entry: Entry,
}

/// What a receipt is worth for one original.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The ledger whose key you pinned states exactly this original.
    Proven(Proof),
    /// Everything fits together, but you gave no key: anyone could have made it with a key of theirs.
    Unpinned(Proof),
    /// Signed by another key than the one you pinned.
    WrongKey {
        /// The key in the receipt.
        found: VerifierKey,
    },
    /// The receipt is good, but is about other bytes.
    DigestMismatch {
        /// SHA-256 by the receipt.
        receipt: Sha256Digest,
        /// SHA-256 of what was given.
        original: Sha256Digest,
    },
    /// The receipt is good, but is about more or fewer bytes.
    SizeMismatch {
        /// Length by the receipt.
        receipt_bytes: u64,
        /// Length of what was given.
        original_bytes: u64,
    },
    /// The receipt is worthless.
    Bad(BadReceipt),
}

impl Verdict {
    /// The proof, only when it is proven.
    pub fn proven(&self) -> Option<&Proof> {
        match self {
            Self::Proven(proof) => Some(proof),
            _ => None,
        }
    }
}

/// Judges a receipt for an original of this digest and length. Whoever may erase their copy asks,
/// besides [`Verdict::Proven`], for level `verified` and state `sealed`.
pub fn verify_receipt(
    receipt: &Receipt,
    pinned_key: Option<&VerifierKey>,
    sha256: &Sha256Digest,
    size_bytes: u64,
) -> Verdict {
    if let Some(pinned) = pinned_key
        && *pinned != receipt.body.key
    {
        return Verdict::WrongKey {
            found: receipt.body.key.clone(),
        };
    }
    let proof = match check(receipt) {
        Ok(proof) => proof,
        Err(bad) => return Verdict::Bad(bad),
    };
    if receipt.body.size_bytes != size_bytes {
        return Verdict::SizeMismatch {
            receipt_bytes: receipt.body.size_bytes,
            original_bytes: size_bytes,
        };
    }
    if receipt.body.sha256 != *sha256 {
        return Verdict::DigestMismatch {
            receipt: receipt.body.sha256,
            original: *sha256,
        };
    }
    match pinned_key {
        Some(_) => Verdict::Proven(proof),
        None => Verdict::Unpinned(proof),
    }
}

/// Checks a receipt under the key it names.
fn check(receipt: &Receipt) -> Result<Proof, BadReceipt> {
    let body = &receipt.body;
    let (hash, signature) = receipt
        .signature
        .split_first_chunk::<4>()
        .ok_or(BadReceipt::Signature)?;
    let signature: &[u8; SIGNATURE_BYTES] =
        signature.try_into().map_err(|_| BadReceipt::Signature)?;
    if *hash != body.key.hash() || !body.key.verifies(&signed_bytes(body)?, signature) {
        return Err(BadReceipt::Signature);
    }
    if body.origin != body.key.name() {
        return Err(CheckpointError::Origin.into());
    }
    let head = Checkpoint::open(&body.checkpoint, &body.key)?.head;
    if body.inclusion_proof.len() > MAX_PROOF {
        return Err(ProofError::WrongLength.into());
    }
    let leaf = TreeHash::of_leaf(body.entry.as_bytes());
    verify_inclusion(body.leaf_index, &leaf, &body.inclusion_proof, &head)?;
    let entry = Entry::parse(body.entry.as_bytes())?;
    compare(body, &claims(&entry)?)?;
    Ok(Proof {
        key: body.key.clone(),
        level: body.level,
        head,
        entry,
    })
}

fn compare(body: &ReceiptBody, claims: &Claims) -> Result<(), BadReceipt> {
    let checks = [
        (body.level == claims.level, "level"),
        (body.recording == claims.recording, "recording"),
        (body.state == claims.state, "state"),
        (body.sha256 == claims.sha256, "SHA-256"),
        (body.sm3 == claims.sm3, "SM3"),
        (body.size_bytes == claims.size_bytes, "length"),
        (body.vault_key == claims.vault_key, "vault key"),
    ];
    match checks.iter().find(|(same, _)| !same) {
        Some((_, what)) => Err(BadReceipt::Claim(what)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrate::Integrator;
    use crate::kinds::RecordingVerified;
    use crate::tile::TileMap;
    use crate::{Actor, Salt, Subject};
    use docket_base::OsRandom;
    use docket_base::ids::EventId;

    fn honest(key: &LedgerKey) -> Receipt {
        let id = EventId::from_bytes([1; 16]);
        let event = RecordingVerified {
            state: SealedState::Sealed,
            size_bytes: 3,
            sha256: Sha256Digest::of(b"abc"),
            sm3: None,
            vault_key: "k".to_owned(),
            sealed_by: id,
        };
        let entry = Entry {
            id,
            at: Micros(0),
            actor: Actor::System,
            unit: None,
            subject: Subject::recording(RecordingId::from_bytes([2; 16])),
            event: event.into(),
            salt: Salt::fresh(&OsRandom),
        };
        let bytes = entry.to_bytes().expect("small");
        let log = Integrator::open(key.clone(), None, &TileMap::new()).expect("new");
        let batch = log.integrate(0, &[&bytes]).expect("first");
        let issue = Issue {
            entry: &bytes,
            leaf_index: 0,
            inclusion_proof: Vec::new(),
            checkpoint: &batch.checkpoint,
            issued_at: Micros(1),
            clock: ClockState::default(),
        };
        Receipt::issue(key, issue).expect("fits together")
    }

    /// The worst case: whoever holds the key signs a receipt that says more than the log.
    #[test]
    fn a_signed_lie_is_noticed() {
        let key = LedgerKey::generate("log", &OsRandom).expect("name");
        let receipt = honest(&key);
        let lies: [fn(&mut ReceiptBody); 8] = [
            |body| body.level = ReceiptLevel::Stored,
            |body| body.recording = RecordingId::from_bytes([3; 16]),
            |body| body.state = SealedState::Incomplete,
            |body| body.sha256 = Sha256Digest::of(b"abd"),
            |body| body.sm3 = Some(Sm3Digest([0; 32])),
            |body| body.size_bytes = 4,
            |body| body.vault_key.push('x'),
            |body| body.origin.push('x'),
        ];
        for lie in lies {
            let mut body = receipt.body.clone();
            lie(&mut body);
            let mut signature = key.verifier().hash().to_vec();
            signature.extend_from_slice(&key.sign(&signed_bytes(&body).expect("plain")));
            let signed = Receipt { body, signature };
            let (sha256, size) = (signed.body.sha256, signed.body.size_bytes);
            let verdict = verify_receipt(&signed, Some(key.verifier()), &sha256, size);
            assert!(
                matches!(
                    verdict,
                    Verdict::Bad(BadReceipt::Claim(_) | BadReceipt::Checkpoint(_))
                ),
                "{verdict:?}"
            );
        }
    }
}
