//! Appending to an upload in the store: whole pieces go out as parts while the next one fills; a flush
//! in between puts what has filled so far as an object of its own.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use docket_base::Random;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::body::Chunks;
use super::open::{OpenUpload, Turn};
use super::parts::{new_piece_key, upload_gathered_part, upload_part};
use super::plan::PartPlan;
use super::state::{Piece, S3State};
use super::store::{Bucket, Condition, Store};
use crate::contract::{Assembly, Durable};
use crate::error::{Result, VaultError};

/// Pieces of one upload in memory: one that fills, one that is on its way.
const PIECES_IN_MEMORY: usize = 2;

/// The side of an upload that receives bytes.
pub(super) struct S3Assembly {
    plan: PartPlan,
    work: mpsc::UnboundedSender<Work>,
    failed: Failure,
    upload: Arc<OpenUpload>,
    generation: u64,
    room: Arc<Semaphore>,
    filling: Chunks,
    permit: Option<OwnedSemaphorePermit>,
    appended_bytes: u64,
}

/// The first failure answers everybody from then on.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<VaultError>>>);

impl Failure {
    fn check(&self) -> Result<()> {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone().map_or(Ok(()), Err)
    }

    fn set(&self, error: VaultError) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert(error);
    }
}

/// Done one after another, so that parts complete in order.
enum Work {
    Piece(Chunks, Option<OwnedSemaphorePermit>),
    Flush(Chunks, oneshot::Sender<Result<Durable>>),
    Settled(u64),
}

impl S3Assembly {
    pub(super) fn new(
        store: Store,
        turn: Turn,
        state: S3State,
        tail: Chunks,
        plan: PartPlan,
        random: Arc<dyn Random>,
    ) -> Self {
        let (work, queue) = mpsc::unbounded_channel();
        let (upload, generation) = (Arc::clone(&turn.upload), turn.generation);
        let appended_bytes = state.durable_bytes() + tail.length_bytes();
        let failed = Failure::default();
        let uploader = Uploader {
            store,
            upload: Arc::clone(&upload),
            generation,
            state,
            plan: plan.clone(),
            random,
            failed: failed.clone(),
            tail: None,
            superseded: Vec::new(),
        };
        tokio::spawn(uploader.run(queue));
        let room = Arc::new(Semaphore::new(PIECES_IN_MEMORY));
        let permit = Arc::clone(&room).try_acquire_owned().ok();
        Self {
            plan,
            work,
            failed,
            upload,
            generation,
            room,
            // An empty one keeps its permit for the bytes to come.
            filling: tail,
            permit,
            appended_bytes,
        }
    }

    fn check(&self) -> Result<()> {
        if !self.upload.is_current(self.generation) {
            return Err(taken_over());
        }
        self.failed.check()
    }

    fn submit(&self, work: Work) {
        // The uploader ends only when this sender is gone.
        let _ = self.work.send(work);
    }
}

fn taken_over() -> VaultError {
    VaultError::Conflict("another handler took the upload over".to_owned())
}

fn lost_uploader() -> VaultError {
    VaultError::Unavailable("the uploader broke off".to_owned())
}

#[async_trait]
impl Assembly for S3Assembly {
    fn appended_bytes(&self) -> u64 {
        self.appended_bytes
    }

