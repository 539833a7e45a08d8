//! Holds 冻结: while one stands, nothing is deleted.

use docket_base::Micros;
use docket_base::ids::{HoldId, RecordingId};

use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::words::{ActorKind, ActorRef};
use crate::{Catalog, Change};

rows! {
    /// A hold.
    pub struct Hold in "holds" {
        /// Its id.
        pub id: HoldId,
        /// The recording.
        pub recording_id: RecordingId,
        /// Why.
        pub reason: String,
        /// Since when.
        pub placed_at: Micros,
        /// What the placer is.
        pub placed_by_kind: ActorKind,
        /// Who.
        pub placed_by_id: String,
        /// Until when.
        pub lifted_at: Option<Micros>,
        /// What the lifter is.
        pub lifted_by_kind: Option<ActorKind>,
        /// Who.
        pub lifted_by_id: Option<String>,
        /// Why it was lifted.
        pub lifted_reason: Option<String>,
    }
}

impl Change {
    /// Puts a hold on a recording.
    ///
    /// # Errors
    /// [`Error::Missing`] recording.
    pub async fn place_hold(
        &mut self,
        id: HoldId,
        recording: RecordingId,
        reason: &str,
        (at, by): (Micros, &ActorRef),
    ) -> Result<()> {
        self.refresh_held(recording, Some(true)).await?;
        let sql = "INSERT INTO holds (id, recording_id, reason, placed_at_us, placed_by_kind, placed_by_id)
            VALUES ($1, $2, $3, $4, $5, $6)";
        self.db
            .execute(sql, args![id, recording, reason, at, by.kind, by.id])
            .await?;
        Ok(())
    }

    /// Lifts a hold; the recording stays held while another stands.
    ///
    /// # Errors
    /// [`Error::Stale`] when it was lifted already, or isn't there.
    pub async fn lift_hold(
        &mut self,
        id: HoldId,
        reason: &str,
        (at, by): (Micros, &ActorRef),
    ) -> Result<Hold> {
        let sql = "UPDATE holds SET lifted_at_us = $1, lifted_by_kind = $2, lifted_by_id = $3, lifted_reason = $4
            WHERE id = $5 AND lifted_at_us IS NULL RETURNING *";
        let hold: Option<Hold> = self
            .db
            .one(sql, args![at, by.kind, by.id, reason, id])
            .await?;
        let hold = hold.ok_or_else(|| Error::stale("hold", id))?;
        self.refresh_held(hold.recording_id, None).await?;
        Ok(hold)
    }

    async fn refresh_held(&mut self, recording: RecordingId, held: Option<bool>) -> Result<()> {
        let held = match held {
            Some(held) => held,
            None => {
                let standing = "SELECT count(*) AS n FROM holds WHERE recording_id = $1 AND lifted_at_us IS NULL";
                self.db.count(standing, args![recording]).await? > 0
            }
        };
        let sql = "UPDATE recordings SET held = $1, version = version + 1 WHERE id = $2";
        if self.db.execute(sql, args![held, recording]).await? == 0 {
            return Err(Error::missing("recording", recording));
        }
        Ok(())
    }
}

impl Catalog {
    /// A recording's holds, oldest first, lifted ones included.
    ///
    /// # Errors
    /// The database's.
    pub async fn holds(&self, recording: RecordingId) -> Result<Vec<Hold>> {
        let sql = "SELECT * FROM holds WHERE recording_id = $1 ORDER BY placed_at_us, id";
        self.read().await?.all(sql, args![recording]).await
    }
}
