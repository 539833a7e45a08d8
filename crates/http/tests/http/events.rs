//! The event stream.

use std::time::Duration;

use axum::body::BodyDataStream;
use docket_base::ids::RecordingId;
use docket_catalog::Role;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::call::Caller;
use crate::world::{Place, world};

/// One event as a browser would see it.
#[derive(Debug)]
struct Heard {
    name: String,
    id: Option<u64>,
    data: Value,
}

struct Ear {
    body: BodyDataStream,
    text: String,
}

impl Ear {
    async fn open(who: &Caller<'_>) -> Self {
        let response = who.open("GET", "/v1/events", None).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut ear = Self {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        };
        // The first comment: from here on nothing is missed.
        while !ear.text.contains("\n\n") {
            ear.more().await;
        }
        ear
    }

    async fn more(&mut self) {
        let next = tokio::time::timeout(Duration::from_secs(20), self.body.next());
        let chunk = next
            .await
            .expect("in time")
            .expect("more")
            .expect("unbroken");
        self.text
            .push_str(std::str::from_utf8(&chunk).expect("text"));
    }

    /// The next event that is no comment.
    async fn next(&mut self) -> Heard {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let prefix = format!("{name}: ");
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
                };
                if let (Some(name), Some(data)) = (field("event"), field("data")) {
                    return Heard {
                        name,
                        id: field("id").map(|id| id.parse().expect("leaf index")),
                        data: serde_json::from_str(&data).expect("json"),
                    };
                }
            }
            self.more().await;
        }
    }

    async fn custody_of(&mut self, id: RecordingId, kind: &str) -> u64 {
        loop {
            let heard = self.next().await;
            if heard.name == "custody"
                && heard.data["recording"] == id.to_string()
                && heard.data["kind"] == kind
            {
                assert_ne!(heard.data["unit"], Value::Null);
                assert_eq!(heard.data["leaf_index"], heard.id.expect("id"));
                return heard.id.expect("id");
            }
        }
    }
}

#[tokio::test]
async fn what_happens_in_ones_units_is_heard_and_nothing_else() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    let mut ear = Ear::open(&me).await;
    let hidden = world.recording(Place::Sibling, b"x").await;
    let seen = world.recording(Place::Sub, b"y").await;
    loop {
        let heard = ear.next().await;
        assert_ne!(heard.data["recording"], hidden.to_string());
        if heard.data["recording"] == seen.to_string() && heard.data["kind"] == "recording.sealed" {
            break;
        }
    }
}

#[tokio::test]
async fn after_a_broken_connection_the_rest_comes_in_order_and_once() {
    let world = world().await;
    let me = world.token("read", Place::Own).await;
    let mut ear = Ear::open(&me).await;
    let first = world.recording(Place::Own, b"1").await;
    let last = ear.custody_of(first, "recording.sealed").await;
    drop(ear);
    let mut missed = Vec::new();
    for bytes in [&b"2"[..], b"3", b"4"] {
        missed.push(world.recording(Place::Own, bytes).await);
    }
    world.published().await;
    let mut ear = Ear::open(&me.with("last-event-id", &last.to_string())).await;
    let live = world.recording(Place::Own, b"5").await;
    let (mut seen, mut before) = (Vec::new(), last);
    loop {
        let heard = ear.next().await;
        let Some(id) = heard.id else { continue };
        assert!(id > before, "in order and once: {id} after {before}");
        before = id;
        if heard.data["kind"] == "recording.sealed" {
            seen.push(heard.data["recording"].as_str().expect("id").to_owned());
        }
        if heard.data["recording"] == live.to_string() && heard.data["kind"] == "recording.sealed" {
            break;
        }
    }
    missed.push(live);
    let missed: Vec<String> = missed.iter().map(ToString::to_string).collect();
    assert_eq!(seen, missed);
}

#[tokio::test]
async fn rights_decide_event_by_event() {
    let world = world().await;
    // A station hears of stations, not of recordings, cases or users.
    let station = world.token("upload", Place::Own).await;
    world.published().await;
    let mut ear = Ear::open(&station).await;
    world.recording(Place::Own, b"x").await;
    let handler = world.signed_in(Role::CaseHandler, Place::Own).await;
    handler.put("/v1/cases/1", json!({})).await.expect(201);
    world.published().await;
    station
        .put("/v1/stations/self", json!({"name": "a"}))
        .await
        .expect(200);
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let heard = ear.next().await;
        kinds.push(heard.name.clone());
        if heard.name == "custody" {
            assert_eq!(heard.data["kind"], "station.seen");
        }
    }
    kinds.sort();
    assert_eq!(kinds, ["custody", "station"]);
}

#[tokio::test]
async fn a_stream_needs_a_right_and_a_readable_place() {
    let world = world().await;
    world.anonymous().get("/v1/events").await.expect(401);
    world
        .token("link", Place::Own)
        .await
        .get("/v1/events")
        .await
        .expect(403);
    let me = world.token("read", Place::Own).await;
    me.with("last-event-id", "abc")
        .get("/v1/events")
        .await
        .expect(400);
}