    async fn append(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            self.check()?;
            let Some(end) = self.plan.piece_end(self.appended_bytes) else {
                return Err(VaultError::Full(
                    "the store takes no larger object".to_owned(),
                ));
            };
            if self.permit.is_none() {
                let room = Arc::clone(&self.room).acquire_owned().await;
                self.permit = Some(room.map_err(|_| lost_uploader())?);
            }
            let room = usize::try_from(end - self.appended_bytes).unwrap_or(usize::MAX);
            let taken = bytes.split_to(room.min(bytes.len()));
            self.appended_bytes += taken.len() as u64;
            self.filling.push(taken);
            if self.appended_bytes == end {
                let piece = mem::take(&mut self.filling);
                let permit = self.permit.take();
                self.submit(Work::Piece(piece, permit));
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> BoxFuture<'static, Result<Durable>> {
        let (answer, wait) = oneshot::channel();
        self.submit(Work::Flush(self.filling.clone(), answer));
        Box::pin(async move { wait.await.unwrap_or_else(|_| Err(lost_uploader())) })
    }

    fn settled(&mut self, durable: &Durable) {
        self.submit(Work::Settled(durable.offset_bytes));
    }
}

/// The side of an upload that talks to the store.
struct Uploader {
    store: Store,
    upload: Arc<OpenUpload>,
    generation: u64,
    state: S3State,
    plan: PartPlan,
    random: Arc<dyn Random>,
    failed: Failure,
    /// The last flush's own object and the offset where it ends.
    tail: Option<(Piece, u64)>,
    /// Objects that only states before this offset need.
    superseded: Vec<(u64, String)>,
}

impl Uploader {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Work>) {
        while let Some(work) = queue.recv().await {
            let upload = Arc::clone(&self.upload);
            let _busy = upload.busy.lock().await;
            let current = if upload.is_current(self.generation) {
                self.failed.check()
            } else {
                Err(taken_over())
            };
            match work {
                Work::Piece(piece, permit) => {
                    let done = match current {
                        Ok(()) => self.piece(piece).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = done {
                        self.failed.set(error);
                    }
                    drop(permit);
                }
                Work::Flush(tail, answer) => {
                    let done = match current {
                        Ok(()) => self.flush(tail).await,
                        Err(error) => Err(error),
                    };
                    if let Err(error) = &done {
                        self.failed.set(error.clone());
                    }
                    let _ = answer.send(done);
                }
                Work::Settled(offset_bytes) if current.is_ok() => self.clean(offset_bytes).await,
                Work::Settled(_) => {}
            }
        }
    }

    /// A crash in here leaves a part or an object that no stored state names: the part is replaced by
    /// the next of its number, the object goes at the seal.
    async fn piece(&mut self, piece: Chunks) -> Result<()> {
        let nth = self.state.parts + 1;
        let number = self.state.next_number();
        let (Some(part_bytes), Some(piece_bytes)) =
            (self.plan.part_bytes(nth), self.plan.piece_bytes(nth))
        else {
            return Err(VaultError::Full(
                "the store takes no larger object".to_owned(),
            ));
        };
        if part_bytes == piece_bytes {
            let etag = upload_part(&self.store, &mut self.state, number, &piece).await?;
            self.retire_tail();
            self.state.add_part(number, part_bytes, &etag);
            return Ok(());
        }
        let piece = self.put(piece).await?;
        self.retire_tail();
        self.state.pieces.push(piece);
        if self.state.pieces_bytes() == part_bytes {
            let etag = upload_gathered_part(&self.store, &mut self.state, number).await?;
            let until = self.state.durable_bytes();
            let gathered = self.state.pieces.iter().map(|piece| piece.key.clone());
            self.superseded.extend(gathered.map(|key| (until, key)));
            self.state.add_part(number, part_bytes, &etag);
        }
        Ok(())
    }

    async fn put(&self, content: Chunks) -> Result<Piece> {
        let key = new_piece_key(&self.state, &*self.random);
        self.store
            .put(Bucket::Scaffold, &key, &content, Condition::Always, &[])
            .await?;
        Ok(Piece {
            key,
            size_bytes: content.length_bytes(),
        })
    }

    async fn flush(&mut self, tail: Chunks) -> Result<Durable> {
        let offset_bytes = self.state.durable_bytes() + tail.length_bytes();
        let mut state = self.state.clone();
        if !tail.is_empty() {
            let piece = match &self.tail {
                Some((piece, end)) if *end == offset_bytes => piece.clone(),
                _ => {
                    let piece = self.put(tail).await?;
                    self.retire_tail_at(offset_bytes);
                    self.tail = Some((piece.clone(), offset_bytes));
                    piece
                }
            };
            state.pieces.push(piece);
        }
        Ok(Durable {
            offset_bytes,
            state: state.text(),
        })
    }

    /// What the last flush put is part of something larger now.
    fn retire_tail(&mut self) {
        if let Some((piece, end)) = self.tail.take() {
            self.superseded.push((end + 1, piece.key));
        }
    }

    fn retire_tail_at(&mut self, offset_bytes: u64) {
        if let Some((piece, _)) = self.tail.take() {
            self.superseded.push((offset_bytes, piece.key));
        }
    }

    /// Removes what no state from this offset on needs.
    async fn clean(&mut self, settled_bytes: u64) {
        let (gone, kept): (Vec<_>, Vec<_>) = mem::take(&mut self.superseded)
            .into_iter()
            .partition(|(until, _)| *until <= settled_bytes);
        self.superseded = kept;
        for (_, key) in gone {
            if let Err(error) = self.store.delete(Bucket::Scaffold, &key).await {
                // The seal removes the whole folder.
                tracing::debug!(%key, %error, "a scaffold object stays for now");
            }
        }
    }
}
