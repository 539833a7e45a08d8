//! A daemon that lies gets nothing erased.

use docket_base::OsRandom;
use docket_ledger::LedgerKey;

use crate::daemon::World;
use crate::scene::{Scene, count_files, footage, stderr};

const ERASE: &str = "[erase]\npolicy = \"verified\"";

async fn nothing_is_erased_when(lie: impl FnOnce(&mut World), said: &str) {
    let scene = Scene::new(&["1"], ERASE).await;
    scene.put("1", b"a.mp4", &footage(2_000_000, 1));
    scene.put("1", b"b.mp4", b"small");
    scene.daemon.shared.change(lie);
    let ended = scene.finish(&["once"]).await;
    assert_eq!(ended.status.code(), Some(2), "{}", stderr(&ended));
    assert!(stderr(&ended).contains(said), "{}", stderr(&ended));
    assert_eq!(count_files(&scene.card("1")), 2);
    assert_eq!(count_files(&scene.path("state/receipts")), 0);
    let world = scene.daemon.shared.world();
    assert_eq!(world.bay_state("1").as_deref(), Some("fault"));
    assert_eq!(world.endings[0].1["outcome"], "aborted");
}

#[tokio::test]
async fn a_receipt_for_other_bytes() {
    nothing_is_erased_when(|world| world.lie_about_digest = true, "other bytes").await;
}

#[tokio::test]
async fn a_receipt_of_another_ledger() {
    let other = LedgerKey::generate("test.example/log", &OsRandom).expect("name");
    nothing_is_erased_when(|world| world.sign_with = Some(other), "not the key pinned").await;
}

#[tokio::test]
async fn after_a_mismatch_the_file_is_sent_anew() {
    let scene = Scene::new(&["1"], ERASE).await;
    scene.put("1", b"a.mp4", &footage(2_000_000, 1));
    scene
        .daemon
        .shared
        .change(|world| world.lie_about_digest = true);
    assert_eq!(scene.finish(&["once"]).await.status.code(), Some(2));
    scene
        .daemon
        .shared
        .change(|world| world.lie_about_digest = false);
    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert_eq!(scene.daemon.shared.world().uploads.len(), 2);
    assert_eq!(count_files(&scene.card("1")), 0);
}

#[tokio::test]
async fn what_was_damaged_on_the_way_is_a_fault_and_then_sent_anew() {
    let scene = Scene::new(&["1"], ERASE).await;
    scene.put("1", b"photo.jpg", &footage(500_000, 1));
    scene.daemon.shared.change(|world| world.damage_next = true);
    let ended = scene.finish(&["once"]).await;
    assert_eq!(ended.status.code(), Some(2), "{}", stderr(&ended));
    assert!(stderr(&ended).contains("quarantine"), "{}", stderr(&ended));
    assert_eq!(count_files(&scene.card("1")), 1);
    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert_eq!(count_files(&scene.card("1")), 0);
}

#[tokio::test]
async fn a_large_file_damaged_on_the_way_is_never_erased() {
    let scene = Scene::new(&["1"], ERASE).await;
    scene.put("1", b"film.mp4", &footage(3_000_000, 1));
    scene.daemon.shared.change(|world| world.damage_next = true);
    let ended = scene.finish(&["once"]).await;
    assert_eq!(ended.status.code(), Some(2), "{}", stderr(&ended));
    assert!(stderr(&ended).contains("other bytes"), "{}", stderr(&ended));
    assert_eq!(count_files(&scene.card("1")), 1);
}
