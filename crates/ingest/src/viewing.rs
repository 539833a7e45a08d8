//! Viewings: one opening event before the first byte goes out, one closing event when idle; none for each
//! segment in between. And downloads, which are one event each.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use docket_base::ids::{RecordingId, ViewingId};
use docket_base::{Micros, Sha256Digest};
use docket_catalog::{Error as CatalogError, Recording, Stretches, Viewing, ViewingPurpose};
use docket_ledger::kinds::{self, Stretch, ViewingMeans};
use docket_ledger::{Actor, Subject};
use tokio::sync::Mutex;

use crate::event::actor_ref;
use crate::{Ingest, Result};

/// A viewing in which nothing was served for so long is over, in seconds.
pub const IDLE_S: i64 = 600;
/// What was served is stored so often, in seconds: a crash loses that much of the record, never the opening.
const STORED_EVERY_S: i64 = 20;
/// Viewings closed in one round.
const BATCH: u32 = 64;
/// How often idle ones are looked for.
const ROUND: Duration = Duration::from_secs(30);

/// What one answer serves.
#[derive(Debug, Clone)]
pub struct Served {
    purpose: ViewingPurpose,
    bytes: u64,
    /// Milliseconds of playing time, or bytes of the original.
    stretch: Option<Range<u64>>,
    /// The hint by which it is cut.
    hint: Option<Sha256Digest>,
}

impl Served {
    /// A playlist or init segment: so many bytes, no playing time.
    pub fn playlist(bytes: u64) -> Self {
        Self {
            purpose: ViewingPurpose::Play,
            bytes,
            stretch: None,
            hint: None,
        }
    }

    /// A media segment of so many bytes, from when until when in the recording.
    pub fn segment(bytes: u64, milliseconds: Range<u64>) -> Self {
        Self {
            purpose: ViewingPurpose::Play,
            bytes,
            stretch: Some(milliseconds),
            hint: None,
        }
    }

    /// A range of the original.
    pub fn original(range: Range<u64>) -> Self {
        let bytes = range.end.saturating_sub(range.start);
        Self {
            purpose: ViewingPurpose::Original,
            bytes,
            stretch: Some(range),
            hint: None,
        }
    }

    /// Cut by a hint that is a claim until the recording is sealed.
    #[must_use]
    pub fn by_hint(self, hint: Option<Sha256Digest>) -> Self {
        Self { hint, ..self }
    }
}

type Key = (RecordingId, Actor, ViewingPurpose);

/// A viewing that this daemon serves.
#[derive(Debug)]
struct Open {
    id: ViewingId,
    last_served: Micros,
    last_stored: Micros,
    /// Since this daemon opened it; after a restart only what was served since then.
    served_bytes: u64,
    /// Served and not stored yet.
    waiting: Stretches,
}

/// Who watches what.
#[derive(Debug)]
pub struct Viewings {
    ingest: Arc<Ingest>,
    open: Mutex<HashMap<Key, Open>>,
}

impl Viewings {
    /// Nobody watches yet.
    pub fn new(ingest: Arc<Ingest>) -> Self {
        Self {
            ingest,
            open: Mutex::default(),
        }
    }

    /// Notes that this is about to be served. When it returns the viewing's opening is committed.
    ///
    /// # Errors
    /// The catalog's: then nothing may be served.
    pub async fn serve(&self, actor: Actor, recording: &Recording, served: Served) -> Result<()> {
        let key = (recording.id, actor, served.purpose);
        let now = self.ingest.clock.now();
        // Held while a viewing opens: two first requests of a player open one viewing.
        let mut open = self.open.lock().await;
        let viewing = match open.get_mut(&key) {
            Some(viewing) => viewing,
            None => {
                let id = self.ingest.open_viewing(actor, recording, &served).await?;
                let fresh = Open {
                    id,
                    last_served: now,
                    last_stored: now,
                    served_bytes: 0,
                    waiting: Stretches::default(),
                };
                open.entry(key).or_insert(fresh)
            }
        };
        viewing.last_served = now;
        viewing.served_bytes = viewing.served_bytes.saturating_add(served.bytes);
        if let Some(stretch) = served.stretch {
            viewing.waiting.add(stretch.start, stretch.end);
        }
        if now >= viewing.last_stored.plus_seconds(STORED_EVERY_S) {
            viewing.last_stored = now;
            let (id, waiting) = (viewing.id, std::mem::take(&mut viewing.waiting));
            drop(open);
            self.store(id, &waiting, now).await?;
        }
        Ok(())
    }

