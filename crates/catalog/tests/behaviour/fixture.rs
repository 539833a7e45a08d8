//! An empty catalog with one small tree of units, and short ways to fill it.

use docket_base::clock::ManualClock;
use docket_base::ids::{EventId, RecordingId, UnitId};
use docket_base::random::CountingRandom;
use docket_base::{Clock, Digests, Micros, Sha256Digest};
use docket_catalog::{
    ActorKind, ActorRef, Catalog, Change, EventRow, NewRecording, NewUpload, RecordingKind,
    RecordingState, Seal, Unit, UploadKind,
};

pub struct Fixture {
    pub catalog: Catalog,
    pub clock: ManualClock,
    pub random: CountingRandom,
    /// 省: the root.
    pub province: UnitId,
    /// 贵阳市, under the root.
    pub city: UnitId,
    /// 南明区, under the city.
    pub district: UnitId,
    /// 遵义市, under the root.
    pub other_city: UnitId,
}

impl Fixture {
    pub async fn sqlite() -> (Self, tempfile::TempDir) {
        let dir = tempfile::tempdir().expect("temporary folder");
        let clock = ManualClock::at(Micros(1_795_000_000_000_000));
        let catalog = Catalog::open_sqlite(&dir.path().join("catalog.sqlite"), &clock)
            .await
            .expect("open");
        (Self::fill(catalog, clock).await, dir)
    }

    pub async fn postgres(url: &str) -> Self {
        let clock = ManualClock::at(Micros(1_795_000_000_000_000));
        let catalog = Catalog::open_postgres(url, &clock).await.expect("open");
        Self::fill(catalog, clock).await
    }

    /// Does to the SQLite file in `dir` what this program never would.
    pub async fn damage(&self, dir: &std::path::Path, sql: &str) {
        use sqlx::Connection;
        let url = format!("sqlite://{}", dir.join("catalog.sqlite").display());
        let mut raw = sqlx::SqliteConnection::connect(&url).await.expect("open");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut raw)
            .await
            .expect("damage");
        raw.close().await.expect("close");
    }

    async fn fill(catalog: Catalog, clock: ManualClock) -> Self {
        let random = CountingRandom::default();
        let fresh = || UnitId::fresh(&clock, &random);
        let (province, city, district, other_city) = (fresh(), fresh(), fresh(), fresh());
        let this = Self {
            catalog,
            clock,
            random,
            province,
            city,
            district,
            other_city,
        };
        let mut change = this.catalog.change().await.expect("change");
        for (id, parent, code, name) in [
            (province, None, "52", "贵州省"),
            (city, Some(province), "5201", "贵阳市"),
            (district, Some(city), "520102", "南明区"),
            (other_city, Some(province), "5203", "遵义市"),
        ] {
            change
                .add_unit(&this.unit(id, parent, code, name))
                .await
                .expect("unit");
        }
        this.commit(change, None).await;
        this
    }

    pub fn unit(&self, id: UnitId, parent_id: Option<UnitId>, code: &str, name: &str) -> Unit {
        Unit {
            id,
            parent_id,
            code: code.to_owned(),
            name: name.to_owned(),
            version: 1,
            created_at: self.clock.now(),
        }
    }

    pub fn actor(&self) -> ActorRef {
        ActorRef::new(ActorKind::System, "test")
    }

    pub fn event(&self, recording: Option<RecordingId>) -> EventRow {
        let id = EventId::fresh(&self.clock, &self.random);
        EventRow {
            id,
            kind: "test".to_owned(),
            at: self.clock.now(),
            unit: Some(self.district),
            recording,
            case: None,
            station: None,
            actor: self.actor(),
            entry: id.to_string().into_bytes(),
        }
    }

    pub async fn commit(&self, change: Change, recording: Option<RecordingId>) {
        change
            .commit(&[self.event(recording)])
            .await
            .expect("commit");
    }

    pub fn new_recording(&self, unit_id: UnitId, file_name: &str) -> NewRecording {
        NewRecording {
            id: RecordingId::fresh(&self.clock, &self.random),
            kind: RecordingKind::Video,
            file_name: file_name.to_owned(),
            media_type: Some("video/mp4".to_owned()),
            size_bytes: Some(1_000),
            claimed_sha256: None,
            unit_id,
            officer_id: None,
            officer_claimed: None,
            recorder_id: None,
            recorder_claimed: Some("A-1".to_owned()),
            station_id: None,
            docking_id: None,
            device_path: None,
            recorded_at: None,
            created_at: self.clock.now(),
            marks: vec![],
            notes: String::new(),
            tags: vec![],
            created_by: self.actor(),
        }
    }

    /// Creates it, committed.
    pub async fn create(&self, new: &NewRecording) -> RecordingId {
        let mut change = self.catalog.change().await.expect("change");
        change.insert_recording(new).await.expect("insert");
        self.commit(change, Some(new.id)).await;
        new.id
    }

    pub fn new_upload(&self, id: RecordingId, kind: UploadKind) -> NewUpload {
        NewUpload {
            id,
            kind,
            unit_id: self.district,
            owner: self.actor(),
            length_bytes: Some(1_000),
            midstate: None,
            assembly_state: "{}".to_owned(),
            metadata: "filename YQ==".to_owned(),
            created_at: self.clock.now(),
            expires_at: Some(self.clock.now().plus_seconds(100)),
            parts: vec![],
        }
    }

    /// Creates a recording with its upload, committed.
    pub async fn create_with_upload(&self, unit: UnitId) -> RecordingId {
        let new = self.new_recording(unit, "a.mp4");
        let mut change = self.catalog.change().await.expect("change");
        change.insert_recording(&new).await.expect("insert");
        change
            .insert_upload(&self.new_upload(new.id, UploadKind::Whole))
            .await
            .expect("upload");
        self.commit(change, Some(new.id)).await;
        new.id
    }

    pub fn seal(&self, content: &[u8], vault_key: &str) -> Seal {
        Seal {
            state: RecordingState::Sealed,
            at: self.clock.now(),
            size_bytes: content.len() as u64,
            digests: Digests {
                sha256: Sha256Digest::of(content),
                sm3: None,
            },
            vault_key: Some(vault_key.to_owned()),
            duplicate_of: None,
            incomplete_reason: None,
        }
    }
}
