//! Made segments in memory: bounded in bytes, and one that is asked for twice at once is made once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use docket_base::ids::RecordingId;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use crate::error::{Error, Result};
use crate::index::PlaybackIndex;
use crate::made::Variant;
use crate::pool::Playback;
use crate::source::Source;

/// Which segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MadeKey {
    /// Of which recording.
    pub recording: RecordingId,
    /// Which picture.
    pub variant: Variant,
    /// Its number.
    pub number: usize,
    /// Made while its recording arrived, perhaps by an index that was only sent ahead.
    pub arriving: bool,
}

type Outcome = std::result::Result<Bytes, Arc<Error>>;
type Making = Shared<BoxFuture<'static, Outcome>>;

/// The segments made last.
#[derive(Debug)]
pub struct MadeSegments {
    most_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    segments: HashMap<MadeKey, (Bytes, u64)>,
    bytes: usize,
    uses: u64,
    /// What is being made. Weak: when the last one that waits goes away, the making ends.
    making: HashMap<MadeKey, WeakShared<BoxFuture<'static, Outcome>>>,
}

impl MadeSegments {
    /// Keeps at most so many bytes.
    pub fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            kept: Mutex::default(),
        }
    }

    /// A segment, if it is here.
    pub fn get(&self, key: MadeKey) -> Option<Bytes> {
        let mut kept = self.kept();
        kept.uses += 1;
        let uses = kept.uses;
        let (bytes, used) = kept.segments.get_mut(&key)?;
        *used = uses;
        Some(bytes.clone())
    }

    /// A segment, made where it isn't here.
    ///
    /// # Errors
    /// Those of [`Playback::segment`].
    pub async fn get_or_make(
        &self,
        key: MadeKey,
        playback: &Playback,
        source: Source,
        index: &PlaybackIndex,
    ) -> std::result::Result<Bytes, Arc<Error>> {
        if let Some(bytes) = self.get(key) {
            return Ok(bytes);
        }
        let making = self.join(key, playback, source, index);
        let made = making.await?;
        self.put(key, &made);
        Ok(made)
    }

    fn join(
        &self,
        key: MadeKey,
        playback: &Playback,
        source: Source,
        index: &PlaybackIndex,
    ) -> Making {
        let mut kept = self.kept();
        kept.making.retain(|_, making| making.upgrade().is_some());
        if let Some(making) = kept.making.get(&key).and_then(WeakShared::upgrade) {
            return making;
        }
        let (playback, index) = (playback.clone(), index.clone());
        let work = async move {
            let made: Result<Bytes> = playback
                .segment(key.recording, source, &index, key.number, key.variant)
                .await;
            made.map_err(Arc::new)
        };
        let making = work.boxed().shared();
        if let Some(weak) = making.downgrade() {
            kept.making.insert(key, weak);
        }
        making
    }

    fn put(&self, key: MadeKey, bytes: &Bytes) {
        let mut kept = self.kept();
        if bytes.len() > self.most_bytes || kept.segments.contains_key(&key) {
            return;
        }
        while kept.bytes + bytes.len() > self.most_bytes {
            let oldest = kept.segments.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(key, _)| *key) else {
                break;
            };
            kept.remove(oldest);
        }
        kept.uses += 1;
        kept.bytes += bytes.len();
        let uses = kept.uses;
        kept.segments.insert(key, (bytes.clone(), uses));
    }

    /// How many bytes are kept.
    pub fn kept_bytes(&self) -> usize {
        self.kept().bytes
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Consistent at every point where something could panic.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn remove(&mut self, key: MadeKey) {
        if let Some((bytes, _)) = self.segments.remove(&key) {
            self.bytes -= bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_and_the_oldest_goes() {
        let key = |number| MadeKey {
            recording: RecordingId::from_bytes([1; 16]),
            variant: Variant::First,
            number,
            arriving: false,
        };
        let made = MadeSegments::new(10);
        let bytes = Bytes::from_static(b"12345");
        made.put(key(0), &bytes);
        made.put(key(1), &bytes);
        assert!(made.get(key(0)).is_some());
        made.put(key(2), &bytes);
        let here = [0, 1, 2].map(|number| made.get(key(number)).is_some());
        assert_eq!(here, [true, false, true]);
        made.put(key(3), &Bytes::from_static(b"more than ten"));
        assert_eq!(made.kept_bytes(), 10);
    }
}
