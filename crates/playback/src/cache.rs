//! Playback indexes in memory, so that each of a viewer's segments doesn't read the stored one again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use docket_base::ids::RecordingId;

use crate::index::PlaybackIndex;

/// The indexes used last, bounded by bytes.
#[derive(Debug)]
pub struct IndexCache {
    most_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    indexes: HashMap<RecordingId, (PlaybackIndex, u64)>,
    bytes: usize,
    uses: u64,
}

impl IndexCache {
    /// A cache of at most so many bytes; an index takes 4 to 8 KB a minute of its recording.
    pub fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            kept: Mutex::default(),
        }
    }

    /// The index, if it is here.
    pub fn get(&self, id: RecordingId) -> Option<PlaybackIndex> {
        let mut kept = self.kept();
        kept.uses += 1;
        let uses = kept.uses;
        let (index, used) = kept.indexes.get_mut(&id)?;
        *used = uses;
        Some(index.clone())
    }

    /// Keeps an index; those not used for longest go. One that alone is too large isn't kept.
    pub fn put(&self, id: RecordingId, index: PlaybackIndex) {
        let mut kept = self.kept();
        kept.remove(id);
        let bytes = index.to_bytes().len();
        if bytes > self.most_bytes {
            return;
        }
        while kept.bytes + bytes > self.most_bytes {
            let oldest = kept
                .indexes
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            kept.remove(oldest);
        }
        kept.uses += 1;
        kept.bytes += bytes;
        let uses = kept.uses;
        kept.indexes.insert(id, (index, uses));
    }

    /// Forgets an index: its recording was deleted, or it is being made again.
    pub fn forget(&self, id: RecordingId) {
        self.kept().remove(id);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Consistent at every point where something could panic.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn remove(&mut self, id: RecordingId) {
        if let Some((index, _)) = self.indexes.remove(&id) {
            self.bytes -= index.to_bytes().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, StreamKind, Verdict};
    use crate::index::{NewSegment, Track};

    fn index() -> PlaybackIndex {
        let facts = Facts {
            container: "mp4".into(),
            size_bytes: 1,
            claimed_duration_ms: None,
            duration_ms: Some(1),
            creation_claimed_at: None,
            streams: Vec::new(),
            verdict: Verdict::playable(),
        };
        let track = Track {
            kind: StreamKind::Video,
            stream: 0,
            timescale: 1,
            codec: "avc1".into(),
            mode: crate::made::Mode::Raw,
        };
        let segment = NewSegment {
            start_us: 0,
            duration_us: 1,
            independent: true,
            runs: Vec::new(),
        };
        PlaybackIndex::build(facts, vec![track], 0, b"init", &[segment]).expect("builds")
    }

    #[test]
    fn the_one_not_used_for_longest_goes() {
        let (id, one) = (|number| RecordingId::from_bytes([number; 16]), index());
        let cache = IndexCache::new(one.to_bytes().len() * 2);
        cache.put(id(1), one.clone());
        cache.put(id(2), one.clone());
        cache.put(id(2), one.clone());
        assert!(cache.get(id(1)).is_some());
        cache.put(id(3), one.clone());
        assert_eq!(
            [1, 2, 3].map(|n| cache.get(id(n)).is_some()),
            [true, false, true]
        );
        cache.forget(id(1));
        cache.put(id(4), one);
        assert_eq!(
            [1, 3, 4].map(|n| cache.get(id(n)).is_some()),
            [false, true, true]
        );
    }
}
