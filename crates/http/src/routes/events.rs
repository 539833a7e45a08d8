//! `/v1/events`: what happens, as it happens (server-sent events).
//!
//! Custody events carry their leaf index as id and come in that order; after a broken connection the browser
//! sends the last one it had and gets the rest. Progress and stations carry no id and are not repeated. Every
//! event goes through the authorisation decision on its own; payloads are ids only, the client reads again what
//! it shows.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use docket_base::ids::RecordingId;
use docket_catalog::{Scope, StoredEvent};
use docket_ingest::Progress;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::access::{Action, Decision, Principal, Target, authorise};
use crate::problem::{Kind, Problem, Result};
use crate::signin::cookie::SessionSecret;
use crate::state::{AppState, StationNews};

const HEARTBEAT: Duration = Duration::from_secs(15);
/// Progress of one recording is told at most so often.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);
/// Events read at once when a client catches up.
const CATCH_UP: u32 = 256;
/// Events that wait for a slow client.
const WAITING: usize = 64;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The event stream.
#[utoipa::path(get, path = "/v1/events", tag = "events",
    params(("Last-Event-ID" = Option<u64>, Header, description = "Leaf index of the last custody event received; without it the stream begins now")),
    responses((status = 200, content_type = "text/event-stream", body = String,
            description = "`event: custody` (`id`: leaf index; data `{leaf_index, kind, recording, case, station, unit}`), `event: progress` (`{recording, received_bytes, size_bytes}`), `event: station` (`{station}`), a comment every 15 s"),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody),
        (status = 403, description = "No right to read recordings or stations", body = crate::problem::ProblemBody),
        (status = 503, description = "Too many streams", body = crate::problem::ProblemBody)))]
pub async fn events(
    State(app): State<AppState>,
    who: Principal,
    headers: HeaderMap,
) -> Result<Response> {
    let stations = app.permit_listing(&who, Action::ReadStations);
    stations.or_else(|_| app.permit_listing(&who, Action::ReadRecordings))?;
    let place = app
        .streams()
        .try_acquire_owned()
        .map_err(|_| Problem::new(Kind::Busy).retry_after_seconds(10))?;
    let last = match headers.get(LAST_EVENT_ID) {
        None => None,
        Some(text) => Some(leaf(text)?),
    };
    // Subscribed before the tree's size is read: what is published in between is in both, and told once.
    let heard = Heard {
        custody: app.ingest().sequencer.events(),
        progress: app.ingest().progress(),
        stations: app.station_news(),
    };
    let published = app.ingest().sequencer.published().borrow().head.size;
    let (send, receive) = mpsc::channel(WAITING);
    let stream = Stream {
        app,
        who,
        session: SessionSecret::from_cookies(&headers),
        next: last.map_or(published, |last| last.saturating_add(1)),
        send,
        _place: place,
    };
    let catch_up = last.is_some();
    tokio::spawn(async move {
        if stream.run(heard, catch_up).await.is_err() {
            tracing::debug!("an event stream ended");
        }
    });
    let mut response = Sse::new(ReceiverStream::new(receive)).into_response();
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response
        .headers_mut()
        .insert(unbuffered, HeaderValue::from_static("no"));
    Ok(response)
}

fn leaf(text: &HeaderValue) -> Result<u64> {
    let leaf = text.to_str().ok().and_then(|text| text.parse().ok());
    leaf.ok_or_else(|| Problem::new(Kind::BadRequest).detail("Last-Event-ID is a leaf index"))
}

struct Heard {
    custody: broadcast::Receiver<Arc<StoredEvent>>,
    progress: broadcast::Receiver<Progress>,
    stations: broadcast::Receiver<StationNews>,
}

struct Stream {
    app: AppState,
    who: Principal,
    session: Option<SessionSecret>,
    /// The leaf that is told next.
    next: u64,
    send: mpsc::Sender<Result<Event, Infallible>>,
    _place: OwnedSemaphorePermit,
}

/// The client has gone, may no longer listen, or the daemon stops.
struct Ended;

impl From<Problem> for Ended {
    fn from(_: Problem) -> Self {
        Self
    }
}

impl From<docket_catalog::Error> for Ended {
    fn from(error: docket_catalog::Error) -> Self {
        tracing::warn!(%error, "an event stream could not be read on");
        Self
    }
}

