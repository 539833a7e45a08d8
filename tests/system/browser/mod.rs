//! A supervisor in Chromium, before a real daemon and a real station: what is sealed, what is still
//! arriving, through outages of either, several cameras, and what must be made for viewing.

mod stage;

use tokio::process::Child;

use self::stage::{Stage, film};
use crate::growing::Upload;
use crate::harness::{Api, Daemon, Station};

/// As most recorders write: the index at the end, a keyframe every 2 s.
const H264: [&str; 8] = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-g",
    "50",
    "-c:a",
    "aac",
];

async fn filmed(daemon: &Daemon, name: &str, seconds: u32, options: &[&str]) -> Vec<u8> {
    let path = daemon.folder().join(name);
    film(&path, seconds, options).await;
    std::fs::read(path).expect("filmed")
}

fn unknown(order: &[&str]) -> String {
    panic!("no such order: {order:?}")
}

#[tokio::test]
async fn a_supervisor_signs_in_finds_plays_and_seeks() {
    let daemon = Daemon::start().await;
    let station = Station::enrolled(&daemon, "keep").await;
    film(&station.card("餐厅后厨检查 第1段.mp4"), 30, &H264).await;
    station.once().await.succeeded();
    let find = [("DOCKET_FIND", "后厨检查")];
    let stage = Stage::around(&daemon).await;
    stage
        .play("sealed", &find, async |order| unknown(order))
        .await;
}

#[tokio::test]
async fn what_still_arrives_plays_through_an_outage_of_the_daemon_to_its_end() {
    let mut daemon = Daemon::start().await;
    let api = daemon.api().await;
    let file = filmed(&daemon, "后厨.mp4", 60, &H264).await;
    let mut upload = Upload::begin(api, "后厨.mp4", file).await;
    upload.true_hint().await;
    let stage = Stage::around(&daemon).await;
    let id = upload.id.clone();
    stage
        .play("growing", &[("DOCKET_RECORDING", &id)], async |order| {
            match order {
                ["send", percent] => upload.to(percent.parse().expect("a number")).await,
                ["daemon", "kill"] => daemon.kill().await,
                ["daemon", "up"] => daemon.up().await,
                _ => return unknown(order),
            }
            String::new()
        })
        .await;
    daemon.assert_sound().await;
}

#[tokio::test]
async fn what_a_station_sends_plays_through_an_outage_of_the_station() {
    // Half as fast as it plays, so that the player soon stands where the upload does.
    const SLOW: &str = "[[bandwidth]]\nfrom = \"00:00\"\nuntil = \"24:00\"\nlimit_mbit_per_s = 1\n";
    let daemon = Daemon::start().await;
    let station = Station::enrolled(&daemon, "keep").await;
    let options = [
        &H264[..],
        &[
            "-b:v", "2M", "-minrate", "2M", "-maxrate", "2M", "-bufsize", "1M",
        ],
    ];
    film(&station.card("大厅.mp4"), 40, &options.concat()).await;
    let mut dock: Option<Child> = None;
    let stage = Stage::around(&daemon).await;
    stage
        .play("station", &[], async |order| {
            match order {
                ["dock", "kill"] => {
                    let mut running = dock.take().expect("it runs");
                    running.kill().await.expect("killed");
                }
                ["dock", speed] => {
                    station.configure(if *speed == "slow" { SLOW } else { "" });
                    dock = Some(station.command("run").spawn().expect("it starts"));
                }
                _ => return unknown(order),
            }
            String::new()
        })
        .await;
}

#[tokio::test]
async fn whatever_recorders_write_plays_or_says_what_it_waits_for() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let hevc = "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=50 -c:a aac";
    let g711 = "-c:v libx264 -preset ultrafast -g 50 -ar 8000 -c:a pcm_alaw";
    let fragmented =
        "-c:v libx264 -preset ultrafast -g 50 -c:a aac -movflags frag_keyframe+empty_moov";
    let plain = H264.join(" ");
    let mut upload = None;
    let stage = Stage::around(&daemon).await;
    stage
        .play("formats", &[], async |order| match order {
            ["begin", name, percent] => {
                let options = match *name {
                    "热成像.mp4" => hevc,
                    "大厅.mov" => g711,
                    "分段.mp4" => fragmented,
                    _ => &plain,
                };
                let options: Vec<&str> = options.split(' ').collect();
                let file = filmed(&daemon, name, 16, &options).await;
                let mut begun = Upload::begin(api.clone(), name, file).await;
                begun.to(percent.parse().expect("a number")).await;
                let id = begun.id.clone();
                upload = Some(begun);
                id
            }
            ["hint"] => {
                upload.as_ref().expect("begun").true_hint().await;
                String::new()
            }
            ["send", percent] => {
                let upload = upload.as_mut().expect("begun");
                upload.to(percent.parse().expect("a number")).await;
                String::new()
            }
            _ => unknown(order),
        })
        .await;
}

/// An upload of a film that says when it was recorded, sent up to so many percent.
async fn camera(api: &Api, file: &[u8], recorded_at: &str, percent: usize) -> Upload {
    let metadata = [("filename", "机位.mp4"), ("recorded_at", recorded_at)];
    let mut upload = Upload::with(api.clone(), &metadata, file.to_vec()).await;
    upload.true_hint().await;
    upload.to(percent).await;
    upload
}

#[tokio::test]
async fn two_cameras_keep_in_step_one_of_them_still_arriving() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let file = filmed(&daemon, "机位.mp4", 40, &H264).await;
    let first = camera(&api, &file, "2026-11-23T09:00:00+08:00", 100).await;
    api.await_state(&first.id, "sealed").await;
    let second = camera(&api, &file, "2026-11-23T09:00:02+08:00", 80).await;
    let ids = format!("{} {}", first.id, second.id);
    let stage = Stage::around(&daemon).await;
    let about = [("DOCKET_RECORDINGS", ids.as_str())];
    stage
        .play("together", &about, async |order| unknown(order))
        .await;
}
