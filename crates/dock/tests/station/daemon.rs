//! The stand-in.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use docket_base::ids::{DockingId, EventId, RecordingId};
use docket_base::{OsRandom, Sha256Digest, SystemClock};
use docket_ledger::checkpoint::Checkpoint;
use docket_ledger::kinds::{RecordingVerified, SealedState};
use docket_ledger::tree::CompactRange;
use docket_ledger::{Actor, ClockState, Entry, Issue, LedgerKey, Receipt, Subject};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::watch;

/// An upload as the stand-in holds it.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    pub size: usize,
    pub bytes: Vec<u8>,
    pub metadata: HashMap<String, String>,
    receipts: HashMap<String, Vec<u8>>,
    pub receipts_served: usize,
    pub is_gone: bool,
    pub is_quarantined: bool,
}

impl Upload {
    pub fn is_whole(&self) -> bool {
        self.bytes.len() == self.size
    }
}

/// What the stand-in knows and how it misbehaves.
#[derive(Default)]
pub struct World {
    pub uploads: BTreeMap<RecordingId, Upload>,
    pub order: Vec<RecordingId>,
    pub dockings: Vec<(DockingId, Value)>,
    pub endings: Vec<(String, Value)>,
    pub heartbeats: Vec<Value>,
    pub received: usize,
    /// Uploads in the order in which their last byte came.
    pub finished: Vec<RecordingId>,
    /// What heartbeats are told is wanted: docking and path.
    pub first: Vec<(DockingId, String)>,
    /// `Content-Range` and body.
    pub hints: Vec<(RecordingId, String, Vec<u8>)>,
    keys: HashMap<String, String>,
    /// Takes no byte beyond so many in all.
    pub hold_at: Option<usize>,
    /// Answers so many PATCHes with 507.
    pub no_room: usize,
    /// Enters the next docking and answers as if it had not.
    pub lose_docking_answer: bool,
    /// Refuses to create uploads of files with this name.
    pub refuse_name: Option<String>,
    /// Flips a bit of the next upload.
    pub damage_next: bool,
    /// Receipts are for other bytes.
    pub lie_about_digest: bool,
    /// Receipts are signed by this key.
    pub sign_with: Option<LedgerKey>,
    /// So many times "not yet" before a receipt.
    pub not_yet: usize,
    /// No receipts at all for now.
    pub withhold_receipts: bool,
}

impl World {
    pub fn upload_named(&self, name: &str) -> Option<&Upload> {
        self.uploads
            .values()
            .find(|upload| upload.metadata.get("filename").is_some_and(|n| n == name))
    }

    pub fn names_in_order(&self) -> Vec<String> {
        let name = |id: &RecordingId| self.uploads[id].metadata["filename"].clone();
        self.order.iter().map(name).collect()
    }

    pub fn whole(&self) -> usize {
        self.uploads.values().filter(|u| u.is_whole()).count()
    }

    /// Takes what stands at an offset; none where the upload has gone on without it. The last
    /// byte seals in the same step, so that nobody sees an upload whole and not yet sealed.
    fn take(&mut self, id: RecordingId, at: usize, part: &[u8]) -> Option<()> {
        let upload = self.uploads.get_mut(&id).expect("known");
        if upload.bytes.len() != at {
            return None;
        }
        upload.bytes.extend_from_slice(part);
        self.received += part.len();
        if upload.is_whole() {
            self.seal(id);
        }
        Some(())
    }

    fn seal(&mut self, id: RecordingId) {
        let upload = self.uploads.get_mut(&id).expect("known");
        if std::mem::take(&mut self.damage_next)
            && let Some(byte) = upload.bytes.first_mut()
        {
            *byte ^= 1;
        }
        let claimed = upload.metadata.get("sha256");
        let actual = Sha256Digest::of(&upload.bytes).to_string();
        upload.is_quarantined = claimed.is_some_and(|claim| *claim != actual);
        self.finished.push(id);
    }

