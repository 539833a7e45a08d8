use docket_base::files::OsFiles;
use docket_base::random::CountingRandom;
use docket_ledger::checkpoint::Checkpoint;
use docket_ledger::integrate::{ForkError, IntegrateError, OpenError, check_continues, leaf_tiles};
use docket_ledger::key::{create_key_file, load_key_file};
use docket_ledger::proof::consistency_tiles;
use docket_ledger::tile::read_entries;
use docket_ledger::{
    Batch, Integrator, LedgerKey, Standing, Tile, TileKind, TileMap, TileReader, TreeHead,
};
use proptest::prelude::*;

use crate::naive;

pub fn key() -> LedgerKey {
    LedgerKey::generate("docket.example/county", &CountingRandom::default()).unwrap()
}

fn entries(from: usize, until: usize) -> Vec<Vec<u8>> {
    (from..until).map(naive::entry).collect()
}

/// Writes as a vault does: a file is made once, and never with other bytes.
fn write(files: &mut TileMap, batch: &Batch) {
    for file in &batch.files {
        if let Some(existing) = files.get(&file.path) {
            assert_eq!(existing, file.bytes, "{} would change", file.path);
        }
        files.insert(file.path.clone(), file.bytes.clone());
    }
}

fn append(integrator: &mut Integrator, files: &mut TileMap, until: usize) {
    let from = integrator.head().size;
    let batch = integrator
        .integrate(from, &entries(from as usize, until))
        .unwrap();
    assert_eq!(batch.previous.as_deref(), integrator.published());
    write(files, &batch);
    integrator.accept(batch);
}

/// The files of a log of so many entries, integrated in batches that end at these sizes.
pub fn build(size: usize, ends: &[usize]) -> TileMap {
    build_log(size, ends).0
}

fn build_log(size: usize, ends: &[usize]) -> (TileMap, Integrator) {
    let mut files = TileMap::new();
    let mut integrator = Integrator::open(key(), None, &files).unwrap();
    for end in ends.iter().copied().filter(|end| *end < size).chain([size]) {
        if end as u64 > integrator.head().size {
            append(&mut integrator, &mut files, end);
        }
    }
    (files, integrator)
}

#[test]
fn tiles_and_bundles_hold_the_leaves_across_three_levels() {
    let size = 256 * 256 + 256 * 2 + 3;
    let (files, integrator) = build_log(size, &[1, 255, 256, 257, 60_000]);
    let leaves = naive::leaves(size);
    assert_eq!(
        integrator.head(),
        TreeHead {
            size: size as u64,
            root: naive::root(&leaves)
        }
    );
    for path in [
        "tile/0/000",
        "tile/0/256",
        "tile/0/258.p/3",
        "tile/1/000",
        "tile/1/001.p/2",
        "tile/2/000.p/1",
        "tile/entries/258.p/3",
    ] {
        assert!(files.get(path).is_some(), "{path}");
    }
    let last = Tile::in_tree(TileKind::Entries, 258, size as u64).unwrap();
    assert_eq!(
        read_entries(&files, last).unwrap(),
        entries(258 * 256, size)
    );
    let again = Integrator::open(key(), integrator.published(), &files).unwrap();
    assert_eq!(again.head(), integrator.head());
    // What `open` reads is what it announced.
    let mut announced = TileMap::new();
    for tile in Integrator::edge_tiles(size as u64) {
        announced.insert(tile.path(), files.read_tile(tile).unwrap().unwrap());
    }
    assert_eq!(announced.iter().count(), 4);
    assert!(Integrator::open(key(), integrator.published(), &announced).is_ok());
}

#[test]
fn a_repeated_batch_is_byte_identical() {
    let (mut files, integrator) = build_log(700, &[300]);
    // The daemon dies after the files, before the checkpoint; meanwhile more entries came.
    let first = integrator.integrate(700, &entries(700, 800)).unwrap();
    write(&mut files, &first);
    let mut second = Integrator::open(key(), integrator.published(), &files).unwrap();
    let replay = second.integrate(700, &entries(700, 800)).unwrap();
    assert_eq!(
        (replay.files, replay.checkpoint),
        (first.files, first.checkpoint)
    );
    append(&mut second, &mut files, 1100);
    assert_eq!(second.head().root, naive::root(&naive::leaves(1100)));
}

#[test]
fn an_empty_log_can_be_published() {
    let files = TileMap::new();
    let mut integrator = Integrator::open(key(), None, &files).unwrap();
    let batch = integrator.integrate::<Vec<u8>>(0, &[]).unwrap();
    assert!(batch.files.is_empty() && batch.previous.is_none());
    integrator.accept(batch);
    let again = Integrator::open(key(), integrator.published(), &files).unwrap();
    assert_eq!(again.head(), TreeHead::empty());
}

#[test]
fn gaps_repetitions_and_giants_are_refused() {
    let (_, integrator) = build_log(10, &[]);
    for first_leaf in [0, 9, 11] {
        assert!(matches!(
            integrator.integrate(first_leaf, &entries(0, 1)),
            Err(IntegrateError::Gap { size: 10, .. })
        ));
    }
    assert!(matches!(
        integrator.integrate(10, &[vec![0; 65_536]]),
        Err(IntegrateError::TooLong { leaf_index: 10, .. })
    ));
    assert!(integrator.integrate(10, &[vec![0; 65_535]]).is_ok());
}

