//! What should happen, happens.

use std::os::unix::fs::symlink;

use crate::scene::{Scene, count_files, footage, stderr};

const ERASE: &str = "[erase]\npolicy = \"verified\"\ncheck = \"reread-source\"";

#[tokio::test]
async fn hostile_names_arrive_exactly_and_nothing_is_erased_by_default() {
    let scene = Scene::new(&["1"], "").await;
    let big = footage(5_000_000, 1);
    scene.put(
        "1",
        b"recorder.toml",
        b"serial = \"REC0001\"\nofficer = \"52010012345\"\n",
    );
    scene.put("1", "DCIM/现场检查_20261123093005.mp4".as_bytes(), &big);
    scene.put("1", b"DCIM/\xcf\xd6\xb3\xa1.avi", b"gbk");
    scene.put("1", "a\nb \"..%2F\".mp4".as_bytes(), b"hostile");
    scene.put("1", b"z_KEY.mp4", b"marked");
    scene.put("1", b"empty.txt", b"");
    symlink("/etc/passwd", scene.card("1").join("link.mp4")).expect("link");

    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert_eq!(
        String::from_utf8_lossy(&ended.stdout),
        "5 of 5 files safe, 0 faults\n"
    );
    {
        let world = scene.daemon.shared.world();
        assert_eq!(world.uploads.len(), 5);
        assert_eq!(
            world.names_in_order()[0],
            "z_KEY.mp4",
            "marked files go first"
        );
        let film = world
            .upload_named("现场检查_20261123093005.mp4")
            .expect("arrived");
        assert_eq!(film.bytes, big);
        let (docking, listed) = &world.dockings[0];
        let expected = [
            ("recorder", "REC0001"),
            ("officer", "52010012345"),
            ("kind", "video"),
            ("filetype", "video/mp4"),
            ("path", "DCIM/现场检查_20261123093005.mp4"),
            ("recorded_at", "2026-11-23T01:30:05.000000Z"),
            ("docking", &docking.to_string()),
        ];
        for (key, value) in expected {
            assert_eq!(film.metadata[key], value, "{key}");
        }
        assert!(
            !film.metadata.contains_key("sha256"),
            "read once, so not known before"
        );
        let gbk = world.upload_named("现场.avi").expect("decoded");
        assert_eq!(gbk.metadata["path"], "DCIM/%CF%D6%B3%A1.avi");
        assert_eq!(
            gbk.metadata["sha256"].len(),
            64,
            "small ones announce their digest"
        );
        assert!(world.upload_named("a\nb \"..%2F\".mp4").is_some());
        assert_eq!(
            world.upload_named("z_KEY.mp4").expect("there").metadata["mark"],
            "key"
        );
        assert_eq!(listed["recorder_serial"], "REC0001");
        assert_eq!(listed["files"].as_array().expect("list").len(), 5);
        assert_eq!(world.endings[0].1["outcome"], "complete");
        assert_eq!(world.bay_state("1").as_deref(), Some("may_be_taken"));
    }
    assert_eq!(count_files(&scene.card("1")), 7);
    assert_eq!(count_files(&scene.path("state/receipts")), 5);

    let again = scene.finish(&["once"]).await;
    assert!(again.status.success(), "{}", stderr(&again));
    let world = scene.daemon.shared.world();
    assert_eq!(world.uploads.len(), 5, "what is safe is not sent again");
    assert_eq!(world.dockings.len(), 1, "the same stay is one docking");
}

#[tokio::test]
async fn erased_only_after_the_receipt_was_checked() {
    let scene = Scene::new(&["1"], ERASE).await;
    scene.put("1", b"a.mp4", &footage(3_000_000, 1));
    scene.put("1", b"b/c.mp4", b"small");
    scene
        .daemon
        .shared
        .change(|world| world.withhold_receipts = true);
    let mut child = scene.start(&["once"]);
    let shared = &scene.daemon.shared;
    shared
        .until("both arrive", |world| world.whole() == 2)
        .await;
    assert_eq!(count_files(&scene.card("1")), 2, "no receipt, no erasing");
    shared.change(|world| world.withhold_receipts = false);
    assert!(child.wait().await.expect("end").success());
    assert_eq!(count_files(&scene.card("1")), 0);
    assert!(
        shared
            .world()
            .uploads
            .values()
            .all(|upload| upload.receipts_served > 0)
    );
}

