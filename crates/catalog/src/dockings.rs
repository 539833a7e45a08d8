//! Dockings: what was on a recorder when it came, and which of it arrived.

use docket_base::Micros;
use docket_base::ids::{DockingFileId, DockingId, RecorderId, RecordingId, StationId, UnitId};

use crate::engine::Statement;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, Scope, page_limit};
use crate::words::RecordingState;
use crate::{Catalog, Change};

rows! {
    /// One stay of a recorder in a bay.
    pub struct Docking in "dockings" {
        /// Its id.
        pub id: DockingId,
        /// The station.
        pub station_id: StationId,
        /// The station's unit then.
        pub unit_id: UnitId,
        /// The bay's name.
        pub bay: String,
        /// The recorder, where known.
        pub recorder_id: Option<RecorderId>,
        /// The serial it gave.
        pub recorder_serial: String,
        /// Its clock minus the station's, in milliseconds.
        pub recorder_clock_offset_ms: Option<i64>,
        /// When it was put in, by the station's clock.
        pub started_at: Micros,
        /// When it was done with, by the station's clock.
        pub finished_at: Option<Micros>,
        /// How it ended, in the station's word.
        pub outcome: Option<String>,
        /// When it was reported, by the daemon's clock.
        pub created_at: Micros,
    }

    /// A file that was on it.
    pub struct DockingFile in "docking_files" {
        /// Its id.
        pub id: DockingFileId,
        /// The docking.
        pub docking_id: DockingId,
        /// Path on the recorder.
        pub path: String,
        /// Size as listed.
        pub size_bytes: u64,
        /// Time of change as listed.
        pub modified_at: Option<Micros>,
        /// The recording it became.
        pub recording_id: Option<RecordingId>,
    }

    /// A listed file that somebody wants now.
    pub struct WantedFile in "docking_files" {
        /// The docking.
        pub docking_id: DockingId,
        /// Path on the recorder.
        pub path: String,
    }

    /// A file of a docking with what became of it.
    pub struct DockingFileView in "docking_files" {
        /// Its id.
        pub id: DockingFileId,
        /// The docking.
        pub docking_id: DockingId,
        /// Path on the recorder.
        pub path: String,
        /// Size as listed.
        pub size_bytes: u64,
        /// Time of change as listed.
        pub modified_at: Option<Micros>,
        /// The recording it became; `None`: it never arrived.
        pub recording_id: Option<RecordingId>,
        /// Where that stands.
        pub recording_state: Option<RecordingState>,
    }
}

impl Change {
    /// Enters a docking with the list of what was on the recorder.
    ///
    /// # Errors
    /// [`Error::Taken`] for a path that is listed twice; [`Error::Refused`] for an unknown station.
    pub async fn add_docking(&mut self, d: &Docking, files: &[DockingFile]) -> Result<()> {
        let sql =
            "INSERT INTO dockings (id, station_id, unit_id, bay, recorder_id, recorder_serial,
                recorder_clock_offset_ms, started_at_us, finished_at_us, outcome, created_at_us)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let values = args![
            d.id,
            d.station_id,
            d.unit_id,
            d.bay,
            d.recorder_id,
            d.recorder_serial,
            d.recorder_clock_offset_ms,
            d.started_at,
            d.finished_at,
            d.outcome,
            d.created_at
        ];
        self.db.execute(sql, values).await?;
        for f in files {
            let sql = "INSERT INTO docking_files (id, docking_id, path, size_bytes, modified_at_us, recording_id)
                VALUES ($1, $2, $3, $4, $5, $6)";
            self.db
                .execute(
                    sql,
                    args![
                        f.id,
                        d.id,
                        f.path,
                        f.size_bytes,
                        f.modified_at,
                        f.recording_id
                    ],
                )
                .await?;
        }
        Ok(())
    }

    /// Ends a docking.
    ///
    /// # Errors
    /// [`Error::Stale`] when it has ended already, or isn't there.
    pub async fn finish_docking(&mut self, id: DockingId, at: Micros, outcome: &str) -> Result<()> {
        let sql = "UPDATE dockings SET finished_at_us = $1, outcome = $2 WHERE id = $3 AND finished_at_us IS NULL";
        if self.db.execute(sql, args![at, outcome, id]).await? == 0 {
            return Err(Error::stale("docking", id));
        }
        Ok(())
    }

    /// Notes which recording a listed file became. False when the docking listed no such file.
    ///
    /// # Errors
    /// The database's.
    pub async fn docking_file_arrives(
        &mut self,
        id: DockingId,
        path: &str,
        recording: RecordingId,
    ) -> Result<bool> {
        let sql = "UPDATE docking_files SET recording_id = $1 WHERE docking_id = $2 AND path = $3";
        Ok(self.db.execute(sql, args![recording, id, path]).await? > 0)
    }
}

