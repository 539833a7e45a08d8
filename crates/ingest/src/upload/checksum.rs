//! The digest a PATCH announced for itself (tus checksum extension).

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use docket_base::lane::{Lane, Pool};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::hashing::HashLost;

/// What the bytes of one request must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedChecksum {
    /// SHA-1, 20 bytes. Good against accidents only, which is what tus asks of it.
    Sha1([u8; 20]),
    /// SHA-256, 32 bytes.
    Sha256([u8; 32]),
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

/// Hashes one request's bytes on a lane of its own.
pub struct ExtraHash {
    lane: Lane,
    state: Arc<Mutex<Hasher>>,
    expected: ExpectedChecksum,
}

impl ExtraHash {
    /// For a request that announced `expected`.
    pub fn new(pool: &Pool, expected: ExpectedChecksum) -> Self {
        let hasher = match expected {
            ExpectedChecksum::Sha1(_) => Hasher::Sha1(Sha1::new()),
            ExpectedChecksum::Sha256(_) => Hasher::Sha256(Sha256::new()),
        };
        Self {
            lane: pool.lane(),
            state: Arc::new(Mutex::new(hasher)),
            expected,
        }
    }

    pub(super) fn feed(&self, bytes: &Bytes) {
        let (state, bytes) = (Arc::clone(&self.state), bytes.clone());
        self.lane.submit(move || {
            match &mut *state.lock().unwrap_or_else(PoisonError::into_inner) {
                Hasher::Sha1(hasher) => hasher.update(&bytes),
                Hasher::Sha256(hasher) => hasher.update(&bytes),
            }
        });
    }

    /// Whether everything fed has the announced digest.
    ///
    /// # Errors
    /// [`HashLost`] when a hash job died.
    pub async fn matches(&self) -> Result<bool, HashLost> {
        let (send, receive) = oneshot::channel();
        let (state, expected) = (Arc::clone(&self.state), self.expected.clone());
        self.lane.submit(move || {
            let same = match (
                &*state.lock().unwrap_or_else(PoisonError::into_inner),
                expected,
            ) {
                (Hasher::Sha1(hasher), ExpectedChecksum::Sha1(expected)) => {
                    hasher.clone().finalize()[..] == expected
                }
                (Hasher::Sha256(hasher), ExpectedChecksum::Sha256(expected)) => {
                    hasher.clone().finalize()[..] == expected
                }
                _ => false,
            };
            let _ = send.send(same);
        });
        receive.await.map_err(|_| HashLost)
    }
}