impl Stream {
    async fn run(mut self, mut heard: Heard, catch_up: bool) -> Result<(), Ended> {
        // Tells the browser at once that it is connected.
        self.tell(Event::default().comment("docket")).await?;
        if catch_up {
            self.catch_up().await?;
        }
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let mut tick = tokio::time::interval(PROGRESS_EVERY);
        let mut progress: HashMap<RecordingId, Progress> = HashMap::new();
        let shutdown = self.app.ingest().shutdown.clone();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Err(Ended),
                () = self.send.closed() => return Err(Ended),
                event = heard.custody.recv() => match event {
                    Ok(event) => self.custody(&event).await?,
                    Err(RecvError::Lagged(_)) => self.catch_up().await?,
                    Err(RecvError::Closed) => return Err(Ended),
                },
                news = heard.progress.recv() => match news {
                    Ok(news) => { progress.insert(news.recording, news); }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(Ended),
                },
                news = heard.stations.recv() => match news {
                    Ok(news) => self.station(news).await?,
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(Ended),
                },
                _ = tick.tick(), if !progress.is_empty() => self.progress(&mut progress).await?,
                _ = heartbeat.tick() => {
                    // A session that ended or a token that was revoked hears no more.
                    self.who = self.app.still_valid(&self.who, self.session.as_ref()).await?;
                    self.tell(Event::default().comment("")).await?;
                }
            }
        }
    }

    async fn tell(&self, event: Event) -> Result<(), Ended> {
        self.send.send(Ok(event)).await.map_err(|_| Ended)
    }

    /// Reads from the catalog what was published since.
    async fn catch_up(&mut self) -> Result<(), Ended> {
        loop {
            let published = self.app.ingest().sequencer.published().borrow().head.size;
            let catalog = self.app.catalog();
            let reach = Scope::subtree(self.who.unit);
            let events = catalog
                .events_after(self.next.checked_sub(1), &reach, CATCH_UP)
                .await?;
            let ahead = |event: &StoredEvent| event.leaf_index.is_none_or(|leaf| leaf >= published);
            let whole = events.len() < CATCH_UP as usize || events.last().is_some_and(ahead);
            for event in &events {
                // What has a leaf but is not under a checkpoint yet comes by the broadcast.
                if !ahead(event) {
                    self.custody(event).await?;
                }
            }
            if whole {
                self.next = self.next.max(published);
                return Ok(());
            }
        }
    }

    async fn custody(&mut self, event: &StoredEvent) -> Result<(), Ended> {
        let Some(leaf_index) = event.leaf_index.filter(|leaf| *leaf >= self.next) else {
            return Ok(());
        };
        self.next = leaf_index + 1;
        let target = match event.unit_id {
            Some(unit) => Target::In(self.app.path_of(unit).await?),
            None => return Ok(()),
        };
        if authorise(&self.who, action_of(&event.kind), &target) != Decision::Allowed {
            return Ok(());
        }
        let data = json!({
            "leaf_index": leaf_index,
            "kind": event.kind,
            "recording": event.recording_id,
            "case": event.case_id,
            "station": event.station_id,
            "unit": event.unit_id,
        });
        let event = Event::default().event("custody").id(leaf_index.to_string());
        self.tell(event.data(data.to_string())).await
    }

    async fn progress(&self, waiting: &mut HashMap<RecordingId, Progress>) -> Result<(), Ended> {
        for (recording, news) in waiting.drain() {
            if self
                .app
                .permit(&self.who, Action::ReadRecordings, news.unit)
                .await
                .is_ok()
            {
                let data = json!({
                    "recording": recording,
                    "received_bytes": news.received_bytes,
                    "size_bytes": news.size_bytes,
                });
                self.tell(Event::default().event("progress").data(data.to_string()))
                    .await?;
            }
        }
        Ok(())
    }

    async fn station(&self, news: StationNews) -> Result<(), Ended> {
        if self
            .app
            .permit(&self.who, Action::ReadStations, news.unit)
            .await
            .is_ok()
        {
            let data = json!({ "station": news.station });
            let event = Event::default().event("station").data(data.to_string());
            self.tell(event).await?;
        }
        Ok(())
    }
}

/// The right that reading of such an event takes.
fn action_of(kind: &str) -> Action {
    match kind.split('.').next().unwrap_or_default() {
        "recording" | "hold" | "clip" | "marker" => Action::ReadRecordings,
        "viewing" => Action::ReadCustody,
        "case" | "link" => Action::ReadCases,
        "station" | "docking" => Action::ReadStations,
        "register" | "retention" => Action::ReadRegisters,
        "user" | "session" => Action::ManageUsers,
        "token" => Action::ManageTokens,
        _ => Action::ReadEntries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_event_has_a_right() {
        for kind in docket_ledger::Event::KINDS {
            let whole = kind.starts_with("ledger.") || kind.starts_with("check.");
            assert_eq!(action_of(kind) == Action::ReadEntries, whole, "{kind}");
        }
    }
}
