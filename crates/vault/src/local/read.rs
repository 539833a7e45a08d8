//! Reading originals in blocks that never run far ahead of who consumes them.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use docket_base::files::{File, read_small};
use docket_base::lane::Pool;
use futures_util::stream;
use tokio::sync::oneshot;

use super::{LocalVault, MIB, Shared, lost_worker};
use crate::contract::Bytestream;
use crate::error::{Result, VaultError};
use crate::key::VaultKey;

const BLOCK_BYTES: u64 = MIB / 4;
const READ_BACK_BLOCK_BYTES: u64 = MIB;
/// The block being awaited and the one after it.
const BLOCKS_AHEAD: usize = 2;

impl LocalVault {
    pub(super) async fn read_original(
        &self,
        key: &VaultKey,
        range: Range<u64>,
    ) -> Result<Bytestream> {
        let file = self.original_file(key).await?;
        Ok(stream(self.read.clone(), file, range))
    }

    pub(super) async fn read_original_back(&self, key: &VaultKey) -> Result<Bytestream> {
        let file = self.original_file(key).await?;
        let reader = Arc::clone(&file);
        let size_bytes = self
            .durably(move |_| {
                // Only clean pages can be dropped. What stays in use by another reader's mapping is the
                // one part of the cache that this can't empty.
                reader.sync_data()?;
                reader.drop_cache(0, 0)?;
                Ok(reader.size_bytes()?)
            })
            .await?;
        let reader = Reader {
            pool: self.read.clone(),
            file,
            block_bytes: READ_BACK_BLOCK_BYTES,
            past_cache: true,
        };
        Ok(reader.stream(0..size_bytes))
    }

    async fn original_file(&self, key: &VaultKey) -> Result<Arc<dyn File>> {
        let wanted = key.clone();
        self.reading(move |shared| shared.open_original(&wanted))
            .await?
            .ok_or_else(|| VaultError::NotFound(key.to_string()))
    }
}

impl Shared {
    /// The key under which the bytes are: its own, or the one its pointer names.
    pub(super) fn resolve(&self, key: &VaultKey) -> Result<Option<VaultKey>> {
        if self.files.metadata(&self.path(key.as_str()))?.is_some() {
            return Ok(Some(key.clone()));
        }
        let Some(of) = self.pointer_target(key)? else {
            return Ok(None);
        };
        // Pointers name objects, never pointers: `share` sees to that.
        let there = self.files.metadata(&self.path(of.as_str()))?.is_some();
        Ok(there.then_some(of))
    }

    pub(super) fn pointer_target(&self, key: &VaultKey) -> Result<Option<VaultKey>> {
        let Some(text) = read_small(&*self.files, &self.path(&key.pointer()), 512)? else {
            return Ok(None);
        };
        let target = std::str::from_utf8(&text)
            .ok()
            .and_then(|text| text.trim_end().parse().ok());
        target
            .map(Some)
            .ok_or_else(|| VaultError::corrupt(format!("{} names no vault key", key.pointer())))
    }

    pub(super) fn open_original(&self, key: &VaultKey) -> Result<Option<Arc<dyn File>>> {
        match self.resolve(key)? {
            Some(key) => Ok(Some(self.files.open_read(&self.path(key.as_str()))?)),
            None => Ok(None),
        }
    }

    pub(super) fn size(&self, key: &VaultKey) -> Result<Option<u64>> {
        let Some(key) = self.resolve(key)? else {
            return Ok(None);
        };
        let found = self.files.metadata(&self.path(key.as_str()))?;
        Ok(found.map(|found| found.size_bytes))
    }
}

pub(super) fn stream(pool: Pool, file: Arc<dyn File>, range: Range<u64>) -> Bytestream {
    let reader = Reader {
        pool,
        file,
        block_bytes: BLOCK_BYTES,
        past_cache: false,
    };
    reader.stream(range)
}

struct Reader {
    pool: Pool,
    file: Arc<dyn File>,
    block_bytes: u64,
    past_cache: bool,
}

struct Reading {
    reader: Reader,
    rest: Range<u64>,
    ahead: VecDeque<oneshot::Receiver<Result<Bytes>>>,
}

impl Reader {
    fn stream(self, range: Range<u64>) -> Bytestream {
        let reading = Reading {
            reader: self,
            rest: range,
            ahead: VecDeque::with_capacity(BLOCKS_AHEAD),
        };
        Box::pin(stream::unfold(reading, |mut reading| async move {
            while reading.ahead.len() < BLOCKS_AHEAD && reading.rest.start < reading.rest.end {
                let from = reading.rest.start;
                let to = reading
                    .rest
                    .end
                    .min(from.saturating_add(reading.reader.block_bytes));
                reading.rest.start = to;
                reading.ahead.push_back(reading.reader.start(from..to));
            }
            let block = reading.ahead.pop_front()?;
            let block = block.await.unwrap_or_else(|_| Err(lost_worker()));
            if block.is_err() {
                // The error is the last item.
                reading.rest.start = reading.rest.end;
                reading.ahead.clear();
            }
            Some((block, reading))
        }))
    }

    fn start(&self, range: Range<u64>) -> oneshot::Receiver<Result<Bytes>> {
        let (answer, wait) = oneshot::channel();
        let (file, past_cache) = (Arc::clone(&self.file), self.past_cache);
        self.pool.run(move || {
            // Nobody waits any more: the client is gone, spare the disk.
            if !answer.is_closed() {
                let _ = answer.send(read_block(&*file, range, past_cache));
            }
        });
        wait
    }
}

fn read_block(file: &dyn File, range: Range<u64>, past_cache: bool) -> Result<Bytes> {
    let length_bytes = range.end - range.start;
    let mut block = vec![0; usize::try_from(length_bytes).unwrap_or(0)];
    docket_base::files::read_exact_at(file, &mut block, range.start).map_err(|error| {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            VaultError::corrupt(format!("a file ends before byte {}", range.end))
        } else {
            error.into()
        }
    })?;
    if past_cache {
        // A read-back of a large original must not push what people watch out of the cache.
        file.drop_cache(range.start, length_bytes)?;
    }
    Ok(block.into())
}