    async fn store(&self, id: ViewingId, waiting: &Stretches, at: Micros) -> Result<()> {
        for (from, until) in waiting.as_slice() {
            match self
                .ingest
                .catalog
                .viewing_served(id, *from, *until, at)
                .await
            {
                Ok(()) => {}
                // Closed meanwhile: what was served is told by the next one's opening.
                Err(CatalogError::Stale { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Closes idle viewings, also those that an earlier run of the daemon left open, until told to stop.
    pub async fn run(&self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                () = self.ingest.shutdown.cancelled() => return,
            }
            if let Err(error) = self.close_idle().await {
                tracing::warn!(%error, "idle viewings could not be closed; trying again");
            }
        }
    }

    /// One round; how many were closed.
    ///
    /// # Errors
    /// The catalog's; the next round goes on.
    pub async fn close_idle(&self) -> Result<usize> {
        let since = self.ingest.clock.now().plus_seconds(-IDLE_S);
        let mut closed = 0;
        let idle: Vec<(Key, Open)> = {
            let mut open = self.open.lock().await;
            open.extract_if(|_, viewing| viewing.last_served < since)
                .collect()
        };
        for ((_, actor, _), viewing) in idle {
            self.store(viewing.id, &viewing.waiting, viewing.last_served)
                .await?;
            closed += self
                .ingest
                .close_viewing(actor, viewing.id, viewing.served_bytes)
                .await?;
        }
        for row in self.ingest.catalog.idle_viewings(since, BATCH).await? {
            let served_here = self
                .open
                .lock()
                .await
                .values()
                .any(|viewing| viewing.id == row.id);
            if let (false, Some(actor)) = (served_here, actor_of(&row)) {
                closed += self.ingest.close_viewing(actor, row.id, 0).await?;
            }
        }
        Ok(closed)
    }
}

impl Ingest {
    /// A whole original, or a stretch of it, goes out as a download: committed before the first byte.
    ///
    /// # Errors
    /// The catalog's: then nothing may go out.
    pub async fn downloaded(
        &self,
        actor: Actor,
        recording: &Recording,
        bytes: Range<u64>,
    ) -> Result<()> {
        let body = kinds::RecordingDownloaded {
            from_bytes: bytes.start,
            until_bytes: bytes.end,
            sha256: recording.sha256,
        };
        let event = self.event(
            actor,
            Some(recording.unit_id),
            Subject::recording(recording.id),
            body,
        )?;
        self.commit(self.catalog.change().await?, &[event]).await
    }

    /// Notes which stretches (milliseconds) a player says it showed: a claim, kept beside what the daemon
    /// knows it sent, and logged when the viewing closes. `false` when this viewer has none open.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn claim_shown(
        &self,
        actor: Actor,
        recording: RecordingId,
        stretches: &[(u64, u64)],
    ) -> Result<bool> {
        let viewer = actor_ref(actor);
        let open = self
            .catalog
            .open_viewing(recording, &viewer, ViewingPurpose::Play)
            .await?;
        let Some(viewing) = open else {
            return Ok(false);
        };
        match self.catalog.viewing_claimed(viewing.id, stretches).await {
            Ok(()) => Ok(true),
            Err(CatalogError::Stale { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn open_viewing(
        &self,
        actor: Actor,
        recording: &Recording,
        served: &Served,
    ) -> Result<ViewingId> {
        let purpose = served.purpose;
        let viewer = actor_ref(actor);
        // One that was open when the daemon stopped goes on; its opening is in the log.
        if let Some(known) = self
            .catalog
            .open_viewing(recording.id, &viewer, purpose)
            .await?
        {
            return Ok(known.id);
        }
        let id = ViewingId::fresh(&*self.clock, &*self.random);
        let mut change = self.catalog.change().await?;
        change
            .open_viewing(id, recording.id, &viewer, purpose, self.clock.now())
            .await?;
        let means = match purpose {
            ViewingPurpose::Play => ViewingMeans::Hls,
            ViewingPurpose::Original => ViewingMeans::Bytes,
        };
        let body = kinds::ViewingOpened {
            viewing: id,
            means,
            while_receiving: recording.state.is_open(),
            hint_sha256: served.hint,
        };
        let event = self.event(
            actor,
            Some(recording.unit_id),
            subject(recording.id, id),
            body,
        )?;
        self.commit(change, &[event]).await?;
        Ok(id)
    }

    async fn close_viewing(&self, actor: Actor, id: ViewingId, served_bytes: u64) -> Result<usize> {
        let mut change = self.catalog.change().await?;
        let row = match change.close_viewing(id, self.clock.now()).await {
            Ok(row) => row,
            // Another round, or another daemon, was quicker.
            Err(CatalogError::Stale { .. }) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let Some(recording) = change.recording(row.recording_id).await? else {
            return Ok(0);
        };
        let stretch = |(from_ms, until_ms): &(u64, u64)| Stretch {
            from_ms: *from_ms,
            until_ms: *until_ms,
        };
        let (served, of_original) = match row.purpose {
            ViewingPurpose::Play => (row.stretches.as_slice().iter().map(stretch).collect(), 0),
            // Bytes are no playing time: their sum is told.
            ViewingPurpose::Original => (
                Vec::new(),
                row.stretches
                    .as_slice()
                    .iter()
                    .map(|(from, until)| until - from)
                    .sum(),
            ),
        };
        let body = kinds::ViewingClosed {
            viewing: id,
            opened_at: row.opened_at,
            last_served_at: row.last_seen_at,
            served_bytes: served_bytes.max(of_original),
            served,
            claimed: row.claimed.as_slice().iter().map(stretch).collect(),
        };
        let event = self.event(
            actor,
            Some(recording.unit_id),
            subject(recording.id, id),
            body,
        )?;
        self.commit(change, &[event]).await?;
        Ok(1)
    }
}

fn actor_of(row: &Viewing) -> Option<Actor> {
    use docket_catalog::ActorKind::{Station, System, Token, User};
    Some(match row.viewer_kind {
        User => Actor::User(row.viewer_id.parse().ok()?),
        Token => Actor::Token(row.viewer_id.parse().ok()?),
        Station => Actor::Station(row.viewer_id.parse().ok()?),
        System => Actor::System,
    })
}

fn subject(recording: RecordingId, viewing: ViewingId) -> Subject {
    Subject {
        viewing: Some(viewing),
        ..Subject::recording(recording)
    }
}
