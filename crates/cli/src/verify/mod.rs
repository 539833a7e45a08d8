//! `docket verify`: does this receipt prove this file? No network, bounded memory.

mod chinese;
mod english;
mod original;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use docket_base::{Digests, Sha256Digest, Sm3Digest};
use docket_ledger::receipt::{BadReceipt, MAX_RECEIPT_BYTES, Proof, ReceiptBody};
use docket_ledger::{Receipt, Verdict, VerifierKey, verify_receipt};

use crate::exit::{Exit, VERIFY_CODES};
use crate::language::Language;
use crate::{key, screen};

#[derive(Debug, clap::Args)]
#[command(after_help = VERIFY_CODES)]
pub struct Arguments {
    /// File with the ledger's verifier key (name+hash+base64). Without it nothing can be proven
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The receipt, as the daemon gave it (…/receipt?level=verified, or receipt-verified.json)
    receipt: PathBuf,
    /// The file that is to be the original
    original: PathBuf,
}

/// What there is to say.
#[derive(Debug)]
enum Finding {
    Proven(Box<(ReceiptBody, Proof)>),
    Unpinned(Box<(ReceiptBody, Proof)>),
    Length {
        receipt_bytes: u64,
        original_bytes: u64,
    },
    Sha256 {
        receipt: Sha256Digest,
        original: Sha256Digest,
    },
    Sm3 {
        receipt: Sm3Digest,
        original: Option<Sm3Digest>,
    },
    WrongKey {
        found: Box<VerifierKey>,
        pinned: Box<VerifierKey>,
    },
    Bad(BadReceipt),
}

impl Finding {
    fn exit(&self) -> Exit {
        match self {
            Self::Proven(_) => Exit::Proven,
            Self::Unpinned(_) => Exit::Unpinned,
            Self::Length { .. } | Self::Sha256 { .. } | Self::Sm3 { .. } => Exit::Mismatch,
            Self::Bad(_) => Exit::BadReceipt,
            Self::WrongKey { .. } => Exit::WrongKey,
        }
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments, language: Language) -> anyhow::Result<Exit> {
    let pinned = arguments.key.as_deref().map(key::read_key).transpose()?;
    // One byte over the limit is read, so that a longer file is refused as no receipt.
    let bytes = read_bounded(&arguments.receipt, MAX_RECEIPT_BYTES as u64 + 1)?;
    let finding = judge(&bytes, pinned.as_ref(), &arguments.original)?;
    let file = arguments.original.display().to_string();
    screen::say(&match language {
        Language::English => english::report(&finding, &file),
        Language::Chinese => chinese::report(&finding, &file),
    });
    Ok(finding.exit())
}

fn judge(bytes: &[u8], pinned: Option<&VerifierKey>, file: &Path) -> anyhow::Result<Finding> {
    let receipt = match Receipt::parse(bytes) {
        Ok(receipt) => receipt,
        Err(bad) => return Ok(Finding::Bad(bad)),
    };
    // A worthless receipt or a foreign key is told before hours are spent on reading the original:
    // asked about the very bytes that it claims.
    let claimed = Digests {
        sha256: receipt.body.sha256,
        sm3: receipt.body.sm3,
    };
    let own = find(&receipt, pinned, &claimed, receipt.body.size_bytes);
    if !matches!(own, Finding::Proven(_) | Finding::Unpinned(_)) {
        return Ok(own);
    }
    let mut original = original::Original::open(file)?;
    if let Some(original_bytes) = original.length_bytes()
        && original_bytes != receipt.body.size_bytes
    {
        return Ok(Finding::Length {
            receipt_bytes: receipt.body.size_bytes,
            original_bytes,
        });
    }
    let (digests, size_bytes) = original.hash(receipt.body.sm3.is_some())?;
    Ok(find(&receipt, pinned, &digests, size_bytes))
}

fn find(
    receipt: &Receipt,
    pinned: Option<&VerifierKey>,
    original: &Digests,
    size_bytes: u64,
) -> Finding {
    let with_body = |proof| Box::new((receipt.body.clone(), proof));
    let finding = match verify_receipt(receipt, pinned, &original.sha256, size_bytes) {
        Verdict::Proven(proof) => Finding::Proven(with_body(proof)),
        Verdict::Unpinned(proof) => Finding::Unpinned(with_body(proof)),
        Verdict::DigestMismatch { receipt, original } => Finding::Sha256 { receipt, original },
        Verdict::SizeMismatch {
            receipt_bytes,
            original_bytes,
        } => Finding::Length {
            receipt_bytes,
            original_bytes,
        },
        Verdict::Bad(bad) => Finding::Bad(bad),
        Verdict::WrongKey { found } => Finding::WrongKey {
            pinned: Box::new(pinned.cloned().unwrap_or_else(|| found.clone())),
            found: Box::new(found),
        },
    };
    // Two digests claimed are two digests to fit.
    match (&finding, receipt.body.sm3) {
        (Finding::Proven(_) | Finding::Unpinned(_), Some(sm3)) if original.sm3 != Some(sm3) => {
            Finding::Sm3 {
                receipt: sm3,
                original: original.sm3,
            }
        }
        _ => finding,
    }
}

/// Reads at most `limit_bytes` of a small file.
pub fn read_bounded(path: &Path, limit_bytes: u64) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(cannot)?;
    if file.metadata().with_context(cannot)?.is_dir() {
        bail!("cannot read {}: it is a folder", path.display());
    }
    let mut bytes = Vec::new();
    file.take(limit_bytes)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    Ok(bytes)
}
