//! The digest a PATCH announced for itself (tus checksum extension), on a lane of its own.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use docket_base::lane::{Lane, Pool};
use docket_tus::{Checksum, RunningChecksum};
use tokio::sync::oneshot;

use super::hashing::HashLost;

/// Hashes one request's bytes.
pub struct ExtraHash {
    lane: Lane,
    state: Arc<Mutex<Option<RunningChecksum>>>,
}

impl ExtraHash {
    /// For a request that announced `expected`.
    pub fn new(pool: &Pool, expected: &Checksum) -> Self {
        Self {
            lane: pool.lane(),
            state: Arc::new(Mutex::new(Some(expected.begin()))),
        }
    }

    pub(super) fn feed(&self, bytes: &Bytes) {
        let (state, bytes) = (Arc::clone(&self.state), bytes.clone());
        self.lane.submit(move || {
            if let Some(running) = &mut *state.lock().unwrap_or_else(PoisonError::into_inner) {
                running.update(&bytes);
            }
        });
    }

    /// Whether everything fed has the announced digest.
    ///
    /// # Errors
    /// [`HashLost`] when a hash job died.
    pub async fn matches(self) -> Result<bool, HashLost> {
        let (send, receive) = oneshot::channel();
        let state = Arc::clone(&self.state);
        self.lane.submit(move || {
            let running = state.lock().unwrap_or_else(PoisonError::into_inner).take();
            let _ = send.send(running.is_some_and(|running| running.finish().is_ok()));
        });
        receive.await.map_err(|_| HashLost)
    }
}
