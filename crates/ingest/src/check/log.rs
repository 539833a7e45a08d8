//! The published log: signature, bundles and tiles up to the root, and the catalog's events against it.

use docket_catalog::StoredEvent;
use docket_ledger::hash::TreeHash;
use docket_ledger::kinds::Finding;
use docket_ledger::tile::{TILE_WIDTH, TileKind};
use docket_ledger::{CHECKPOINT_PATH, Entry, Tile, TreeHead};

use super::facts::Facts;
use super::{CheckLine, Found, Run};
use crate::Result;
use crate::event::event_row;
use crate::published_log::{Recomputed, bundles, entries_of, hashes_of, published_head};

/// Progress is told every so many bundles.
const TELL_EVERY: u64 = 64;
const BATCH: u32 = 256;

/// One bundle's leaves by its three witnesses.
struct Witnesses {
    bundle: Option<Vec<Vec<u8>>>,
    tile: Option<Vec<TreeHash>>,
    events: Vec<StoredEvent>,
    first_leaf: u64,
    width: u64,
}

/// What the witnesses agree on.
struct Truth {
    leaves: Vec<TreeHash>,
    bundle_is_true: bool,
    tile_is_true: bool,
}

impl Run<'_> {
    pub(super) async fn published_log(&mut self) -> Result<()> {
        let known = self.parts.catalog.tree_head().await?;
        let published = published_head(self.parts.vault, self.parts.key).await?;
        let mut facts = Facts::default();
        let size = match published {
            None if known.published_size > 0 => {
                let gone = "nothing is published, though the catalog noted that it was";
                self.found(Found::new(Finding::LedgerDiffers, CHECKPOINT_PATH, gone));
                0
            }
            None => 0,
            Some(Err(reason)) => {
                self.found(Found::new(Finding::LedgerDiffers, CHECKPOINT_PATH, reason));
                return Ok(());
            }
            Some(Ok(head)) => {
                let size = head.size;
                if known.sequenced_size < size {
                    let behind = format!(
                        "{} leaves are known, {size} are published",
                        known.sequenced_size
                    );
                    self.found(Found::new(Finding::CatalogDiffers, "tree_head/1", behind));
                }
                self.tree(head, &mut facts).await?;
                size
            }
        };
        self.beyond(size, &mut facts).await?;
        for found in facts.into_findings() {
            self.found(found);
        }
        Ok(())
    }

    async fn tree(&mut self, head: TreeHead, facts: &mut Facts) -> Result<()> {
        let mut tree = Recomputed::default();
        let mut whole = true;
        for index in 0..bundles(head.size) {
            let Some(leaves) = self.bundle(index, head.size, facts).await? else {
                // Nobody knows these leaves any more, so nothing above them can be computed. Each was
                // reported; the other bundles are still compared with their own tiles.
                whole = false;
                continue;
            };
            if !whole {
                continue;
            }
            for leaf in leaves {
                for (tile, hashes) in tree.push(leaf) {
                    self.compare_tile(tile, &hashes).await?;
                }
            }
            if index % TELL_EVERY == 0 {
                (self.report)(&CheckLine::Entries {
                    checked: tree.head().size,
                    of: head.size,
                });
            }
        }
        if !whole {
            return Ok(());
        }
        for (tile, hashes) in tree.rest() {
            self.compare_tile(tile, &hashes).await?;
        }
        if tree.head() != head {
            let other = "the entries do not lead to the root that is signed";
            self.found(Found::new(Finding::LedgerDiffers, CHECKPOINT_PATH, other));
        }
        Ok(())
    }

    /// Tiles above the leaves; level 0 was a witness already.
    async fn compare_tile(&mut self, tile: Tile, hashes: &[TreeHash]) -> Result<()> {
        if tile.kind == TileKind::Hashes(0) {
            return Ok(());
        }
        let wrong = match hashes_of(self.parts.vault, tile).await? {
            Ok(there) if there == hashes => return Ok(()),
            Ok(_) => "holds other hashes than those of the entries".to_owned(),
            Err(error) => error.to_string(),
        };
        self.found(Found::new(Finding::LedgerDiffers, tile.path(), wrong));
        Ok(())
    }

    /// One bundle, its level-0 tile and the catalog's events of its leaves: where one of the three
    /// disagrees, the other two say which. Returns the true leaves.
    async fn bundle(
        &mut self,
        index: u64,
        size: u64,
        facts: &mut Facts,
    ) -> Result<Option<Vec<TreeHash>>> {
        let tile = |kind| Tile::in_tree(kind, index, size);
        let (Some(bundle), Some(hashes)) = (tile(TileKind::Entries), tile(TileKind::Hashes(0)))
        else {
            return Ok(Some(Vec::new()));
        };
        let (first_leaf, width) = (index * TILE_WIDTH, u64::from(bundle.width));
        let limit = u32::from(bundle.width);
        let mut events = self
            .parts
            .catalog
            .events_from_leaf(first_leaf, limit)
            .await?;
        events.retain(|event| {
            event
                .leaf_index
                .is_some_and(|leaf| leaf < first_leaf + width)
        });
        let read_bundle = entries_of(self.parts.vault, bundle).await?;
        let read_tile = hashes_of(self.parts.vault, hashes).await?;
        let reasons = (
            read_bundle
                .as_ref()
                .err()
                .map_or_else(|| "holds another entry".to_owned(), ToString::to_string),
            read_tile
                .as_ref()
                .err()
                .map_or_else(|| "holds another hash".to_owned(), ToString::to_string),
        );
        let witnesses = Witnesses {
            bundle: read_bundle.ok(),
            tile: read_tile.ok(),
            events,
            first_leaf,
            width,
        };
        let truth = witnesses.truth();
        if !truth.bundle_is_true {
            self.found(Found::new(Finding::LedgerDiffers, bundle.path(), reasons.0));
        }
        if !truth.tile_is_true {
            self.found(Found::new(Finding::LedgerDiffers, hashes.path(), reasons.1));
        }
        if truth.leaves.is_empty() {
            return Ok(None);
        }
        self.compare_events(&witnesses, &truth);
        for entry in witnesses.entries(&truth) {
            self.entry(entry, facts).await?;
        }
        Ok(Some(truth.leaves))
    }

    fn compare_events(&mut self, witnesses: &Witnesses, truth: &Truth) {
        let mut events = witnesses.events.iter().peekable();
        for (leaf, hash) in (witnesses.first_leaf..).zip(&truth.leaves) {
            let event = events.next_if(|event| event.leaf_index == Some(leaf));
            let wrong = match event {
                None => Some("is missing"),
                Some(event) if TreeHash::of_leaf(&event.entry) != *hash => {
                    Some("is not the published entry")
                }
                Some(event) => columns_differ(event).then_some("has columns unlike its entry"),
            };
            if let Some(wrong) = wrong {
                let place = match event {
                    Some(event) => format!("custody_events/{}", event.id),
                    None => format!("custody_events/leaf-{leaf}"),
                };
                let detail = format!("the event of leaf {leaf} {wrong}");
                self.found(Found::new(Finding::CatalogDiffers, place, detail));
            }
        }
    }

    /// Events with a leaf that is not published yet: fine, when their leaves go on without a gap.
    async fn beyond(&mut self, size: u64, facts: &mut Facts) -> Result<()> {
        let mut next = size;
        loop {
            let events = self.parts.catalog.events_from_leaf(next, BATCH).await?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                if event.leaf_index != Some(next) {
                    let gap = format!("leaf {next} was given to no event, a later one was");
                    let place = format!("custody_events/{}", event.id);
                    self.found(Found::new(Finding::CatalogDiffers, place, gap));
                }
                if columns_differ(&event) {
                    let place = format!("custody_events/{}", event.id);
                    let detail = "has columns unlike its entry, or no readable entry";
                    self.found(Found::new(Finding::CatalogDiffers, place, detail));
                }
                next = event.leaf_index.unwrap_or(next) + 1;
                self.entry(&event.entry, facts).await?;
            }
        }
    }

    async fn entry(&mut self, bytes: &[u8], facts: &mut Facts) -> Result<()> {
        self.sum.entries_count += 1;
        match Entry::parse(bytes) {
            Ok(entry) => facts.note(&self.parts, &entry).await,
            Err(error) => {
                let place = format!("entry-{}", self.sum.entries_count - 1);
                self.found(Found::new(Finding::LedgerDiffers, place, error.to_string()));
                Ok(())
            }
        }
    }
}

