//! Receiving: bytes go to the vault's writer lane and to the hash lane at once, and every few MiB
//! a mark makes them durable and moves the offset that clients are told.
//!
//! Three bounds hold whatever the file's size. Bytes in memory, over all uploads: [`Memory`]. Bytes
//! received but not yet durable, per upload: [`UNDURABLE_BYTES`]. Time a received byte waits for its
//! mark: [`MARK_AFTER`]. At each bound the pump stops reading, so TCP slows the sender down. Also
//! while it waits at a bound its marks are set in time: what it holds of the common memory becomes
//! free by them, so uploads never wait for each other in a circle.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use docket_base::digest::RunningDigest;
use docket_vault::{Assembly, AssemblyState, Durable, VaultError};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use super::hashing::{HashLane, HashLost, PendingState};
use super::locks::UploadLock;

/// Bytes one upload may have received that are not durable yet.
pub const UNDURABLE_BYTES: u64 = 16 << 20;

/// A received byte waits this long at most until its mark is set; the flush comes on top, and both
/// together stay under the promised second unless the disk itself is slower.
pub const MARK_AFTER: Duration = Duration::from_millis(400);

/// A larger frame is taken in pieces of this size, so that every bound below can count on it.
const CHUNK_BYTES: usize = 1 << 20;

/// Marks under way; the next waits for the first.
const MARKS: usize = 8;

/// The budget of received bytes that are neither written nor hashed yet, shared by all uploads.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Semaphore>);

impl Memory {
    /// A budget of `bytes`, at least 1 MiB.
    pub fn new(bytes: u32) -> Self {
        Self(Arc::new(Semaphore::new(bytes.max(1 << 20) as usize)))
    }

    /// Waits until the chunk fits, and binds its share to the chunk: it returns when the last clone
    /// of the chunk is gone, whoever drops it.
    async fn admit(&self, chunk: Bytes) -> Bytes {
        struct Admitted {
            chunk: Bytes,
            _share: Option<OwnedSemaphorePermit>,
        }
        impl AsRef<[u8]> for Admitted {
            fn as_ref(&self) -> &[u8] {
                &self.chunk
            }
        }
        let share = u32::try_from(chunk.len()).unwrap_or(CHUNK_BYTES as u32);
        // Never closed, so the only outcome is a permit.
        let share = Arc::clone(&self.0).acquire_many_owned(share).await.ok();
        Bytes::from_owner(Admitted {
            chunk,
            _share: share,
        })
    }
}

/// Why receiving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The body is over.
    Body,
    /// The declared length is reached.
    Length,
    /// The client's connection broke; what arrived counts.
    Lost,
    /// A newer request wants this upload.
    HandedOver,
    /// More bytes came than the declared length allows; none of the excess was taken.
    TooLong,
    /// Too little room is left.
    Full,
    /// The daemon stops.
    Shutdown,
}

/// What broke while receiving.
#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The digest was lost.
    #[error(transparent)]
    Hash(#[from] HashLost),
    /// The offset could not be stored.
    #[error(transparent)]
    Commit(#[from] docket_catalog::Error),
    /// The task that commits marks died.
    #[error("the committing task ended unexpectedly")]
    Committer,
}

/// A durable point of an upload: everything before `offset_bytes` survives a power cut.
#[derive(Debug, Clone)]
pub struct Point {
    /// Bytes from the start.
    pub offset_bytes: u64,
    /// The digest of these bytes, ready to go on.
    pub digest: RunningDigest,
    /// What the vault needs to take the assembly up from here.
    pub state: AssemblyState,
}

/// Stores durable points. One call at a time, in order.
pub trait Commit: Send + 'static {
    /// Stores `point` and moves the told offset to it, in one transaction.
    fn commit(
        &mut self,
        point: &Point,
    ) -> impl Future<Output = Result<(), docket_catalog::Error>> + Send;
}

struct Mark {
    offset_bytes: u64,
    flush: BoxFuture<'static, Result<Durable, VaultError>>,
    digest: PendingState,
}

/// One request's reception.
pub struct Pump {
    /// Takes the bytes.
    pub assembly: Box<dyn Assembly>,
    /// Hashes them.
    pub hashes: HashLane,
    /// A second digest over this request's bytes only (tus checksum), where asked for.
    pub extra: Option<super::checksum::ExtraHash>,
    /// Shared budget.
    pub memory: Memory,
    /// The vault's preferred distance of marks.
    pub flush_every_bytes: u64,
    /// Declared length of the whole upload, where known.
    pub length_bytes: Option<u64>,
    /// Bytes that may still be stored before the disk reserve is touched, asked anew at each mark.
    pub room: Arc<dyn crate::reserve::Room>,
    /// Set when the daemon stops.
    pub shutdown: tokio_util::sync::CancellationToken,
}

