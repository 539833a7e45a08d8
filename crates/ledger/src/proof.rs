//! Inclusion and consistency proofs: made from tiles (RFC 6962 section 2.1), verified without them
//! (the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::hash::TreeHash;
use crate::tile::{TILE_HEIGHT, TILE_WIDTH, Tile, TileError, TileKind, TileReader, read_hashes};
use crate::tree::{TreeHead, split};

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A leaf beyond the tree, or a smaller tree claimed to extend a larger one.
    #[error("the proof is about a place outside the tree")]
    OutOfRange,
    /// Too few or too many hashes.
    #[error("the proof has the wrong number of hashes")]
    WrongLength,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    WrongRoot,
}

/// Why a proof could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeProofError {
    /// A leaf beyond the tree, or sizes in the wrong order.
    #[error("no such place in a tree of {size} leaves")]
    OutOfRange {
        /// The tree's size.
        size: u64,
    },
    /// A tile could not be used.
    #[error(transparent)]
    Tile(#[from] TileError),
}

/// Checks that the leaf stands at `index` in the tree.
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion(
    index: u64,
    leaf: &TreeHash,
    proof: &[TreeHash],
    head: &TreeHead,
) -> Result<(), ProofError> {
    if index >= head.size {
        return Err(ProofError::OutOfRange);
    }
    let (mut node, mut last, mut hash) = (index, head.size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            hash = TreeHash::of_node(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = TreeHash::of_node(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::WrongLength);
    }
    if hash == head.root {
        Ok(())
    } else {
        Err(ProofError::WrongRoot)
    }
}

/// Checks that the tree `new` begins with all of the tree `old`. From an empty tree nothing can be
/// proven, so `old.size` 0 is refused: callers treat that case themselves.
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    old: &TreeHead,
    new: &TreeHead,
    proof: &[TreeHash],
) -> Result<(), ProofError> {
    if old.size == 0 || old.size > new.size {
        return Err(ProofError::OutOfRange);
    }
    if old.size == new.size {
        return match (proof.is_empty(), old.root == new.root) {
            (false, _) => Err(ProofError::WrongLength),
            (true, false) => Err(ProofError::WrongRoot),
            (true, true) => Ok(()),
        };
    }
    // A whole old tree is itself a node of the new one: the proof leaves it out.
    let (first, rest) = if old.size.is_power_of_two() {
        (old.root, proof)
    } else {
        let (first, rest) = proof.split_first().ok_or(ProofError::WrongLength)?;
        (*first, rest)
    };
    if rest.is_empty() {
        return Err(ProofError::WrongLength);
    }
    let shift = (old.size - 1).trailing_ones();
    let (mut node, mut last) = ((old.size - 1) >> shift, (new.size - 1) >> shift);
    let (mut old_root, mut new_root) = (first, first);
    for hash in rest {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            old_root = TreeHash::of_node(hash, &old_root);
            new_root = TreeHash::of_node(hash, &new_root);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_root = TreeHash::of_node(&new_root, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::WrongLength);
    }
    if old_root == old.root && new_root == new.root {
        Ok(())
    } else {
        Err(ProofError::WrongRoot)
    }
}

/// Leaves `from..until`: the subtree over them is one hash of a proof.
type Leaves = (u64, u64);

/// The subtrees of an inclusion proof, lowest first.
fn inclusion_path(index: u64, size: u64) -> Vec<Leaves> {
    let (mut from, mut until) = (0, size);
    let mut path = Vec::new();
    while until - from > 1 {
        let middle = from + split(until - from);
        if index < middle {
            path.push((middle, until));
            until = middle;
        } else {
            path.push((from, middle));
            from = middle;
        }
    }
    path.reverse();
    path
}

/// The subtrees of a consistency proof, lowest first.
fn consistency_path(old: u64, new: u64) -> Vec<Leaves> {
    let (mut from, mut until) = (0, new);
    let mut path = Vec::new();
    while until != old {
        let middle = from + split(until - from);
        if old <= middle {
            path.push((middle, until));
            until = middle;
        } else {
            path.push((from, middle));
            from = middle;
        }
    }
    if from > 0 {
        path.push((from, until));
    }
    path.reverse();
    path
}

/// Reads hashes of perfect subtrees out of tiles, each tile once.
pub(crate) struct Nodes<'a> {
    reader: &'a dyn TileReader,
    size: u64,
    seen: RefCell<BTreeMap<Tile, Vec<TreeHash>>>,
}