/// Whether the columns that listings filter by are not those of the entry.
fn columns_differ(event: &StoredEvent) -> bool {
    let Some(row) = Entry::parse(&event.entry)
        .ok()
        .and_then(|entry| event_row(&entry).ok())
    else {
        return true;
    };
    let same = row.id == event.id
        && row.kind == event.kind
        && row.at == event.at
        && row.unit == event.unit_id
        && row.recording == event.recording_id
        && row.case == event.case_id
        && row.station == event.station_id
        && row.actor.kind == event.actor_kind
        && row.actor.id == event.actor_id;
    !same
}

impl Witnesses {
    fn truth(&self) -> Truth {
        let hash = |entry: &Vec<u8>| TreeHash::of_leaf(entry);
        let bundle: Option<Vec<TreeHash>> = self
            .bundle
            .as_ref()
            .map(|entries| entries.iter().map(hash).collect());
        let events: Option<Vec<TreeHash>> = (self.events.len() as u64 == self.width).then(|| {
            let hashes = self.events.iter();
            hashes
                .map(|event| TreeHash::of_leaf(&event.entry))
                .collect()
        });
        let tile = self.tile.clone();
        let agree = |one: &Option<Vec<TreeHash>>, other: &Option<Vec<TreeHash>>| {
            one.is_some() && one == other
        };
        let leaves = if agree(&bundle, &tile) || agree(&bundle, &events) {
            bundle.clone()
        } else if agree(&tile, &events) {
            tile.clone()
        } else {
            // No two agree: what the tree says comes first.
            tile.clone().or_else(|| bundle.clone())
        };
        Truth {
            bundle_is_true: agree(&bundle, &leaves),
            tile_is_true: agree(&tile, &leaves),
            leaves: leaves.unwrap_or_default(),
        }
    }

    /// The entries themselves, from whoever has them right.
    fn entries<'a>(&'a self, truth: &Truth) -> Vec<&'a [u8]> {
        match &self.bundle {
            Some(bundle) if truth.bundle_is_true => bundle.iter().map(Vec::as_slice).collect(),
            _ => {
                let events = self.events.iter().map(|event| event.entry.as_slice());
                events
                    .filter(|entry| truth.leaves.contains(&TreeHash::of_leaf(entry)))
                    .collect()
            }
        }
    }
}
