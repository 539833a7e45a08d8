//! Daemons that are gone, full, or refuse.

use crate::scene::{Scene, footage, stderr};

#[tokio::test]
async fn a_dead_daemon_is_waited_out() {
    let mut scene = Scene::new(&["1"], "").await;
    let shared = std::sync::Arc::clone(&scene.daemon.shared);
    let film = footage(10_000_000, 9);
    scene.put("1", b"film.mp4", &film);
    scene.daemon.die();
    let mut child = scene.start(&["once"]);
    // It starts without a daemon, loses it in the middle of a file, and again before the receipt.
    shared.change(|world| {
        world.hold_at = Some(4_000_000);
        world.withhold_receipts = true;
    });
    scene.daemon.come_back();
    shared
        .until("bytes arrive", |world| world.received == 4_000_000)
        .await;
    scene.daemon.die();
    shared.change(|world| world.hold_at = None);
    scene.daemon.come_back();
    shared
        .until("all arrives", |world| world.whole() == 1)
        .await;
    scene.daemon.die();
    shared.change(|world| world.withhold_receipts = false);
    scene.daemon.come_back();
    assert!(child.wait().await.expect("end").success());
    let world = shared.world();
    assert_eq!(world.uploads.len(), 1);
    assert!(world.upload_named("film.mp4").expect("there").bytes == film);
}

#[tokio::test]
async fn a_full_daemon_is_waited_out_and_said_so() {
    let scene = Scene::new(&["1"], "").await;
    scene.put("1", b"film.mp4", &footage(2_000_000, 9));
    scene.daemon.shared.change(|world| world.no_room = 3);
    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert!(stderr(&ended).contains("507"), "{}", stderr(&ended));
    let world = scene.daemon.shared.world();
    assert_eq!((world.whole(), world.no_room), (1, 0));
}

#[tokio::test]
async fn a_refused_file_is_a_fault_and_the_others_go_on() {
    let scene = Scene::new(&["1", "2"], "").await;
    scene.put("1", b"bad.mp4", b"refused");
    scene.put("1", b"good.mp4", &footage(2_000_000, 4));
    scene.put("2", b"also-good.mp4", b"other bay");
    scene
        .daemon
        .shared
        .change(|world| world.refuse_name = Some("bad.mp4".into()));
    let ended = scene.finish(&["once"]).await;
    assert_eq!(ended.status.code(), Some(2), "{}", stderr(&ended));
    let world = scene.daemon.shared.world();
    assert_eq!(world.whole(), 2);
    assert_eq!(world.bay_state("1").as_deref(), Some("fault"));
    let message = world.bay_message("1").expect("said");
    assert!(
        message.contains("bad.mp4") && message.contains("413"),
        "{message}"
    );
    assert_eq!(world.bay_state("2").as_deref(), Some("may_be_taken"));
}

#[tokio::test]
async fn an_upload_the_daemon_lost_is_made_anew() {
    let scene = Scene::new(&["1"], "").await;
    let shared = std::sync::Arc::clone(&scene.daemon.shared);
    let film = footage(6_000_000, 2);
    scene.put("1", b"film.mp4", &film);
    shared.change(|world| world.hold_at = Some(2_000_000));
    let mut child = scene.start(&["once"]);
    shared
        .until("some arrives", |world| world.received == 2_000_000)
        .await;
    scene.kill(&mut child).await;
    shared.change(|world| {
        world.hold_at = None;
        for upload in world.uploads.values_mut() {
            upload.is_gone = true;
        }
    });
    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    let world = shared.world();
    let whole: Vec<_> = world.uploads.values().filter(|u| u.is_whole()).collect();
    assert_eq!((world.uploads.len(), whole.len()), (2, 1));
    assert!(whole[0].bytes == film);
}

#[tokio::test]
async fn once_gives_up_when_asked_to() {
    let mut scene = Scene::new(&["1"], "").await;
    scene.put("1", b"film.mp4", b"abc");
    scene.daemon.die();
    let ended = scene.finish(&["once", "--tries", "2"]).await;
    assert_eq!(ended.status.code(), Some(1), "{}", stderr(&ended));
    assert!(
        stderr(&ended).contains("no answer from the server"),
        "{}",
        stderr(&ended)
    );
}

#[tokio::test]
async fn a_docking_whose_answer_was_lost_is_reported_once() {
    let scene = Scene::new(&["1"], "").await;
    scene.put("1", b"film.mp4", b"abc");
    scene
        .daemon
        .shared
        .change(|world| world.lose_docking_answer = true);
    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    let world = scene.daemon.shared.world();
    assert_eq!((world.dockings.len(), world.whole()), (1, 1));
}
