//! Judging receipts and keeping them. Only what passes here allows anything to be erased.

use std::io;

use docket_base::Sha256Digest;
use docket_base::files::{create_immutable, read_small};
use docket_base::ids::RecordingId;
use docket_ledger::kinds::SealedState;
use docket_ledger::receipt::{BadReceipt, MAX_RECEIPT_BYTES};
use docket_ledger::{Receipt, ReceiptLevel, Verdict, VerifierKey, verify_receipt};

use crate::state::StateDirectory;

/// What a receipt must be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The recording the station uploaded.
    pub recording: RecordingId,
    /// The station's own digest, computed while it read the file.
    pub sha256: Sha256Digest,
    /// The file's length.
    pub size_bytes: u64,
}

/// Why a receipt does not do.
#[derive(Debug, thiserror::Error)]
pub enum NotProven {
    /// The daemon holds other bytes than the station read.
    #[error("the receipt is for other bytes: {receipt}, read here: {here}")]
    OtherBytes {
        /// By the receipt.
        receipt: Sha256Digest,
        /// By the station.
        here: Sha256Digest,
    },
    /// The daemon holds more or fewer bytes.
    #[error("the receipt is for {0} bytes")]
    OtherSize(u64),
    /// Another ledger speaks.
    #[error("the receipt is signed by {0}, which is not the key pinned at enrolment")]
    OtherKey(String),
    /// The receipt is good and says something else than is needed.
    #[error("the receipt says {0}")]
    OtherClaim(String),
    /// Worthless.
    #[error("the receipt is worthless: {0}")]
    Bad(#[from] BadReceipt),
    /// The station cannot keep it.
    #[error("the receipt cannot be kept: {0}")]
    Keep(io::Error),
    /// There is one already, and it is another.
    #[error("another receipt was issued for this recording before")]
    Reissued,
}

/// Judges a `verified` receipt: signature and proof under the pinned key, level, state, recording,
/// length, and the station's own digest.
///
/// # Errors
/// [`NotProven`].
pub fn judge(bytes: &[u8], key: &VerifierKey, expected: &Expected) -> Result<(), NotProven> {
    let receipt = Receipt::parse(bytes)?;
    match verify_receipt(&receipt, Some(key), &expected.sha256, expected.size_bytes) {
        Verdict::Proven(_) => {}
        Verdict::Unpinned(proof) => return Err(NotProven::OtherKey(proof.key.to_string())),
        Verdict::WrongKey { found } => return Err(NotProven::OtherKey(found.to_string())),
        Verdict::DigestMismatch { receipt, original } => {
            return Err(NotProven::OtherBytes {
                receipt,
                here: original,
            });
        }
        Verdict::SizeMismatch { receipt_bytes, .. } => {
            return Err(NotProven::OtherSize(receipt_bytes));
        }
        Verdict::Bad(bad) => return Err(bad.into()),
    }
    let body = &receipt.body;
    if body.level != ReceiptLevel::Verified {
        return Err(NotProven::OtherClaim(body.level.as_str().into()));
    }
    if body.state != SealedState::Sealed {
        return Err(NotProven::OtherClaim(
            format!("{:?}", body.state).to_lowercase(),
        ));
    }
    if body.recording != expected.recording {
        return Err(NotProven::OtherClaim(format!(
            "recording {}",
            body.recording
        )));
    }
    Ok(())
}

/// Keeps a judged receipt; durable when it returns. The same again is fine. Blocks.
///
/// # Errors
/// [`NotProven::Reissued`] or [`NotProven::Keep`].
pub fn keep(state: &StateDirectory, recording: RecordingId, bytes: &[u8]) -> Result<(), NotProven> {
    let path = state.receipt(recording);
    let files = &**state.files();
    let directory = path
        .parent()
        .ok_or_else(|| NotProven::Keep(io::ErrorKind::InvalidInput.into()))?;
    files.create_dir_all(directory).map_err(NotProven::Keep)?;
    match create_immutable(files, &path, &path.with_extension("tmp"), bytes) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let kept = kept(state, recording).map_err(NotProven::Keep)?;
            if kept.as_deref() == Some(bytes) {
                return Ok(());
            }
            Err(NotProven::Reissued)
        }
        Err(error) => Err(NotProven::Keep(error)),
    }
}

/// The receipt kept for a recording. Blocks.
///
/// # Errors
/// What the file system says.
pub fn kept(state: &StateDirectory, recording: RecordingId) -> io::Result<Option<Vec<u8>>> {
    let limit = MAX_RECEIPT_BYTES as u64;
    read_small(&**state.files(), &state.receipt(recording), limit)
}
