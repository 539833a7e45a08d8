//! Open uploads: how far each is, durably. The row's offset is what clients are told, and it moves in
//! the same transaction as the digest midstate and the vault's assembly state.

use docket_base::Micros;
use docket_base::digest::Midstate;
use docket_base::ids::{RecordingId, UnitId};

use crate::engine::record::rows;
use crate::engine::value::args;
use crate::engine::{Db, Statement};
use crate::error::{Error, Result};
use crate::page::Scope;
use crate::words::{ActorKind, ActorRef, UploadKind};
use crate::{Catalog, Change};

rows! {
    /// An upload's row.
    pub struct Upload in "uploads" {
        /// Its id: the recording's, unless it is partial.
        pub id: RecordingId,
        /// What it is to become.
        pub kind: UploadKind,
        /// The unit it is for.
        pub unit_id: UnitId,
        /// What its creator is.
        pub owner_kind: ActorKind,
        /// Who created it: only they go on with it.
        pub owner_id: String,
        /// Announced length; `None` while deferred.
        pub length_bytes: Option<u64>,
        /// Durable bytes.
        pub offset_bytes: u64,
        /// SHA-256 state at the offset.
        pub midstate_sha256: Option<Vec<u8>>,
        /// SM3 state at the offset.
        pub midstate_sm3: Option<Vec<u8>>,
        /// The vault's opaque state at the offset; empty before its assembly began.
        pub assembly_state: String,
        /// `Upload-Metadata` as given, for HEAD.
        pub metadata: String,
        /// When it was created.
        pub created_at: Micros,
        /// When it last moved.
        pub updated_at: Micros,
        /// When it is given up.
        pub expires_at: Option<Micros>,
    }

    /// How far an upload is, for the event stream.
    pub struct Progress in "uploads" {
        /// The recording.
        pub id: RecordingId,
        /// Its unit.
        pub unit_id: UnitId,
        /// Durable bytes.
        pub offset_bytes: u64,
        /// Announced length.
        pub length_bytes: Option<u64>,
    }

    /// A part of a concatenation.
    pub struct UploadPart in "upload_parts" {
        /// The partial upload.
        pub part_id: RecordingId,
    }
}

impl Upload {
    /// The digest state at the offset; `None` before the first bytes.
    pub fn midstate(&self) -> Option<Midstate> {
        let sha256 = self.midstate_sha256.clone()?;
        Some(Midstate {
            sha256,
            sm3: self.midstate_sm3.clone(),
        })
    }

    /// Whether all its bytes are there.
    pub fn is_complete(&self) -> bool {
        self.length_bytes == Some(self.offset_bytes)
    }

    /// Whether it is a part whose bytes live on in the sealed recording that it was joined into: it may
    /// be thrown away at any time.
    pub fn is_joined(&self) -> bool {
        self.kind == UploadKind::Partial && self.expires_at == Some(JOINED)
    }

    /// Who created it.
    pub fn owner(&self) -> ActorRef {
        ActorRef::new(self.owner_kind, &self.owner_id)
    }
}

/// The expiry of a part that was joined: long over.
const JOINED: Micros = Micros(0);

const PART_IS_NEEDED: &str = "SELECT count(*) AS n FROM upload_parts WHERE part_id = $1";

/// An upload that is about to exist, at offset 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// See [`Upload`] for all fields.
    pub id: RecordingId,
    /// What it is to become.
    pub kind: UploadKind,
    /// The unit it is for.
    pub unit_id: UnitId,
    /// Who creates it.
    pub owner: ActorRef,
    /// Announced length.
    pub length_bytes: Option<u64>,
    /// Digest state at offset 0, where one is kept.
    pub midstate: Option<Midstate>,
    /// The vault's state at offset 0.
    pub assembly_state: String,
    /// As given.
    pub metadata: String,
    /// Now.
    pub created_at: Micros,
    /// When it is given up.
    pub expires_at: Option<Micros>,
    /// For a final upload: the partial ones, in order.
    pub parts: Vec<RecordingId>,
}

async fn insert(db: &mut Db, new: &NewUpload) -> Result<()> {
    let sql = "INSERT INTO uploads (id, kind, unit_id, owner_kind, owner_id, length_bytes, offset_bytes, midstate_sha256,
            midstate_sm3, assembly_state, metadata, created_at_us, updated_at_us, expires_at_us)
        VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $11, $12)";
    let (sha256, sm3) = halves(new.midstate.as_ref());
    let values = args![
        new.id,
        new.kind,
        new.unit_id,
        new.owner.kind,
        new.owner.id,
        new.length_bytes,
        sha256,
        sm3,
        new.assembly_state,
        new.metadata,
        new.created_at,
        new.expires_at
    ];
    db.execute(sql, values).await?;
    for (position, part) in (0_i64..).zip(&new.parts) {
        let sql = "INSERT INTO upload_parts (upload_id, position, part_id) VALUES ($1, $2, $3)";
        db.execute(sql, args![new.id, position, part]).await?;
    }
    Ok(())
}

