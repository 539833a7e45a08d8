//! Viewings: who looked at what, and which stretches were served. Opening and closing are evidence,
//! the stretches in between are noted as they go out.

use docket_base::Micros;
use docket_base::ids::{RecordingId, ViewingId};

use crate::engine::record::{Column, Record, rows, words};
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::words::{ActorKind, ActorRef};
use crate::{Catalog, Change};

/// Beyond this many separate stretches the two nearest become one: a viewing's row stays small.
const MAX_STRETCHES: usize = 200;

words! {
    /// What a recording was opened for.
    pub enum ViewingPurpose {
        /// To play it; stretches are in milliseconds.
        Play = "play",
        /// To fetch the original; stretches are in bytes.
        Original = "original",
    }
}

/// Stretches that were served, `[from, until)` each, in order and apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretches(Vec<(u64, u64)>);

impl Stretches {
    /// The stretches.
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// Adds one; what touches becomes one.
    pub fn add(&mut self, from: u64, until: u64) {
        if from >= until {
            return;
        }
        let at = self.0.partition_point(|(start, _)| *start < from);
        self.0.insert(at, (from, until));
        self.0.dedup_by(|next, kept| {
            let touches = next.0 <= kept.1;
            if touches {
                kept.1 = kept.1.max(next.1);
            }
            touches
        });
        while self.0.len() > MAX_STRETCHES {
            let gap = |n: &usize| self.0[n + 1].0 - self.0[*n].1;
            let Some(nearest) = (0..self.0.len() - 1).min_by_key(gap) else {
                return;
            };
            self.0[nearest].1 = self.0[nearest + 1].1;
            self.0.remove(nearest + 1);
        }
    }
}

impl Column for Stretches {
    fn column(record: &Record, name: &str) -> Result<Option<Self>, String> {
        let text = String::column(record, name)?;
        text.map(|text| {
            serde_json::from_str(&text)
                .map(Self)
                .map_err(|e| e.to_string())
        })
        .transpose()
    }
}

rows! {
    /// A viewing.
    pub struct Viewing in "viewings" {
        /// Its id.
        pub id: ViewingId,
        /// The recording.
        pub recording_id: RecordingId,
        /// What the viewer is.
        pub viewer_kind: ActorKind,
        /// Who.
        pub viewer_id: String,
        /// What for.
        pub purpose: ViewingPurpose,
        /// When it began.
        pub opened_at: Micros,
        /// When something was served last.
        pub last_seen_at: Micros,
        /// When it was over.
        pub closed_at: Option<Micros>,
        /// What was served.
        pub stretches: Stretches,
        /// What the player says it showed.
        pub claimed: Stretches,
    }
}

impl Change {
    /// Opens a viewing. Commit before the first byte goes out.
    ///
    /// # Errors
    /// [`Error::Taken`] when one of the same person, recording and purpose is open: use that.
    pub async fn open_viewing(
        &mut self,
        id: ViewingId,
        recording: RecordingId,
        viewer: &ActorRef,
        purpose: ViewingPurpose,
        at: Micros,
    ) -> Result<()> {
        let sql = "INSERT INTO viewings
            (id, recording_id, viewer_kind, viewer_id, purpose, opened_at_us, last_seen_at_us, stretches)
            VALUES ($1, $2, $3, $4, $5, $6, $6, '[]')";
        self.db
            .execute(
                sql,
                args![id, recording, viewer.kind, viewer.id, purpose, at],
            )
            .await?;
        Ok(())
    }

    /// Closes a viewing; the row says what to log.
    ///
    /// # Errors
    /// [`Error::Stale`] when it is closed already.
    pub async fn close_viewing(&mut self, id: ViewingId, at: Micros) -> Result<Viewing> {
        let sql = "UPDATE viewings SET closed_at_us = $1 WHERE id = $2 AND closed_at_us IS NULL RETURNING *";
        self.db
            .one(sql, args![at, id])
            .await?
            .ok_or_else(|| Error::stale("viewing", id))
    }
}

