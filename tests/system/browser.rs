//! A supervisor in Chromium: signs in, finds a recording, plays it past five seconds, seeks.

use tokio::process::Command;

use crate::harness::programs::{checkout, run};
use crate::harness::{Daemon, Station};

/// Films what a recorder would: H.264 and AAC, the index at the end.
async fn film(path: &std::path::Path) {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-loglevel", "error", "-y"])
        .args([
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=640x360:rate=25:duration=30",
        ])
        .args(["-f", "lavfi", "-i", "sine=frequency=440:duration=30"])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-g",
            "50",
            "-pix_fmt",
            "yuv420p",
        ])
        .args(["-c:a", "aac", "-f", "mp4"])
        .arg(path);
    run(command, "").await.succeeded();
}

#[tokio::test]
async fn a_supervisor_signs_in_finds_plays_and_seeks() {
    let daemon = Daemon::start().await;
    let station = Station::enrolled(&daemon, "keep").await;
    film(&station.card("餐厅后厨检查 第1段.mp4")).await;
    station.once().await.succeeded();
    let password = "a long enough pass phrase";
    let user = [
        "user",
        "add",
        "--name",
        "督察",
        "--role",
        "supervisor",
        "--password-stdin",
    ];
    daemon
        .docketd(&user, &format!("{password}\n"))
        .await
        .succeeded();

    let mut browser = Command::new("npx");
    browser
        .current_dir(checkout("console"))
        .args(["--no-install", "playwright", "test"])
        .env("DOCKET_URL", daemon.url())
        .env("DOCKET_USER", "督察")
        .env("DOCKET_PASSWORD", password)
        .env("DOCKET_FIND", "后厨检查")
        .kill_on_drop(true);
    run(browser, "").await.succeeded();
}
