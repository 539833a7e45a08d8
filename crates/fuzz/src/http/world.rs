//! A daemon's router over a catalog and a vault of its own, with a recording and an upload under way.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use docket_base::clock::ManualClock;
use docket_base::files::OsFiles;
use docket_base::ids::{RecordingId, UnitId};
use docket_base::random::CountingRandom;
use docket_base::{Clock, Micros, Random};
use docket_catalog::{Catalog, RecordingKind, Unit};
use docket_http::signin::password::Passwords;
use docket_http::signin::token::{Wanted, issue};
use docket_http::{AppState, Parts, Settings, router};
use docket_ingest::reserve::Room;
use docket_ingest::upload::{NewUpload, Origin};
use docket_ingest::{Ingest, Options};
use docket_ledger::{Actor, LedgerKey};
use docket_vault::{LocalConfig, LocalVault};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderValue, Request};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::wait::runtime;

/// The bytes of the recording.
pub const ORIGINAL: &[u8] = b"0123456789abcdef";

#[derive(Debug)]
struct AlwaysRoom;

impl Room for AlwaysRoom {
    fn has_room(&self) -> bool {
        true
    }
}

/// The router and what stands behind it.
pub struct World {
    runtime: Runtime,
    router: Router,
    recording: RecordingId,
    upload: RecordingId,
    token: HeaderValue,
    _folder: TempDir,
}

impl World {
    /// A new one, always alike.
    pub fn new() -> Self {
        let runtime = runtime();
        runtime.block_on(start()).into_world(runtime)
    }

    /// Waits.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// With the ids that names stand for.
    pub fn fill_in(&self, target: &str) -> String {
        let filled = target.replace("{recording}", &self.recording.to_string());
        filled.replace("{upload}", &self.upload.to_string())
    }

    /// Whether this is the address of the recording's bytes.
    pub fn is_original(&self, path: &str) -> bool {
        path == format!("/v1/recordings/{}/original", self.recording)
    }

    /// Shows a token that may do everything, where none is shown.
    pub fn sign(&self, headers: &mut HeaderMap) {
        if !headers.contains_key(AUTHORIZATION) {
            headers.insert(AUTHORIZATION, self.token.clone());
        }
        if !headers.contains_key(HOST) {
            headers.insert(HOST, HeaderValue::from_static("docket.test"));
        }
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Response {
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

struct Started {
    ingest: Arc<Ingest>,
    router: Router,
    folder: TempDir,
    recording: RecordingId,
    upload: RecordingId,
    token: String,
}

impl Started {
    fn into_world(self, runtime: Runtime) -> World {
        drop(self.ingest);
        World {
            runtime,
            router: self.router,
            recording: self.recording,
            upload: self.upload,
            token: format!("Bearer {}", self.token).parse().expect("a header"),
            _folder: self.folder,
        }
    }
}

async fn start() -> Started {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::at(Micros(1_795_000_000_000_000)));
    let random: Arc<dyn Random> = Arc::new(CountingRandom::default());
    let catalog = Catalog::open_sqlite(&folder.path().join("catalog.sqlite"), &*clock)
        .await
        .expect("a catalog");
    let vault = LocalVault::open(
        Arc::new(OsFiles),
        &folder.path().join("vault"),
        LocalConfig::default(),
    );
    let parts = docket_ingest::Parts {
        catalog,
        vault: Arc::new(vault.expect("a vault")),
        key: LedgerKey::generate("docket.test/ledger", &*random).expect("a name"),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        random: Arc::clone(&random),
        room: Arc::new(AlwaysRoom),
        playback: None,
        options: Options::default(),
    };
    let ingest = Ingest::open(parts).await.expect("a workflow");
    ingest.start();
    let unit = Unit {
        id: UnitId::from_bytes([0; 16]),
        parent_id: None,
        code: "A".into(),
        name: "单位A".into(),
        version: 1,
        created_at: Micros::default(),
    };
    let unit = ingest
        .add_unit(Actor::System, unit)
        .await
        .expect("a unit")
        .id;
    let wanted = Wanted {
        name: "everything".into(),
        scopes: "upload,read,link,admin,audit".into(),
        unit,
    };
    let (_, token) = issue(&ingest, Actor::System, wanted)
        .await
        .expect("a token");
    let recording = announced(&ingest, unit).await;
    let body = futures_util::stream::iter([Ok(Bytes::from_static(ORIGINAL))]);
    ingest
        .append(recording, 0, None, None, Box::pin(body))
        .await
        .expect("appended");
    let upload = announced(&ingest, unit).await;
    let app = AppState::new(Parts {
        ingest: Arc::clone(&ingest),
        passwords: Passwords::start(random).expect("threads"),
        settings: Settings::default(),
        metrics: None,
    });
    Started {
        router: router(app),
        ingest,
        folder,
        recording,
        upload,
        token,
    }
}

async fn announced(ingest: &Ingest, unit: UnitId) -> RecordingId {
    let new = NewUpload {
        length_bytes: Some(ORIGINAL.len() as u64),
        unit,
        kind: RecordingKind::Video,
        file_name: "现场.mp4".into(),
        media_type: Some("video/mp4".into()),
        claimed_sha256: None,
        officer: None,
        recorder: None,
        recorded_at: Some(Micros(1_795_000_000_000_000)),
        docking: None,
        device_path: None,
        key_mark: false,
        note: None,
        case_number: None,
        case_unit: None,
        header: "filename d29ybGQ=".into(),
    };
    let origin = Origin {
        actor: Actor::System,
        station: None,
        token: None,
        may_link: false,
    };
    ingest
        .create_upload(origin, &new)
        .await
        .expect("an upload")
        .id
}
