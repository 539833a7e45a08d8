//! Integration: entries in leaf order become tiles, bundles and a checkpoint.
//!
//! Everything here is a function of the entries: whoever integrates the same entries, in batches cut
//! anywhere, writes the same bytes under the same names. That is what makes a broken batch repeatable:
//! write every file of the batch durably, then replace the checkpoint (compare-and-swap against
//! [`Batch::previous`]), then [`Integrator::accept`]. A crash before the checkpoint leaves files that
//! nothing points to and that the repetition writes again, identically; a crash after it leaves a
//! checkpoint that [`Integrator::open`] finds.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::TreeHash;
use crate::key::LedgerKey;
use crate::proof::{MakeProofError, make_consistency, verify_consistency};
use crate::tile::{
    MAX_ENTRY_BYTES, TILE_WIDTH, Tile, TileError, TileKind, TileReader, encode_bundle,
    read_entries, read_hashes,
};
use crate::tree::{CompactRange, TreeHead, root_of};

/// Tile levels that a 64-bit tree can have.
const LEVELS: u8 = 8;

/// One immutable file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Path within the log.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// What integrating some entries means in files.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The checkpoint that must still stand when the new one is published; `None` for a new log.
    pub previous: Option<String>,
    /// Files to write before the checkpoint, in this order. Each may exist already with the same
    /// bytes; other bytes mean that the log forked, and nothing may be published.
    pub files: Vec<LogFile>,
    /// The checkpoint to publish last.
    pub checkpoint: String,
    /// What it says.
    pub head: TreeHead,
    edge: Edge,
}

/// Why a published log cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The published checkpoint is not this key's.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file at the right edge is missing or damaged.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The files at the right edge are another tree's than the checkpoint's.
    #[error("tiles do not lead to the root that the checkpoint of {size} entries states")]
    Root {
        /// Size by the checkpoint.
        size: u64,
    },
    /// The last entries are not those whose hashes stand in the tree.
    #[error("entry {leaf_index} in its bundle is not the one in the tree")]
    Entry {
        /// Which.
        leaf_index: u64,
    },
}

/// Why entries cannot be integrated.
#[derive(Debug, thiserror::Error)]
pub enum IntegrateError {
    /// The entries do not begin where the tree ends.
    #[error("entries begin at {first_leaf}, but the tree ends at {size}")]
    Gap {
        /// Where they begin.
        first_leaf: u64,
        /// Where they must begin.
        size: u64,
    },
    /// An entry too long for a bundle.
    #[error("entry {leaf_index} has {size_bytes} bytes, over the limit of {MAX_ENTRY_BYTES}")]
    TooLong {
        /// Which.
        leaf_index: u64,
        /// How long.
        size_bytes: usize,
    },
}

/// Why two trees are not one log at two times.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// The later tree is smaller: entries were taken away.
    #[error("the log went back from {from} to {to} entries")]
    RolledBack {
        /// Entries before.
        from: u64,
        /// Entries now.
        to: u64,
    },
    /// The later tree does not contain the earlier one.
    #[error("the log of {to} entries does not continue the log of {from} entries: it forked")]
    Forked {
        /// Entries before.
        from: u64,
        /// Entries now.
        to: u64,
    },
    /// An entry that is not the published one of that index.
    #[error("entry {leaf_index} is not the published one: the log would fork")]
    Entry {
        /// Which.
        leaf_index: u64,
    },
    /// The tiles needed to find out could not be used.
    #[error(transparent)]
    Tile(#[from] TileError),
}

/// Where a database stands beside the published log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Both have the same number of leaves.
    Level,
    /// The database has more: integrate them.
    DatabaseAhead {
        /// The first leaf to integrate.
        first_leaf: u64,
    },
    /// The published log has more: the database is an old backup. It must take these entries from
    /// the bundles, or refuse to run; it must never assign these indexes again.
    DatabaseBehind {
        /// The first leaf that the database lacks.
        first_leaf: u64,
        /// The published size.
        size: u64,
    },
}

/// The unfinished tile of every level and the unfinished bundle.
#[derive(Debug, Clone, Default)]
struct Edge {
    size: u64,
    levels: Vec<Vec<TreeHash>>,
    bundle: Vec<Vec<u8>>,
}

