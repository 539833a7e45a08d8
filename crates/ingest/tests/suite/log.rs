//! Publishing the log: what a crash at each step leaves, and whom it refuses to go on with.

use docket_ingest::Ingest;
use docket_ingest::sequencer::SequenceError;
use docket_ledger::integrate::check_continues;
use docket_ledger::{CHECKPOINT_PATH, LedgerKey, TileMap};

use super::faulty::{Fault, FaultyVault};
use super::site::Site;
use super::things::*;

/// Commits as many events as that, in one change.
async fn fill(site: &Site, ingest: &Ingest, events: usize) {
    let rows: Vec<_> = (0..events).map(|_| site.any_event()).collect();
    let change = ingest.catalog.change().await.expect("change");
    ingest.commit(change, &rows).await.expect("commit");
}

fn same(left: &TileMap, right: &TileMap) -> bool {
    left.iter().eq(right.iter())
}

/// A copy of an installation, as it is on the disk.
fn copy(site: &Site) -> Site {
    let folder = std::sync::Arc::new(tempfile::tempdir().expect("folder"));
    let done = std::process::Command::new("cp")
        .args(["-a", "--"])
        .arg(site.folder.path().join("."))
        .arg(folder.path())
        .status();
    assert!(done.expect("cp").success());
    Site {
        catalog: folder.path().join("catalog.sqlite"),
        root: folder.path().join("vault"),
        files: std::sync::Arc::clone(&site.files),
        clock: std::sync::Arc::clone(&site.clock),
        random: std::sync::Arc::clone(&site.random),
        key: site.key.clone(),
        folder,
        ..*site
    }
}

/// An installation with a published log of some leaves, closed, and more events waiting.
async fn prepared() -> Site {
    let site = Site::new().await;
    let ingest = site.open().await;
    fill(&site, &ingest, 200).await;
    publish(&ingest).await;
    fill(&site, &ingest, 100).await;
    ingest.catalog.close().await;
    site
}

#[tokio::test]
async fn a_batch_that_broke_off_is_replayed_byte_for_byte() {
    let site = prepared().await;
    let undisturbed = copy(&site);
    let ingest = undisturbed.open().await;
    assert_eq!(ingest.sequencer.round().await.expect("round"), 100);
    let expected = log_files(&*ingest.vault).await;

    let mut steps: Vec<_> = (1..=5).map(|nth| ("log_create", nth)).collect();
    steps.push(("log_replace", 1));
    for (call, nth) in steps {
        for fault in [Fault::Fails, Fault::FailsButPersists] {
            for reopens in [true, false] {
                let site = copy(&site);
                let vault = FaultyVault::over(site.vault());
                let mut ingest = site.open_on(vault.clone()).await;
                let before = ingest.sequencer.published().borrow().clone();
                vault.control.fail(call, nth, fault);
                assert!(ingest.sequencer.round().await.is_err(), "{call} {nth}");
                if reopens {
                    ingest.catalog.close().await;
                    drop(ingest);
                    ingest = site.open().await;
                }
                let mut events = ingest.sequencer.events();
                publish(&ingest).await;
                let after = ingest.sequencer.published().borrow().clone();
                assert_eq!(after.head.size, before.head.size + 100);
                let found = log_files(&*ingest.vault).await;
                assert!(same(&found, &expected), "{call} {nth} {fault:?} {reopens}");
                check_continues(&before.head, &after.head, &found).expect("no fork");
                if !reopens {
                    let first = events.try_recv().expect("told").leaf_index;
                    assert_eq!(first, Some(before.head.size), "nobody misses an event");
                }
                let head = ingest.catalog.tree_head().await.expect("head");
                assert_eq!(head.published_size, after.head.size);
            }
        }
    }
}

/// More events arrive between the try that broke off and the next: the checkpoint that stands without
/// anybody having been told is taken up, not contradicted.
#[tokio::test]
async fn a_checkpoint_nobody_was_told_of_is_built_upon() {
    let site = prepared().await;
    let vault = FaultyVault::over(site.vault());
    let ingest = site.open_on(vault.clone()).await;
    vault
        .control
        .fail("log_replace", 1, Fault::FailsButPersists);
    assert!(ingest.sequencer.round().await.is_err());
    let standing = ingest.vault.log_read(CHECKPOINT_PATH).await.expect("read");
    let standing = String::from_utf8(standing.expect("there")).expect("text");
    let standing = docket_ledger::Checkpoint::open(&standing, site.key.verifier());
    let standing = standing.expect("signed").head;
    fill(&site, &ingest, 7).await;
    publish(&ingest).await;
    let after = ingest.sequencer.published().borrow().head;
    assert_eq!(after.size, standing.size + 7);
    let files = log_files(&*ingest.vault).await;
    check_continues(&standing, &after, &files).expect("no fork");
}

