//! One installation: a catalog in a temporary folder, a vault, a clock that stands still.

use std::path::PathBuf;
use std::sync::Arc;

use docket_base::clock::ManualClock;
use docket_base::files::{Files, OsFiles};
use docket_base::ids::{TokenId, UnitId};
use docket_base::random::CountingRandom;
use docket_base::{Clock, Micros, Sha256Digest};
use docket_catalog::{Catalog, Recording, RecordingKind, Unit, Upload};
use docket_ingest::reserve::Room;
use docket_ingest::upload::{AppendOutcome, NewUpload, Origin};
use docket_ingest::{Ingest, Options, Parts};
use docket_ledger::kinds::LedgerCreated;
use docket_ledger::{Actor, LedgerKey, Receipt, ReceiptLevel, Subject, verify_receipt};
use docket_vault::{LocalConfig, LocalVault, Vault};

use super::things::{recording, send};

/// Always room, or never.
#[derive(Debug)]
pub struct Rooms(pub bool);

impl Room for Rooms {
    fn has_room(&self) -> bool {
        self.0
    }
}

/// What stays when the daemon goes.
#[derive(Debug)]
pub struct Site {
    pub folder: Arc<tempfile::TempDir>,
    pub catalog: PathBuf,
    pub files: Arc<dyn Files>,
    pub root: PathBuf,
    pub clock: Arc<ManualClock>,
    pub random: Arc<CountingRandom>,
    pub key: LedgerKey,
    pub unit: UnitId,
    pub other_unit: UnitId,
    /// Distance of marks; small, so that a few bytes make several.
    pub flush_every_bytes: u64,
}

pub fn day() -> Micros {
    Micros::parse_rfc3339("2026-11-23T01:02:03Z").expect("time")
}

impl Site {
    /// On the machine's disk.
    pub async fn new() -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("folder"));
        let root = folder.path().join("vault");
        Self::over(folder, Arc::new(OsFiles), root).await
    }

    /// With the vault on these files and the catalog in that folder.
    pub async fn over(
        folder: Arc<tempfile::TempDir>,
        files: Arc<dyn Files>,
        root: PathBuf,
    ) -> Self {
        let random = Arc::new(CountingRandom::default());
        let clock = Arc::new(ManualClock::at(day()));
        let key = LedgerKey::generate("docket.example/log", &*random).expect("name");
        let site = Self {
            catalog: folder.path().join("catalog.sqlite"),
            unit: UnitId::fresh(&*clock, &*random),
            other_unit: UnitId::fresh(&*clock, &*random),
            folder,
            files,
            root,
            clock,
            random,
            key,
            flush_every_bytes: 8 << 20,
        };
        site.add_units().await;
        site
    }

    async fn add_units(&self) {
        let catalog = self.open_catalog().await;
        for (id, code) in [(self.unit, "52"), (self.other_unit, "53")] {
            let mut change = catalog.change().await.expect("change");
            let unit = Unit {
                id,
                parent_id: None,
                code: code.to_owned(),
                name: format!("贵阳市卫生健康局 {code}"),
                version: 1,
                created_at: day(),
            };
            change.add_unit(&unit).await.expect("unit");
            change.commit(&[self.any_event()]).await.expect("commit");
        }
        catalog.close().await;
    }

    /// An event that says nothing, to fill the log with.
    pub fn any_event(&self) -> docket_catalog::EventRow {
        let created = LedgerCreated {
            key: self.key.verifier().clone(),
            version: "test".to_owned(),
        };
        let (clock, random) = (&*self.clock, &*self.random);
        let subject = Subject::default();
        let entry = docket_ledger::Entry::new(clock, random, Actor::System, None, subject, created);
        docket_catalog::EventRow {
            id: entry.id,
            kind: entry.event.kind().to_owned(),
            at: entry.at,
            unit: None,
            recording: None,
            case: None,
            station: None,
            actor: docket_catalog::ActorRef::new(docket_catalog::ActorKind::System, ""),
            entry: entry.to_bytes().expect("small"),
        }
    }

    pub async fn open_catalog(&self) -> Catalog {
        let clock: &dyn Clock = &*self.clock;
        Catalog::open_sqlite(&self.catalog, clock)
            .await
            .expect("catalog")
    }

    pub fn vault(&self) -> Arc<dyn Vault> {
        self.try_vault().expect("vault")
    }

    pub fn try_vault(&self) -> docket_vault::Result<Arc<dyn Vault>> {
        let config = LocalConfig {
            write_threads: 1,
            sync_threads: 1,
            read_threads: 1,
            flush_every_bytes: self.flush_every_bytes,
            ..LocalConfig::default()
        };
        let vault = LocalVault::open(Arc::clone(&self.files), &self.root, config)?;
        Ok(Arc::new(vault))
    }

    pub fn parts(&self, catalog: Catalog, vault: Arc<dyn Vault>) -> Parts {
        Parts {
            catalog,
            vault,
            key: self.key.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            random: Arc::clone(&self.random) as Arc<dyn docket_base::Random>,
            room: Arc::new(Rooms(true)),
            playback: None,
            options: Options {
                hash_threads: 1,
                read_back_bytes_per_s: 0,
                ..Options::default()
            },
        }
    }

    pub async fn open(&self) -> Arc<Ingest> {
        self.open_on(self.vault()).await
    }

    pub async fn open_on(&self, vault: Arc<dyn Vault>) -> Arc<Ingest> {
        let catalog = self.open_catalog().await;
        Ingest::open(self.parts(catalog, vault))
            .await
            .expect("opens")
    }

    pub fn origin(&self) -> Origin {
        let token = TokenId::from_bytes([7; 16]);
        Origin {
            actor: Actor::Token(token),
            station: None,
            token: Some(token),
            may_link: true,
        }
    }

    pub fn new_upload(&self, length_bytes: Option<usize>) -> NewUpload {
        NewUpload {
            length_bytes: length_bytes.map(|length| length as u64),
            unit: self.unit,
            kind: RecordingKind::Video,
            file_name: "执法 ../录像.mp4".to_owned(),
            media_type: Some("video/mp4".to_owned()),
            claimed_sha256: None,
            officer: None,
            recorder: None,
            recorded_at: Some(day()),
            docking: None,
            device_path: None,
            key_mark: false,
            note: Some("检查".to_owned()),
            case_number: None,
            case_unit: None,
            header: "filename 5omn".to_owned(),
        }
    }

    pub async fn create(&self, ingest: &Ingest, length_bytes: usize) -> Upload {
        ingest
            .create_upload(self.origin(), &self.new_upload(Some(length_bytes)))
            .await
            .expect("created")
    }

    /// Creates and uploads in one go.
    pub async fn upload(&self, ingest: &Ingest, bytes: &[u8]) -> Recording {
        let upload = self.create(ingest, bytes.len()).await;
        let done = send(ingest, upload.id, 0, bytes).await;
        assert!(
            matches!(done.outcome, AppendOutcome::Finished(_)),
            "{done:?}"
        );
        recording(ingest, upload.id).await
    }

    /// The receipt proves exactly these bytes under the pinned key.
    pub fn assert_proves(&self, receipt: &[u8], level: ReceiptLevel, bytes: &[u8]) {
        let receipt = Receipt::parse(receipt).expect("a receipt");
        let (digest, size) = (Sha256Digest::of(bytes), bytes.len() as u64);
        let verdict = verify_receipt(&receipt, Some(self.key.verifier()), &digest, size);
        let proof = verdict.proven().unwrap_or_else(|| panic!("{verdict:?}"));
        assert_eq!(proof.level, level);
    }
}
