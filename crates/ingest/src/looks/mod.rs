//! What recordings look and sound like at a glance: storyboards and waveforms, made by the media worker
//! after everything that somebody waits for.
//!
//! Of a sealed recording they are made once, by a job, and kept as derivatives. Of one that is still
//! arriving they are made as far as it plays, while somebody looks: full sheets are kept at once, the rest
//! stays in memory, so that no frame is decoded twice.

mod job;
mod making;
mod track;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use docket_base::Sha256Digest;
use docket_base::ids::{JobId, RecordingId};
use docket_catalog::{PlaybackState, Recording, RecordingState};
use docket_playback::looks::{Storyboard, waveform};
use docket_vault::DerivativeName;
use tokio::time::Instant;

pub use self::job::LOOKS;
pub use self::track::{TRACK, TRACK_FILE};
use crate::probe::{POSTER, derivative};
use crate::{Ingest, Result};

/// The storyboard, JSON.
pub const STORYBOARD: &str = "storyboard.json";
/// The waveform, JSON as it is sent.
pub const WAVEFORM: &str = "waveform.json";
/// Recordings whose unfinished looks are in memory, about 2 MB each at most.
const MOST_KEPT: usize = 32;
/// After a round about what is arriving the next waits so many times as long as that one took.
const REST: u32 = 3;
const SHORTEST_REST: Duration = Duration::from_secs(1);

/// The derivative that is a sheet of a storyboard.
///
/// # Errors
/// Never.
pub fn sheet_name(number: usize) -> Result<DerivativeName> {
    derivative(&format!("storyboard-{number}.jpg"))
}

/// Something made, and whether it stays as it is.
#[derive(Debug, Clone)]
pub struct Look<T> {
    /// What there is.
    pub what: T,
    /// Nothing will be added.
    pub whole: bool,
}

/// Looks in the making.
#[derive(Debug, Default)]
pub struct Looks {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_recording: HashMap<RecordingId, (Arc<Entry>, u64)>,
    uses: u64,
}

#[derive(Debug, Default)]
struct Entry {
    /// Held by whoever makes them.
    making: Arc<tokio::sync::Mutex<Turn>>,
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Turn {
    not_before: Option<Instant>,
    /// The recording makes its worker fail: it is left alone until it is sealed.
    stopped: bool,
    has_poster: bool,
}

/// What was made so far.
#[derive(Debug, Clone, Default)]
struct Made {
    board: Storyboard,
    /// The sheet that is not full yet, and its pictures.
    last: Option<(Bytes, Bytes)>,
    peaks: Vec<u8>,
    /// The segments heard, and the digest of what is known of their frames.
    heard: (usize, Option<Sha256Digest>),
}

impl Looks {
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

    fn known(&self, id: RecordingId) -> Option<Made> {
        let entry = Arc::clone(&lock(&self.entries).by_recording.get(&id)?.0);
        let made = lock(&entry.made).clone();
        Some(made)
    }

