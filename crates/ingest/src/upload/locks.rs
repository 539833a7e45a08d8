//! One handler per upload, handed over rather than waited for.
//!
//! A client that lost its connection comes back on a new one while the old handler still waits for
//! bytes that never come. So a newcomer asks the present holder to stop; the holder saves what
//! arrived and yields. The locks live in memory and die with the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use docket_base::ids::RecordingId;
use tokio::sync::{OwnedMutexGuard, watch};

/// How long a newcomer waits for the holder to save and yield. The holder needs one flush and one
/// commit; a store that takes longer than this is in trouble, and the client tries again.
const HAND_OVER: Duration = Duration::from_secs(15);

/// The holder did not yield in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another request still holds this upload")]
pub struct StillHeld;

#[derive(Debug, Default)]
struct Slot {
    mutex: Arc<tokio::sync::Mutex<()>>,
    /// The latest ticket drawn; a holder stops when it sees one later than its own.
    wanted: watch::Sender<u64>,
}

/// All locks of one daemon.
#[derive(Debug, Default, Clone)]
pub struct UploadLocks {
    slots: Arc<Mutex<HashMap<RecordingId, Arc<Slot>>>>,
}

/// The right to change one upload; dropped, it passes to the next in line.
#[derive(Debug)]
pub struct UploadLock {
    held: Arc<Held>,
    ticket: u64,
    wanted: watch::Receiver<u64>,
}

/// Keeps an upload from the next in line, for work that goes on after its request was dropped.
#[derive(Debug)]
pub struct Held {
    locks: UploadLocks,
    id: RecordingId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl UploadLocks {
    /// Takes the lock, asking a present holder to stop.
    ///
    /// # Errors
    /// [`StillHeld`] when the holder does not yield within 15 s.
    pub async fn take(&self, id: RecordingId) -> Result<UploadLock, StillHeld> {
        let slot = self.slot(id);
        let mut ticket = 0;
        slot.wanted.send_modify(|count| {
            *count += 1;
            ticket = *count;
        });
        let guard = tokio::time::timeout(HAND_OVER, Arc::clone(&slot.mutex).lock_owned()).await;
        match guard {
            Ok(guard) => {
                let wanted = slot.wanted.subscribe();
                let held = Held {
                    locks: self.clone(),
                    id,
                    guard: Some(guard),
                };
                Ok(UploadLock {
                    held: Arc::new(held),
                    ticket,
                    wanted,
                })
            }
            Err(_) => Err(StillHeld),
        }
    }

    fn slot(&self, id: RecordingId) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(id).or_default())
    }
}

impl UploadLock {
    /// Returns when somebody who came later wants this upload: the newest connection wins.
    pub async fn wanted(&mut self) {
        let ticket = self.ticket;
        if self
            .wanted
            .wait_for(|latest| *latest > ticket)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }

    /// The upload this lock is for.
    pub fn id(&self) -> RecordingId {
        self.held.id
    }

    /// Until this is dropped too, nobody else gets the upload.
    pub fn keep(&self) -> Arc<Held> {
        Arc::clone(&self.held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.guard = None;
        let mut slots = self
            .locks
            .slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // One reference is the map's: nobody holds or waits, so the slot may go.
        if slots
            .get(&self.id)
            .is_some_and(|slot| Arc::strong_count(slot) == 1 && slot.mutex.try_lock().is_ok())
        {
            slots.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> RecordingId {
        RecordingId::from_bytes([n; 16])
    }

    #[tokio::test]
    async fn a_newcomer_makes_the_holder_stop() {
        let locks = UploadLocks::default();
        let mut first = locks.take(id(1)).await.expect("free");
        let holder = tokio::spawn(async move {
            first.wanted().await;
            drop(first);
        });
        let second = locks.take(id(1)).await.expect("handed over");
        holder.await.expect("holder stopped");
        drop(second);
        assert!(
            locks.slots.lock().expect("slots").is_empty(),
            "no slot is left behind"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_outlives_its_request_keeps_the_upload() {
        let locks = UploadLocks::default();
        let first = locks.take(id(1)).await.expect("free");
        let kept = first.keep();
        drop(first);
        assert_eq!(locks.take(id(1)).await.err(), Some(StillHeld));
        drop(kept);
        drop(locks.take(id(1)).await.expect("free again"));
        assert!(locks.slots.lock().expect("slots").is_empty());
    }

    #[tokio::test]
    async fn uploads_do_not_disturb_each_other() {
        let locks = UploadLocks::default();
        let _first = locks.take(id(1)).await.expect("free");
        let _second = locks.take(id(2)).await.expect("free too");
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_that_never_yields_is_reported() {
        let locks = UploadLocks::default();
        let _first = locks.take(id(1)).await.expect("free");
        assert_eq!(locks.take(id(1)).await.err(), Some(StillHeld));
    }

    #[tokio::test]
    async fn three_in_line_all_get_their_turn() {
        let locks = UploadLocks::default();
        let mut tasks = Vec::new();
        for _ in 0..3 {
            let locks = locks.clone();
            tasks.push(tokio::spawn(async move {
                let mut lock = locks.take(id(1)).await.expect("in turn");
                tokio::task::yield_now().await;
                tokio::select! { () = lock.wanted() => {}, () = tokio::task::yield_now() => {} }
            }));
        }
        for task in tasks {
            task.await.expect("ran");
        }
    }
}
