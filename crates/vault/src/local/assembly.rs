//! Appending to an upload's file: chunks go to the disk as they came, without being copied, while an
//! fsync of what came before is under way on another thread.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use docket_base::files::File;
use docket_base::lane::Pool;
use futures_util::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot};

use super::open::{OpenUpload, Turn};
use super::{LocalConfig, Shared, lock, lost_worker};
use crate::contract::{Assembly, AssemblyState, Durable};
use crate::error::{Result, VaultError};

/// Chunks are handed to the writer in batches that end at multiples of so many bytes: whole blocks can be
/// written past the page cache, and waking a thread for each of a connection's small reads costs more
/// than writing them.
const BATCH_BYTES: u64 = 1 << 20;

/// The side of an upload that receives bytes.
pub(super) struct LocalAssembly {
    writer: Arc<Writer>,
    queue: Arc<Semaphore>,
    queue_bytes: usize,
    /// Received, not yet handed to the writer.
    batch: Vec<Bytes>,
    batch_bytes: usize,
    batch_permit: Option<OwnedSemaphorePermit>,
    appended_bytes: u64,
}

/// The side of an upload that writes: its jobs run in the upload's lane, its syncs on the sync pool.
struct Writer {
    shared: Arc<Shared>,
    file: Arc<dyn File>,
    upload: Arc<OpenUpload>,
    generation: u64,
    state: AssemblyState,
    sync_pool: Pool,
    writeback_every_bytes: u64,
    progress: Mutex<Progress>,
    /// Quick look at `progress.failed`.
    failed: AtomicBool,
    name_is_durable: AtomicBool,
}

#[derive(Default)]
struct Progress {
    written_bytes: u64,
    writeback_bytes: u64,
    /// The first failure answers everybody from then on.
    failed: Option<VaultError>,
    syncing: bool,
    waiting: Vec<(u64, oneshot::Sender<Result<Durable>>)>,
}

impl LocalAssembly {
    pub(super) fn new(
        shared: Arc<Shared>,
        file: Arc<dyn File>,
        turn: Turn,
        state: AssemblyState,
        durable_bytes: u64,
        sync_pool: Pool,
        config: &LocalConfig,
    ) -> Self {
        let queue_bytes = config.queue_bytes.clamp(1, u32::MAX as usize / 2);
        Self {
            writer: Arc::new(Writer {
                shared,
                file,
                upload: Arc::clone(&turn.upload),
                generation: turn.generation,
                state,
                sync_pool,
                writeback_every_bytes: config.writeback_every_bytes.max(1),
                progress: Mutex::new(Progress {
                    written_bytes: durable_bytes,
                    writeback_bytes: durable_bytes,
                    ..Progress::default()
                }),
                failed: AtomicBool::new(false),
                name_is_durable: AtomicBool::new(durable_bytes > 0),
            }),
            queue: Arc::new(Semaphore::new(queue_bytes)),
            queue_bytes,
            batch: Vec::new(),
            batch_bytes: 0,
            batch_permit: None,
            appended_bytes: durable_bytes,
        }
    }

    fn hand_over(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let batch = mem::take(&mut self.batch);
        let permit = self.batch_permit.take();
        let offset_bytes = self.appended_bytes - self.batch_bytes as u64;
        self.batch_bytes = 0;
        let writer = Arc::clone(&self.writer);
        self.writer.upload.lane.submit(move || {
            writer.write(batch, offset_bytes);
            drop(permit);
        });
    }

    async fn room_for(&mut self, length: usize) -> Result<OwnedSemaphorePermit> {
        // A chunk larger than the queue waits until the queue is empty.
        let wanted = u32::try_from(length.min(self.queue_bytes)).unwrap_or(u32::MAX);
        match Arc::clone(&self.queue).try_acquire_many_owned(wanted) {
            Ok(permit) => Ok(permit),
            Err(TryAcquireError::Closed) => Err(lost_worker()),
            Err(TryAcquireError::NoPermits) => {
                // What waits for more company would wait for ever.
                self.hand_over();
                Arc::clone(&self.queue)
                    .acquire_many_owned(wanted)
                    .await
                    .map_err(|_| lost_worker())
            }
        }
    }
}

#[async_trait]
impl Assembly for LocalAssembly {
    fn appended_bytes(&self) -> u64 {
        self.appended_bytes
    }

