//! Watching what is still arriving: the index of an upload that is under way, and how far it plays.
//!
//! With a hint the index is made once, of the whole file; segments are listed as their bytes become
//! durable. Without one the durable beginning is indexed again while somebody watches, at a bounded
//! share of time, and all but the end of it is listed: what was listed never changes.

mod blocks;
mod hint;
mod scan;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use docket_base::Sha256Digest;
use docket_base::ids::RecordingId;
use docket_catalog::{PlaybackState, Recording, RecordingState, Upload, UploadKind};
use docket_playback::{PlaybackIndex, Source, StreamKind};
use docket_vault::{AssemblyState, VaultError};
use tokio::time::Instant;

use self::blocks::GrowingBlocks;
pub use self::hint::{Compared, Hint, MOST_HINT_BYTES};
use crate::read_back::sealed_facts;
use crate::{Ingest, Result};

/// An upload for which no byte came for so long is stalled, in seconds.
pub const STALLED_AFTER_S: i64 = 10;
/// Uploads whose index is kept in memory.
const MOST_KEPT: usize = 128;

/// Why an upload can't be watched yet: stable words.
pub mod reason {
    /// Too little has come.
    pub const TOO_LITTLE: &str = "too_little_yet";
    /// Its index is at its end, and nobody sent it ahead.
    pub const INDEX_AT_END: &str = "index_at_end";
    /// The store can't hand out what is not sealed.
    pub const NOT_READABLE: &str = "not_readable_yet";
    /// Its segments are made by the worker, which finds them in containers of this kind only once all is there.
    pub const MADE_LATER: &str = "made_when_sealed";
    /// It is put together from parts, or being sealed.
    pub const BEING_SEALED: &str = "being_sealed";
    /// No media worker is installed.
    pub const NO_WORKER: &str = "no_media_worker";

    /// All of them, for documents and translations.
    pub const ALL: [&str; 6] = [
        TOO_LITTLE,
        INDEX_AT_END,
        NOT_READABLE,
        MADE_LATER,
        BEING_SEALED,
        NO_WORKER,
    ];
}

/// Indexes of uploads under way.
#[derive(Debug, Default)]
pub struct Growing {
    entries: Mutex<Entries>,
    hinting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Entries {
    by_recording: HashMap<RecordingId, (Arc<Entry>, u64)>,
    uses: u64,
}

#[derive(Debug, Default)]
struct Entry {
    /// Held by whoever scans; others wait for what comes of it.
    scanning: tokio::sync::Mutex<scan::Scanning>,
    known: Mutex<Known>,
}

#[derive(Debug, Default, Clone)]
struct Known {
    view: Option<View>,
    /// Why there is none.
    reason: Option<String>,
}

/// An index, and how far it may be listed.
#[derive(Debug, Clone)]
struct View {
    index: PlaybackIndex,
    /// Durable bytes needed for segments up to each.
    reach: Arc<[u64]>,
    /// Segments that will not change.
    settled: usize,
    hint: Option<Sha256Digest>,
    /// It would be cut otherwise by now: no more of it is listed until it is sealed.
    stopped: bool,
}

impl View {
    fn listed(&self, durable_bytes: u64) -> usize {
        self.reach[..self.settled].partition_point(|needed| *needed <= durable_bytes)
    }
}

/// What of an upload can be watched now.
#[derive(Debug, Clone)]
pub struct Playing {
    /// How it is cut.
    pub index: PlaybackIndex,
    /// Segments `0..listed` can be had.
    pub listed: usize,
    /// The hint it was made by: a preview until it was compared with the original.
    pub hint: Option<Sha256Digest>,
    durable_bytes: u64,
    /// `None` once it is sealed.
    assembly: Option<AssemblyState>,
}

impl Playing {
    /// Up to this time it plays.
    pub fn until_ms(&self) -> u64 {
        self.index.end_us(self.listed) / 1_000
    }
}

/// Whether an arriving recording plays.
#[derive(Debug)]
pub enum Arrival {
    /// It does, so far.
    Plays(Box<Playing>),
    /// Not yet, and why: one of [`reason`], or a code of the media worker.
    NotYet(String),
}

/// What lists and the recording's own page say, without asking the media worker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Glance {
    /// It plays, up to so many milliseconds.
    pub playable_ms: Option<u64>,
    /// By a hint.
    pub preview: bool,
    /// The whole's duration, where it is known.
    pub duration_ms: Option<u64>,
    /// As shown.
    pub size: Option<(u32, u32)>,
    /// What is transcoded for viewing, by its name in the original: picture, sound.
    pub transcoded: (Option<String>, Option<String>),
    /// Why it doesn't play yet.
    pub reason: Option<String>,
    /// No byte came for [`STALLED_AFTER_S`].
    pub stalled: bool,
}

