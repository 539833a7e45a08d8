//! Reading the log twice: once to know that it is whole, once to replay it in bounded transactions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use docket_base::Sha256Digest;
use docket_base::ids::RecordingId;
use docket_catalog::{Change, Error as CatalogError};
use docket_ledger::hash::TreeHash;
use docket_ledger::tile::TileKind;
use docket_ledger::{CHECKPOINT_PATH, Entry, Event, Tile, TreeHead, VerifierKey};
use docket_vault::Vault;

use super::shelf::Shelf;
use super::{RebuildError, RebuildProgress, Rebuilt, Tell, Work};
use crate::event::event_row;
use crate::published_log::{Recomputed, bundles, entries_of, hashes_of, published_head};

/// A transaction ends when it has fetched so much; the entries of one bundle are the other bound.
const BATCH_FILE_BYTES: usize = 8 << 20;

/// An entry that waits for its recording to be sealed.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) entry: Arc<Entry>,
    pub(super) shelf: Arc<Shelf>,
}

/// What the replay knows beside the rows. It is copied before each transaction and kept only when that
/// committed, so it never runs ahead of the catalog. Bounded by how many uploads were open at once.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) sum: Rebuilt,
    /// Recordings that were announced and not sealed yet, with what was said of them since.
    pub(super) waiting: BTreeMap<RecordingId, Vec<Waiting>>,
}

impl State {
    pub(super) fn into_rebuilt(mut self) -> Rebuilt {
        let announced = self.waiting.iter().filter(|(_, said)| {
            let mut said = said.iter();
            said.any(|waiting| matches!(waiting.entry.event, Event::RecordingAnnounced(_)))
        });
        self.sum.left_open = announced.map(|(id, _)| *id).collect();
        self.sum
    }
}

/// One entry of a batch.
struct Leaf {
    index: u64,
    bytes: Vec<u8>,
    entry: Arc<Entry>,
}

/// Reads every entry, computes the tree and compares it with tiles and signed root; nothing is written.
/// The head, and the digest of the checkpoint's text.
pub(super) async fn verify(
    work: Work<'_>,
    key: &VerifierKey,
    progress: Tell<'_>,
) -> Result<(TreeHead, Sha256Digest), RebuildError> {
    let text = work.vault.log_read(CHECKPOINT_PATH).await?;
    let checkpoint = Sha256Digest::of(&text.unwrap_or_default());
    let head = match published_head(work.vault, key).await? {
        None => return Err(RebuildError::NoLog),
        Some(Err(reason)) => return Err(RebuildError::damaged(CHECKPOINT_PATH, reason)),
        Some(Ok(head)) => head,
    };
    let mut tree = Recomputed::default();
    for index in 0..bundles(head.size) {
        for leaf in bundle(work.vault, index, head.size).await? {
            for (tile, hashes) in tree.push(TreeHash::of_leaf(&leaf.bytes)) {
                compare(work.vault, tile, &hashes).await?;
            }
        }
        progress(RebuildProgress::Verified {
            entries: tree.head().size,
            of: head.size,
        });
    }
    for (tile, hashes) in tree.rest() {
        compare(work.vault, tile, &hashes).await?;
    }
    if tree.head() != head {
        let reason = "the entries do not lead to the root that is signed";
        return Err(RebuildError::damaged(CHECKPOINT_PATH, reason));
    }
    Ok((head, checkpoint))
}

async fn compare(vault: &dyn Vault, tile: Tile, hashes: &[TreeHash]) -> Result<(), RebuildError> {
    match hashes_of(vault, tile).await? {
        Ok(there) if there == hashes => Ok(()),
        Ok(_) => Err(RebuildError::damaged(
            tile.path(),
            "holds other hashes than those of the entries",
        )),
        Err(error) => Err(RebuildError::damaged(tile.path(), error)),
    }
}

