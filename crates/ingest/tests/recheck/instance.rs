//! An installation in a temporary folder, and short ways to fill and to damage it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use docket_base::clock::ManualClock;
use docket_base::files::OsFiles;
use docket_base::ids::{RecordingId, RegisterId, UnitId};
use docket_base::random::CountingRandom;
use docket_base::{Clock, Micros, Sha256Digest};
use docket_catalog::{Catalog, Recording, RecordingKind, Unit};
use docket_ingest::check::{CheckLine, CheckOptions, Checked, Found, RecordingVerdict};
use docket_ingest::reserve::Room;
use docket_ingest::upload::{NewUpload, Origin};
use docket_ingest::{Ingest, Options, Parts};
use docket_ledger::register::UnitRow;
use docket_ledger::{Actor, LedgerKey, RegisterValue, Subject, kinds};
use docket_vault::{LocalConfig, LocalVault, Vault};

#[derive(Debug)]
struct Plenty;

impl Room for Plenty {
    fn has_room(&self) -> bool {
        true
    }
}

pub struct Instance {
    pub dir: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub random: Arc<CountingRandom>,
    pub key: LedgerKey,
    pub vault: Arc<dyn Vault>,
    pub ingest: Arc<Ingest>,
    pub unit: UnitId,
}

impl Instance {
    /// With one unit, in the register and published.
    pub async fn new() -> Self {
        let this = Self::bare().await;
        this.add_unit(this.unit, None, "52", "贵州省").await;
        this.publish().await;
        this
    }

    /// With nothing but the log's beginning.
    pub async fn bare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Micros(1_795_000_000_000_000)));
        let random = Arc::new(CountingRandom::default());
        let key = LedgerKey::generate("docket.test/log", &*random).unwrap();
        let vault: Arc<dyn Vault> = Arc::new(
            LocalVault::open(
                Arc::new(OsFiles),
                &dir.path().join("vault"),
                LocalConfig::default(),
            )
            .unwrap(),
        );
        let catalog = Catalog::open_sqlite(&dir.path().join("catalog.sqlite"), &*clock)
            .await
            .unwrap();
        let ingest = open(catalog, &vault, &key, &clock, &random).await;
        let unit = UnitId::fresh(&*clock, &*random);
        Self {
            dir,
            clock,
            random,
            key,
            vault,
            ingest,
            unit,
        }
    }

    pub fn tick(&self) {
        self.clock.advance_seconds(1);
    }

    pub async fn add_unit(&self, id: UnitId, parent: Option<UnitId>, code: &str, name: &str) {
        let value = RegisterValue::Unit(UnitRow {
            name: name.to_owned(),
            code: Some(code.to_owned()),
            parent,
        });
        let row = RegisterId::from_bytes(*id.as_bytes());
        let register = self.ingest.put_register(row, 1, value).await.unwrap();
        let unit = Unit {
            id,
            parent_id: parent,
            code: code.to_owned(),
            name: name.to_owned(),
            version: 1,
            created_at: self.clock.now(),
        };
        let mut change = self.ingest.catalog.change().await.unwrap();
        change.add_unit(&unit).await.unwrap();
        let body = kinds::RegisterChanged {
            register,
            import: None,
        };
        let event = self
            .ingest
            .event(Actor::System, Some(id), Subject::default(), body)
            .unwrap();
        self.ingest.commit(change, &[event]).await.unwrap();
    }

    pub fn new_upload(&self, name: &str, length: usize) -> NewUpload {
        NewUpload {
            length_bytes: Some(length as u64),
            unit: self.unit,
            kind: RecordingKind::Video,
            file_name: name.to_owned(),
            media_type: Some("video/mp4".to_owned()),
            claimed_sha256: None,
            officer: Some("贵A-1".to_owned()),
            recorder: Some("SN-7".to_owned()),
            recorded_at: Some(self.clock.now().plus_seconds(-3_600)),
            docking: None,
            device_path: Some(format!("DCIM/{name}")),
            key_mark: true,
            note: Some("夜间检查".to_owned()),
            case_number: None,
            case_unit: None,
            header: String::new(),
        }
    }

    /// An upload and these bytes of it.
    pub async fn send(&self, new: &NewUpload, bytes: &[u8]) -> RecordingId {
        let origin = Origin {
            actor: Actor::System,
            station: None,
            token: None,
            may_link: true,
        };
        self.send_from(origin, new, bytes).await
    }

    pub async fn send_from(&self, origin: Origin, new: &NewUpload, bytes: &[u8]) -> RecordingId {
        self.tick();
        let upload = self.ingest.create_upload(origin, new).await.unwrap();
        self.tick();
        let body = futures_util::stream::iter([Ok(Bytes::copy_from_slice(bytes))]);
        self.ingest
            .append(upload.id, 0, None, None, Box::pin(body))
            .await
            .unwrap();
        upload.id
    }

    pub async fn upload(&self, name: &str, bytes: &[u8]) -> RecordingId {
        self.send(&self.new_upload(name, bytes.len()), bytes).await
    }

    /// One that did not send what it promised.
    pub async fn quarantined(&self, name: &str, bytes: &[u8]) -> RecordingId {
        let mut new = self.new_upload(name, bytes.len());
        new.claimed_sha256 = Some(Sha256Digest::of(b"something else"));
        self.send(&new, bytes).await
    }

    /// One that was given up half-way.
    pub async fn incomplete(&self, name: &str, bytes: &[u8]) -> RecordingId {
        let id = self
            .send(&self.new_upload(name, bytes.len() * 2), bytes)
            .await;
        self.tick();
        self.ingest
            .terminate_upload(id, Actor::System)
            .await
            .unwrap();
        id
    }

    pub async fn verify(&self, id: RecordingId) {
        self.tick();
        let row = self.row(id).await;
        assert!(self.ingest.verify(&row).await.unwrap());
    }

    pub async fn row(&self, id: RecordingId) -> Recording {
        self.ingest.catalog.recording(id).await.unwrap().unwrap()
    }

    pub async fn publish(&self) {
        while self.ingest.sequencer.round().await.unwrap() > 0 {}
    }

    /// Sealed, incomplete, quarantined, a duplicate, and one still arriving, with both receipts of the
    /// first. All but the last are read back.
    pub async fn fill(&self) -> [RecordingId; 5] {
        let sealed = self.upload("执法.mp4", b"what happened that night").await;
        self.verify(sealed).await;
        let incomplete = self.incomplete("half.mp4", b"half of it").await;
        let quarantined = self.quarantined("other.mp4", b"not what was said").await;
        let duplicate = self.upload("again.mp4", b"what happened that night").await;
        assert_eq!(self.row(duplicate).await.duplicate_of, Some(sealed));
        for id in [incomplete, quarantined, duplicate] {
            self.verify(id).await;
        }
        let open = self
            .send(&self.new_upload("open.mp4", 100), b"so far")
            .await;
        self.publish().await;
        let key = self.row(sealed).await.vault_key.unwrap().parse().unwrap();
        for level in [
            docket_ledger::ReceiptLevel::Stored,
            docket_ledger::ReceiptLevel::Verified,
        ] {
            self.ingest.receipts.get(sealed, &key, level).await.unwrap();
        }
        [sealed, incomplete, quarantined, duplicate, open]
    }

    pub fn file(&self, relative: &str) -> PathBuf {
        self.dir.path().join("vault").join(relative)
    }

    pub async fn original(&self, id: RecordingId) -> PathBuf {
        self.file(&self.row(id).await.vault_key.unwrap())
    }

    /// Does to the SQLite file what this program never would.
    pub async fn damage_catalog(&self, sql: &str) {
        use sqlx::Connection;
        let path = self.dir.path().join("catalog.sqlite");
        let url = format!("sqlite://{}", path.display());
        let mut raw = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "PRAGMA foreign_keys = OFF; {sql}"
        )))
        .execute(&mut raw)
        .await
        .unwrap();
        raw.close().await.unwrap();
    }

    pub async fn check(&self) -> Report {
        self.check_with(CheckOptions::default()).await
    }

    pub async fn check_with(&self, options: CheckOptions) -> Report {
        let mut lines = Vec::new();
        let sum = self
            .ingest
            .check(options, &mut |line: &CheckLine| lines.push(line.clone()))
            .await
            .unwrap();
        Report { lines, sum }
    }
}