impl Pump {
    /// Receives until something ends it, then flushes and commits what arrived.
    ///
    /// # Errors
    /// What the vault, the hash lane or the catalog says; bytes committed before stay.
    pub async fn run<S, E, C>(
        mut self,
        start: Point,
        lock: &mut UploadLock,
        body: S,
        commit: C,
    ) -> Result<(Ended, Point, Self), PumpError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        C: Commit,
    {
        let budget = Arc::new(Semaphore::new(UNDURABLE_BYTES as usize));
        let (marks, receive) = mpsc::channel(MARKS);
        let committing = commit_marks(start.clone(), receive, Arc::clone(&budget), commit);
        // When the request is dropped, marks under way are still committed. Until that is over nobody
        // else may have the upload: a successor would start at the offset before them and cut off
        // bytes that are told a moment later.
        let kept = lock.keep();
        let committer = tokio::spawn(async move {
            let _kept = kept;
            committing.await
        });
        let ended = self
            .receive(start.offset_bytes, lock, body, &budget, &marks)
            .await;
        drop(marks);
        // The committer's own failure is the cause where there is one: `receive` only saw its channel close.
        let point = committer.await.map_err(|_| PumpError::Committer)??;
        Ok((ended?, point, self))
    }

    async fn receive<S, E>(
        &mut self,
        start_bytes: u64,
        lock: &mut UploadLock,
        mut body: S,
        budget: &Arc<Semaphore>,
        marks: &mpsc::Sender<Mark>,
    ) -> Result<Ended, PumpError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    {
        let every = self.flush_every_bytes.clamp(1, UNDURABLE_BYTES / 2);
        let mut reach = Reach {
            offset_bytes: start_bytes,
            marked_bytes: start_bytes,
            deadline: None,
        };
        let mut rest = Bytes::new();
        let ended = loop {
            if self.length_bytes == Some(reach.offset_bytes) && rest.is_empty() {
                break Ended::Length;
            }
            let next = tokio::select! {
                biased;
                () = lock.wanted() => break Ended::HandedOver,
                () = self.shutdown.cancelled() => break Ended::Shutdown,
                () = sleep_until(reach.deadline) => None,
                frame = next_frame(&mut body, !rest.is_empty()) => Some(frame),
            };
            match next {
                None => {}
                Some(None) => break Ended::Body,
                Some(Some(Err(_))) => break Ended::Lost,
                Some(Some(Ok(frame))) => {
                    if rest.is_empty() {
                        rest = frame;
                    }
                    if self.length_bytes.is_some_and(|length| {
                        reach.offset_bytes.saturating_add(rest.len() as u64) > length
                    }) {
                        break Ended::TooLong;
                    }
                    let chunk = rest.split_to(rest.len().min(reach.until_mark(every)));
                    let Some(chunk) = self.admit(chunk, &mut reach, lock, budget, marks).await?
                    else {
                        // Not taken, so it is sent again: to whoever takes over, or after the restart.
                        continue;
                    };
                    reach.offset_bytes += chunk.len() as u64;
                    self.take(chunk).await?;
                    reach
                        .deadline
                        .get_or_insert_with(|| Instant::now() + MARK_AFTER);
                    if !reach.offset_bytes.is_multiple_of(every) {
                        continue;
                    }
                    if !self.room.has_room() {
                        break Ended::Full;
                    }
                }
            }
            self.mark(&mut reach, marks).await?;
        };
        if reach.unmarked_bytes() > 0 {
            self.mark(&mut reach, marks).await?;
        }
        Ok(ended)
    }

    /// Waits until a chunk fits into both bounds, and sets the mark that is due meanwhile. `None` when
    /// somebody else wants the upload or the daemon stops: a store that hangs must not hold them up.
    async fn admit(
        &mut self,
        chunk: Bytes,
        reach: &mut Reach,
        lock: &mut UploadLock,
        budget: &Semaphore,
        marks: &mpsc::Sender<Mark>,
    ) -> Result<Option<Bytes>, PumpError> {
        let memory = self.memory.clone();
        let mut admitted = std::pin::pin!(admit(chunk, budget, &memory));
        loop {
            tokio::select! {
                biased;
                chunk = &mut admitted => return chunk.map(Some),
                () = lock.wanted() => return Ok(None),
                () = self.shutdown.cancelled() => return Ok(None),
                () = sleep_until(reach.deadline) => self.mark(reach, marks).await?,
            }
        }
    }

