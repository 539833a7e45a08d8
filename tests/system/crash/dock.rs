//! The station dies; the recorder stays in its bay, and more is recorded.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use docket_base::{OsRandom, random};
use serde_json::Value;

use crate::harness::{Api, Content, Daemon, Station};

const ROUNDS: u64 = 30;

fn dice(below: u64) -> u64 {
    u64::from_le_bytes(random::bytes(&OsRandom)) % below
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_of_the_dock_loses_nothing_and_erases_nothing_too_early() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let station = Station::enrolled(&daemon, "verified").await;
    let mut recorded = BTreeMap::new();
    for round in 0..ROUNDS {
        let name = format!("后厨检查 第{round}段.mp4");
        let content = Content::new(1000 + round, 1 + dice(5_000_000));
        station.record(&name, content);
        recorded.insert(name, content);
        let mut dock = station
            .command("run")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docket-dock starts");
        tokio::time::sleep(Duration::from_millis(
            50 + dice(if round % 3 == 0 { 2000 } else { 700 }),
        ))
        .await;
        let ended = dock.try_wait().expect("asked");
        assert!(ended.is_none(), "docket-dock ended by itself: {ended:?}");
        dock.kill().await.expect("killed");
        assert_nothing_gone_too_early(&api, &station, &recorded).await;
    }

    station.once().await.succeeded();
    for (name, content) in &recorded {
        let found = with_digest(&api, content).await;
        assert_eq!(found.len(), 1, "{name} arrived {} times", found.len());
        assert_eq!(found[0]["file_name"], name.as_str());
        assert!(!station.card(name).exists(), "{name} was not erased");
    }
    assert_nothing_gone_too_early(&api, &station, &recorded).await;
    daemon.assert_sound().await;
}

/// What is no longer on the card has a `verified` receipt.
async fn assert_nothing_gone_too_early(
    api: &Api,
    station: &Station,
    recorded: &BTreeMap<String, Content>,
) {
    for (name, content) in recorded {
        if station.card(name).exists() {
            continue;
        }
        let found = with_digest(api, content).await;
        let recording = found
            .first()
            .unwrap_or_else(|| panic!("{name} was erased and is nowhere"));
        assert!(
            recording["verified_at"].is_string(),
            "{name} was erased unverified: {recording}"
        );
        let id = recording["id"].as_str().expect("an id");
        api.get(&format!("/v1/recordings/{id}/receipt?level=verified"))
            .await
            .expect(200);
    }
}

/// The sealed recordings with this content.
async fn with_digest(api: &Api, content: &Content) -> Vec<Value> {
    let digest = content.sha256();
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api
            .json(&format!("/v1/recordings?limit=100&state=sealed{cursor}"))
            .await;
        let items = page["items"].as_array().expect("items").iter();
        found.extend(
            items
                .filter(|one| one["sha256"] == digest.as_str())
                .cloned(),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}