pub async fn open(
    catalog: Catalog,
    vault: &Arc<dyn Vault>,
    key: &LedgerKey,
    clock: &Arc<ManualClock>,
    random: &Arc<CountingRandom>,
) -> Arc<Ingest> {
    let parts = Parts {
        catalog,
        vault: Arc::clone(vault),
        key: key.clone(),
        clock: Arc::<ManualClock>::clone(clock),
        random: Arc::<CountingRandom>::clone(random),
        room: Arc::new(Plenty),
        playback: None,
        options: Options {
            read_back_bytes_per_s: 0,
            hash_threads: 1,
            ..Options::default()
        },
    };
    Ingest::open(parts).await.unwrap()
}

pub struct Report {
    pub lines: Vec<CheckLine>,
    pub sum: Checked,
}

impl Report {
    pub fn findings(&self) -> Vec<Found> {
        let mut all = Vec::new();
        for line in &self.lines {
            match line {
                CheckLine::Found(found) => all.push(found.clone()),
                CheckLine::Recording {
                    verdict: RecordingVerdict::Findings(found),
                    ..
                } => all.extend(found.clone()),
                _ => {}
            }
        }
        all
    }

    /// Kinds and places of what was found.
    pub fn what(&self) -> Vec<(kinds::Finding, String)> {
        let found = self.findings().into_iter();
        found.map(|found| (found.finding, found.place)).collect()
    }
}

/// Changes one byte of a file that is read-only.
pub fn flip(path: &Path, at: usize) {
    writable(path);
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

pub fn writable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
