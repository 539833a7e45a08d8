use docket_ledger::proof::{
    ProofError, consistency_tiles, inclusion_tiles, make_consistency, make_inclusion,
    verify_consistency, verify_inclusion,
};
use docket_ledger::tree::{CompactRange, root_of};
use docket_ledger::{TileMap, TileReader, TreeHash, TreeHead};
use proptest::prelude::*;

use crate::integration::build;
use crate::naive;

fn head(leaves: &[TreeHash]) -> TreeHead {
    TreeHead {
        size: leaves.len() as u64,
        root: naive::root(leaves),
    }
}

#[test]
fn roots_are_the_references_at_every_size() {
    let leaves = naive::leaves(300);
    let mut range = CompactRange::new();
    assert_eq!(range.head(), TreeHead::empty());
    for size in 1..=leaves.len() {
        range.push(leaves[size - 1]);
        assert_eq!(range.head(), head(&leaves[..size]));
    }
    assert_eq!(root_of(&leaves), naive::root(&leaves));
}

#[test]
fn every_proof_of_small_trees_is_the_references_and_verifies() {
    let leaves = naive::leaves(40);
    for size in 1..=leaves.len() {
        let tree = &leaves[..size];
        let (files, now) = (build(size, &[size]), head(tree));
        for index in 0..size {
            let proof = make_inclusion(index as u64, size as u64, &files).unwrap();
            assert_eq!(proof, naive::path(index, tree));
            assert_eq!(
                verify_inclusion(index as u64, &tree[index], &proof, &now),
                Ok(())
            );
        }
        for old in 1..=size {
            let proof = make_consistency(old as u64, size as u64, &files).unwrap();
            assert_eq!(proof, naive::consistency(old, tree, true));
            assert_eq!(
                verify_consistency(&head(&tree[..old]), &now, &proof),
                Ok(())
            );
        }
    }
}

#[test]
fn places_outside_the_tree_are_refused() {
    let files = build(5, &[5]);
    let leaves = naive::leaves(5);
    assert!(make_inclusion(5, 5, &files).is_err());
    assert!(make_consistency(0, 5, &files).is_err());
    assert!(make_consistency(6, 5, &files).is_err());
    assert!(inclusion_tiles(5, 5).is_empty());
    let now = head(&leaves);
    assert_eq!(
        verify_inclusion(5, &leaves[0], &[], &now),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        verify_consistency(&TreeHead::empty(), &now, &[]),
        Err(ProofError::OutOfRange)
    );
    assert!(
        verify_inclusion(
            u64::MAX - 1,
            &leaves[0],
            &[leaves[0]; 64],
            &TreeHead {
                size: u64::MAX,
                root: now.root
            }
        )
        .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proofs_from_tiles_are_the_references(size in 1usize..1500, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let leaves = naive::leaves(size);
        let (files, now) = (build(size, &[size]), head(&leaves));
        let (index, old) = (a.index(size), b.index(size) + 1);
        let proof = make_inclusion(index as u64, size as u64, &files).unwrap();
        prop_assert_eq!(&proof, &naive::path(index, &leaves));
        prop_assert_eq!(verify_inclusion(index as u64, &leaves[index], &proof, &now), Ok(()));
        // Exactly the tiles that were announced are enough.
        let mut announced = TileMap::new();
        for tile in inclusion_tiles(index as u64, size as u64) {
            announced.insert(tile.path(), files.read_tile(tile).unwrap().unwrap());
        }
        prop_assert_eq!(&make_inclusion(index as u64, size as u64, &announced).unwrap(), &proof);

        let proof = make_consistency(old as u64, size as u64, &files).unwrap();
        prop_assert_eq!(&proof, &naive::consistency(old, &leaves, true));
        let then = head(&leaves[..old]);
        prop_assert_eq!(verify_consistency(&then, &now, &proof), Ok(()));
        let mut announced = TileMap::new();
        for tile in consistency_tiles(old as u64, size as u64) {
            announced.insert(tile.path(), files.read_tile(tile).unwrap().unwrap());
        }
        prop_assert_eq!(make_consistency(old as u64, size as u64, &announced).unwrap(), proof);
    }

    #[test]
    fn a_changed_proof_proves_nothing(size in 2usize..600, at in any::<prop::sample::Index>(), hash in any::<prop::sample::Index>(), bit in 0usize..256) {
        let leaves = naive::leaves(size);
        let now = head(&leaves);
        let index = at.index(size);
        let good = naive::path(index, &leaves);
        let check = |index: usize, proof: &[TreeHash]| verify_inclusion(index as u64, &leaves[at.index(size)], proof, &now);
        let mut flipped = good.clone();
        flipped[hash.index(good.len())].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(check(index, &flipped).is_err());
        prop_assert!(check(index, &good[1..]).is_err());
        prop_assert!(check(index, &[good.as_slice(), &[leaves[0]]].concat()).is_err());
        prop_assert!(check((index + 1) % size, &good).is_err());

        let old = index.max(1);
        let then = head(&leaves[..old]);
        let good = naive::consistency(old, &leaves, true);
        let mut flipped = good.clone();
        flipped[hash.index(good.len())].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_consistency(&then, &now, &flipped).is_err());
        prop_assert!(verify_consistency(&then, &now, &good[1..]).is_err());
        prop_assert!(verify_consistency(&then, &now, &[good.as_slice(), &[leaves[0]]].concat()).is_err());
        let forked = TreeHead { root: leaves[size - 1], ..then };
        prop_assert!(old == 1 && size == 1 || verify_consistency(&forked, &now, &good).is_err());
    }
}
