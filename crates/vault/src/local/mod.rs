//! The vault on a disk.

mod assembly;
mod beside;
mod log;
mod open;
mod read;
mod seal;
mod walk;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use docket_base::Micros;
use docket_base::files::Files;
use docket_base::ids::RecordingId;
use docket_base::lane::Pool;
use tokio::sync::oneshot;

use crate::contract::{
    Assembly, AssemblyState, BeginRequest, Bytestream, Leftover, PutOnce, SealRequest, Sealed,
    ShareRequest, StoredOriginal, Vault,
};
use crate::error::{Result, VaultError};
use crate::key::{Area, BesideName, DerivativeName, VaultKey};
use open::OpenUpload;

const MIB: u64 = 1024 * 1024;

/// Small files (side files, receipts, ledger tiles and bundles) are never larger.
const SMALL_FILE_LIMIT_BYTES: u64 = 32 * MIB;

/// How the local vault works; the defaults suit a machine with two cores and a disk of its own.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Threads that write uploads' bytes.
    pub write_threads: usize,
    /// Threads that wait for fsync, seal, and write small files.
    pub sync_threads: usize,
    /// Threads that read.
    pub read_threads: usize,
    /// Bytes of one upload that may wait for the disk before `append` waits.
    pub queue_bytes: usize,
    /// Bytes between two flush marks that suit the disk.
    pub flush_every_bytes: u64,
    /// After so many bytes the kernel is asked to start writing out.
    pub writeback_every_bytes: u64,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self {
            write_threads: 4,
            sync_threads: 8,
            read_threads: 4,
            queue_bytes: 4 * MIB as usize,
            // With only two marks' worth of bytes allowed ahead a connection stood still at every slow
            // flush. Marks that come during a flush share the next one, so closer marks cost no more flushes.
            flush_every_bytes: 4 * MIB,
            // So that a flush finds most of its bytes written: 2 ms instead of 3.4 for 8 MiB.
            writeback_every_bytes: MIB,
        }
    }
}

/// The vault on a disk: see the crate's documentation for the layout.
#[derive(Debug)]
pub struct LocalVault {
    shared: Arc<Shared>,
    write: Pool,
    sync: Pool,
    read: Pool,
    config: LocalConfig,
    uploads: Mutex<HashMap<RecordingId, Weak<OpenUpload>>>,
}

/// What jobs on the pools need.
#[derive(Debug)]
struct Shared {
    files: Arc<dyn Files>,
    root: PathBuf,
    /// Two writers of one small file take turns: they share its temporary.
    turns: [Mutex<()>; 64],
    /// Folders whose names are known to be durable.
    durable_folders: Mutex<HashSet<PathBuf>>,
}

/// Bounds `Shared::durable_folders`; forgetting only costs an fsync.
const FOLDERS_REMEMBERED: usize = 4096;

impl Shared {
    fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// See [`Shared::make_folder`]; what may not be read was not made by us.
    fn name_root_durably(&self) -> Result<()> {
        for folder in self.root.ancestors().skip(1) {
            match self.files.sync_dir(folder) {
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => break,
                other => other?,
            }
        }
        Ok(())
    }

    /// Makes a folder under the root and lets its name be durable. A folder that is already there may
    /// have been made by a process that was killed before its fsync, so being there is not enough.
    fn make_folder(&self, folder: &Path) -> Result<()> {
        if folder == self.root {
            return Ok(());
        }
        let there = self.files.metadata(folder)?.is_some();
        if there && lock(&self.durable_folders).contains(folder) {
            return Ok(());
        }
        let parent = folder.parent().unwrap_or(Path::new("."));
        self.make_folder(parent)?;
        if there {
            self.files.sync_dir(parent)?;
        } else {
            self.files.create_dir_all(folder)?;
        }
        let mut known = lock(&self.durable_folders);
        if known.len() >= FOLDERS_REMEMBERED {
            known.clear();
        }
        known.insert(folder.to_owned());
        Ok(())
    }

    fn turn(&self, path: &Path) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let index = hasher.finish() as usize % self.turns.len();
        lock(&self.turns[index])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these locks guard is consistent between statements; a panic elsewhere must not stop all uploads.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `.name.tmp` in the same folder: never a valid name of anything else.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tmp"))
}

/// Runs blocking work on a pool and waits for its answer. Cancelling the wait does not stop the work.
async fn on<T: Send + 'static>(
    pool: &Pool,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (answer, wait) = oneshot::channel();
    pool.run(move || {
        let _ = answer.send(work());
    });
    wait.await.unwrap_or_else(|_| Err(lost_worker()))
}

/// The job panicked: its answer never came.
fn lost_worker() -> VaultError {
    std::io::Error::other("a vault worker broke off").into()
}

impl LocalVault {
    /// Opens the vault under `root`, making its folders where they are missing. Blocks.
    ///
    /// # Errors
    /// What the file system says, or when the system gives no threads.
    pub fn open(files: Arc<dyn Files>, root: &Path, config: LocalConfig) -> Result<Self> {
        files.create_dir_all(root)?;
        let shared = Shared {
            files,
            root: root.to_owned(),
            turns: std::array::from_fn(|_| Mutex::default()),
            durable_folders: Mutex::default(),
        };
        shared.name_root_durably()?;
        for folder in ["open", "originals", "quarantine", "derived", "log"] {
            shared.make_folder(&root.join(folder))?;
            // What a killed process had named here, and anybody reads from now on, must stay.
            shared.files.sync_dir(&root.join(folder))?;
        }
        Ok(Self {
            shared: Arc::new(shared),
            write: Pool::start("vault-write", config.write_threads)?,
            sync: Pool::start("vault-sync", config.sync_threads)?,
            read: Pool::start("vault-read", config.read_threads)?,
            config,
            uploads: Mutex::default(),
        })
    }