#[tokio::test]
async fn bays_come_and_go_and_a_pulled_recorder_goes_on_in_another_bay() {
    let scene = Scene::new(&["1", "2"], "").await;
    let shared = std::sync::Arc::clone(&scene.daemon.shared);
    let film = footage(12_000_000, 3);
    shared.change(|world| world.hold_at = Some(5_000_000));
    let mut child = scene.start(&["run"]);
    // A recorder appears whole, as a mount does.
    let prepared = scene.path("recorder");
    std::fs::create_dir(&prepared).expect("folder");
    std::fs::write(prepared.join("recorder.toml"), "serial = \"MOVER\"").expect("identity");
    std::fs::write(prepared.join("film.mp4"), &film).expect("film");
    std::fs::remove_dir(scene.card("1")).expect("empty bay");
    std::fs::rename(&prepared, scene.card("1")).expect("put in");
    shared
        .until("half of it arrives", |world| world.received == 5_000_000)
        .await;

    std::fs::rename(scene.card("1"), &prepared).expect("pulled");
    shared
        .until("the pull is seen", |world| world.endings.len() == 1)
        .await;
    assert_eq!(shared.world().endings[0].1["outcome"], "recorder_lost");
    shared.change(|world| world.hold_at = None);
    std::fs::remove_dir(scene.card("2")).expect("empty bay");
    std::fs::rename(&prepared, scene.card("2")).expect("put into the other");
    shared
        .until("it may be taken", |world| {
            world.bay_state("2").as_deref() == Some("may_be_taken")
        })
        .await;
    {
        let world = shared.world();
        assert_eq!(world.uploads.len(), 1, "the upload went on");
        assert_eq!(world.upload_named("film.mp4").expect("there").bytes, film);
        assert_eq!(world.dockings.len(), 2, "another stay is another docking");
    }
    std::fs::rename(scene.card("2"), &prepared).expect("taken");
    shared
        .until("the bay is empty", |world| {
            world.bay_state("2").as_deref() == Some("empty")
        })
        .await;
    terminate(&child);
    assert!(
        child.wait().await.expect("end").success(),
        "SIGTERM is a clean end"
    );
}

#[tokio::test]
async fn two_recorders_of_one_serial_are_taken_in_one_after_the_other() {
    let scene = Scene::new(&["1", "2"], "").await;
    let shared = std::sync::Arc::clone(&scene.daemon.shared);
    let films = [footage(3_000_000, 5), footage(2_000_000, 6)];
    shared.change(|world| world.hold_at = Some(1_000_000));
    scene.put("1", b"recorder.toml", b"serial = \"TWIN\"");
    scene.put("1", b"one.mp4", &films[0]);
    let mut child = scene.start(&["run"]);
    shared
        .until("the first begins", |world| world.received == 1_000_000)
        .await;
    scene.put("2", b"recorder.toml", b"serial = \"TWIN\"");
    scene.put("2", b"two.mp4", &films[1]);
    shared
        .until("the second is a fault", |world| {
            world.bay_state("2").as_deref() == Some("fault")
        })
        .await;
    assert!(
        shared
            .world()
            .bay_message("2")
            .is_some_and(|message| message.contains("already in bay 1"))
    );
    shared.change(|world| world.hold_at = None);
    shared
        .until("both may be taken", |world| {
            ["1", "2"]
                .iter()
                .all(|bay| world.bay_state(bay).as_deref() == Some("may_be_taken"))
        })
        .await;
    {
        let world = shared.world();
        for (name, film) in ["one.mp4", "two.mp4"].into_iter().zip(&films) {
            assert_eq!(&world.upload_named(name).expect("there").bytes, film);
        }
    }
    terminate(&child);
    assert!(child.wait().await.expect("end").success());
}

fn terminate(child: &tokio::process::Child) {
    let id = child.id().expect("running") as i32;
    let process = rustix::process::Pid::from_raw(id).expect("pid");
    rustix::process::kill_process(process, rustix::process::Signal::TERM).expect("signal");
}

#[tokio::test]
async fn status_and_the_lock() {
    let scene = Scene::new(&["1"], "").await;
    scene.put("1", b"a.mp4", b"abc");
    let mut child = scene.start(&["run"]);
    let shared = &scene.daemon.shared;
    shared
        .until("it may be taken", |world| {
            world.bay_state("1").as_deref() == Some("may_be_taken")
        })
        .await;
    let second = scene.finish(&["once"]).await;
    assert!(
        stderr(&second).contains("in use by another docket-dock"),
        "{}",
        stderr(&second)
    );
    terminate(&child);
    child.wait().await.expect("end");
    let status = scene.finish(&["status"]).await;
    let text = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(
        text.contains("not running") && text.contains("MAY BE TAKEN"),
        "{text}"
    );
}
