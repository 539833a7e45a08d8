//! A small agency: a province over two counties, one of which has a station of its own.
//!
//! ```text
//! parent ─┬─ own ── sub
//!         └─ sibling
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use bytes::Bytes;
use docket_base::clock::ManualClock;
use docket_base::files::OsFiles;
use docket_base::ids::{RecordingId, UnitId};
use docket_base::{Clock, Micros, OsRandom};
use docket_catalog::{Catalog, Officer, RecordingKind, RecordingState, Role, Unit};
use docket_http::signin::password::{Passwords, hash_now};
use docket_http::signin::token::{Wanted, issue};
use docket_http::{AppState, Parts, Settings, router};
use docket_ingest::reserve::Room;
use docket_ingest::upload::{NewUpload, Origin};
use docket_ingest::users::NewUser;
use docket_ingest::{Ingest, Options};
use docket_ledger::{Actor, LedgerKey};
use docket_vault::{LocalConfig, LocalVault};
use tempfile::TempDir;

use crate::call::{Caller, Session};

/// Where something is, seen from the unit `own`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Own,
    Sub,
    Sibling,
    Parent,
}

impl Place {
    pub const ALL: [Self; 4] = [Self::Own, Self::Sub, Self::Sibling, Self::Parent];

    pub fn is_in_reach(self) -> bool {
        matches!(self, Self::Own | Self::Sub)
    }
}

#[derive(Debug)]
struct AlwaysRoom;

impl Room for AlwaysRoom {
    fn has_room(&self) -> bool {
        true
    }
}

pub const PASSWORD: &str = "correct horse battery";

pub struct World {
    pub app: AppState,
    pub router: Router,
    pub clock: Arc<ManualClock>,
    pub units: [UnitId; 4],
    hash: String,
    counter: AtomicU32,
    _folder: TempDir,
}

pub async fn world() -> World {
    world_with(Settings::default()).await
}

pub async fn world_with(settings: Settings) -> World {
    let folder = tempfile::tempdir().expect("temporary directory");
    let clock = Arc::new(ManualClock::at(Micros(1_795_000_000_000_000)));
    let file = folder.path().join("catalog.sqlite");
    let catalog = Catalog::open_sqlite(&file, &*clock).await.expect("catalog");
    let files = Arc::new(OsFiles);
    let vault = LocalVault::open(files, &folder.path().join("vault"), LocalConfig::default());
    let random = Arc::new(OsRandom);
    let ingest = Ingest::open(docket_ingest::Parts {
        catalog,
        vault: Arc::new(vault.expect("vault")),
        key: LedgerKey::generate("docket.test/ledger", &OsRandom).expect("key"),
        clock: clock.clone(),
        random: random.clone(),
        room: Arc::new(AlwaysRoom),
        playback: None,
        options: Options::default(),
    });
    let ingest = ingest.await.expect("ingest");
    ingest.start();
    let app = AppState::new(Parts {
        ingest,
        passwords: Passwords::start(random).expect("threads"),
        settings,
        metrics: None,
    });
    let mut world = World {
        router: router(app.clone()),
        app,
        clock,
        units: [UnitId::from_bytes([0; 16]); 4],
        hash: hash_now(PASSWORD, &OsRandom).expect("hash"),
        counter: AtomicU32::new(0),
        _folder: folder,
    };
    world.plant().await;
    world
}

impl World {
    async fn plant(&mut self) {
        let parent = self.unit("P", None).await;
        let own = self.unit("O", Some(parent)).await;
        let sub = self.unit("S", Some(own)).await;
        let sibling = self.unit("B", Some(parent)).await;
        self.units = [own, sub, sibling, parent];
    }

    async fn unit(&self, code: &str, parent_id: Option<UnitId>) -> UnitId {
        let unit = Unit {
            id: UnitId::from_bytes([0; 16]),
            parent_id,
            code: code.to_owned(),
            name: format!("单位{code}"),
            version: 1,
            created_at: Micros::default(),
        };
        let unit = self.ingest().add_unit(Actor::System, unit).await;
        unit.expect("unit").id
    }

    pub fn ingest(&self) -> &Ingest {
        self.app.ingest()
    }

    pub fn unit_at(&self, place: Place) -> UnitId {
        self.units[place as usize]
    }

    /// Never twice the same number.
    pub fn fresh(&self) -> u32 {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// Somebody without any right.
    pub fn anonymous(&self) -> Caller<'_> {
        Caller::anonymous(self)
    }