    async fn take(&mut self, bytes: Bytes) -> Result<(), PumpError> {
        self.hashes.feed(&bytes);
        if let Some(extra) = &self.extra {
            extra.feed(&bytes);
        }
        Ok(self.assembly.append(bytes).await?)
    }

    async fn mark(
        &mut self,
        reach: &mut Reach,
        marks: &mpsc::Sender<Mark>,
    ) -> Result<(), PumpError> {
        let mark = Mark {
            offset_bytes: reach.offset_bytes,
            flush: self.assembly.flush(),
            digest: self.hashes.state(),
        };
        (reach.marked_bytes, reach.deadline) = (reach.offset_bytes, None);
        marks.send(mark).await.map_err(|_| PumpError::Committer)
    }
}

/// How far one request's reception is.
struct Reach {
    offset_bytes: u64,
    marked_bytes: u64,
    /// When the oldest byte without a mark must get one.
    deadline: Option<Instant>,
}

impl Reach {
    fn unmarked_bytes(&self) -> u64 {
        self.offset_bytes - self.marked_bytes
    }

    /// A chunk's largest size: marks set by distance lie at multiples of it, so that the vault writes whole
    /// blocks.
    fn until_mark(&self, every: u64) -> usize {
        let left = every - self.offset_bytes % every;
        usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES))
    }
}

/// Waits until a chunk fits into both bounds. Cancelled, it has taken nothing from either.
async fn admit(chunk: Bytes, budget: &Semaphore, memory: &Memory) -> Result<Bytes, PumpError> {
    let length = u32::try_from(chunk.len()).unwrap_or(CHUNK_BYTES as u32);
    // Closed only when the committer died, whose error is then the one reported.
    let share = budget
        .acquire_many(length)
        .await
        .map_err(|_| PumpError::Committer)?;
    let chunk = memory.admit(chunk).await;
    // Given back by the mark that makes the chunk durable.
    share.forget();
    Ok(chunk)
}

/// The next non-empty frame, or an empty one at once when an earlier frame is not used up.
async fn next_frame<S, E>(body: &mut S, more_at_hand: bool) -> Option<Result<Bytes, E>>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
{
    if more_at_hand {
        return Some(Ok(Bytes::new()));
    }
    loop {
        match body.next().await {
            Some(Ok(bytes)) if bytes.is_empty() => {}
            other => return other,
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Commits marks in order: first the bytes are durable, then the offset is stored, then it may be
/// told. A crash between the first two leaves bytes past the stored offset, which the next resume
/// discards: nobody was told of them.
///
/// Marks come closer together than a busy disk can flush; those that one flush made durable share one
/// commit, so their distance bounds the delay and not the rate.
async fn commit_marks<C: Commit>(
    start: Point,
    mut marks: mpsc::Receiver<Mark>,
    budget: Arc<Semaphore>,
    mut commit: C,
) -> Result<Point, PumpError> {
    /// However the task ends, a pump waiting for budget must wake.
    struct CloseBudget(Arc<Semaphore>);
    impl Drop for CloseBudget {
        fn drop(&mut self) {
            self.0.close();
        }
    }
    let budget = CloseBudget(budget);
    let mut last = start;
    let mut ahead = None;
    loop {
        let next = match ahead.take() {
            Some(mark) => Some(mark),
            None => marks.recv().await,
        };
        let Some(mut mark) = next else {
            return Ok(last);
        };
        let mut durable = (&mut mark.flush).await?;
        let mut failed = None;
        while let Ok(mut next) = marks.try_recv() {
            match (&mut next.flush).now_or_never() {
                Some(Ok(further)) => (mark, durable) = (next, further),
                Some(Err(error)) => {
                    failed = Some(error);
                    break;
                }
                None => {
                    ahead = Some(next);
                    break;
                }
            }
        }
        let digest = mark.digest.ready().await?;
        let released = mark.offset_bytes - last.offset_bytes;
        let point = Point {
            offset_bytes: mark.offset_bytes,
            digest,
            state: durable.state,
        };
        commit.commit(&point).await?;
        last = point;
        budget.0.add_permits(usize::try_from(released).unwrap_or(0));
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
}
