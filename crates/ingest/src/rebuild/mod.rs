//! `docketd rebuild`: an empty catalog from vault and ledger alone (Invariant 5).
//!
//! The published entries are replayed in leaf order through the mutators that made them, with names,
//! notes and titles from side and register files. The log must be whole: before the first row is
//! written, every entry is read and the tree computed from them up to the signed root.
//!
//! A crash leaves a catalog that no daemon starts with (it is behind the published log): delete it and
//! begin again. Only after the last batch does a daemon accept it; what then is missing of the closing
//! steps (users locked out, originals re-sealed) is missing safely: their secrets are not known to
//! anyone, and `check` names originals without an entry.

mod apply;
mod closing;
mod people;
mod recording;
mod replay;
mod reseal;
mod shelf;

use docket_base::ids::RecordingId;
use docket_base::lane::Pool;
use docket_base::{Clock, Random, Sha256Digest};
use docket_catalog::{Catalog, Scope};
use docket_ledger::{CHECKPOINT_PATH, TreeHead, VerifierKey};
use docket_vault::{Vault, VaultError};

use crate::IngestError;
use replay::State;

/// So many notes are kept; the rest is counted.
const MOST_NOTES: usize = 1_000;

/// Something that could not be restored as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where: a path in the vault, an entry, a recording.
    pub place: String,
    /// What, in words.
    pub detail: String,
}

/// What a rebuild came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Entries replayed: all that were published.
    pub entries_count: u64,
    /// Recordings restored from their entries.
    pub recordings_count: u64,
    /// Originals that the published log did not know: sealed again from their side files, as new events.
    pub resealed: Vec<RecordingId>,
    /// Uploads that were under way: not restored. Their bytes, if any, are left in the vault.
    pub left_open: Vec<RecordingId>,
    /// Users that were restored disabled and without a password that could be known: an administrator
    /// sets a new one and enables them.
    pub disabled_users_count: u64,
    /// Tokens that were restored revoked, because their secrets are nowhere: make new ones.
    pub revoked_tokens_count: u64,
    /// What could not be restored as it was, up to a thousand of them.
    pub notes: Vec<Note>,
    /// How many such notes there were.
    pub notes_count: u64,
}

impl Rebuilt {
    fn note(&mut self, place: impl Into<String>, detail: impl Into<String>) {
        self.notes_count += 1;
        if self.notes.len() < MOST_NOTES {
            self.notes.push(Note {
                place: place.into(),
                detail: detail.into(),
            });
        }
    }
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebuildProgress {
    /// Entries were read and hashed; nothing is written yet.
    Verified {
        /// So many.
        entries: u64,
        /// Of so many.
        of: u64,
    },
    /// Entries were replayed and committed.
    Replayed {
        /// So many.
        entries: u64,
        /// Of so many.
        of: u64,
    },
    /// An original without an entry was sealed again.
    Resealed(RecordingId),
}

/// Why there is no rebuilt catalog.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The catalog has something in it.
    #[error("the catalog is not empty: move it away first, a rebuild begins with none")]
    NotEmpty,
    /// The vault has no published log.
    #[error("the vault has no published ledger to rebuild from")]
    NoLog,
    /// The published log is damaged, or another key's; nothing was written.
    #[error("the published ledger is damaged, nothing was rebuilt: {place}: {reason}")]
    Damaged {
        /// The file, within the log.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The log changed while it was replayed: a daemon runs. Delete the catalog and begin again.
    #[error("the published ledger changed during the rebuild; delete the catalog and begin again")]
    Moved,
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] docket_catalog::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An entry that can't be written, or an original that can't be read.
    #[error(transparent)]
    Ingest(#[from] IngestError),
}

impl RebuildError {
    fn damaged(place: impl Into<String>, reason: impl ToString) -> Self {
        Self::Damaged {
            place: place.into(),
            reason: reason.to_string(),
        }
    }
}

/// Whom progress is told.
type Tell<'a> = &'a mut (dyn FnMut(RebuildProgress) + Send);

/// What a rebuild works with.
#[derive(Clone, Copy)]
struct Work<'a> {
    catalog: &'a Catalog,
    vault: &'a dyn Vault,
    clock: &'a dyn Clock,
    random: &'a dyn Random,
}

/// Fills an empty catalog from the vault. The caller holds the data directory: no daemon runs.
///
/// # Errors
/// [`RebuildError`]. After [`RebuildError::NotEmpty`], [`RebuildError::NoLog`] and
/// [`RebuildError::Damaged`] nothing was written; after any other delete the catalog and begin again.
pub async fn rebuild(
    catalog: &Catalog,
    vault: &dyn Vault,
    key: &VerifierKey,
    clock: &dyn Clock,
    random: &dyn Random,
    progress: Tell<'_>,
) -> Result<Rebuilt, RebuildError> {
    refuse_filled(catalog).await?;
    let work = Work {
        catalog,
        vault,
        clock,
        random,
    };
    let (head, checkpoint) = replay::verify(work, key, progress).await?;
    let mut state = State::default();
    replay::replay(work, head, &mut state, progress).await?;
    publish(work, head, checkpoint).await?;
    closing::lock_users_out(work, &mut state).await?;
    closing::revoke_tokens(work, &mut state).await?;
    let pool = Pool::start("rebuild", 1).map_err(VaultError::from)?;
    reseal::originals(work, &pool, &mut state, progress).await?;
    Ok(state.into_rebuilt())
}

async fn refuse_filled(catalog: &Catalog) -> Result<(), RebuildError> {
    let is_empty = catalog.events_from_leaf(0, 1).await?.is_empty()
        && !catalog.has_waiting_events().await?
        && catalog.recordings_by_id(None, 1).await?.is_empty()
        && catalog.units(&Scope::Everything).await?.is_empty();
    if is_empty {
        Ok(())
    } else {
        Err(RebuildError::NotEmpty)
    }
}

/// Notes the published size. A crash before leaves the note out, which the daemon's next round makes.
async fn publish(
    work: Work<'_>,
    head: TreeHead,
    checkpoint: Sha256Digest,
) -> Result<(), RebuildError> {
    let now = work.vault.log_read(CHECKPOINT_PATH).await?;
    if now.as_deref().map(Sha256Digest::of) != Some(checkpoint) {
        return Err(RebuildError::Moved);
    }
    Ok(work.catalog.tree_published(head.size, checkpoint).await?)
}