impl Edge {
    fn head(&self) -> TreeHead {
        let mut subtrees = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let perfect = 1 << rest.len().ilog2();
                let (first, after) = rest.split_at(perfect);
                subtrees.push(root_of(first));
                rest = after;
            }
        }
        // The levels hold the size's digits to base 256, so the number of subtrees fits.
        CompactRange::from_subtrees(self.size, subtrees)
            .unwrap_or_default()
            .head()
    }

    fn push(&mut self, entry: &[u8], files: &mut Vec<LogFile>) {
        self.bundle.push(entry.to_vec());
        if self.bundle.len() as u64 == TILE_WIDTH {
            let index = self.size / TILE_WIDTH;
            files.push(bundle_file(index, &self.bundle));
            self.bundle.clear();
        }
        let mut hash = TreeHash::of_leaf(entry);
        for level in 0..LEVELS {
            let at = usize::from(level);
            if self.levels.len() <= at {
                self.levels.resize_with(at + 1, Vec::new);
            }
            self.levels[at].push(hash);
            if (self.levels[at].len() as u64) < TILE_WIDTH {
                break;
            }
            let index = self.size >> (8 * (u32::from(level) + 1));
            files.push(hash_file(level, index, &self.levels[at]));
            hash = root_of(&self.levels[at]);
            self.levels[at].clear();
        }
        self.size += 1;
    }

    /// The partial files of the present state.
    fn partial_files(&self, files: &mut Vec<LogFile>) {
        if !self.bundle.is_empty() {
            files.push(bundle_file(self.size / TILE_WIDTH, &self.bundle));
        }
        for (level, hashes) in (0..LEVELS).zip(&self.levels) {
            if !hashes.is_empty() {
                let index = self.size >> (8 * (u32::from(level) + 1));
                files.push(hash_file(level, index, hashes));
            }
        }
    }
}

fn bundle_file(index: u64, entries: &[Vec<u8>]) -> LogFile {
    let tile = Tile {
        kind: TileKind::Entries,
        index,
        width: entries.len() as u16, // at most 256
    };
    LogFile {
        path: tile.path(),
        // Number and lengths were checked before the entries got here.
        bytes: encode_bundle(entries).unwrap_or_default(),
    }
}

fn hash_file(level: u8, index: u64, hashes: &[TreeHash]) -> LogFile {
    let tile = Tile {
        kind: TileKind::Hashes(level),
        index,
        width: hashes.len() as u16, // at most 256
    };
    LogFile {
        path: tile.path(),
        bytes: hashes.iter().flat_map(|hash| hash.0).collect(),
    }
}

/// Appends to one log. Holds no files: what it makes is written by its caller.
#[derive(Debug, Clone)]
pub struct Integrator {
    key: LedgerKey,
    edge: Edge,
    head: TreeHead,
    published: Option<String>,
}

impl Integrator {
    /// The files that [`Integrator::open`] reads for a checkpoint of this size.
    pub fn edge_tiles(size: u64) -> Vec<Tile> {
        let last = |kind, items: u64| {
            Tile::in_tree(kind, items / TILE_WIDTH, size).filter(|tile| !tile.is_full())
        };
        let levels = (0..LEVELS)
            .filter_map(|level| last(TileKind::Hashes(level), size >> (8 * u32::from(level))));
        last(TileKind::Entries, size)
            .into_iter()
            .chain(levels)
            .collect()
    }

    /// Takes up a published log, or begins one where nothing is published. The checkpoint's signature
    /// is checked, and that the files at the right edge are those of its root.
    ///
    /// # Errors
    /// [`OpenError`]; then nothing may be appended.
    pub fn open(
        key: LedgerKey,
        published: Option<&str>,
        reader: &dyn TileReader,
    ) -> Result<Self, OpenError> {
        let Some(text) = published else {
            return Ok(Self {
                key,
                edge: Edge::default(),
                head: TreeHead::empty(),
                published: None,
            });
        };
        let head = Checkpoint::open(text, key.verifier())?.head;
        let edge = load_edge(head, reader)?;
        Ok(Self {
            key,
            edge,
            head,
            published: Some(text.to_owned()),
        })
    }

    /// Size and root as published.
    pub fn head(&self) -> TreeHead {
        self.head
    }

    /// The published checkpoint; `None` before the first.
    pub fn published(&self) -> Option<&str> {
        self.published.as_deref()
    }

    /// The key that signs.
    pub fn key(&self) -> &LedgerKey {
        &self.key
    }

    /// Compares with the number of leaves a database has given out. Equal numbers say nothing about
    /// equal entries: see [`Integrator::confirm`].
    pub fn standing(&self, database_leaves: u64) -> Standing {
        match database_leaves.cmp(&self.head.size) {
            std::cmp::Ordering::Equal => Standing::Level,
            std::cmp::Ordering::Greater => Standing::DatabaseAhead {
                first_leaf: self.head.size,
            },
            std::cmp::Ordering::Less => Standing::DatabaseBehind {
                first_leaf: database_leaves,
                size: self.head.size,
            },
        }
    }