impl Catalog {
    /// The open viewing of this person, recording and purpose.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_viewing(
        &self,
        recording: RecordingId,
        viewer: &ActorRef,
        purpose: ViewingPurpose,
    ) -> Result<Option<Viewing>> {
        let sql =
            "SELECT * FROM viewings WHERE recording_id = $1 AND viewer_kind = $2 AND viewer_id = $3
            AND purpose = $4 AND closed_at_us IS NULL";
        self.read()
            .await?
            .one(sql, args![recording, viewer.kind, viewer.id, purpose])
            .await
    }

    /// Notes that `[from, until)` was served in a viewing.
    ///
    /// # Errors
    /// [`Error::Stale`] when it is closed meanwhile: open another.
    pub async fn viewing_served(
        &self,
        id: ViewingId,
        from: u64,
        until: u64,
        at: Micros,
    ) -> Result<()> {
        let mut db = self.write().await?;
        let sql = "UPDATE viewings SET last_seen_at_us = $1 WHERE id = $2 AND closed_at_us IS NULL RETURNING *";
        let viewing: Option<Viewing> = db.one(sql, args![at, id]).await?;
        let mut stretches = viewing
            .ok_or_else(|| Error::stale("viewing", id))?
            .stretches;
        stretches.add(from, until);
        let text = serde_json::json!(stretches.0).to_string();
        db.execute(
            "UPDATE viewings SET stretches = $1 WHERE id = $2",
            args![text, id],
        )
        .await?;
        db.commit().await
    }

    /// Notes what the player says it showed. It keeps no viewing open: only what is served does.
    ///
    /// # Errors
    /// [`Error::Stale`] when it is closed meanwhile.
    pub async fn viewing_claimed(&self, id: ViewingId, stretches: &[(u64, u64)]) -> Result<()> {
        let mut db = self.write().await?;
        let sql = "SELECT * FROM viewings WHERE id = $1 AND closed_at_us IS NULL";
        let viewing: Option<Viewing> = db.one(sql, args![id]).await?;
        let mut claimed = viewing.ok_or_else(|| Error::stale("viewing", id))?.claimed;
        for (from, until) in stretches {
            claimed.add(*from, *until);
        }
        let text = serde_json::json!(claimed.0).to_string();
        db.execute(
            "UPDATE viewings SET claimed = $1 WHERE id = $2",
            args![text, id],
        )
        .await?;
        db.commit().await
    }

    /// Open viewings in which nothing was served since a moment, idlest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn idle_viewings(&self, since: Micros, limit: u32) -> Result<Vec<Viewing>> {
        let sql = "SELECT * FROM viewings WHERE closed_at_us IS NULL AND last_seen_at_us < $1
            ORDER BY last_seen_at_us LIMIT $2";
        self.read().await?.all(sql, args![since, limit]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stretches_are_the_union(added in prop::collection::vec((0u64..100, 0u64..100), 0..40)) {
            let mut stretches = Stretches::default();
            let mut cells = [false; 200];
            for (from, until) in added {
                stretches.add(from, until);
                (from..until).for_each(|n| cells[n as usize] = true);
            }
            let inside = |n: u64| stretches.as_slice().iter().any(|(from, until)| (*from..*until).contains(&n));
            prop_assert!((0..200).all(|n| inside(n) == cells[n as usize]));
            prop_assert!(stretches.as_slice().windows(2).all(|two| two[0].1 < two[1].0));
        }

        #[test]
        fn stretches_stay_few(added in prop::collection::vec(0u64..1_000_000, 0..600)) {
            let mut stretches = Stretches::default();
            added.iter().for_each(|from| stretches.add(*from, from + 1));
            prop_assert!(stretches.as_slice().len() <= MAX_STRETCHES);
            prop_assert!(added.iter().all(|n| stretches.as_slice().iter().any(|(from, until)| (*from..*until).contains(n))));
        }
    }
}