fn halves(midstate: Option<&Midstate>) -> (Option<&Vec<u8>>, Option<&Vec<u8>>) {
    (
        midstate.map(|m| &m.sha256),
        midstate.and_then(|m| m.sm3.as_ref()),
    )
}

async fn delete(db: &mut Db, id: RecordingId) -> Result<()> {
    db.execute("DELETE FROM upload_parts WHERE upload_id = $1", args![id])
        .await?;
    db.execute("DELETE FROM uploads WHERE id = $1", args![id])
        .await?;
    Ok(())
}

impl Change {
    /// Creates the upload of a recording, in the change that creates the recording.
    ///
    /// # Errors
    /// [`Error::Taken`] id.
    pub async fn insert_upload(&mut self, new: &NewUpload) -> Result<()> {
        insert(&mut self.db, new).await
    }

    /// The upload is over: in the change that seals its recording. Gone already is fine.
    ///
    /// # Errors
    /// The database's.
    pub async fn delete_upload(&mut self, id: RecordingId) -> Result<()> {
        delete(&mut self.db, id).await
    }

    /// The parts of a final upload are in the sealed original now: see [`Upload::is_joined`]. Parts that
    /// another final upload needs too stay as they are. In the change that seals, before
    /// [`Change::delete_upload`] forgets which parts these are.
    ///
    /// # Errors
    /// The database's.
    pub async fn parts_joined(&mut self, id: RecordingId) -> Result<()> {
        let sql = "UPDATE uploads SET expires_at_us = $1 WHERE kind = 'partial'
            AND id IN (SELECT part_id FROM upload_parts WHERE upload_id = $2)
            AND id NOT IN (SELECT part_id FROM upload_parts WHERE upload_id <> $2)";
        self.db.execute(sql, args![JOINED, id]).await?;
        Ok(())
    }

    /// As [`Catalog::part_is_needed`], as this change sees it.
    ///
    /// # Errors
    /// The database's.
    pub async fn part_is_needed(&mut self, part: RecordingId) -> Result<bool> {
        Ok(self.db.count(PART_IS_NEEDED, args![part]).await? > 0)
    }

    /// An upload, as this change sees it.
    ///
    /// # Errors
    /// The database's.
    pub async fn upload(&mut self, id: RecordingId) -> Result<Option<Upload>> {
        self.db
            .one("SELECT * FROM uploads WHERE id = $1", args![id])
            .await
    }
}

impl Catalog {
    /// Creates a partial upload: no recording, hence no custody event.
    ///
    /// # Errors
    /// [`Error::Taken`] id; [`Error::Refused`] for another kind.
    pub async fn insert_partial_upload(&self, new: &NewUpload) -> Result<()> {
        if new.kind != UploadKind::Partial {
            return Err(Error::Refused(
                "only a partial upload is no recording".to_owned(),
            ));
        }
        let mut db = self.write().await?;
        insert(&mut db, new).await?;
        db.commit().await
    }

    /// An upload; `None` once it is over.
    ///
    /// # Errors
    /// The database's.
    pub async fn upload(&self, id: RecordingId) -> Result<Option<Upload>> {
        self.read()
            .await?
            .one("SELECT * FROM uploads WHERE id = $1", args![id])
            .await
    }

    /// Moves the durable offset, with the digest state and the assembly state that belong to it. When
    /// this has returned the client may be told; a crash before leaves the old offset, and the bytes
    /// beyond it are received again.
    ///
    /// # Errors
    /// [`Error::Stale`] when the stored offset is not `from_offset`: another handler was there.
    pub async fn advance_upload(
        &self,
        id: RecordingId,
        from_offset: u64,
        to_offset: u64,
        midstate: Option<&Midstate>,
        assembly_state: &str,
        at: Micros,
    ) -> Result<()> {
        let sql = "UPDATE uploads SET offset_bytes = $1, midstate_sha256 = $2, midstate_sm3 = $3, assembly_state = $4,
                updated_at_us = $5
            WHERE id = $6 AND offset_bytes = $7 AND $1 >= offset_bytes AND (length_bytes IS NULL OR $1 <= length_bytes)";
        let (sha256, sm3) = halves(midstate);
        let values = args![to_offset, sha256, sm3, assembly_state, at, id, from_offset];
        self.update_upload(id, sql, values).await
    }

    /// Stores the vault's state without moving the offset (an assembly began or was taken up).
    ///
    /// # Errors
    /// [`Error::Stale`] as above.
    pub async fn set_assembly_state(
        &self,
        id: RecordingId,
        offset: u64,
        assembly_state: &str,
    ) -> Result<()> {
        let sql = "UPDATE uploads SET assembly_state = $1 WHERE id = $2 AND offset_bytes = $3";
        self.update_upload(id, sql, args![assembly_state, id, offset])
            .await
    }

