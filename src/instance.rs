//! One process owns a data directory: `serve` holds its lock, and administrative commands reach it
//! through a socket there, or take the lock themselves when it is off.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};

/// The exclusive right to a data directory, until it is dropped or the process ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// The data directory and the names in it.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// The directory, created (mode 0700) if it is not there.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("creating the data directory {}", path.display()))?;
        Ok(Self(
            path.canonicalize()
                .with_context(|| format!("opening {}", path.display()))?,
        ))
    }

    /// The lock, or `None` while another process has it.
    pub fn try_lock(&self) -> anyhow::Result<Option<DataLock>> {
        let path = self.0.join("docketd.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(DataLock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("locking {}", path.display())),
        }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// The SQLite catalog.
    pub fn catalog(&self) -> PathBuf {
        self.0.join("catalog.sqlite")
    }

    /// What becomes the catalog once it is whole.
    pub fn catalog_in_the_making(&self) -> PathBuf {
        self.0.join("catalog.rebuilding.sqlite")
    }

    /// The local vault.
    pub fn vault(&self) -> PathBuf {
        self.0.join("vault")
    }

    /// The ledger's signing key.
    pub fn ledger_key(&self) -> PathBuf {
        self.0.join("ledger.key")
    }

    /// The administrative socket of a running `serve`.
    pub fn socket(&self) -> PathBuf {
        self.0.join("docketd.sock")
    }

    /// Where a running `serve` says at which address it listens.
    pub fn address(&self) -> PathBuf {
        self.0.join("docketd.addr")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_process_gets_the_lock() {
        let dir = tempfile::tempdir().expect("tempdir");
        let data = DataDir::open(&dir.path().join("data")).expect("created");
        let held = data.try_lock().expect("lock works");
        assert!(held.is_some());
        assert!(data.try_lock().expect("lock works").is_none());
        drop(held);
        assert!(data.try_lock().expect("lock works").is_some());
    }
}