    fn forget(&self, id: RecordingId) {
        lock(&self.entries).by_recording.remove(&id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Changed in single steps only.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ingest {
    /// The storyboard's WebVTT so far; `None` where there is none (yet).
    ///
    /// # Errors
    /// The vault's.
    pub async fn storyboard(
        self: &Arc<Self>,
        recording: &Recording,
    ) -> Result<Option<Look<String>>> {
        let stored = self.stored_storyboard(recording).await?;
        if let Some(board) = stored.filter(|board| board.whole) {
            return Ok((!board.is_empty()).then(|| Look {
                what: board.vtt(),
                whole: true,
            }));
        }
        self.look_at(recording).await?;
        let known = self.looks.known(recording.id).map(|made| made.board);
        Ok(known.filter(|board| !board.is_empty()).map(|board| Look {
            what: board.vtt(),
            whole: false,
        }))
    }

    /// A sheet of the storyboard.
    ///
    /// # Errors
    /// The vault's.
    pub async fn storyboard_sheet(
        &self,
        recording: &Recording,
        number: usize,
    ) -> Result<Option<Look<Bytes>>> {
        let made = self.looks.known(recording.id);
        let growing = made.filter(|made| made.board.sheets.len() == number + 1);
        if let Some((jpeg, _)) = growing.and_then(|made| made.last) {
            return Ok(Some(Look {
                what: jpeg,
                whole: false,
            }));
        }
        let (id, at) = (recording.id, recording.created_at);
        let jpeg = self
            .vault
            .get_derivative(id, at, &sheet_name(number)?)
            .await?;
        Ok(jpeg.map(|jpeg| Look {
            what: jpeg.into(),
            whole: true,
        }))
    }

    /// The waveform's JSON so far; `None` where there is none (yet).
    ///
    /// # Errors
    /// The vault's.
    pub async fn waveform(self: &Arc<Self>, recording: &Recording) -> Result<Option<Look<Bytes>>> {
        let (id, at) = (recording.id, recording.created_at);
        let stored = self
            .vault
            .get_derivative(id, at, &derivative(WAVEFORM)?)
            .await?;
        if let Some(json) = stored {
            // Empty: the worker found none to make.
            return Ok((!json.is_empty()).then(|| Look {
                what: json.into(),
                whole: true,
            }));
        }
        self.look_at(recording).await?;
        let known = self.looks.known(id).map(|made| made.peaks);
        Ok(known.filter(|peaks| !peaks.is_empty()).map(|peaks| Look {
            what: waveform::json(&peaks).into(),
            whole: false,
        }))
    }

    /// A picture of what is still arriving, of its beginning; `None` where there is none yet.
    ///
    /// # Errors
    /// The vault's.
    pub async fn early_poster(self: &Arc<Self>, recording: &Recording) -> Result<Option<Vec<u8>>> {
        let (id, at) = (recording.id, recording.created_at);
        let poster = self
            .vault
            .get_derivative(id, at, &derivative(POSTER)?)
            .await?;
        if poster.is_none() {
            self.look_at(recording).await?;
        }
        Ok(poster)
    }

    async fn stored_storyboard(&self, recording: &Recording) -> Result<Option<Storyboard>> {
        let name = derivative(STORYBOARD)?;
        let (id, at) = (recording.id, recording.created_at);
        let stored = self.vault.get_derivative(id, at, &name).await?;
        // Damaged, or of another version of this program: made again.
        Ok(stored.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    /// Has made what is missing, in the background: nobody waits for it.
    async fn look_at(self: &Arc<Self>, recording: &Recording) -> Result<()> {
        if self.playback.is_none() || self.shutdown.is_cancelled() {
            return Ok(());
        }
        match (recording.state, recording.playback_state) {
            (RecordingState::Sealed | RecordingState::Incomplete, PlaybackState::Ready) => {
                // Sealed by an older version, or thrown away: a derivative may be at any time.
                self.want_looks(recording.id).await
            }
            (_, PlaybackState::Pending) => {
                self.look_at_growing(recording);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Asks for the job; one that waits or is being done is left as it is.
    pub(crate) async fn want_looks(&self, id: RecordingId) -> Result<()> {
        let job = JobId::fresh(&*self.clock, &*self.random);
        self.catalog
            .enqueue(job, LOOKS, id, self.clock.now())
            .await?;
        self.looks_wanted.notify_one();
        Ok(())
    }

    fn look_at_growing(self: &Arc<Self>, recording: &Recording) {
        let entry = self.looks.entry(recording.id);
        let Ok(mut turn) = Arc::clone(&entry.making).try_lock_owned() else {
            return;
        };
        if turn.stopped || turn.not_before.is_some_and(|at| Instant::now() < at) {
            return;
        }
        let (ingest, recording) = (Arc::clone(self), recording.clone());
        tokio::spawn(async move {
            let begun = Instant::now();
            let done = ingest.grow(&recording, &entry, &mut turn.has_poster).await;
            turn.not_before = Some(Instant::now() + (begun.elapsed() * REST).max(SHORTEST_REST));
            if let Err(error) = done {
                turn.stopped = error.is_of_the_recording();
                tracing::info!(recording = %recording.id, %error, "looking at an upload");
            }
        });
    }
}
