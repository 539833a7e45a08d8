//! Creating recordings and changing what people say about them.

use docket_base::Micros;
use docket_base::ids::RecordingId;

use super::{NewRecording, Playback, Recording, SORT_COUNTER_BITS, sort_key_floor};
use crate::engine::Db;
use crate::engine::dialect::{Turn, index_remove, take_turn};
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::search::document::reindex;
use crate::words::{PlaybackState, RecordingState};
use crate::{Catalog, Change};

/// Lists are stored as JSON text.
pub(crate) fn list_text(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

impl Change {
    /// Creates a recording in state `receiving`.
    ///
    /// # Errors
    /// [`Error::Taken`] id; [`Error::Refused`] when it names a unit, officer, … that isn't there.
    pub async fn insert_recording(&mut self, new: &NewRecording) -> Result<()> {
        let sort_key =
            free_sort_key(&mut self.db, new.recorded_at.unwrap_or(new.created_at)).await?;
        let sql = "INSERT INTO recordings (
                id, state, kind, file_name, media_type, size_bytes, received_bytes, claimed_sha256, unit_id, officer_id,
                officer_claimed, recorder_id, recorder_claimed, station_id, docking_id, device_path, recorded_at_us,
                created_at_us, marks, notes, tags, held, playback_state, created_by_kind, created_by_id, sort_key, version)
            VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                $22, $23, $24, $25, 1)";
        let values = args![
            new.id,
            RecordingState::Receiving,
            new.kind,
            new.file_name,
            new.media_type,
            new.size_bytes,
            new.claimed_sha256,
            new.unit_id,
            new.officer_id,
            new.officer_claimed,
            new.recorder_id,
            new.recorder_claimed,
            new.station_id,
            new.docking_id,
            new.device_path,
            new.recorded_at,
            new.created_at,
            list_text(&new.marks),
            new.notes,
            list_text(&new.tags),
            false,
            PlaybackState::Pending,
            new.created_by.kind,
            new.created_by.id,
            sort_key
        ];
        self.db.execute(sql, values).await?;
        reindex(&mut self.db, new.id).await
    }

    /// Sets notes and tags. The version must be the one the caller saw, where one is given.
    ///
    /// # Errors
    /// [`Error::Stale`], [`Error::Missing`].
    pub async fn describe(
        &mut self,
        id: RecordingId,
        expected_version: Option<i64>,
        notes: Option<&str>,
        tags: Option<&[String]>,
    ) -> Result<Recording> {
        let row = self
            .recording(id)
            .await?
            .ok_or_else(|| Error::missing("recording", id))?;
        let version = expected_version.unwrap_or(row.version);
        let sql = "UPDATE recordings SET notes = $1, tags = $2, version = version + 1 WHERE id = $3 AND version = $4";
        let tags = list_text(tags.unwrap_or(&row.tags));
        if self
            .db
            .execute(sql, args![notes.unwrap_or(&row.notes), tags, id, version])
            .await?
            == 0
        {
            return Err(Error::stale("recording", id));
        }
        reindex(&mut self.db, id).await?;
        self.recording(id)
            .await?
            .ok_or_else(|| Error::missing("recording", id))
    }

    /// Sets the marks (`key`, `unknown_recorder`, …).
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn set_marks(&mut self, id: RecordingId, marks: &[String]) -> Result<()> {
        let sql = "UPDATE recordings SET marks = $1, version = version + 1 WHERE id = $2";
        if self.db.execute(sql, args![list_text(marks), id]).await? == 0 {
            return Err(Error::missing("recording", id));
        }
        reindex(&mut self.db, id).await
    }

    /// The recording's bytes are gone, lawfully: the facts stay. An open recording can only go so when
    /// nothing of it was acknowledged: its upload stands at offset 0 and joins no parts.
    ///
    /// # Errors
    /// [`Error::Stale`] while bytes of it are open, when it is deleted already, or held.
    pub async fn mark_deleted(&mut self, id: RecordingId, at: Micros) -> Result<()> {
        let sql =
            "UPDATE recordings SET state = 'deleted', deleted_at_us = $1, version = version + 1
            WHERE id = $2 AND held = $3 AND (state IN ('sealed', 'incomplete', 'quarantined')
                OR (state IN ('receiving', 'sealing')
                    AND EXISTS (SELECT 1 FROM uploads u WHERE u.id = $2 AND u.offset_bytes = 0)
                    AND NOT EXISTS (SELECT 1 FROM upload_parts p WHERE p.upload_id = $2)))";
        if self.db.execute(sql, args![at, id, false]).await? == 0 {
            return Err(Error::stale("recording", id));
        }
        reindex(&mut self.db, id).await
    }

    /// A recording's row, as this change sees it.
    ///
    /// # Errors
    /// The database's.
    pub async fn recording(&mut self, id: RecordingId) -> Result<Option<Recording>> {
        self.db
            .one("SELECT * FROM recordings WHERE id = $1", args![id])
            .await
    }
}

impl Catalog {
    /// Notes what was found out about playing a recording. A derived fact, found out again after a
    /// rebuild: no custody event.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn set_playback(&self, id: RecordingId, playback: &Playback) -> Result<()> {
        let sql = "UPDATE recordings SET playback_state = $1, playback_reason = $2, duration_ms = $3, width = $4,
                height = $5, made_video = $6, made_audio = $7, version = version + 1 WHERE id = $8";
        let mut db = self.write().await?;
        let p = playback;
        if db
            .execute(
                sql,
                args![
                    p.state,
                    p.reason,
                    p.duration_ms,
                    p.width,
                    p.height,
                    p.made_video,
                    p.made_audio,
                    id
                ],
            )
            .await?
            == 0
        {
            return Err(Error::missing("recording", id));
        }
        db.commit().await
    }
}

/// The first free sort key of a time. Devices with a dead clock battery give thousands of recordings the
/// same second, so it asks for the last one used rather than trying.
async fn free_sort_key(db: &mut Db, at: Micros) -> Result<i64> {
    take_turn(db, Turn::SortKey).await?;
    let mut floor = sort_key_floor(at);
    loop {
        let next_floor = floor.saturating_add(1 << SORT_COUNTER_BITS);
        let sql = "SELECT COALESCE(max(sort_key), $1 - 1) AS n FROM recordings WHERE sort_key >= $1 AND sort_key < $2";
        let next = db
            .count(sql, args![floor, next_floor])
            .await?
            .saturating_add(1);
        if next < next_floor {
            return Ok(next);
        }
        floor = next_floor;
    }
}

/// Moves a recording to the place in listings that its best known time gives it.
pub(crate) async fn resort(db: &mut Db, row: &Recording, at: Micros) -> Result<()> {
    let sort_key = free_sort_key(db, at).await?;
    index_remove(db, row.sort_key).await?;
    db.execute(
        "UPDATE recordings SET sort_key = $1 WHERE id = $2",
        args![sort_key, row.id],
    )
    .await?;
    Ok(())
}
