//! The one file that maps errors of other rooms to problems. What is nobody's fault but the daemon's becomes
//! `internal` or `unavailable`, with the cause in the log only.

use docket_catalog::{BadCursor, Error as CatalogError};
use docket_ingest::IngestError;
use docket_ingest::receipts::ReceiptError;
use docket_playback::Error as PlaybackError;
use docket_vault::VaultError;
use serde_json::json;

use super::{Kind, Problem};
use crate::access::UnknownName;
use crate::signin::password::PasswordError;

/// When a client may ask again for what is just being made, in seconds.
const SOON_S: u64 = 1;

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Missing { what, .. } => {
                Self::new(Kind::NotFound).detail(format!("no such {what}"))
            }
            CatalogError::Stale { .. } => Self::new(Kind::PreconditionFailed),
            // The database's own words name tables and columns: not for clients.
            CatalogError::Taken(_) => Self::new(Kind::AlreadyExists),
            CatalogError::Refused(reason) => Self::new(Kind::Invalid).detail(reason),
            CatalogError::Import(lines) => {
                let shown = lines.iter().take(100);
                let list: Vec<_> = shown
                    .map(|l| json!({"line": l.line, "reason": l.reason}))
                    .collect();
                Self::new(Kind::Invalid)
                    .detail(format!(
                        "{} lines can't be taken in; nothing was",
                        lines.len()
                    ))
                    .member("lines", list)
            }
            CatalogError::BadCursor(error) => error.into(),
            CatalogError::Full => Self::new(Kind::InsufficientStorage),
            CatalogError::Database(cause) => {
                tracing::error!(%cause, "the database does not answer as it should");
                Self::new(Kind::Unavailable).retry_after_seconds(5)
            }
            other => Self::internal(other),
        }
    }
}

impl From<BadCursor> for Problem {
    fn from(error: BadCursor) -> Self {
        Self::new(Kind::BadRequest).detail(error.to_string())
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Full(_) => Self::new(Kind::InsufficientStorage),
            VaultError::NotYet => Self::new(Kind::Conflict)
                .detail("it can be read once it is sealed")
                .retry_after_seconds(5),
            VaultError::Unavailable(cause) => {
                tracing::error!(%cause, "the store does not answer");
                Self::new(Kind::Unavailable).retry_after_seconds(5)
            }
            // What the catalog knows must be in the vault: missing there is our failure, not a 404.
            other => Self::internal(other),
        }
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        if error.is_full() {
            return Self::new(Kind::InsufficientStorage);
        }
        match error {
            IngestError::Catalog(error) => error.into(),
            IngestError::Vault(error) => error.into(),
            IngestError::Playback(error) => error.into(),
            IngestError::StillHeld(_) => Self::new(Kind::Locked).retry_after_seconds(SOON_S),
            IngestError::NotFound { what, .. } => {
                Self::new(Kind::NotFound).detail(format!("no such {what}"))
            }
            IngestError::WrongState(reason) => Self::new(Kind::Conflict).detail(reason),
            IngestError::Refused(reason) => Self::new(Kind::Invalid).detail(reason),
            other => Self::internal(other),
        }
    }
}

impl From<ReceiptError> for Problem {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::NotYet => Self::new(Kind::ReceiptNotReady).retry_after_seconds(SOON_S),
            // Without Retry-After: waiting won't help.
            ReceiptError::Never => {
                Self::new(Kind::ReceiptNotReady).detail("this recording gets no receipt")
            }
            ReceiptError::Catalog(error) => error.into(),
            ReceiptError::Vault(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::new(Kind::Busy).retry_after_seconds(2),
            PasswordError::Unacceptable => Self::new(Kind::Invalid).detail(error.to_string()),
            PasswordError::Failed(_) => Self::internal(error),
        }
    }
}

impl From<PlaybackError> for Problem {
    fn from(error: PlaybackError) -> Self {
        Self::from(&error)
    }
}

impl From<&PlaybackError> for Problem {
    fn from(error: &PlaybackError) -> Self {
        if let Some(reason) = error.reason() {
            return Self::new(Kind::NotPlayable).detail(reason.text);
        }
        match error {
            PlaybackError::NoSegment(_) => Self::new(Kind::NotFound),
            PlaybackError::ShuttingDown => Self::new(Kind::Unavailable).retry_after_seconds(5),
            other => Self::internal(other),
        }
    }
}

impl From<UnknownName> for Problem {
    fn from(error: UnknownName) -> Self {
        Self::new(Kind::Invalid).detail(error.to_string())
    }
}

impl From<docket_catalog::UnknownWord> for Problem {
    fn from(error: docket_catalog::UnknownWord) -> Self {
        Self::new(Kind::Invalid).detail(error.to_string())
    }
}