#[tokio::test]
async fn a_log_grows_through_full_tiles_and_restarts() {
    let site = Site::new().await;
    let mut heads = Vec::new();
    for events in [1, 250, 3, 256, 1_500] {
        let ingest = site.open().await;
        fill(&site, &ingest, events).await;
        publish(&ingest).await;
        heads.push(ingest.sequencer.published().borrow().head);
        ingest.catalog.close().await;
    }
    let ingest = site.open().await;
    let last = ingest.sequencer.published().borrow().head;
    let files = log_files(&*ingest.vault).await;
    for head in heads {
        check_continues(&head, &last, &files).expect("no fork");
    }
    assert_eq!(last.size, 2 + 1 + 250 + 3 + 256 + 1_500);
}

async fn refusal(site: &Site) -> SequenceError {
    let catalog = site.open_catalog().await;
    let refused = Ingest::open(site.parts(catalog.clone(), site.vault())).await;
    catalog.close().await;
    match refused {
        Err(docket_ingest::StartError::Sequence(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_old_catalog_is_refused_and_nothing_is_changed() {
    let site = prepared().await;
    let old = std::fs::read(&site.catalog).expect("copy");
    let ingest = site.open().await;
    publish(&ingest).await;
    let log = log_files(&*ingest.vault).await;
    ingest.catalog.close().await;
    drop(ingest);
    for name in ["catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = std::fs::remove_file(site.folder.path().join(name));
    }
    std::fs::write(&site.catalog, &old).expect("restored");
    let refused = refusal(&site).await;
    assert!(
        matches!(
            refused,
            SequenceError::OldCatalog {
                catalog: 202,
                published: 302
            }
        ),
        "{refused}"
    );

    // Gone on without the published log it has as many leaves, but others.
    let catalog = site.open_catalog().await;
    let change = catalog.change().await.expect("change");
    let rows: Vec<_> = (0..50).map(|_| site.any_event()).collect();
    change.commit(&rows).await.expect("commit");
    assert_eq!(
        catalog.assign_leaves(1_000).await.expect("assigned").len(),
        150
    );
    catalog.close().await;
    let copied = copy(&site);
    let catalog = copied.open_catalog().await;
    assert_eq!(catalog.tree_head().await.expect("head").sequenced_size, 352);
    catalog.close().await;
    // Its first 100 waiting events are the published ones, so it only goes on: no fork.
    let ingest = copied.open().await;
    publish(&ingest).await;
    ingest.catalog.close().await;
    assert!(
        same(&log_files(&*site.vault()).await, &log),
        "nothing was changed"
    );
}

#[tokio::test]
async fn a_catalog_with_another_story_is_refused() {
    let site = prepared().await;
    let other = copy(&site);
    for site in [&site, &other] {
        let ingest = site.open().await;
        publish(&ingest).await;
        fill(site, &ingest, 5).await;
        publish(&ingest).await;
        ingest.catalog.close().await;
    }
    // As many leaves, the last five different.
    std::fs::copy(&other.catalog, &site.catalog).expect("exchanged");
    let refused = refusal(&site).await;
    assert!(matches!(refused, SequenceError::Fork(_)), "{refused}");
}

#[tokio::test]
async fn another_key_is_refused() {
    let mut site = prepared().await;
    site.key = LedgerKey::generate("docket.example/log", &*site.random).expect("name");
    let refused = refusal(&site).await;
    assert!(matches!(refused, SequenceError::Open(_)), "{refused}");
}

#[tokio::test]
async fn a_damaged_edge_is_refused() {
    let site = prepared().await;
    let tile = site.root.join("log/tile/0/000.p/202");
    let mut bytes = std::fs::read(&tile).expect("the edge");
    bytes[5] ^= 1;
    std::fs::remove_file(&tile).expect("removed");
    std::fs::write(&tile, bytes).expect("damaged");
    let refused = refusal(&site).await;
    assert!(matches!(refused, SequenceError::Open(_)), "{refused}");
}