impl Catalog {
    /// A docking.
    ///
    /// # Errors
    /// The database's.
    pub async fn docking(&self, id: DockingId) -> Result<Option<Docking>> {
        self.read()
            .await?
            .one("SELECT * FROM dockings WHERE id = $1", args![id])
            .await
    }

    /// What was on the recorder, by path, with what became of it.
    ///
    /// # Errors
    /// The database's.
    pub async fn docking_files(&self, id: DockingId) -> Result<Vec<DockingFileView>> {
        let sql = "SELECT f.*, r.state AS recording_state FROM docking_files f
            LEFT JOIN recordings r ON r.id = f.recording_id WHERE f.docking_id = $1 ORDER BY f.path";
        self.read().await?.all(sql, args![id]).await
    }

    /// Somebody wants this listed file now. False when the docking lists no such file.
    ///
    /// # Errors
    /// The database's.
    pub async fn want_first(&self, id: DockingId, path: &str, at: Micros) -> Result<bool> {
        let sql = "UPDATE docking_files SET first_at_us = $1 WHERE docking_id = $2 AND path = $3";
        let mut db = self.write().await?;
        let found = db.execute(sql, args![at, id, path]).await? > 0;
        db.commit().await?;
        Ok(found)
    }

    /// What is wanted now of the recorders in a station's bays and is not there, asked for last first.
    ///
    /// # Errors
    /// The database's.
    pub async fn wanted_first(&self, station: StationId, limit: u32) -> Result<Vec<WantedFile>> {
        let sql = "SELECT f.docking_id, f.path FROM dockings d
            JOIN docking_files f ON f.docking_id = d.id
            LEFT JOIN recordings r ON r.id = f.recording_id
            WHERE d.station_id = $1 AND d.finished_at_us IS NULL AND f.first_at_us IS NOT NULL
            AND (r.id IS NULL OR r.state = 'receiving')
            ORDER BY f.first_at_us DESC, f.id LIMIT $2";
        self.read().await?.all(sql, args![station, limit]).await
    }

    /// Dockings of a scope, newest first.
    ///
    /// # Errors
    /// [`Error::BadCursor`]; the database's.
    pub async fn dockings(
        &self,
        station: Option<StationId>,
        scope: &Scope,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<Docking>> {
        let mut s = Statement::new("SELECT * FROM dockings WHERE id < ");
        s.bind(before::<DockingId>(cursor)?);
        if let Some(station) = station {
            s.push(" AND station_id = ").bind(station);
        }
        scope.restrict("unit_id", &mut s);
        s.push(" ORDER BY id DESC LIMIT ")
            .bind(page_limit(limit) + 1);
        let rows = self.read().await?.all(s.text, s.values).await?;
        Ok(Page::cut(rows, limit, |d: &Docking| Cursor::id(d.id)))
    }

    /// Files that were on a recorder and never arrived, of dockings of a scope that began in
    /// `[from, until)`, newest docking first.
    ///
    /// # Errors
    /// The database's.
    pub async fn missing_files(
        &self,
        scope: &Scope,
        from: Micros,
        until: Micros,
        limit: u32,
    ) -> Result<Vec<DockingFile>> {
        let mut s = Statement::new(
            "SELECT f.* FROM docking_files f JOIN dockings d ON d.id = f.docking_id WHERE f.recording_id IS NULL",
        );
        s.push(" AND d.started_at_us >= ")
            .bind(from)
            .push(" AND d.started_at_us < ")
            .bind(until);
        scope.restrict("d.unit_id", &mut s);
        s.push(" ORDER BY d.id DESC, f.path LIMIT ")
            .bind(page_limit(limit));
        self.read().await?.all(s.text, s.values).await
    }
}

/// Where a listing from new to old goes on: before this id. Ids are lower-case, so `~` is after all.
pub(crate) fn before<T: std::str::FromStr + ToString>(cursor: Option<&Cursor>) -> Result<String> {
    Ok(cursor
        .map(Cursor::as_id::<T>)
        .transpose()?
        .map_or_else(|| "~".to_owned(), |id| id.to_string()))
}
