//! The tree by itself: a root from leaves, and the compact range that a growing tree needs.

use crate::hash::TreeHash;

/// Size and root of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// Root over all of them.
    pub root: TreeHash,
}

impl TreeHead {
    /// The tree without leaves.
    pub fn empty() -> Self {
        Self {
            size: 0,
            root: TreeHash::of_empty_tree(),
        }
    }
}

/// The perfect subtrees that make up a tree of some size, largest (leftmost) first: all that is
/// needed to append leaves and to tell the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactRange {
    size: u64,
    subtrees: Vec<TreeHash>,
}

impl CompactRange {
    /// Of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of a tree of `size` leaves whose perfect subtrees, largest first, have these hashes.
    /// `None` when their number does not fit the size.
    pub fn from_subtrees(size: u64, subtrees: Vec<TreeHash>) -> Option<Self> {
        (subtrees.len() == size.count_ones() as usize).then_some(Self { size, subtrees })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: TreeHash) {
        let mut hash = leaf;
        let mut rest = self.size;
        // Each trailing one bit of the size is a perfect subtree that the new leaf completes to the
        // next larger one.
        while rest & 1 == 1 {
            if let Some(left) = self.subtrees.pop() {
                hash = TreeHash::of_node(&left, &hash);
            }
            rest >>= 1;
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// Size and root.
    pub fn head(&self) -> TreeHead {
        let mut from_right = self.subtrees.iter().rev();
        let root = match from_right.next() {
            None => TreeHash::of_empty_tree(),
            Some(first) => from_right.fold(*first, |right, left| TreeHash::of_node(left, &right)),
        };
        TreeHead {
            size: self.size,
            root,
        }
    }
}

/// The root over leaf hashes.
pub fn root_of(leaves: &[TreeHash]) -> TreeHash {
    let mut range = CompactRange::new();
    for leaf in leaves {
        range.push(*leaf);
    }
    range.head().root
}

/// The largest power of two below `n`; `n` is 2 or more.
pub(crate) fn split(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}
