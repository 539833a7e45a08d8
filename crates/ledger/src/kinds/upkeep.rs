//! Events of the log itself, of registers and of checks.

use docket_base::ids::{EventId, RegisterId};
use docket_base::{Micros, Sha256Digest};

use super::{RegisterKind, RegisterRef, bodies, words};
use crate::key::VerifierKey;

words! {
    /// Why a register file was erased.
    ErasedReason {
        /// The law or an order asked for it.
        Lawful,
        /// What it belongs to was deleted.
        Deleted,
    }
    /// What a check found.
    Finding {
        /// An original with other bytes than were sealed.
        OriginalChanged,
        /// An original that is not there.
        OriginalMissing,
        /// An original that could not be read.
        OriginalUnreadable,
        /// A sealed original that the log does not know.
        OriginalUnlogged,
        /// A side file, receipt or register file with other bytes than its digest says.
        FileChanged,
        /// One that is not there.
        FileMissing,
        /// A catalog row that does not fit the log.
        CatalogDiffers,
        /// A tile, bundle or checkpoint that does not fit the log.
        LedgerDiffers,
    }
}

bodies! {
    /// See [`super::Event::LedgerCreated`].
    LedgerCreated {
        /// The key, which names the origin.
        key: VerifierKey,
        /// Version of the program that began the log.
        version: String,
    }
    /// See [`super::Event::LedgerKeyAdded`].
    LedgerKeyAdded {
        /// The new key.
        key: VerifierKey,
    }
    /// See [`super::Event::RegisterChanged`].
    RegisterChanged {
        /// The new version.
        register: RegisterRef,
        /// The event of the import that brought it, same for all its rows.
        import: Option<EventId>,
    }
    /// See [`super::Event::RegisterWithdrawn`].
    RegisterWithdrawn {
        /// Which register.
        kind: RegisterKind,
        /// Which row.
        id: RegisterId,
        /// From when on.
        from_at: Micros,
    }
    /// See [`super::Event::RegisterErased`].
    RegisterErased {
        /// What the erased file was.
        register: RegisterRef,
        /// Why.
        reason: ErasedReason,
    }
    /// See [`super::Event::CheckFound`].
    CheckFound {
        /// The check it belongs to: the id of its `check.finished`.
        check: EventId,
        /// What.
        finding: Finding,
        /// Where: a vault key, a path within the log, or a table and row id.
        place: String,
        /// SHA-256 as it should be.
        expected_sha256: Option<Sha256Digest>,
        /// SHA-256 as it is.
        actual_sha256: Option<Sha256Digest>,
    }
    /// See [`super::Event::CheckFinished`].
    CheckFinished {
        /// When it began.
        started_at: Micros,
        /// How many recordings were checked.
        recordings_count: u64,
        /// How many bytes of originals were read.
        read_bytes: u64,
        /// How many findings.
        findings_count: u64,
        /// Whether it went to its end.
        complete: bool,
    }
}
