//! The event stream.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;

use crate::harness::{Api, Content, Daemon, PATIENCE};

/// Reads the stream until `enough` says so; (event, id, data) of each.
async fn read(
    api: &Api,
    after: Option<u64>,
    mut enough: impl FnMut(&[(String, Option<u64>, Value)]) -> bool,
) -> Vec<(String, Option<u64>, Value)> {
    let mut request = api.request("GET", "/v1/events");
    if let Some(after) = after {
        request = request.header("last-event-id", after.to_string());
    }
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 200);
    let mut bytes = response.bytes_stream();
    let (mut text, mut events) = (String::new(), Vec::new());
    while !enough(&events) {
        let piece = tokio::time::timeout(PATIENCE, bytes.next())
            .await
            .expect("in time");
        text.push_str(
            std::str::from_utf8(&piece.expect("goes on").expect("readable")).expect("UTF-8"),
        );
        while let Some(end) = text.find("\n\n") {
            let block: String = text.drain(..end + 2).collect();
            events.extend(parse(&block));
        }
    }
    events
}

fn parse(block: &str) -> Option<(String, Option<u64>, Value)> {
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| {
            Some(
                line.strip_prefix(name)?
                    .strip_prefix(':')?
                    .trim()
                    .to_owned(),
            )
        })
    };
    let data = serde_json::from_str(&field("data")?).expect("JSON");
    let id = field("id").map(|id| id.parse().expect("a leaf index"));
    Some((field("event").unwrap_or_default(), id, data))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_in_leaf_order_and_none_is_missed_after_a_break() {
    let daemon = Daemon::start().await;
    let api = daemon.token("upload,read,link,audit", None).await;
    let reader = {
        let api = api.clone();
        tokio::spawn(async move {
            read(&api, None, |events| {
                let sealed = events
                    .iter()
                    .filter(|(_, _, data)| data["kind"] == "recording.sealed");
                sealed.count() >= 3
            })
            .await
        })
    };
    // The stream may open after the first of these: what it must not do is to leave gaps.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut seed = 0;
    while !reader.is_finished() {
        assert!(tokio::time::Instant::now() < deadline, "no events");
        api.upload(Content::new(700 + seed, 500), &[]).await;
        seed += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seen = reader.await.expect("read");
    let leaves: Vec<u64> = seen.iter().filter_map(|(_, id, _)| *id).collect();
    assert!(
        leaves.windows(2).all(|pair| pair[0] < pair[1]),
        "{leaves:?}"
    );
    for (event, id, data) in &seen {
        match event.as_str() {
            "custody" => assert_eq!(data["leaf_index"].as_u64(), *id),
            _ => assert!(id.is_none(), "{event} has an id"),
        }
    }

    let middle = leaves[leaves.len() / 2];
    let rest: Vec<u64> = leaves
        .iter()
        .copied()
        .filter(|leaf| *leaf > middle)
        .collect();
    let last = *leaves.last().expect("some");
    let again = read(&api, Some(middle), |events| {
        last == middle || events.iter().any(|(_, id, _)| *id >= Some(last))
    })
    .await;
    let again: Vec<u64> = again
        .iter()
        .filter_map(|(_, id, _)| *id)
        .filter(|leaf| *leaf <= last)
        .collect();
    assert_eq!(again, rest);
}
