//! Custody events and the tree's head.

use docket_base::Sha256Digest;
use docket_catalog::{Error, Scope};

use crate::fixture::Fixture;

pub async fn a_change_needs_an_event(f: &Fixture) {
    let new = f.new_recording(f.district, "a.mp4");
    let mut change = f.catalog.change().await.expect("change");
    change.insert_recording(&new).await.expect("insert");
    assert!(matches!(change.commit(&[]).await, Err(Error::NoEvent)));
    assert_eq!(f.catalog.recording(new.id).await.expect("load"), None);
}

pub async fn leaves_are_dense_and_in_order(f: &Fixture) {
    for _ in 0..5 {
        f.create(&f.new_recording(f.district, "a.mp4")).await;
    }
    let c = &f.catalog;
    assert!(c.has_waiting_events().await.expect("waiting"));
    let first = c.assign_leaves(4).await.expect("assign");
    let second = c.assign_leaves(100).await.expect("assign");
    let leaves: Vec<_> = first
        .iter()
        .chain(&second)
        .map(|e| e.leaf_index.expect("assigned"))
        .collect();
    assert_eq!(leaves, [0, 1, 2, 3, 4, 5]); // one of the fixture's units
    assert!(c.assign_leaves(100).await.expect("assign").is_empty());
    assert!(!c.has_waiting_events().await.expect("waiting"));
    let replay = c.events_from_leaf(3, 10).await.expect("replay");
    assert_eq!(
        replay,
        [vec![first[3].clone()], second.clone()].concat(),
        "the replay is what was assigned"
    );
    assert_eq!(c.tree_head().await.expect("head").sequenced_size, 6);
}

pub async fn the_published_size_never_goes_back(f: &Fixture) {
    let c = &f.catalog;
    let (one, two) = (Sha256Digest::of(b"one"), Sha256Digest::of(b"two"));
    c.tree_published(5, two).await.expect("publish");
    c.tree_published(3, one).await.expect("publish");
    let head = c.tree_head().await.expect("head");
    assert_eq!(
        (head.published_size, head.checkpoint_sha256),
        (5, Some(two))
    );
}

pub async fn custody_is_paged_and_scoped(f: &Fixture) {
    let c = &f.catalog;
    let id = f.create(&f.new_recording(f.district, "a.mp4")).await;
    for _ in 0..4 {
        let mut change = c.change().await.expect("change");
        change
            .describe(id, None, Some("x"), None)
            .await
            .expect("describe");
        f.commit(change, Some(id)).await;
    }
    f.create(&f.new_recording(f.district, "b.mp4")).await;
    let first = c.custody(id, None, 3).await.expect("page");
    let second = c.custody(id, first.next.as_ref(), 3).await.expect("page");
    assert_eq!(
        (first.items.len(), second.items.len(), second.next),
        (3, 2, None)
    );
    assert!(
        first
            .items
            .iter()
            .chain(&second.items)
            .all(|e| e.recording_id == Some(id))
    );
    let newest = c
        .recording_event(id, "test")
        .await
        .expect("event")
        .expect("exists");
    assert_eq!(Some(&newest), second.items.last());
    assert_eq!(c.event(newest.id).await.expect("event"), Some(newest));

    c.assign_leaves(100).await.expect("assign");
    let seen = c
        .events_after(Some(0), &Scope::subtree(f.city), 100)
        .await
        .expect("replay");
    assert_eq!(
        seen.iter().map(|e| e.leaf_index).collect::<Vec<_>>(),
        (1..7).map(Some).collect::<Vec<_>>()
    );
    assert!(
        c.events_after(None, &Scope::subtree(f.other_city), 100)
            .await
            .expect("replay")
            .is_empty()
    );
    assert!(
        c.events_after(None, &Scope::Subtrees(vec![]), 100)
            .await
            .expect("replay")
            .is_empty()
    );
}

pub async fn events_are_restored_in_order(f: &Fixture) {
    let c = &f.catalog;
    c.assign_leaves(100).await.expect("the fixture's own");
    let mut change = c.change().await.expect("change");
    change.restore_event(&f.event(None), 1).await.expect("next");
    assert!(matches!(
        change.restore_event(&f.event(None), 3).await,
        Err(Error::Stale { .. })
    ));
    change.restore_event(&f.event(None), 2).await.expect("next");
    change.commit_restored().await.expect("commit");
    let nothing = c.change().await.expect("change").commit_restored().await;
    assert!(matches!(nothing, Err(Error::NoEvent)));
    assert_eq!(c.tree_head().await.expect("head").sequenced_size, 3);
}

/// Eight writers give the same time to ten recordings each, while leaves are handed out.
pub async fn many_at_once_stay_apart(f: &Fixture) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let catalog = f.catalog.clone();
        let work: Vec<_> = (0..10)
            .map(|_| f.new_recording(f.district, "a.mp4"))
            .map(|new| (f.event(Some(new.id)), new))
            .collect();
        tasks.spawn(async move {
            for (event, new) in work {
                let mut change = catalog.change().await.expect("change");
                change.insert_recording(&new).await.expect("insert");
                change.commit(&[event]).await.expect("commit");
                catalog.assign_leaves(3).await.expect("assign");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a writer");
    }
    while !f
        .catalog
        .assign_leaves(100)
        .await
        .expect("assign")
        .is_empty()
    {}
    let events = f.catalog.events_from_leaf(0, 1_000).await.expect("events");
    let leaves: Vec<_> = events
        .iter()
        .map(|e| e.leaf_index.expect("assigned"))
        .collect();
    assert_eq!(leaves, (0..81).collect::<Vec<_>>());
    let rows = f.catalog.recordings_by_id(None, 1_000).await.expect("rows");
    let keys: std::collections::BTreeSet<_> = rows.iter().map(|row| row.sort_key).collect();
    assert_eq!(keys.len(), 80);
}
