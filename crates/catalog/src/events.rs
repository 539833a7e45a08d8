//! Custody events: stored with the change they tell of, given leaf indexes in order of insertion,
//! published, replayed.

use docket_base::ids::{CaseId, EventId, RecordingId, StationId, UnitId};
use docket_base::{Micros, Sha256Digest};

use crate::engine::dialect::{Turn, take_turn};
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::engine::{Db, Statement};
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, Scope, page_limit};
use crate::words::{ActorKind, ActorRef};
use crate::{Catalog, Change};

/// A custody event on its way in. `entry` is the ledger's canonical bytes, the rest is what listings
/// filter by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its id, also inside the entry.
    pub id: EventId,
    /// E.g. `recording.sealed`.
    pub kind: String,
    /// When, by the daemon's clock.
    pub at: Micros,
    /// Whose scope it is in; `None`: only seen by those who see everything.
    pub unit: Option<UnitId>,
    /// The recording it is about.
    pub recording: Option<RecordingId>,
    /// The case it is about.
    pub case: Option<CaseId>,
    /// The station it is about.
    pub station: Option<StationId>,
    /// Who.
    pub actor: ActorRef,
    /// Canonical JSON (RFC 8785), hashed as the tree's leaf.
    pub entry: Vec<u8>,
}

rows! {
    /// A stored custody event.
    pub struct StoredEvent in "custody_events" {
        /// Order of insertion.
        pub seq: i64,
        /// Its id.
        pub id: EventId,
        /// Its place in the tree, once it has one.
        pub leaf_index: Option<u64>,
        /// E.g. `recording.sealed`.
        pub kind: String,
        /// When.
        pub at: Micros,
        /// Whose scope it is in.
        pub unit_id: Option<UnitId>,
        /// The recording it is about.
        pub recording_id: Option<RecordingId>,
        /// The case it is about.
        pub case_id: Option<CaseId>,
        /// The station it is about.
        pub station_id: Option<StationId>,
        /// What the actor is.
        pub actor_kind: ActorKind,
        /// The actor's id.
        pub actor_id: String,
        /// The canonical bytes.
        pub entry: Vec<u8>,
    }

    /// How far the tree is.
    pub struct TreeHead in "tree_head" {
        /// Leaves with an index.
        pub sequenced_size: u64,
        /// Leaves under the published checkpoint.
        pub published_size: u64,
        /// Digest of the published checkpoint's text.
        pub checkpoint_sha256: Option<Sha256Digest>,
    }
}

pub(crate) async fn insert_event(
    db: &mut Db,
    event: &EventRow,
    leaf_index: Option<u64>,
) -> Result<()> {
    let sql = "INSERT INTO custody_events
        (id, leaf_index, kind, at_us, unit_id, recording_id, case_id, station_id, actor_kind, actor_id, entry)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let values = args![
        event.id,
        leaf_index,
        event.kind,
        event.at,
        event.unit,
        event.recording,
        event.case,
        event.station,
        event.actor.kind,
        event.actor.id,
        event.entry
    ];
    db.execute(sql, values).await?;
    Ok(())
}

impl Change {
    /// For `rebuild`: stores an event that the published log already holds at this leaf, and commits
    /// nothing by itself. Leaves come in order from 0.
    ///
    /// # Errors
    /// [`Error::Stale`] when the leaf isn't the next one.
    pub async fn restore_event(&mut self, event: &EventRow, leaf_index: u64) -> Result<()> {
        let next = leaf_index.saturating_add(1);
        let sql = "UPDATE tree_head SET sequenced_size = $1 WHERE id = 1 AND sequenced_size = $2";
        if self.db.execute(sql, args![next, leaf_index]).await? == 0 {
            return Err(Error::stale("leaf", leaf_index));
        }
        self.restored = true;
        insert_event(&mut self.db, event, Some(leaf_index)).await
    }

    /// For `rebuild`: commits what was restored, with the changes that the restored events tell of.
    ///
    /// # Errors
    /// [`Error::NoEvent`] when no event was restored.
    pub async fn commit_restored(self) -> Result<()> {
        if !self.restored {
            return Err(Error::NoEvent);
        }
        self.db.commit().await
    }
}