    /// The state the last heartbeat gives a bay.
    pub fn bay_state(&self, name: &str) -> Option<String> {
        let bays = self.heartbeats.last()?["bays"].as_array()?;
        let bay = bays.iter().find(|bay| bay["name"] == name)?;
        Some(bay["state"].as_str()?.to_owned())
    }

    pub fn bay_message(&self, name: &str) -> Option<String> {
        let bays = self.heartbeats.last()?["bays"].as_array()?;
        let bay = bays.iter().find(|bay| bay["name"] == name)?;
        Some(bay["message"].as_str()?.to_owned())
    }
}

pub struct Shared {
    world: Mutex<World>,
    changed: watch::Sender<u64>,
    pub key: LedgerKey,
}

impl Shared {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("world")
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let done = change(&mut self.world());
        self.changed.send_modify(|count| *count += 1);
        done
    }

    /// Waits until the world is so.
    pub async fn until(&self, what: &str, is_so: impl Fn(&World) -> bool) {
        let mut changes = self.changed.subscribe();
        let waited = tokio::time::timeout(std::time::Duration::from_secs(60), async {
            loop {
                changes.mark_unchanged();
                if is_so(&self.world()) {
                    return;
                }
                changes.changed().await.expect("sender lives");
            }
        });
        assert!(waited.await.is_ok(), "in vain: {what}");
    }
}

/// The stand-in, running. It has a runtime of its own, so that it can die like a process.
pub struct Daemon {
    pub shared: Arc<Shared>,
    pub address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Daemon {
    pub fn start() -> Self {
        let shared = Arc::new(Shared {
            world: Mutex::default(),
            changed: watch::Sender::new(0),
            key: LedgerKey::generate("test.example/log", &OsRandom).expect("name"),
        });
        let mut daemon = Self {
            shared,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            runtime: None,
        };
        daemon.come_back();
        daemon
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every connection is cut at once.
    pub fn die(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits until the listener is closed, off this runtime's threads.
            let gone = std::thread::spawn(move || {
                runtime.shutdown_timeout(std::time::Duration::from_secs(10));
            });
            gone.join().expect("thread");
        }
    }

    /// At the same address, knowing what it knew.
    pub fn come_back(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("runtime");
        let listener = runtime
            .block_on_elsewhere(tokio::net::TcpListener::bind(self.address))
            .expect("bind");
        self.address = listener.local_addr().expect("address");
        let app = routes(Arc::clone(&self.shared));
        runtime.spawn(async move { axum::serve(listener, app).await });
        self.runtime = Some(runtime);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.die();
    }
}

/// `block_on` from inside another runtime's thread.
trait Elsewhere {
    fn block_on_elsewhere<F: Future<Output: Send> + Send>(&self, future: F) -> F::Output;
}

impl Elsewhere for tokio::runtime::Runtime {
    fn block_on_elsewhere<F: Future<Output: Send> + Send>(&self, future: F) -> F::Output {
        std::thread::scope(|scope| {
            scope
                .spawn(|| self.block_on(future))
                .join()
                .expect("thread")
        })
    }
}

type Held = State<Arc<Shared>>;

fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/ledger/key", get(ledger_key))
        .route("/v1/stations/self", put(heartbeat))
        .route("/v1/dockings", post(docking))
        .route("/v1/dockings/{id}/finish", post(finish))
        .route("/v1/recordings/{id}", get(recording))
        .route("/v1/recordings/{id}/hint", put(hint))
        .route("/v1/recordings/{id}/receipt", get(receipt))
        .route("/files/", post(create))
        .route("/files/{id}", axum::routing::head(head).patch(patch))
        .with_state(shared)
        .layer(axum::extract::DefaultBodyLimit::disable())
}

async fn ledger_key(State(shared): Held) -> String {
    shared.key.verifier().to_string()
}

async fn heartbeat(State(shared): Held, axum::Json(body): axum::Json<Value>) -> axum::Json<Value> {
    shared.change(|world| world.heartbeats.push(body));
    let wanted = |(docking, path): &(DockingId, String)| json!({"docking": docking, "path": path});
    let first: Vec<Value> = shared.world().first.iter().map(wanted).collect();
    axum::Json(json!({"name": "station", "first": first}))
}

