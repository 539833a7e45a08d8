//! Exit codes: part of the interface (docs/verify.md), never renumbered.

use std::process::ExitCode;

/// How a command ended. 2 is left to wrong usage, 101 to a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Proven; for other commands: done.
    Proven = 0,
    /// Some file was not uploaded, or its receipt does not fit.
    Failed = 1,
    /// Everything fits together, but no key was pinned.
    Unpinned = 3,
    /// The receipt is about other bytes.
    Mismatch = 4,
    /// The receipt is worthless: form, signature, checkpoint, entry or proof.
    BadReceipt = 5,
    /// The receipt is signed by another key than the pinned one.
    WrongKey = 6,
    /// A file could not be read, or is not what it should be.
    Unreadable = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// For `--help`.
pub const VERIFY_CODES: &str = "Exit codes:
  0  proven: the ledger whose key you gave with --key states exactly this file
  3  consistent, but with a key that you have not pinned (no --key): not proven
  4  the receipt is about another file (length or digest differ)
  5  the receipt is worthless (damaged, forged, signature or proof wrong)
  6  the receipt is signed by another key than the one in --key
  7  a file could not be read, or --key holds no verifier key
  2  wrong usage

The key: ask the agency for its ledger's verifier key on another way than the receipt came, e.g. on
paper (compare with `docket key fingerprint`), and keep it. `docketd key show` prints it; the daemon
serves it at /v1/ledger/key.";