    /// Sets the length of an upload that deferred it; setting the same again is fine.
    ///
    /// # Errors
    /// [`Error::Stale`] when another length stands, or more has come already.
    pub async fn set_upload_length(&self, id: RecordingId, length_bytes: u64) -> Result<()> {
        let mut db = self.write().await?;
        let sql = "UPDATE uploads SET length_bytes = $1
            WHERE id = $2 AND offset_bytes <= $1 AND (length_bytes IS NULL OR length_bytes = $1)";
        if db.execute(sql, args![length_bytes, id]).await? == 0 {
            return Err(Error::stale("upload", id));
        }
        let announced = "UPDATE recordings SET size_bytes = $1, version = version + 1
            WHERE id = $2 AND state = 'receiving' AND size_bytes IS NULL";
        db.execute(announced, args![length_bytes, id]).await?;
        db.commit().await
    }

    async fn update_upload(
        &self,
        id: RecordingId,
        sql: &'static str,
        values: Vec<crate::engine::value::Value>,
    ) -> Result<()> {
        let mut db = self.write().await?;
        if db.execute(sql, values).await? == 0 {
            return Err(Error::stale("upload", id));
        }
        db.commit().await
    }

    /// Ends an upload that was no recording (a partial one), and its note of parts.
    ///
    /// # Errors
    /// [`Error::Refused`] when a recording still depends on it: it would be left without its upload.
    pub async fn delete_partial_upload(&self, id: RecordingId) -> Result<()> {
        let mut db = self.write().await?;
        let sql = "SELECT count(*) AS n FROM uploads WHERE id = $1 AND kind <> 'partial'";
        if db.count(sql, args![id]).await? > 0 {
            return Err(Error::Refused("the upload is a recording's".to_owned()));
        }
        delete(&mut db, id).await?;
        db.commit().await
    }

    /// The partial uploads of a final one, in order.
    ///
    /// # Errors
    /// The database's.
    pub async fn upload_parts(&self, id: RecordingId) -> Result<Vec<RecordingId>> {
        let sql = "SELECT part_id FROM upload_parts WHERE upload_id = $1 ORDER BY position";
        let parts: Vec<UploadPart> = self.read().await?.all(sql, args![id]).await?;
        Ok(parts.into_iter().map(|part| part.part_id).collect())
    }

    /// Whether an unfinished final upload still needs this partial one.
    ///
    /// # Errors
    /// The database's.
    pub async fn part_is_needed(&self, part: RecordingId) -> Result<bool> {
        Ok(self
            .read()
            .await?
            .count(PART_IS_NEEDED, args![part])
            .await?
            > 0)
    }

    /// Parts that may be thrown away: see [`Upload::is_joined`].
    ///
    /// # Errors
    /// The database's.
    pub async fn joined_parts(&self, limit: u32) -> Result<Vec<Upload>> {
        let sql = "SELECT * FROM uploads WHERE expires_at_us = $1 AND kind = 'partial' LIMIT $2";
        self.read().await?.all(sql, args![JOINED, limit]).await
    }

    /// Uploads whose time is over, oldest expiry first; joined parts among them, but no part that a
    /// final upload still needs.
    ///
    /// # Errors
    /// The database's.
    pub async fn expired_uploads(&self, now: Micros, limit: u32) -> Result<Vec<Upload>> {
        let sql = "SELECT * FROM uploads WHERE expires_at_us <= $1
            AND NOT EXISTS (SELECT 1 FROM upload_parts WHERE part_id = uploads.id)
            ORDER BY expires_at_us LIMIT $2";
        self.read().await?.all(sql, args![now, limit]).await
    }

    /// Every open upload by id: for recovery at start.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_uploads(
        &self,
        after: Option<RecordingId>,
        limit: u32,
    ) -> Result<Vec<Upload>> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let sql = "SELECT * FROM uploads WHERE id > $1 ORDER BY id LIMIT $2";
        self.read().await?.all(sql, args![after, limit]).await
    }

    /// How far the uploads of a scope are, newest first, those that moved since `since`.
    ///
    /// # Errors
    /// The database's.
    pub async fn upload_progress(
        &self,
        scope: &Scope,
        since: Micros,
        limit: u32,
    ) -> Result<Vec<Progress>> {
        let mut s = Statement::new(
            "SELECT id, unit_id, offset_bytes, length_bytes FROM uploads WHERE kind <> 'partial'",
        );
        s.push(" AND updated_at_us >= ").bind(since);
        scope.restrict("unit_id", &mut s);
        s.push(" ORDER BY id DESC LIMIT ").bind(limit);
        self.read().await?.all(s.text, s.values).await
    }
}
