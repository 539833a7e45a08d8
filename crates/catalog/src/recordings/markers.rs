//! Markers: times in a recording that people marked. A withdrawn one stays as a row.

use docket_base::Micros;
use docket_base::ids::{MarkerId, RecordingId};

use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::words::{ActorKind, ActorRef};
use crate::{Catalog, Change};

rows! {
    /// A marker.
    pub struct Marker in "markers" {
        /// Its id.
        pub id: MarkerId,
        /// The recording.
        pub recording_id: RecordingId,
        /// Milliseconds from the recording's begin.
        pub at_ms: u64,
        /// The end, where a stretch is meant.
        pub until_ms: Option<u64>,
        /// What it says.
        pub text: String,
        /// Since when.
        pub placed_at: Micros,
        /// What the placer is.
        pub placed_by_kind: ActorKind,
        /// Who.
        pub placed_by_id: String,
        /// Until when.
        pub withdrawn_at: Option<Micros>,
        /// What the withdrawer is.
        pub withdrawn_by_kind: Option<ActorKind>,
        /// Who.
        pub withdrawn_by_id: Option<String>,
    }
}

impl Change {
    /// Places a marker.
    ///
    /// # Errors
    /// [`Error::Taken`] id; [`Error::Refused`] when there is no such recording.
    pub async fn place_marker(&mut self, marker: &Marker) -> Result<()> {
        let sql = "INSERT INTO markers (id, recording_id, at_ms, until_ms, text, placed_at_us, placed_by_kind, placed_by_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = args![
            marker.id,
            marker.recording_id,
            marker.at_ms,
            marker.until_ms,
            marker.text,
            marker.placed_at,
            marker.placed_by_kind,
            marker.placed_by_id
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    /// How many markers stand on a recording, as this change sees it.
    ///
    /// # Errors
    /// The database's.
    pub async fn standing_markers(&mut self, recording: RecordingId) -> Result<i64> {
        let sql =
            "SELECT count(*) AS n FROM markers WHERE recording_id = $1 AND withdrawn_at_us IS NULL";
        self.db.count(sql, args![recording]).await
    }

    /// Withdraws a marker.
    ///
    /// # Errors
    /// [`Error::Stale`] when it was withdrawn already, or isn't there.
    pub async fn withdraw_marker(
        &mut self,
        id: MarkerId,
        (at, by): (Micros, &ActorRef),
    ) -> Result<()> {
        let sql =
            "UPDATE markers SET withdrawn_at_us = $1, withdrawn_by_kind = $2, withdrawn_by_id = $3
            WHERE id = $4 AND withdrawn_at_us IS NULL";
        if self.db.execute(sql, args![at, by.kind, by.id, id]).await? == 0 {
            return Err(Error::stale("marker", id));
        }
        Ok(())
    }
}

impl Catalog {
    /// A recording's markers by their times, withdrawn ones included.
    ///
    /// # Errors
    /// The database's.
    pub async fn markers(&self, recording: RecordingId) -> Result<Vec<Marker>> {
        let sql = "SELECT * FROM markers WHERE recording_id = $1 ORDER BY at_ms, id";
        self.read().await?.all(sql, args![recording]).await
    }
}
