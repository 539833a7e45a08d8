//! The hash lane of one upload: chunks are hashed in order on the bounded pool while the vault's
//! writer lane stores the same chunks. SM3 runs on a lane of its own, at a third of SHA-256's speed.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use docket_base::digest::RunningDigest;
use docket_base::lane::{Lane, Pool};
use sha2::Sha256;
use sha2::digest::Update;
use sm3::Sm3;
use tokio::sync::oneshot;

struct Half<H> {
    lane: Lane,
    state: Arc<Mutex<H>>,
}

impl<H: Update + Clone + Send + 'static> Half<H> {
    fn new(pool: &Pool, hasher: H) -> Self {
        Self {
            lane: pool.lane(),
            state: Arc::new(Mutex::new(hasher)),
        }
    }

    fn feed(&self, bytes: Bytes) {
        let state = Arc::clone(&self.state);
        self.lane.submit(move || {
            state
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .update(&bytes)
        });
    }

    fn snapshot(&self) -> oneshot::Receiver<H> {
        let (send, receive) = oneshot::channel();
        let state = Arc::clone(&self.state);
        self.lane.submit(move || {
            // The receiver is gone when the request was dropped; then nobody wants the state.
            let _ = send.send(state.lock().unwrap_or_else(PoisonError::into_inner).clone());
        });
        receive
    }
}

/// Hashes what one request receives.
pub struct HashLane {
    sha256: Half<Sha256>,
    sm3: Option<Half<Sm3>>,
}

/// The digest as it stood at one offset, still to be computed.
pub struct PendingState {
    sha256: oneshot::Receiver<Sha256>,
    sm3: Option<oneshot::Receiver<Sm3>>,
}

/// A hash job died (it panicked), so the running digest is lost; the upload resumes from the last
/// stored midstate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the digest of this upload was lost; resume from the last offset")]
pub struct HashLost;

impl HashLane {
    /// Continues `digest` on `pool`.
    pub fn new(pool: &Pool, digest: RunningDigest) -> Self {
        let (sha256, sm3) = digest.split();
        Self {
            sha256: Half::new(pool, sha256),
            sm3: sm3.map(|sm3| Half::new(pool, sm3)),
        }
    }

    /// Queues the next bytes.
    pub fn feed(&self, bytes: &Bytes) {
        self.sha256.feed(bytes.clone());
        if let Some(sm3) = &self.sm3 {
            sm3.feed(bytes.clone());
        }
    }

    /// Asks for the state after everything fed so far.
    pub fn state(&self) -> PendingState {
        PendingState {
            sha256: self.sha256.snapshot(),
            sm3: self.sm3.as_ref().map(Half::snapshot),
        }
    }
}

impl PendingState {
    /// Waits for the lanes to reach the point asked for.
    ///
    /// # Errors
    /// [`HashLost`] when a hash job died.
    pub async fn ready(self) -> Result<RunningDigest, HashLost> {
        let sha256 = self.sha256.await.map_err(|_| HashLost)?;
        let sm3 = match self.sm3 {
            None => None,
            Some(sm3) => Some(sm3.await.map_err(|_| HashLost)?),
        };
        Ok(RunningDigest::join(sha256, sm3))
    }
}
