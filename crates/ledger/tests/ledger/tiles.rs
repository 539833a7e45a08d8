use docket_ledger::tile::{BadBundle, TILE_WIDTH, decode_bundle, encode_bundle, read_hashes};
use docket_ledger::{Tile, TileKind, TileMap};
use proptest::prelude::*;

fn tile(kind: TileKind, index: u64, width: u16) -> Tile {
    Tile { kind, index, width }
}

#[test]
fn paths_are_those_of_the_specification() {
    for (path, expected) in [
        ("tile/0/000", tile(TileKind::Hashes(0), 0, 256)),
        (
            "tile/0/x001/x234/067",
            tile(TileKind::Hashes(0), 1_234_067, 256),
        ),
        (
            "tile/3/x001/x234/067.p/17",
            tile(TileKind::Hashes(3), 1_234_067, 17),
        ),
        (
            "tile/entries/x001/000.p/1",
            tile(TileKind::Entries, 1_000, 1),
        ),
    ] {
        assert_eq!(expected.path(), path);
        assert_eq!(Tile::parse_path(path), Ok(expected));
    }
}

#[test]
fn every_other_path_is_refused() {
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/00/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/8/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/000.p/+1",
        "tile/0/../0",
        "tile/data/000",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/\u{661}00",
    ] {
        assert!(Tile::parse_path(path).is_err(), "{path}");
    }
}

#[test]
fn a_tree_has_just_the_tiles_it_reaches() {
    let hashes = TileKind::Hashes;
    assert_eq!(Tile::in_tree(hashes(0), 0, 0), None);
    assert_eq!(
        Tile::in_tree(hashes(0), 0, 70),
        Some(tile(hashes(0), 0, 70))
    );
    assert_eq!(Tile::in_tree(hashes(0), 1, 256), None);
    assert_eq!(Tile::in_tree(hashes(1), 0, 255), None);
    assert_eq!(
        Tile::in_tree(hashes(1), 0, 70_000),
        Some(tile(hashes(1), 0, 256))
    );
    assert_eq!(
        Tile::in_tree(hashes(2), 0, 70_000),
        Some(tile(hashes(2), 0, 1))
    );
    assert_eq!(Tile::in_tree(hashes(63), 0, u64::MAX), None);
    assert_eq!(Tile::in_tree(TileKind::Entries, u64::MAX, u64::MAX), None);
}

#[test]
fn a_full_tile_stands_in_for_a_partial_one_but_not_for_a_damaged_one() {
    let mut files = TileMap::new();
    files.insert("tile/0/000", vec![7; 256 * 32]);
    let partial = tile(TileKind::Hashes(0), 0, 3);
    assert_eq!(read_hashes(&files, partial).unwrap().len(), 3);
    files.insert("tile/0/000.p/3", vec![7; 95]);
    assert!(read_hashes(&files, partial).is_err());
    assert!(read_hashes(&files, tile(TileKind::Hashes(0), 1, 3)).is_err());
}

#[test]
fn bundles_have_limits() {
    assert_eq!(encode_bundle(&[vec![0; 65_536]]), Err(BadBundle));
    assert_eq!(encode_bundle(&vec![Vec::<u8>::new(); 257]), Err(BadBundle));
    assert_eq!(decode_bundle(&[0; 2 * 257]), Err(BadBundle));
    assert_eq!(decode_bundle(&[0, 2, 9]), Err(BadBundle));
    assert_eq!(decode_bundle(&[0]), Err(BadBundle));
    assert_eq!(
        encode_bundle(&[b"ab".as_slice(), b""]),
        Ok(vec![0, 2, b'a', b'b', 0, 0])
    );
}

proptest! {
    #[test]
    fn paths_round_trip(level in 0u8..8, index in 0u64..(1 << 50), width in 1u16..=256, entries in any::<bool>()) {
        let kind = if entries { TileKind::Entries } else { TileKind::Hashes(level) };
        let tile = tile(kind, index, width);
        prop_assert_eq!(Tile::parse_path(&tile.path()), Ok(tile));
        prop_assert!(u64::from(tile.full().width) == TILE_WIDTH);
    }

    #[test]
    fn hostile_paths_and_bundles_do_not_panic(path in ".{0,70}", bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Tile::parse_path(&path);
        let _ = Tile::parse_path(&format!("tile/{path}"));
        if let Ok(entries) = decode_bundle(&bytes) {
            prop_assert_eq!(encode_bundle(&entries), Ok(bytes));
        }
    }
}