impl<'a> Nodes<'a> {
    pub(crate) fn new(reader: &'a dyn TileReader, size: u64) -> Self {
        Self {
            reader,
            size,
            seen: RefCell::default(),
        }
    }

    /// The root over some leaves, which are perfect subtrees or end where the tree does.
    fn subtree(&self, (from, until): Leaves) -> Result<TreeHash, TileError> {
        let count = until - from;
        if count.is_power_of_two() {
            return self.node(count.trailing_zeros(), from >> count.trailing_zeros());
        }
        let middle = from + split(count);
        let left = self.subtree((from, middle))?;
        Ok(TreeHash::of_node(&left, &self.subtree((middle, until))?))
    }

    /// The root of the perfect subtree of height `level` with this index.
    pub(crate) fn node(&self, level: u32, index: u64) -> Result<TreeHash, TileError> {
        let (tile, from, count) = place(level, index, self.size);
        let mut seen = self.seen.borrow_mut();
        let hashes = match seen.entry(tile) {
            std::collections::btree_map::Entry::Occupied(found) => found.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(read_hashes(self.reader, tile)?)
            }
        };
        let slice = hashes
            .get(from..from + count)
            .ok_or(TileError::Damaged(tile))?;
        Ok(crate::tree::root_of(slice))
    }
}

/// The tile that holds a perfect subtree, and which of its hashes make it up.
fn place(level: u32, index: u64, size: u64) -> (Tile, usize, usize) {
    let (tile_level, within) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
    let first = index << within;
    let kind = TileKind::Hashes(tile_level as u8); // at most 63 / 8
    let tile_index = first / TILE_WIDTH;
    // Callers ask for subtrees of a tree of this size only, so the tile is there; width 0 reads as damaged.
    let tile = Tile::in_tree(kind, tile_index, size).unwrap_or(Tile {
        kind,
        index: tile_index,
        width: 0,
    });
    (tile, (first % TILE_WIDTH) as usize, 1 << within)
}

fn tiles_of(path: &[Leaves], size: u64, out: &mut BTreeSet<Tile>) {
    for &(from, until) in path {
        let count = until - from;
        if count.is_power_of_two() {
            let level = count.trailing_zeros();
            out.insert(place(level, from >> level, size).0);
        } else {
            let middle = from + split(count);
            tiles_of(&[(from, middle), (middle, until)], size, out);
        }
    }
}

/// The tiles that [`make_inclusion`] will read.
pub fn inclusion_tiles(index: u64, size: u64) -> BTreeSet<Tile> {
    let mut out = BTreeSet::new();
    if index < size {
        tiles_of(&inclusion_path(index, size), size, &mut out);
    }
    out
}

/// The tiles that [`make_consistency`] will read.
pub fn consistency_tiles(old: u64, new: u64) -> BTreeSet<Tile> {
    let mut out = BTreeSet::new();
    if old > 0 && old < new {
        tiles_of(&consistency_path(old, new), new, &mut out);
    }
    out
}

/// Makes the proof that the leaf `index` stands in the tree of `size` leaves.
///
/// # Errors
/// [`MakeProofError`].
pub fn make_inclusion(
    index: u64,
    size: u64,
    reader: &dyn TileReader,
) -> Result<Vec<TreeHash>, MakeProofError> {
    if index >= size {
        return Err(MakeProofError::OutOfRange { size });
    }
    let nodes = Nodes::new(reader, size);
    let path = inclusion_path(index, size);
    Ok(path
        .into_iter()
        .map(|leaves| nodes.subtree(leaves))
        .collect::<Result<_, _>>()?)
}

/// Makes the proof that the tree of `new` leaves begins with the tree of `old` leaves.
///
/// # Errors
/// [`MakeProofError`].
pub fn make_consistency(
    old: u64,
    new: u64,
    reader: &dyn TileReader,
) -> Result<Vec<TreeHash>, MakeProofError> {
    if old == 0 || old > new {
        return Err(MakeProofError::OutOfRange { size: new });
    }
    let nodes = Nodes::new(reader, new);
    let path = consistency_path(old, new);
    Ok(path
        .into_iter()
        .map(|leaves| nodes.subtree(leaves))
        .collect::<Result<_, _>>()?)
}