async fn hint(
    State(shared): Held,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> StatusCode {
    let range = headers["content-range"].to_str().expect("text").to_owned();
    shared.change(|world| world.hints.push((id, range, body.to_vec())));
    StatusCode::OK
}

async fn docking(
    State(shared): Held,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    let key = headers["idempotency-key"]
        .to_str()
        .expect("text")
        .to_owned();
    let id = shared.change(|world| match world.keys.get(&key) {
        Some(id) => {
            let first = world
                .dockings
                .iter()
                .find(|(known, _)| known.to_string() == *id);
            first
                .is_some_and(|(_, list)| *list == body)
                .then(|| id.clone())
        }
        None => {
            let id = DockingId::fresh(&SystemClock, &OsRandom);
            world.dockings.push((id, body));
            world.keys.insert(key, id.to_string());
            Some(id.to_string())
        }
    });
    let Some(id) = id else {
        return problem(StatusCode::CONFLICT, "idempotency-conflict");
    };
    if shared.change(|world| std::mem::take(&mut world.lose_docking_answer)) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    (StatusCode::CREATED, axum::Json(json!({ "id": id }))).into_response()
}

async fn finish(
    State(shared): Held,
    Path(id): Path<String>,
    axum::Json(body): axum::Json<Value>,
) -> StatusCode {
    shared.change(|world| world.endings.push((id, body)));
    StatusCode::NO_CONTENT
}

fn metadata(headers: &HeaderMap) -> HashMap<String, String> {
    let text = headers["upload-metadata"].to_str().expect("ascii");
    let pair = |pair: &str| {
        let (key, value) = pair.split_once(' ')?;
        let value = STANDARD.decode(value).ok()?;
        Some((key.to_owned(), String::from_utf8(value).ok()?))
    };
    text.split(',').filter_map(pair).collect()
}

async fn create(State(shared): Held, headers: HeaderMap) -> Response {
    assert_eq!(headers["tus-resumable"], "1.0.0");
    let size = headers["upload-length"].to_str().expect("text");
    let upload = Upload {
        size: size.parse().expect("number"),
        metadata: metadata(&headers),
        ..Upload::default()
    };
    let key = headers["idempotency-key"]
        .to_str()
        .expect("text")
        .to_owned();
    let made = shared.change(|world| {
        if world.refuse_name.as_ref() == upload.metadata.get("filename") {
            return None;
        }
        if let Some(id) = world.keys.get(&key) {
            return Some(id.clone());
        }
        let id = RecordingId::fresh(&SystemClock, &OsRandom);
        world.uploads.insert(id, upload);
        world.order.push(id);
        world.keys.insert(key, id.to_string());
        Some(id.to_string())
    });
    match made {
        Some(id) => (StatusCode::CREATED, [("location", format!("/files/{id}"))]).into_response(),
        None => problem(StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
    }
}

fn problem(status: StatusCode, kind: &str) -> Response {
    let body = json!({ "type": format!("/problems/{kind}"), "title": kind });
    (status, axum::Json(body)).into_response()
}

async fn head(State(shared): Held, Path(id): Path<RecordingId>) -> Response {
    let world = shared.world();
    match world.uploads.get(&id) {
        Some(upload) if upload.is_gone || upload.is_quarantined => StatusCode::GONE.into_response(),
        Some(upload) => [
            ("upload-offset", upload.bytes.len().to_string()),
            ("upload-length", upload.size.to_string()),
        ]
        .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn patch(
    State(shared): Held,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let from: usize = headers["upload-offset"]
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("offset");
    let admitted = shared.change(|world| {
        if world.no_room > 0 {
            world.no_room -= 1;
            return Err(StatusCode::INSUFFICIENT_STORAGE);
        }
        match world.uploads.get(&id) {
            None => Err(StatusCode::NOT_FOUND),
            Some(upload) if upload.bytes.len() != from => Err(StatusCode::CONFLICT),
            Some(_) => Ok(()),
        }
    });
    if let Err(refusal) = admitted {
        return refusal.into_response();
    }
    let mut at = from;
    let mut stream = body.into_data_stream();
    while let Some(Ok(mut chunk)) = stream.next().await {
        while !chunk.is_empty() {
            shared
                .until("room to take bytes", |world| {
                    world.hold_at.is_none_or(|hold| world.received < hold)
                })
                .await;
            let taken = shared.change(|world| {
                let room = world
                    .hold_at
                    .map_or(usize::MAX, |hold| hold - world.received);
                let part = chunk.split_to(room.min(chunk.len()));
                world.take(id, at, &part).map(|()| part.len())
            });
            let Some(taken_bytes) = taken else {
                // A handler whose client came back on another connection gives way.
                return StatusCode::CONFLICT.into_response();
            };
            at += taken_bytes;
        }
    }
    if shared.world().uploads[&id].is_quarantined {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "digest-mismatch");
    }
    (StatusCode::NO_CONTENT, [("upload-offset", at.to_string())]).into_response()
}

async fn recording(State(shared): Held, Path(id): Path<RecordingId>) -> Response {
    let world = shared.world();
    let Some(upload) = world.uploads.get(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let state = match upload {
        upload if upload.is_quarantined => "quarantined",
        upload if upload.is_gone => "incomplete",
        upload if upload.is_whole() => "sealed",
        _ => "receiving",
    };
    axum::Json(json!({ "id": id, "state": state })).into_response()
}

async fn receipt(
    State(shared): Held,
    Path(id): Path<RecordingId>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    assert_eq!(query["level"], "verified");
    shared.change(|world| {
        let not_yet = || {
            let mut answer = problem(StatusCode::CONFLICT, "receipt-not-ready");
            answer.headers_mut().insert("retry-after", 1.into());
            answer
        };
        if world.withhold_receipts {
            return not_yet();
        }
        if world.not_yet > 0 {
            world.not_yet -= 1;
            return not_yet();
        }
        let lie = world.lie_about_digest;
        let signer = world
            .sign_with
            .clone()
            .unwrap_or_else(|| shared.key.clone());
        let Some(upload) = world.uploads.get_mut(&id) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if !upload.is_whole() {
            return problem(StatusCode::CONFLICT, "incomplete");
        }
        upload.receipts_served += 1;
        // Issued once, never differently.
        let slot = format!("{}{lie}", signer.verifier());
        if let Some(known) = upload.receipts.get(&slot) {
            return known.clone().into_response();
        }
        let bytes = issue(&signer, id, &upload.bytes, lie);
        upload.receipts.insert(slot, bytes.clone());
        bytes.into_response()
    })
}

/// A real receipt over a log of one entry.
fn issue(key: &LedgerKey, id: RecordingId, bytes: &[u8], lie: bool) -> Vec<u8> {
    let sha256 = if lie {
        Sha256Digest::of(b"other bytes")
    } else {
        Sha256Digest::of(bytes)
    };
    let event = RecordingVerified {
        state: SealedState::Sealed,
        size_bytes: bytes.len() as u64,
        sha256,
        sm3: None,
        vault_key: format!("originals/{id}/original"),
        sealed_by: EventId::fresh(&SystemClock, &OsRandom),
    };
    let entry = Entry::new(
        &SystemClock,
        &OsRandom,
        Actor::System,
        None,
        Subject::recording(id),
        event,
    );
    let entry = entry.to_bytes().expect("entry");
    let mut tree = CompactRange::new();
    tree.push(Entry::leaf_hash(&entry));
    let receipt = Receipt::issue(
        key,
        Issue {
            entry: &entry,
            leaf_index: 0,
            inclusion_proof: Vec::new(),
            checkpoint: &Checkpoint::sign(tree.head(), key),
            issued_at: docket_base::Clock::now(&SystemClock),
            clock: ClockState::default(),
        },
    );
    receipt.expect("receipt").to_bytes().expect("bytes")
}
