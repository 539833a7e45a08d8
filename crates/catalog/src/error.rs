//! What can go wrong in the catalog, as few cases as callers tell apart.

use crate::engine::dialect;

/// Result of a catalog call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed catalog call. Absence is not one: lookups answer `Ok(None)`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row holds what this program can't have written.
    #[error("catalog is damaged: table {table}, row {row}: {reason}")]
    Corrupt {
        /// Table name.
        table: &'static str,
        /// The row's id, as far as it could be read.
        row: String,
        /// What is wrong.
        reason: String,
    },
    /// The row that was to be changed isn't there.
    #[error("no {what} {id}")]
    Missing {
        /// Thing, in the glossary's word.
        what: &'static str,
        /// Its id as text.
        id: String,
    },
    /// The row is no longer as the caller saw it: version, offset or state have moved on.
    #[error("{what} {id} has changed meanwhile")]
    Stale {
        /// Thing, in the glossary's word.
        what: &'static str,
        /// Its id as text.
        id: String,
    },
    /// A value that must be unique is in use.
    #[error("already in use: {0}")]
    Taken(String),
    /// The request contradicts a rule of the catalog.
    #[error("{0}")]
    Refused(String),
    /// A CSV register that can't be taken in; nothing of it was.
    #[error("{} line(s) refused, first: line {}: {}", .0.len(), .0.first().map_or(0, |l| l.line), .0.first().map_or("", |l| l.reason.as_str()))]
    Import(Vec<crate::LineError>),
    /// A cursor this catalog did not give out.
    #[error(transparent)]
    BadCursor(#[from] crate::BadCursor),
    /// `commit` was called without a custody event.
    #[error("a change without a custody event is not committed")]
    NoEvent,
    /// No room on the disk; nothing was changed.
    #[error("the catalog's disk is full")]
    Full,
    /// The schema on disk is not one this program can use.
    #[error("schema: {0}")]
    Schema(String),
    /// The database itself.
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
}

impl Error {
    pub(crate) fn missing(what: &'static str, id: impl ToString) -> Self {
        Self::Missing {
            what,
            id: id.to_string(),
        }
    }

    pub(crate) fn stale(what: &'static str, id: impl ToString) -> Self {
        Self::Stale {
            what,
            id: id.to_string(),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(db) if db.is_unique_violation() => Self::Taken(db.message().to_owned()),
            Some(db) if db.is_foreign_key_violation() => {
                Self::Refused("names something that is not there".to_owned())
            }
            Some(db) if dialect::is_disk_full(db) => Self::Full,
            _ => Self::Database(error),
        }
    }
}