async fn bundle(vault: &dyn Vault, index: u64, size: u64) -> Result<Vec<Leaf>, RebuildError> {
    let Some(tile) = Tile::in_tree(TileKind::Entries, index, size) else {
        return Ok(Vec::new());
    };
    let entries = entries_of(vault, tile)
        .await?
        .map_err(|error| RebuildError::damaged(tile.path(), error))?;
    let first = index * docket_ledger::tile::TILE_WIDTH;
    let mut leaves = Vec::with_capacity(entries.len());
    for (index, bytes) in (first..).zip(entries) {
        // Also what a newer Docket wrote is refused here, before anything is written.
        let entry = Entry::parse(&bytes).map_err(|error| {
            RebuildError::damaged(tile.path(), format!("entry {index}: {error}"))
        })?;
        leaves.push(Leaf {
            index,
            bytes,
            entry: Arc::new(entry),
        });
    }
    Ok(leaves)
}

/// Replays the whole log.
pub(super) async fn replay(
    work: Work<'_>,
    head: TreeHead,
    state: &mut State,
    progress: Tell<'_>,
) -> Result<(), RebuildError> {
    let mut tree = Recomputed::default();
    for index in 0..bundles(head.size) {
        let leaves = bundle(work.vault, index, head.size).await?;
        for leaf in &leaves {
            tree.push(TreeHash::of_leaf(&leaf.bytes));
        }
        let mut rest = leaves.as_slice();
        while !rest.is_empty() {
            let (shelf, count) = fetch(work, rest, state).await?;
            let (batch, after) = rest.split_at(count);
            commit(work, &shelf, batch, state).await?;
            rest = after;
        }
        progress(RebuildProgress::Replayed {
            entries: tree.head().size,
            of: head.size,
        });
    }
    // What was replayed is what was verified.
    if tree.head() != head {
        return Err(RebuildError::Moved);
    }
    state.sum.entries_count = head.size;
    Ok(())
}

/// The files of the next entries, and how many entries those are.
async fn fetch(
    work: Work<'_>,
    leaves: &[Leaf],
    state: &mut State,
) -> Result<(Shelf, usize), RebuildError> {
    let (mut shelf, mut bytes) = (Shelf::default(), 0);
    for (count, leaf) in (1..).zip(leaves) {
        bytes += shelf.fetch(work.vault, &leaf.entry, &mut state.sum).await?;
        if bytes >= BATCH_FILE_BYTES {
            return Ok((shelf, count));
        }
    }
    Ok((shelf, leaves.len()))
}

/// One transaction. An entry whose rows can't be restored (a register file that is gone leaves, say,
/// two units of one code) must not keep the rest from being restored: the batch is begun again
/// without that entry's rows. Its event is restored all the same.
async fn commit(
    work: Work<'_>,
    shelf: &Shelf,
    batch: &[Leaf],
    state: &mut State,
) -> Result<(), RebuildError> {
    let mut passed_over: BTreeSet<u64> = BTreeSet::new();
    loop {
        let mut next = state.clone();
        let mut change = work.catalog.change().await?;
        match rows(work, &mut change, shelf, batch, &passed_over, &mut next).await {
            Ok(()) => {
                change.commit_restored().await?;
                *state = next;
                return Ok(());
            }
            Err((leaf, RebuildError::Catalog(error)))
                if is_one_entrys_own(&error) && passed_over.insert(leaf.index) =>
            {
                let place = format!("entry {}", leaf.index);
                let detail = format!("{} could not be restored: {error}", leaf.entry.event.kind());
                state.sum.note(place, detail);
            }
            Err((_, error)) => return Err(error),
        }
    }
}

pub(super) fn is_one_entrys_own(error: &CatalogError) -> bool {
    matches!(
        error,
        CatalogError::Missing { .. }
            | CatalogError::Stale { .. }
            | CatalogError::Taken(_)
            | CatalogError::Refused(_)
    )
}

async fn rows<'b>(
    work: Work<'_>,
    change: &mut Change,
    shelf: &Shelf,
    batch: &'b [Leaf],
    passed_over: &BTreeSet<u64>,
    state: &mut State,
) -> Result<(), (&'b Leaf, RebuildError)> {
    for leaf in batch {
        let told = |error: RebuildError| (leaf, error);
        if !passed_over.contains(&leaf.index) {
            state
                .apply(work, change, shelf, &leaf.entry)
                .await
                .map_err(told)?;
        }
        let mut row = event_row(&leaf.entry).map_err(|error| told(error.into()))?;
        row.entry.clone_from(&leaf.bytes);
        change
            .restore_event(&row, leaf.index)
            .await
            .map_err(|error| told(error.into()))?;
    }
    Ok(())
}
