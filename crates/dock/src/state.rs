//! The station's own directory: who it is, what it was doing, what it can prove.
//!
//! ```text
//! lock  enrolment.json  token  status.json  outbox.json
//! bays/<hash>.json               the stay that is under way
//! recorders/<hash>/journal.jsonl what became of each file
//! recorders/<hash>/marks/<id>    running digests of an upload
//! receipts/<prefix>/<id>.json    verified receipts
//! ```

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use docket_base::Sha256Digest;
use docket_base::files::{Files, read_small, replace};
use docket_base::ids::RecordingId;
use rustix::fs::FlockOperation;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The station's own directory.
#[derive(Debug, Clone)]
pub struct StateDirectory {
    root: PathBuf,
    files: Arc<dyn Files>,
}

/// A directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another `docket-dock` works with it.
    #[error("{0} is in use by another docket-dock")]
    InUse(PathBuf),
    /// The file system.
    #[error("{path}: {cause}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What it says.
        cause: io::Error,
    },
    /// A file of it is damaged.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        reason: String,
    },
}

/// Small files are never larger: a docking of 200,000 files has tokens of 20 digits each.
const SMALL_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

impl StateDirectory {
    /// The directory, made where it is missing.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn open(root: &Path, files: Arc<dyn Files>) -> Result<Self, StateError> {
        let this = Self {
            root: root.to_owned(),
            files,
        };
        for part in ["bays", "recorders", "receipts"] {
            let path = root.join(part);
            this.files
                .create_dir_all(&path)
                .map_err(|cause| StateError::Io { path, cause })?;
        }
        Ok(this)
    }

    /// Takes the directory for this process; the lock goes with the process, however it ends.
    ///
    /// # Errors
    /// [`StateError::InUse`].
    pub fn lock(&self) -> Result<StateLock, StateError> {
        let path = self.root.join("lock");
        let io_error = |cause| StateError::Io {
            path: path.clone(),
            cause,
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io_error)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(StateLock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StateError::InUse(self.root.clone())),
            Err(errno) => Err(io_error(errno.into())),
        }
    }

    /// The file layer everything durable goes through.
    pub fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    /// A place directly inside.
    pub fn place(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Where a bay's stay is kept.
    pub fn bay(&self, name: &str) -> PathBuf {
        self.root
            .join("bays")
            .join(format!("{}.json", short_hash(name)))
    }

    /// Where a recorder's files are remembered.
    pub fn recorder(&self, serial: &str) -> PathBuf {
        self.root.join("recorders").join(short_hash(serial))
    }

    /// Where a recording's receipt is kept. Ids begin with their time: a directory holds three days.
    pub fn receipt(&self, recording: RecordingId) -> PathBuf {
        let id = recording.to_string();
        self.root
            .join("receipts")
            .join(&id[..5])
            .join(format!("{id}.json"))
    }

    /// Reads a small JSON file; `None` where there is none.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn load<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, StateError> {
        let bytes =
            read_small(&*self.files, path, SMALL_LIMIT_BYTES).map_err(|cause| StateError::Io {
                path: path.to_owned(),
                cause,
            })?;
        let parse = |bytes: Vec<u8>| {
            serde_json::from_slice(&bytes).map_err(|error| StateError::Damaged {
                path: path.to_owned(),
                reason: error.to_string(),
            })
        };
        bytes.map(parse).transpose()
    }

    /// Replaces a small JSON file: after a crash the old one or the new one is there.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn store(&self, path: &Path, value: &impl Serialize) -> Result<(), StateError> {
        let io_error = |cause| StateError::Io {
            path: path.to_owned(),
            cause,
        };
        let bytes = serde_json::to_vec(value).map_err(|error| io_error(error.into()))?;
        let temporary = path.with_extension("tmp");
        replace(&*self.files, path, &temporary, &bytes).map_err(io_error)
    }
}

/// Held while the directory is ours.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

/// A name of any bytes and length as a file name. 64 bits: a station sees thousands of recorders.
fn short_hash(name: &str) -> String {
    let mut hex = Sha256Digest::of(name.as_bytes()).to_string();
    hex.truncate(16);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_base::files::OsFiles;

    #[test]
    fn one_process_owns_the_directory() {
        let root = tempfile::tempdir().expect("tempdir");
        let state = StateDirectory::open(root.path(), Arc::new(OsFiles)).expect("open");
        let held = state.lock().expect("first");
        assert!(matches!(state.lock(), Err(StateError::InUse(_))));
        drop(held);
        state.lock().expect("free again");
    }

    #[test]
    fn small_files_round_trip_and_damage_is_told() {
        let root = tempfile::tempdir().expect("tempdir");
        let state = StateDirectory::open(root.path(), Arc::new(OsFiles)).expect("open");
        let path = state.bay("../../etc/一号");
        assert!(path.starts_with(root.path().join("bays")));
        assert_eq!(state.load::<u32>(&path).expect("none"), None);
        state.store(&path, &7).expect("store");
        assert_eq!(state.load::<u32>(&path).expect("some"), Some(7));
        std::fs::write(&path, b"{").expect("damage");
        assert!(matches!(
            state.load::<u32>(&path),
            Err(StateError::Damaged { .. })
        ));
    }
}
