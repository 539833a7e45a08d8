//! Playback indexes in memory, and how many segments are cut at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use docket_base::ids::RecordingId;
use docket_catalog::Recording;
use docket_ingest::probe::{INDEX, derivative};
use docket_playback::PlaybackIndex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Kind, Problem, Result};
use crate::state::AppState;

/// Indexes kept, by their size together.
const KEPT_BYTES: usize = 64 << 20;
/// Segments in memory at once, by their size together, in KiB.
const CUTTING_KIB: u32 = 192 << 10;

/// What playing keeps in memory.
#[derive(Debug)]
pub struct Cutting {
    kept: Mutex<Kept>,
    room: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Kept {
    indexes: HashMap<RecordingId, (u64, PlaybackIndex)>,
    bytes: usize,
    /// Grows with every use: the least is the oldest.
    turn: u64,
}

impl Default for Cutting {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            room: Arc::new(Semaphore::new(CUTTING_KIB as usize)),
        }
    }
}

impl Kept {
    fn get(&mut self, id: RecordingId) -> Option<PlaybackIndex> {
        self.turn += 1;
        let (used, index) = self.indexes.get_mut(&id)?;
        *used = self.turn;
        Some(index.clone())
    }

    fn put(&mut self, id: RecordingId, index: &PlaybackIndex) {
        let bytes = index.to_bytes().len();
        if bytes > KEPT_BYTES {
            return;
        }
        self.turn += 1;
        self.bytes += bytes;
        if let Some((_, before)) = self.indexes.insert(id, (self.turn, index.clone())) {
            self.bytes -= before.to_bytes().len();
        }
        while self.bytes > KEPT_BYTES {
            let oldest = self.indexes.iter().min_by_key(|(_, (used, _))| *used);
            let Some(id) = oldest.map(|(id, _)| *id) else {
                return;
            };
            if let Some((_, gone)) = self.indexes.remove(&id) {
                self.bytes -= gone.to_bytes().len();
            }
        }
    }
}

impl AppState {
    /// How a playable recording is cut. A derivative: where it was thrown away it is made again.
    ///
    /// # Errors
    /// `not-yet-playable` when it could not be made now.
    pub(crate) async fn index_of(&self, row: &Recording) -> Result<PlaybackIndex> {
        let lock = || {
            self.cutting()
                .kept
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(index) = lock().get(row.id) {
            return Ok(index);
        }
        let index = match self.stored_index(row).await? {
            Some(index) => index,
            None => {
                self.ingest().probe(row).await?;
                let made = self.stored_index(row).await?;
                made.ok_or_else(|| Problem::new(Kind::NotYetPlayable).retry_after_seconds(5))?
            }
        };
        lock().put(row.id, &index);
        Ok(index)
    }

    async fn stored_index(&self, row: &Recording) -> Result<Option<PlaybackIndex>> {
        let name = derivative(INDEX)?;
        let bytes = self
            .vault()
            .get_derivative(row.id, row.created_at, &name)
            .await?;
        let index = bytes.map(|bytes| PlaybackIndex::from_bytes(Bytes::from(bytes)));
        // Damaged, or of an older version of this program: made again.
        Ok(index.and_then(|index| {
            index
                .inspect_err(|error| tracing::warn!(recording = %row.id, %error, "playback index"))
                .ok()
        }))
    }

    /// Waits until a segment of this size may be in memory.
    pub(crate) async fn segment_place(&self, size_bytes: u64) -> Result<OwnedSemaphorePermit> {
        let kib = u32::try_from(size_bytes / 1024 + 1).unwrap_or(CUTTING_KIB);
        Arc::clone(&self.cutting().room)
            .acquire_many_owned(kib.min(CUTTING_KIB))
            .await
            .map_err(Problem::internal)
    }
}