impl Growing {
    fn entry(&self, id: RecordingId) -> Arc<Entry> {
        let mut entries = lock(&self.entries);
        entries.uses += 1;
        let uses = entries.uses;
        let kept = entries
            .by_recording
            .entry(id)
            .or_insert_with(|| (Arc::default(), uses));
        kept.1 = uses;
        let entry = Arc::clone(&kept.0);
        while entries.by_recording.len() > MOST_KEPT {
            let oldest = entries.by_recording.iter().min_by_key(|(_, kept)| kept.1);
            let Some(oldest) = oldest.map(|(id, _)| *id) else {
                break;
            };
            entries.by_recording.remove(&oldest);
        }
        entry
    }

    fn known(&self, id: RecordingId) -> Option<Known> {
        let entries = lock(&self.entries);
        let entry = &entries.by_recording.get(&id)?.0;
        Some(lock(&entry.known).clone())
    }

    /// A hint came: what was in vain before is tried again.
    async fn look_again(&self, id: RecordingId) {
        let entry = self.entry(id);
        entry.scanning.lock().await.not_before = None;
    }

    /// Its own index is made: the preview is over.
    pub(crate) fn forget(&self, id: RecordingId) {
        lock(&self.entries).by_recording.remove(&id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Changed in single steps only.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ingest {
    /// What of a recording that is still arriving can be watched. Looks into it where that is due.
    ///
    /// # Errors
    /// The catalog's, the vault's, the media pool's: never because of what came.
    pub async fn arriving(&self, recording: &Recording) -> Result<Arrival> {
        let not_yet = |reason: &str| Ok(Arrival::NotYet(reason.to_owned()));
        let Some(upload) = self.catalog.upload(recording.id).await? else {
            return not_yet(reason::BEING_SEALED);
        };
        if upload.kind != UploadKind::Whole {
            return not_yet(reason::BEING_SEALED);
        }
        if self.playback.is_none() {
            return not_yet(reason::NO_WORKER);
        }
        let entry = self.growing.entry(recording.id);
        let known = lock(&entry.known).clone();
        if !scan::is_wanted(known.view.as_ref(), &upload) {
            return Ok(arrival(known, &upload));
        }
        let mut scanning = entry.scanning.lock().await;
        // Another request may have done it meanwhile.
        let known = lock(&entry.known).clone();
        if scan::is_wanted(known.view.as_ref(), &upload) && scanning.is_due(&upload) {
            let begun = Instant::now();
            let found = self.scan(recording, &upload, known.view).await;
            scanning.took(begun.elapsed(), &upload, &found);
            *lock(&entry.known) = found?;
        }
        let known = lock(&entry.known).clone();
        Ok(arrival(known, &upload))
    }

    /// Looks into an arriving recording in the background, where that is due and nobody does.
    pub fn look_into(self: &Arc<Self>, recording: &Recording) {
        if self.playback.is_none() || self.shutdown.is_cancelled() {
            return;
        }
        let busy = self
            .growing
            .entry(recording.id)
            .scanning
            .try_lock()
            .is_err();
        if busy {
            return;
        }
        let (ingest, recording) = (Arc::clone(self), recording.clone());
        tokio::spawn(async move {
            if let Err(error) = ingest.arriving(&recording).await {
                tracing::warn!(recording = %recording.id, %error, "looking into an upload");
            }
        });
    }

    /// A recording that is sealed and whose own index is not made yet: what could be watched goes on.
    ///
    /// # Errors
    /// The vault's.
    pub async fn just_arrived(&self, recording: &Recording) -> Result<Option<Playing>> {
        let closed = matches!(
            recording.state,
            RecordingState::Sealed | RecordingState::Incomplete
        );
        if !closed || recording.playback_state != PlaybackState::Pending {
            return Ok(None);
        }
        let known = self
            .growing
            .known(recording.id)
            .and_then(|known| known.view);
        let view = match known {
            Some(view) => Some(view),
            None => self.stored_view(recording).await?,
        };
        let durable_bytes = recording.size_bytes.unwrap_or_default();
        Ok(view.map(|view| Playing {
            listed: view.listed(durable_bytes),
            index: view.index,
            hint: view.hint,
            durable_bytes,
            assembly: None,
        }))
    }

    /// Where the segments that are listed come from.
    ///
    /// # Errors
    /// The vault's.
    pub async fn playing_source(&self, recording: &Recording, playing: &Playing) -> Result<Source> {
        let Some(state) = &playing.assembly else {
            let (key, _) = sealed_facts(recording)?;
            return self
                .source(&key, recording.size_bytes.unwrap_or_default())
                .await;
        };
        // Who cuts needs the media's bytes alone; the worker that makes a segment opens the file.
        let hint = match playing.index.is_made() && playing.hint.is_some() {
            true => self.hint_bytes(recording).await?,
            false => None,
        };
        let size_bytes = match &hint {
            Some((hint, _)) => hint.size_bytes,
            None => playing.durable_bytes,
        };
        Ok(Source::blocks(Arc::new(GrowingBlocks {
            vault: Arc::clone(&self.vault),
            state: state.clone(),
            durable_bytes: playing.durable_bytes,
            size_bytes,
            hint: hint.map(|(hint, bytes)| (hint.from_bytes, bytes)),
        })))
    }

    /// What is known of an open recording without looking into it.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn glance(&self, id: RecordingId) -> Result<Glance> {
        let Some(upload) = self.catalog.upload(id).await? else {
            return Ok(Glance {
                reason: Some(reason::BEING_SEALED.to_owned()),
                ..Glance::default()
            });
        };
        let since = upload.updated_at.plus_seconds(STALLED_AFTER_S);
        let stalled = self.clock.now() > since && !upload.is_complete();
        let known = self.growing.known(id).unwrap_or_default();
        let Some(view) = known.view else {
            return Ok(Glance {
                reason: known.reason,
                stalled,
                ..Glance::default()
            });
        };
        let listed = view.listed(upload.offset_bytes);
        let facts = view.index.facts();
        Ok(Glance {
            playable_ms: (listed > 0).then(|| view.index.end_us(listed) / 1_000),
            preview: view.hint.is_some(),
            duration_ms: match view.hint {
                Some(_) => facts.duration_ms,
                None => facts.claimed_duration_ms,
            },
            size: facts.shown_size(),
            transcoded: (
                transcoded(&view.index, StreamKind::Video),
                transcoded(&view.index, StreamKind::Audio),
            ),
            reason: (listed == 0).then(|| reason::TOO_LITTLE.to_owned()),
            stalled,
        })
    }

    /// Whether the vault can hand out what came so far.
    async fn is_readable(&self, upload: &Upload) -> Result<bool> {
        let state = AssemblyState(upload.assembly_state.clone());
        match self.vault.read_assembly(&state, 0..1).await {
            Ok(_) => Ok(true),
            Err(VaultError::NotYet | VaultError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn transcoded(index: &PlaybackIndex, kind: StreamKind) -> Option<String> {
    index.transcoded(kind).map(str::to_owned)
}

fn arrival(known: Known, upload: &Upload) -> Arrival {
    let Some(view) = known.view else {
        let reason = known
            .reason
            .unwrap_or_else(|| reason::TOO_LITTLE.to_owned());
        return Arrival::NotYet(reason);
    };
    let listed = view.listed(upload.offset_bytes);
    if listed == 0 {
        return Arrival::NotYet(reason::TOO_LITTLE.to_owned());
    }
    Arrival::Plays(Box::new(Playing {
        index: view.index,
        listed,
        hint: view.hint,
        durable_bytes: upload.offset_bytes,
        assembly: Some(AssemblyState(upload.assembly_state.clone())),
    }))
}