    /// What is to be written so that the tree ends with these entries, whose first must have the
    /// index where the tree ends now. Nothing changes here until [`Integrator::accept`].
    ///
    /// # Errors
    /// [`IntegrateError`].
    pub fn integrate<E: AsRef<[u8]>>(
        &self,
        first_leaf: u64,
        entries: &[E],
    ) -> Result<Batch, IntegrateError> {
        if first_leaf != self.head.size {
            return Err(IntegrateError::Gap {
                first_leaf,
                size: self.head.size,
            });
        }
        for (leaf_index, entry) in (first_leaf..).zip(entries) {
            let size_bytes = entry.as_ref().len();
            if size_bytes > MAX_ENTRY_BYTES {
                return Err(IntegrateError::TooLong {
                    leaf_index,
                    size_bytes,
                });
            }
        }
        let (mut edge, mut files) = (self.edge.clone(), Vec::new());
        for entry in entries {
            edge.push(entry.as_ref(), &mut files);
        }
        edge.partial_files(&mut files);
        let head = edge.head();
        Ok(Batch {
            previous: self.published.clone(),
            files,
            checkpoint: Checkpoint::sign(head, &self.key),
            head,
            edge,
        })
    }

    /// The batch's checkpoint is published.
    pub fn accept(&mut self, batch: Batch) {
        self.edge = batch.edge;
        self.head = batch.head;
        self.published = Some(batch.checkpoint);
    }

    /// Checks that entries a database holds for published indexes are the published ones; those
    /// beyond the published tree are passed over. Reads level-0 tiles: see [`leaf_tiles`].
    ///
    /// # Errors
    /// [`ForkError::Entry`] names the first that is not.
    pub fn confirm<E: AsRef<[u8]>>(
        &self,
        first_leaf: u64,
        entries: &[E],
        reader: &dyn TileReader,
    ) -> Result<(), ForkError> {
        let mut current: Option<(u64, Vec<TreeHash>)> = None;
        for (leaf_index, entry) in (first_leaf..self.head.size).zip(entries) {
            let index = leaf_index / TILE_WIDTH;
            if current.as_ref().is_none_or(|(loaded, _)| *loaded != index) {
                // leaf_index is below the size, so the tree reaches this tile.
                let Some(tile) = Tile::in_tree(TileKind::Hashes(0), index, self.head.size) else {
                    return Err(ForkError::Entry { leaf_index });
                };
                current = Some((index, read_hashes(reader, tile)?));
            }
            let within = (leaf_index % TILE_WIDTH) as usize;
            let published = current.as_ref().and_then(|(_, hashes)| hashes.get(within));
            if published != Some(&TreeHash::of_leaf(entry.as_ref())) {
                return Err(ForkError::Entry { leaf_index });
            }
        }
        Ok(())
    }
}

/// The level-0 tiles that hold the leaves `from..until` of a tree of `size` leaves.
pub fn leaf_tiles(from: u64, until: u64, size: u64) -> Vec<Tile> {
    let until = until.min(size);
    if from >= until {
        return Vec::new();
    }
    (from / TILE_WIDTH..=(until - 1) / TILE_WIDTH)
        .filter_map(|index| Tile::in_tree(TileKind::Hashes(0), index, size))
        .collect()
}

/// Checks that the log of head `new` continues the log of head `old`. Reads the tiles that
/// [`crate::proof::consistency_tiles`] names.
///
/// # Errors
/// [`ForkError`].
pub fn check_continues(
    old: &TreeHead,
    new: &TreeHead,
    reader: &dyn TileReader,
) -> Result<(), ForkError> {
    let (from, to) = (old.size, new.size);
    if to < from {
        return Err(ForkError::RolledBack { from, to });
    }
    if from == 0 {
        return Ok(());
    }
    let proof = match make_consistency(from, to, reader) {
        Ok(proof) => proof,
        Err(MakeProofError::Tile(error)) => return Err(error.into()),
        Err(MakeProofError::OutOfRange { .. }) => return Err(ForkError::Forked { from, to }),
    };
    verify_consistency(old, new, &proof).map_err(|_| ForkError::Forked { from, to })
}

fn load_edge(head: TreeHead, reader: &dyn TileReader) -> Result<Edge, OpenError> {
    let mut edge = Edge {
        size: head.size,
        levels: vec![Vec::new(); usize::from(LEVELS)],
        bundle: Vec::new(),
    };
    for tile in Integrator::edge_tiles(head.size) {
        match tile.kind {
            TileKind::Entries => edge.bundle = read_entries(reader, tile)?,
            TileKind::Hashes(level) => {
                edge.levels[usize::from(level)] = read_hashes(reader, tile)?;
            }
        }
    }
    if edge.head() != head {
        return Err(OpenError::Root { size: head.size });
    }
    let first = head.size - edge.bundle.len() as u64;
    for ((leaf_index, entry), hash) in (first..).zip(&edge.bundle).zip(&edge.levels[0]) {
        if TreeHash::of_leaf(entry) != *hash {
            return Err(OpenError::Entry { leaf_index });
        }
    }
    Ok(edge)
}
