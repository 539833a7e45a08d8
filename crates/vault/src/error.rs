//! What can go wrong with stored bytes. Cloneable, because one failed sync answers many waiters.

use std::io;
use std::sync::Arc;

/// A vault's answer.
pub type Result<T> = std::result::Result<T, VaultError>;

/// Why the vault could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    /// Nothing has this name (an assembly, an original, an object).
    #[error("{0} is not in the vault")]
    NotFound(String),
    /// The disk or the store is full: nothing acknowledged is lost, and it goes on when there is room.
    #[error("the vault is full: {0}")]
    Full(String),
    /// Something else already stands there, or somebody else took over.
    #[error("conflict: {0}")]
    Conflict(String),
    /// What is stored is not what was acknowledged.
    #[error("stored data is damaged: {what}")]
    Corrupt {
        /// Which thing, and how it differs.
        what: String,
    },
    /// The bytes are safe, but this kind of vault can't hand them out before they are sealed.
    #[error("an upload in this kind of vault can't be read before it is sealed")]
    NotYet,
    /// The store did not answer, or not with success; later may be better.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The operating system refused.
    #[error("vault input/output: {0}")]
    Io(Arc<io::Error>),
}

impl VaultError {
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    /// Whether it is [`VaultError::NotFound`].
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }
}

impl From<io::Error> for VaultError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{AlreadyExists, NotFound, QuotaExceeded, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded => Self::Full(error.to_string()),
            NotFound => Self::NotFound("a file".to_owned()),
            AlreadyExists => Self::Conflict("a file is already there".to_owned()),
            _ => Self::Io(Arc::new(error)),
        }
    }
}
