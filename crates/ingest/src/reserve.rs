//! The disk reserve: ingest stops while enough room is left for catalog and ledger to go on writing.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use docket_base::files::Files;

/// Whether there is room to take in more.
pub trait Room: Send + Sync + fmt::Debug {
    /// Asked every few MiB; must be cheap.
    fn has_room(&self) -> bool;
}

/// Room on the disk that holds a directory, less a reserve.
#[derive(Debug)]
pub struct DiskRoom {
    files: Arc<dyn Files>,
    directory: PathBuf,
    reserve_bytes: u64,
    /// Last reading, for the metric.
    free_bytes: AtomicU64,
}

impl DiskRoom {
    /// Keeps `reserve_bytes` free where `directory` lies.
    pub fn new(files: Arc<dyn Files>, directory: PathBuf, reserve_bytes: u64) -> Self {
        Self {
            files,
            directory,
            reserve_bytes,
            free_bytes: AtomicU64::new(0),
        }
    }

    /// Free bytes at the last asking.
    pub fn free_bytes(&self) -> u64 {
        self.free_bytes.load(Ordering::Relaxed)
    }
}

impl Room for DiskRoom {
    fn has_room(&self) -> bool {
        match self.files.free_bytes(&self.directory) {
            Ok(free) => {
                self.free_bytes.store(free, Ordering::Relaxed);
                free > self.reserve_bytes
            }
            Err(error) => {
                // Not knowing is no reason to stop: a full disk still answers each write with ENOSPC.
                tracing::warn!(%error, "free space can't be read");
                true
            }
        }
    }
}
