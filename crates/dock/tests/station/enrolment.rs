//! Whom the station trusts.

use crate::daemon::Daemon;
use crate::scene::{Scene, count_files, stderr};

#[tokio::test]
async fn another_ledger_key_is_refused_until_a_person_names_it() {
    let mut scene = Scene::new(&["1"], "").await;
    scene.put("1", b"film.mp4", b"abc");
    // Another daemon at the same address.
    let address = scene.daemon.address;
    scene.daemon.die();
    let mut other = Daemon::start();
    other.die();
    other.address = address;
    other.come_back();
    scene.daemon = other;

    let refused = scene.finish(&["once"]).await;
    assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
    let text = stderr(&refused);
    assert!(
        text.contains("not the one pinned") && text.contains("--fingerprint"),
        "{text}"
    );
    assert_eq!(scene.daemon.shared.world().uploads.len(), 0);

    let silent = scene.enrol(&[]).await;
    assert_eq!(silent.status.code(), Some(3), "{}", stderr(&silent));
    let wrong = scene.enrol(&["--fingerprint", "0000 1111"]).await;
    assert_eq!(wrong.status.code(), Some(1), "{}", stderr(&wrong));
    let fingerprint = scene.daemon.shared.key.verifier().fingerprint();
    let named = scene.enrol(&["--fingerprint", &fingerprint]).await;
    assert!(named.status.success(), "{}", stderr(&named));
    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert_eq!(count_files(&scene.path("state/receipts")), 1);
}

#[tokio::test]
async fn enrolment_prints_what_to_compare_and_keeps_the_token_to_itself() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(&["1"], "").await;
    let output = scene.enrol(&[]).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let fingerprint = scene.daemon.shared.key.verifier().fingerprint();
    assert!(text.contains(&fingerprint), "{text}");
    assert!(!text.contains("token-of-this-station"));
    let mode = std::fs::metadata(scene.path("state/token"))
        .expect("token")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn plain_http_to_another_machine_and_misspelt_settings_are_refused() {
    let scene = Scene::new(&["1"], "").await;
    scene.configure("server = \"http://192.0.2.1:8600\"");
    let other = scene.finish(&["once"]).await;
    assert!(!other.status.success());
    let enrol = scene
        .finish(&[
            "enrol",
            "--server",
            "http://192.0.2.1:8600",
            "--token-file",
            "/dev/null",
        ])
        .await;
    assert!(stderr(&enrol).contains("plain HTTP"), "{}", stderr(&enrol));
    scene.configure("[erase]\npolcy = \"verified\"");
    let misspelt = scene.finish(&["once"]).await;
    assert!(stderr(&misspelt).contains("polcy"), "{}", stderr(&misspelt));
    assert_eq!(scene.daemon.shared.world().uploads.len(), 0);
}