    /// Runs work that ends in an fsync.
    async fn durably<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        on(&self.sync, move || work(&shared)).await
    }

    /// Runs work that only reads.
    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        on(&self.read, move || work(&shared)).await
    }
}

#[async_trait]
impl Vault for LocalVault {
    fn kind(&self) -> &'static str {
        "local"
    }

    fn flush_every_bytes(&self) -> u64 {
        self.config.flush_every_bytes
    }

    fn free_bytes(&self) -> Result<Option<u64>> {
        Ok(Some(self.shared.files.free_bytes(&self.shared.root)?))
    }

    async fn begin(&self, begin: &BeginRequest) -> Result<Box<dyn Assembly>> {
        self.begin_upload(begin.id, begin.created_at).await
    }

    async fn resume(&self, state: &AssemblyState, durable_bytes: u64) -> Result<Box<dyn Assembly>> {
        self.resume_upload(state, durable_bytes).await
    }

    async fn discard(&self, state: &AssemblyState) -> Result<()> {
        self.discard_upload(state).await
    }

    async fn read_assembly(&self, state: &AssemblyState, range: Range<u64>) -> Result<Bytestream> {
        self.read_upload(state, range).await
    }

    async fn assembly_descriptor(&self, state: &AssemblyState) -> Result<Option<OwnedFd>> {
        self.upload_descriptor(state).await
    }

    async fn seal(&self, state: &AssemblyState, seal: &SealRequest) -> Result<Sealed> {
        self.seal_upload(state, seal).await
    }

    async fn share(&self, share: &ShareRequest) -> Result<Sealed> {
        let share = share.clone();
        self.durably(move |shared| shared.share(&share)).await
    }

    async fn read(&self, key: &VaultKey, range: Range<u64>) -> Result<Bytestream> {
        self.read_original(key, range).await
    }

    async fn read_back(&self, key: &VaultKey) -> Result<Bytestream> {
        self.read_original_back(key).await
    }

    async fn size(&self, key: &VaultKey) -> Result<Option<u64>> {
        let key = key.clone();
        self.reading(move |shared| shared.size(&key)).await
    }

    async fn descriptor(&self, key: &VaultKey) -> Result<Option<OwnedFd>> {
        let key = key.clone();
        self.reading(move |shared| match shared.open_original(&key)? {
            Some(file) => Ok(file.read_descriptor()?),
            None => Ok(None),
        })
        .await
    }

    async fn delete_original(&self, key: &VaultKey) -> Result<()> {
        let key = key.clone();
        self.durably(move |shared| shared.delete_original(&key))
            .await
    }

    async fn put_beside(&self, key: &VaultKey, name: BesideName, bytes: &[u8]) -> Result<PutOnce> {
        let (key, bytes) = (key.clone(), bytes.to_vec());
        self.durably(move |shared| shared.put_beside(&key, name, &bytes))
            .await
    }

    async fn get_beside(&self, key: &VaultKey, name: BesideName) -> Result<Option<Vec<u8>>> {
        let path = key.beside(name);
        self.reading(move |shared| shared.read_small(&path)).await
    }

    async fn put_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
        bytes: &[u8],
    ) -> Result<()> {
        let (name, bytes) = (name.clone(), bytes.to_vec());
        self.durably(move |shared| shared.put_derivative(id, created_at, &name, &bytes))
            .await
    }

    async fn get_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
    ) -> Result<Option<Vec<u8>>> {
        let name = name.clone();
        self.reading(move |shared| shared.get_derivative(id, created_at, &name))
            .await
    }

    async fn delete_derivatives(&self, id: RecordingId, created_at: Micros) -> Result<()> {
        self.durably(move |shared| shared.delete_derivatives(id, created_at))
            .await
    }

    async fn log_read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let path = log::log_path(path)?;
        self.reading(move |shared| shared.read_small(&path)).await
    }

    async fn log_create(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let (path, bytes) = (log::log_path(path)?, bytes.to_vec());
        self.durably(move |shared| shared.log_create(&path, &bytes))
            .await
    }

    async fn log_replace(&self, path: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<()> {
        let path = log::log_path(path)?;
        let (expected, new) = (expected.map(<[u8]>::to_vec), new.to_vec());
        self.durably(move |shared| shared.log_replace(&path, expected.as_deref(), &new))
            .await
    }

    async fn log_list(
        &self,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        let folder = log::log_folder(folder)?;
        let after = after.map(log::log_path).transpose()?;
        self.reading(move |shared| shared.log_list(&folder, after.as_deref(), limit))
            .await
    }

    async fn originals(
        &self,
        after: Option<&VaultKey>,
        limit: usize,
    ) -> Result<Vec<StoredOriginal>> {
        let after = after.cloned();
        self.reading(move |shared| shared.originals(after.as_ref(), limit))
            .await
    }

    async fn leftovers(&self, limit: usize) -> Result<Vec<Leftover>> {
        self.reading(move |shared| shared.leftovers(limit)).await
    }
}

/// The folder of an original's shelf that both areas could hold: used to see whether an id is sealed.
fn keys_of(id: RecordingId, created_at: Micros) -> [VaultKey; 2] {
    Area::ALL.map(|area| VaultKey::new(area, created_at, id))
}