    /// A new token of these scopes.
    pub async fn token(&self, scopes: &str, place: Place) -> Caller<'_> {
        Caller::bearer(self, self.token_text(scopes, place).await)
    }

    pub async fn token_text(&self, scopes: &str, place: Place) -> String {
        let wanted = Wanted {
            name: format!("token {}", self.fresh()),
            scopes: scopes.to_owned(),
            unit: self.unit_at(place),
        };
        let (_, text) = issue(self.ingest(), Actor::System, wanted)
            .await
            .expect("token");
        text
    }

    /// The name of a new user.
    pub async fn user(&self, role: Role, place: Place) -> String {
        let name = format!("user{}", self.fresh());
        let new = NewUser {
            name: name.clone(),
            role,
            unit: self.unit_at(place),
            password_hash: self.hash.clone(),
        };
        let user = self.ingest().add_user(Actor::System, new).await;
        user.expect("user");
        name
    }

    /// A new user who has signed in.
    pub async fn signed_in(&self, role: Role, place: Place) -> Caller<'_> {
        let name = self.user(role, place).await;
        let session = Session::open(self, &name, PASSWORD).await;
        Caller::session(self, session)
    }

    /// A sealed recording with these bytes.
    pub async fn recording(&self, place: Place, bytes: &'static [u8]) -> RecordingId {
        self.recording_as(place, bytes, "video/mp4", "现场.mp4", None)
            .await
    }

    pub async fn recording_as(
        &self,
        place: Place,
        bytes: &'static [u8],
        media_type: &str,
        file_name: &str,
        officer: Option<&str>,
    ) -> RecordingId {
        let new = NewUpload {
            length_bytes: Some(bytes.len() as u64),
            unit: self.unit_at(place),
            kind: RecordingKind::Video,
            file_name: file_name.to_owned(),
            media_type: Some(media_type.to_owned()),
            claimed_sha256: None,
            officer: officer.map(str::to_owned),
            recorder: None,
            recorded_at: Some(self.now()),
            docking: None,
            device_path: None,
            key_mark: false,
            note: None,
            case_number: None,
            case_unit: None,
            header: String::new(),
        };
        let origin = Origin {
            actor: Actor::System,
            station: None,
            token: None,
            may_link: false,
        };
        let upload = self.ingest().create_upload(origin, &new).await;
        let id = upload.expect("upload").id;
        let body = futures_util::stream::iter([Ok(Bytes::from_static(bytes))]);
        let appended = self
            .ingest()
            .append(id, 0, None, None, Box::pin(body))
            .await;
        appended.expect("appended");
        let row = self.app.catalog().recording(id).await.expect("catalog");
        assert_eq!(row.expect("row").state, RecordingState::Sealed);
        id
    }

    /// An upload of which nothing came yet.
    pub async fn receiving(&self, place: Place) -> RecordingId {
        let new = NewUpload {
            length_bytes: Some(10),
            unit: self.unit_at(place),
            kind: RecordingKind::Video,
            file_name: "late.mp4".to_owned(),
            media_type: None,
            claimed_sha256: None,
            officer: None,
            recorder: None,
            recorded_at: None,
            docking: None,
            device_path: None,
            key_mark: false,
            note: None,
            case_number: None,
            case_unit: None,
            header: String::new(),
        };
        let origin = Origin {
            actor: Actor::System,
            station: None,
            token: None,
            may_link: false,
        };
        let upload = self.ingest().create_upload(origin, &new).await;
        upload.expect("upload").id
    }

    pub async fn officer(&self, place: Place, certificate_number: &str) -> Officer {
        let officer = Officer {
            id: docket_base::ids::OfficerId::from_bytes([0; 16]),
            name: "王强".to_owned(),
            certificate_number: certificate_number.to_owned(),
            unit_id: self.unit_at(place),
            category: String::new(),
            area: String::new(),
            version: 1,
            created_at: Micros::default(),
        };
        let officer = self.ingest().add_officer(Actor::System, officer).await;
        officer.expect("officer")
    }

    /// Waits until everything that happened has a leaf under the checkpoint.
    pub async fn published(&self) {
        let catalog = self.app.catalog();
        let mut published = self.ingest().sequencer.published();
        while catalog.has_waiting_events().await.expect("catalog")
            || catalog.tree_head().await.expect("head").sequenced_size
                > published.borrow_and_update().head.size
        {
            self.ingest().sequencer.wake();
            published.changed().await.expect("sequencer");
        }
    }

    /// The kinds of a recording's events, oldest first.
    pub async fn custody_of(&self, id: RecordingId) -> Vec<String> {
        let page = self.app.catalog().custody(id, None, 200).await;
        let events = page.expect("catalog").items;
        events.into_iter().map(|event| event.kind).collect()
    }
}
