//! What playing keeps in memory: playback indexes, and the segments that are being cut.

use std::sync::Arc;

use bytes::Bytes;
use docket_catalog::Recording;
use docket_ingest::growing::{MOST_HINT_BYTES, Playing};
use docket_playback::cache::IndexCache;
use docket_playback::{MadeKey, MadeSegments, PlaybackIndex, Source, Variant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Kind, Problem, Result};
use crate::routes::recordings::original::stored;
use crate::state::AppState;

/// Indexes kept, by their size together.
const KEPT_BYTES: usize = 64 << 20;
/// Segments in memory at once, by their size together, in KiB.
const CUTTING_KIB: u32 = 192 << 10;
/// Hints received at once; each may take 32 MiB.
const HINTS: usize = 4;

/// Bounds on what playing keeps in memory.
#[derive(Debug)]
pub struct Cutting {
    indexes: IndexCache,
    made: MadeSegments,
    room: Arc<Semaphore>,
    hints: Arc<Semaphore>,
}

impl Cutting {
    /// Keeps at most so many bytes of segments that the worker made.
    pub fn new(made_cache_bytes: usize) -> Self {
        Self {
            indexes: IndexCache::new(KEPT_BYTES),
            made: MadeSegments::new(made_cache_bytes),
            room: Arc::new(Semaphore::new(CUTTING_KIB as usize)),
            hints: Arc::new(Semaphore::new(HINTS)),
        }
    }
}

impl AppState {
    /// How a playable recording is cut. A derivative: where it was thrown away it is made again.
    ///
    /// # Errors
    /// `not-yet-playable` when it could not be made now.
    pub(crate) async fn index_of(&self, row: &Recording) -> Result<PlaybackIndex> {
        let kept = &self.cutting().indexes;
        if let Some(index) = kept.get(row.id) {
            return Ok(index);
        }
        let index = self.ingest().index_of(row).await?;
        let index =
            index.ok_or_else(|| Problem::new(Kind::NotYetPlayable).retry_after_seconds(5))?;
        kept.put(row.id, index.clone());
        Ok(index)
    }

    /// A segment that the worker makes, or has made before.
    ///
    /// # Errors
    /// `not-playable` when the recording is at fault.
    pub(crate) async fn made_segment(
        &self,
        row: &Recording,
        index: &PlaybackIndex,
        number: usize,
        variant: Variant,
    ) -> Result<Bytes> {
        let key = MadeKey {
            recording: row.id,
            variant,
            number,
            arriving: false,
        };
        if let Some(bytes) = self.cutting().made.get(key) {
            return Ok(bytes);
        }
        let stored = stored(row)?;
        let source = self.ingest().source(&stored.key, stored.size_bytes).await?;
        self.make(key, source, index).await
    }

    /// The same of a recording that is still arriving, from what is there of it.
    ///
    /// # Errors
    /// As above.
    pub(crate) async fn arriving_segment(
        &self,
        row: &Recording,
        playing: &Playing,
        number: usize,
        variant: Variant,
    ) -> Result<Bytes> {
        let key = MadeKey {
            recording: row.id,
            variant,
            number,
            arriving: true,
        };
        if let Some(bytes) = self.cutting().made.get(key) {
            return Ok(bytes);
        }
        // The worker reads the hint, which is in memory meanwhile.
        let hint_bytes = playing.hint.map_or(0, |_| MOST_HINT_BYTES);
        let _place = self.segment_place(hint_bytes).await?;
        let source = self.ingest().playing_source(row, playing).await?;
        self.make(key, source, &playing.index).await
    }

    async fn make(&self, key: MadeKey, source: Source, index: &PlaybackIndex) -> Result<Bytes> {
        let playback = self.ingest().playback.as_ref();
        let playback = playback
            .ok_or_else(|| Problem::new(Kind::NotYetPlayable).detail("no media worker runs"))?;
        let made = &self.cutting().made;
        let making = made.get_or_make(key, playback, source, index);
        making.await.map_err(|error| Problem::from(&*error))
    }

    /// A place for a hint in memory; `None` while all are taken.
    pub(crate) fn hint_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.cutting().hints).try_acquire_owned().ok()
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
