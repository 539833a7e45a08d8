//! What can go wrong in the workflow, as few cases as callers tell apart.

use docket_ledger::canonical::CanonicalError;
use docket_ledger::entry::EntryError;
use docket_vault::VaultError;

use crate::upload::hashing::HashLost;
use crate::upload::locks::StillHeld;

/// Result of a workflow call.
pub type Result<T, E = IngestError> = std::result::Result<T, E>;

/// A failed workflow call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] docket_catalog::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A running digest was lost; the upload resumes from the last told offset.
    #[error(transparent)]
    Hash(#[from] HashLost),
    /// A stored midstate can't be used.
    #[error("upload {id}: {reason}")]
    Midstate {
        /// The upload.
        id: String,
        /// Why.
        reason: String,
    },
    /// An event that has no bytes.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A side or register file that has no bytes.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// Another request holds the upload.
    #[error(transparent)]
    StillHeld(#[from] StillHeld),
    /// Nothing has this id.
    #[error("no {what} {id}")]
    NotFound {
        /// Thing, in the glossary's word.
        what: &'static str,
        /// Its id as text.
        id: String,
    },
    /// It is not in a state in which this can be done.
    #[error("{0}")]
    WrongState(String),
    /// The request contradicts itself or a rule.
    #[error("{0}")]
    Refused(String),
    /// The disk reserve is reached.
    #[error("too little room is left; nothing is lost, uploads go on when there is room")]
    Full,
    /// The media workers can't be used; the recording is not to blame.
    #[error(transparent)]
    Playback(docket_playback::Error),
    /// A task of the daemon's own died.
    #[error("{0} ended unexpectedly")]
    Died(&'static str),
}

impl IngestError {
    /// Nothing has this id.
    pub fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }

    /// Whether the cause is a full disk or store, which passes.
    pub fn is_full(&self) -> bool {
        matches!(
            self,
            Self::Full
                | Self::Vault(VaultError::Full(_))
                | Self::Catalog(docket_catalog::Error::Full)
        )
    }
}