#[test]
fn a_log_with_damaged_files_or_a_foreign_checkpoint_is_not_taken_up() {
    let (files, integrator) = build_log(300, &[]);
    let text = integrator.published().unwrap();
    let other = LedgerKey::generate("docket.example/county", &docket_base::OsRandom).unwrap();
    assert!(matches!(
        Integrator::open(other, Some(text), &files),
        Err(OpenError::Checkpoint(_))
    ));
    let forged = text.replacen("300", "299", 1);
    assert!(matches!(
        Integrator::open(key(), Some(&forged), &files),
        Err(OpenError::Checkpoint(_))
    ));
    // A signed head that the files do not lead to.
    let fork = Checkpoint::sign(
        TreeHead {
            size: 300,
            root: naive::root(&naive::leaves(299)),
        },
        &key(),
    );
    assert!(matches!(
        Integrator::open(key(), Some(&fork), &files),
        Err(OpenError::Root { size: 300 })
    ));

    let paths: Vec<String> = Integrator::edge_tiles(300).iter().map(Tile::path).collect();
    assert_eq!(
        paths,
        ["tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1"]
    );
    for path in paths {
        let mut bytes = files.get(&path).unwrap().to_vec();
        bytes[20] ^= 1;
        let mut damaged = files.clone();
        damaged.insert(path.clone(), bytes);
        assert!(
            Integrator::open(key(), Some(text), &damaged).is_err(),
            "{path}"
        );
        damaged.insert(path.clone(), Vec::new());
        assert!(matches!(
            Integrator::open(key(), Some(text), &damaged),
            Err(OpenError::Tile(_))
        ));
    }
}

#[test]
fn a_database_from_a_backup_is_noticed() {
    let (files, integrator) = build_log(600, &[]);
    assert_eq!(integrator.standing(600), Standing::Level);
    assert_eq!(
        integrator.standing(601),
        Standing::DatabaseAhead { first_leaf: 600 }
    );
    assert_eq!(
        integrator.standing(500),
        Standing::DatabaseBehind {
            first_leaf: 500,
            size: 600
        }
    );
    assert!(integrator.confirm(0, &entries(0, 700), &files).is_ok());
    assert!(integrator.confirm(599, &entries(599, 600), &files).is_ok());
    assert_eq!(leaf_tiles(250, 260, 600).len(), 2);
    // The database gave an index out a second time.
    let mut other = entries(500, 600);
    other[30] = b"another event".to_vec();
    assert!(matches!(
        integrator.confirm(500, &other, &files),
        Err(ForkError::Entry { leaf_index: 530 })
    ));
}

#[test]
fn a_rolled_back_or_forked_log_is_named() {
    let (files, integrator) = build_log(900, &[]);
    let (now, leaves) = (integrator.head(), naive::leaves(900));
    let head = |size: usize| TreeHead {
        size: size as u64,
        root: naive::root(&leaves[..size]),
    };
    for old in [0, 1, 256, 899, 900] {
        let mut announced = TileMap::new();
        for tile in consistency_tiles(old as u64, 900) {
            announced.insert(tile.path(), files.read_tile(tile).unwrap().unwrap());
        }
        check_continues(&head(old), &now, &announced).unwrap();
    }
    assert!(matches!(
        check_continues(&now, &head(899), &files),
        Err(ForkError::RolledBack { .. })
    ));
    for size in [1, 512, 899, 900] {
        let foreign = TreeHead {
            size,
            root: leaves[77],
        };
        assert!(matches!(
            check_continues(&foreign, &now, &files),
            Err(ForkError::Forked { .. })
        ));
    }
}

#[test]
fn key_files_are_private_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.key");
    assert!(load_key_file(&OsFiles, &path).unwrap().is_none());
    create_key_file(&OsFiles, &path, &key()).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o400);
    assert_eq!(
        load_key_file(&OsFiles, &path).unwrap().unwrap().verifier(),
        key().verifier()
    );
    let other = LedgerKey::generate("other", &docket_base::OsRandom).unwrap();
    assert!(create_key_file(&OsFiles, &path, &other).is_err());
    assert_eq!(
        load_key_file(&OsFiles, &path).unwrap().unwrap().verifier(),
        key().verifier()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_cut_anywhere_make_the_same_log(size in 1usize..1200, mut ends in prop::collection::vec(1usize..1200, 0..8)) {
        ends.sort_unstable();
        let (whole, one) = build_log(size, &[]);
        let (pieces, many) = build_log(size, &ends);
        prop_assert_eq!(one.published(), many.published());
        for (path, bytes) in whole.iter() {
            prop_assert_eq!(pieces.get(path), Some(bytes), "{}", path);
        }
        let again = Integrator::open(key(), many.published(), &pieces).unwrap();
        prop_assert_eq!(again.head().root, naive::root(&naive::leaves(size)));
    }
}
