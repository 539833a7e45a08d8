//! The published log as files: read back piece by piece, and computed anew from its entries. Both
//! `check` and `rebuild` trust nothing else.

use docket_ledger::hash::TreeHash;
use docket_ledger::tile::{TILE_WIDTH, TileError, TileKind, read_entries, read_hashes};
use docket_ledger::tree::{CompactRange, root_of};
use docket_ledger::{
    CHECKPOINT_PATH, Checkpoint, RegisterRef, Tile, TileMap, TreeHead, VerifierKey,
};
use docket_vault::{Vault, VaultError};
use serde_json::Value;

use crate::sequencer::load;

/// Reads the checkpoint and checks its signature. `Ok(None)`: nothing was ever published. The inner
/// error says why it is none.
pub(crate) async fn published_head(
    vault: &dyn Vault,
    key: &VerifierKey,
) -> Result<Option<Result<TreeHead, String>>, VaultError> {
    let Some(bytes) = vault.log_read(CHECKPOINT_PATH).await? else {
        return Ok(None);
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Some(Err("the checkpoint is not text".to_owned())));
    };
    Ok(Some(match Checkpoint::open(&text, key) {
        Ok(checkpoint) => Ok(checkpoint.head),
        Err(error) => Err(error.to_string()),
    }))
}

/// How many bundles (and level-0 tiles) a tree of this size has.
pub(crate) fn bundles(size: u64) -> u64 {
    size.div_ceil(TILE_WIDTH)
}

/// The entries of one bundle, or what is wrong with its file.
pub(crate) async fn entries_of(
    vault: &dyn Vault,
    tile: Tile,
) -> Result<Result<Vec<Vec<u8>>, TileError>, VaultError> {
    let mut files = TileMap::new();
    load(vault, [tile], &mut files).await?;
    Ok(read_entries(&files, tile))
}

/// The hashes of one tile, or what is wrong with its file.
pub(crate) async fn hashes_of(
    vault: &dyn Vault,
    tile: Tile,
) -> Result<Result<Vec<TreeHash>, TileError>, VaultError> {
    let mut files = TileMap::new();
    load(vault, [tile], &mut files).await?;
    Ok(read_hashes(&files, tile))
}

/// The tree as its leaves make it: at most one unfinished tile a level is kept in memory.
#[derive(Debug, Default)]
pub(crate) struct Recomputed {
    range: CompactRange,
    levels: Vec<Vec<TreeHash>>,
}

impl Recomputed {
    /// Appends a leaf; the tiles that it completes.
    pub(crate) fn push(&mut self, leaf: TreeHash) -> Vec<(Tile, Vec<TreeHash>)> {
        self.range.push(leaf);
        let mut full = Vec::new();
        let mut hash = leaf;
        for level in 0_u8..8 {
            let at = usize::from(level);
            if self.levels.len() <= at {
                self.levels.push(Vec::new());
            }
            self.levels[at].push(hash);
            if (self.levels[at].len() as u64) < TILE_WIDTH {
                break;
            }
            let hashes = std::mem::take(&mut self.levels[at]);
            hash = root_of(&hashes);
            let index = (self.range.size() >> (8 * (u32::from(level) + 1))) - 1;
            full.extend(self.tile(level, index).map(|tile| (tile, hashes)));
        }
        full
    }

    /// The unfinished tiles at the right edge.
    pub(crate) fn rest(&self) -> Vec<(Tile, Vec<TreeHash>)> {
        let levels = (0_u8..).zip(&self.levels);
        levels
            .filter(|(_, hashes)| !hashes.is_empty())
            .filter_map(|(level, hashes)| {
                let index = self.range.size() >> (8 * (u32::from(level) + 1));
                Some((self.tile(level, index)?, hashes.clone()))
            })
            .collect()
    }

    /// Size and root.
    pub(crate) fn head(&self) -> TreeHead {
        self.range.head()
    }

    fn tile(&self, level: u8, index: u64) -> Option<Tile> {
        Tile::in_tree(TileKind::Hashes(level), index, self.range.size())
    }
}

/// All register files that a body names, wherever they stand in it.
pub(crate) fn references(value: &Value, into: &mut Vec<RegisterRef>) {
    match value {
        Value::Object(members) => match serde_json::from_value::<RegisterRef>(value.clone()) {
            Ok(reference) => into.push(reference),
            Err(_) => members.values().for_each(|member| references(member, into)),
        },
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        _ => {}
    }
}