impl Catalog {
    /// Gives leaf indexes to up to `limit` waiting events, in order of insertion, and returns those
    /// events. Once this returned the indexes are final: a crash before the tiles are written is made
    /// good from [`Catalog::events_from_leaf`].
    ///
    /// # Errors
    /// The database's.
    pub async fn assign_leaves(&self, limit: u32) -> Result<Vec<StoredEvent>> {
        let mut db = self.write().await?;
        take_turn(&mut db, Turn::Leaves).await?;
        let waiting = "SELECT * FROM custody_events WHERE leaf_index IS NULL ORDER BY seq LIMIT $1";
        let mut events: Vec<StoredEvent> = db.all(waiting, args![limit]).await?;
        if events.is_empty() {
            return Ok(events);
        }
        let head = tree_head(&mut db).await?;
        let mut next = head.sequenced_size;
        for event in &mut events {
            db.execute(
                "UPDATE custody_events SET leaf_index = $1 WHERE seq = $2",
                args![next, event.seq],
            )
            .await?;
            event.leaf_index = Some(next);
            next += 1;
        }
        db.execute(
            "UPDATE tree_head SET sequenced_size = $1 WHERE id = 1",
            args![next],
        )
        .await?;
        db.commit().await?;
        Ok(events)
    }

    /// Whether events wait for a leaf index.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_waiting_events(&self) -> Result<bool> {
        let sql = "SELECT count(*) AS n FROM (SELECT 1 AS one FROM custody_events WHERE leaf_index IS NULL LIMIT 1) w";
        Ok(self.read().await?.count(sql, vec![]).await? > 0)
    }

    /// Sequenced events from this leaf on, in order: for integration, its replay, and checks.
    ///
    /// # Errors
    /// The database's.
    pub async fn events_from_leaf(&self, from_leaf: u64, limit: u32) -> Result<Vec<StoredEvent>> {
        let sql =
            "SELECT * FROM custody_events WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT $2";
        self.read().await?.all(sql, args![from_leaf, limit]).await
    }

    /// Events after a leaf within a scope, for the event stream's replay; `None` starts at leaf 0.
    ///
    /// # Errors
    /// The database's.
    pub async fn events_after(
        &self,
        leaf: Option<u64>,
        scope: &Scope,
        limit: u32,
    ) -> Result<Vec<StoredEvent>> {
        let after = leaf.map_or(-1, |leaf| i64::try_from(leaf).unwrap_or(i64::MAX));
        let mut s = Statement::new("SELECT * FROM custody_events WHERE leaf_index > ");
        s.bind(after);
        scope.restrict("unit_id", &mut s);
        s.push(" ORDER BY leaf_index LIMIT ").bind(limit.min(1_000));
        self.read().await?.all(s.text, s.values).await
    }

    /// One event.
    ///
    /// # Errors
    /// The database's.
    pub async fn event(&self, id: EventId) -> Result<Option<StoredEvent>> {
        self.read()
            .await?
            .one("SELECT * FROM custody_events WHERE id = $1", args![id])
            .await
    }

    /// The newest event of a kind about a recording: receipts name the leaf of `recording.sealed`.
    ///
    /// # Errors
    /// The database's.
    pub async fn recording_event(
        &self,
        recording: RecordingId,
        kind: &str,
    ) -> Result<Option<StoredEvent>> {
        let sql = "SELECT * FROM custody_events WHERE recording_id = $1 AND kind = $2 ORDER BY seq DESC LIMIT 1";
        self.read().await?.one(sql, args![recording, kind]).await
    }

    /// A recording's chain of custody, oldest first.
    ///
    /// # Errors
    /// [`Error::BadCursor`]; the database's.
    pub async fn custody(
        &self,
        recording: RecordingId,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<StoredEvent>> {
        let after = cursor
            .map(Cursor::as_number)
            .transpose()?
            .unwrap_or(i64::MIN);
        let sql = "SELECT * FROM custody_events WHERE recording_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let rows = self
            .read()
            .await?
            .all(sql, args![recording, after, page_limit(limit) + 1])
            .await?;
        Ok(Page::cut(rows, limit, |event: &StoredEvent| {
            Cursor::number(event.seq)
        }))
    }

    /// How far the tree is.
    ///
    /// # Errors
    /// The database's.
    pub async fn tree_head(&self) -> Result<TreeHead> {
        tree_head(&mut self.read().await?).await
    }

    /// Notes that a checkpoint over `size` leaves was published. Never goes back: a slower note of an
    /// older checkpoint is ignored.
    ///
    /// # Errors
    /// The database's.
    pub async fn tree_published(&self, size: u64, checkpoint: Sha256Digest) -> Result<()> {
        let sql = "UPDATE tree_head SET published_size = $1, checkpoint_sha256 = $2
            WHERE id = 1 AND published_size <= $1";
        let mut db = self.write().await?;
        db.execute(sql, args![size, checkpoint]).await?;
        db.commit().await
    }
}

async fn tree_head(db: &mut Db) -> Result<TreeHead> {
    let head = db
        .one("SELECT * FROM tree_head WHERE id = 1", vec![])
        .await?;
    head.ok_or_else(|| Error::Corrupt {
        table: "tree_head",
        row: "1".to_owned(),
        reason: "is gone".to_owned(),
    })
}