    async fn append(&mut self, mut bytes: Bytes) -> Result<()> {
        self.writer.check()?;
        while !bytes.is_empty() {
            let left = BATCH_BYTES - self.appended_bytes % BATCH_BYTES;
            let fits = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let piece = bytes.split_to(fits);
            let permit = self.room_for(piece.len()).await?;
            match &mut self.batch_permit {
                Some(held) => held.merge(permit),
                none => *none = Some(permit),
            }
            self.appended_bytes += piece.len() as u64;
            self.batch_bytes += piece.len();
            self.batch.push(piece);
            if self.appended_bytes.is_multiple_of(BATCH_BYTES) {
                self.hand_over();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> BoxFuture<'static, Result<Durable>> {
        self.hand_over();
        let (answer, wait) = oneshot::channel();
        let (writer, offset_bytes) = (Arc::clone(&self.writer), self.appended_bytes);
        self.writer
            .upload
            .lane
            .submit(move || writer.mark(offset_bytes, answer));
        Box::pin(async move { wait.await.unwrap_or_else(|_| Err(lost_worker())) })
    }
}

impl Writer {
    fn check(&self) -> Result<()> {
        if !self.upload.is_current(self.generation) {
            return Err(VaultError::Conflict(
                "another handler took the upload over".to_owned(),
            ));
        }
        if self.failed.load(Ordering::SeqCst)
            && let Some(error) = &lock(&self.progress).failed
        {
            return Err(error.clone());
        }
        Ok(())
    }

    fn fail(&self, error: VaultError) {
        let waiting = {
            let mut progress = lock(&self.progress);
            progress.failed.get_or_insert(error.clone());
            mem::take(&mut progress.waiting)
        };
        self.failed.store(true, Ordering::SeqCst);
        for (_, answer) in waiting {
            let _ = answer.send(Err(error.clone()));
        }
    }

    /// Runs in the lane. A crash in here leaves bytes behind the durable offset, which a resume cuts off.
    fn write(&self, batch: Vec<Bytes>, offset_bytes: u64) {
        if self.check().is_err() {
            return;
        }
        let pieces: Vec<&[u8]> = batch.iter().map(|chunk| &chunk[..]).collect();
        if let Err(error) = self.file.write_past_cache(&pieces, offset_bytes) {
            return self.fail(error.into());
        }
        let length_bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
        let at = offset_bytes + length_bytes as u64;
        let begun = {
            let mut progress = lock(&self.progress);
            progress.written_bytes = at;
            let due = at - progress.writeback_bytes >= self.writeback_every_bytes;
            due.then(|| mem::replace(&mut progress.writeback_bytes, at))
        };
        if let Some(from) = begun {
            // Only a hint; the sync that follows tells what went wrong.
            let _ = self.file.start_writeback(from, at - from);
        }
    }

    /// Runs in the lane, behind the writes that the mark covers.
    fn mark(self: &Arc<Self>, offset_bytes: u64, answer: oneshot::Sender<Result<Durable>>) {
        if let Err(error) = self.check() {
            let _ = answer.send(Err(error));
            return;
        }
        let start = {
            let mut progress = lock(&self.progress);
            progress.waiting.push((offset_bytes, answer));
            !mem::replace(&mut progress.syncing, true)
        };
        if start {
            self.start_sync();
        }
    }

    fn start_sync(self: &Arc<Self>) {
        let writer = Arc::clone(self);
        self.sync_pool.run(move || writer.sync());
    }

    /// Runs on the sync pool, one at a time for each upload: marks that arrive meanwhile share the next.
    fn sync(self: &Arc<Self>) {
        let waiting = mem::take(&mut lock(&self.progress).waiting);
        let done = self.sync_file().and_then(|()| self.check());
        if let Err(error) = &done {
            // Nothing is known about what was written since the last success: never again this handle.
            self.fail(error.clone());
        }
        for (offset_bytes, answer) in waiting {
            let _ = answer.send(done.clone().map(|()| Durable {
                offset_bytes,
                state: self.state.clone(),
            }));
        }
        let more = {
            let mut progress = lock(&self.progress);
            progress.syncing = !progress.waiting.is_empty();
            progress.syncing
        };
        if more {
            self.start_sync();
        }
    }

    /// After this the bytes and the file's name survive a power cut.
    fn sync_file(&self) -> Result<()> {
        self.check()?;
        self.file.sync_data()?;
        if !self.name_is_durable.load(Ordering::SeqCst) {
            self.shared.files.sync_dir(&self.shared.root.join("open"))?;
            self.name_is_durable.store(true, Ordering::SeqCst);
        }
        Ok(())
    }
}
