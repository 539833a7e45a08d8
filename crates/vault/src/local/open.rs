//! Uploads under way: who may write to one, and how a hand-over stops the one before.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use docket_base::Micros;
use docket_base::files::File;
use docket_base::ids::RecordingId;
use docket_base::lane::Lane;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedMutexGuard, oneshot};

use super::assembly::LocalAssembly;
use super::{LocalVault, Shared, keys_of, lock, lost_worker, on};
use crate::contract::{Assembly, AssemblyState, Bytestream};
use crate::error::{Result, VaultError};

/// What the catalog keeps for an upload in the local vault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalState {
    /// The file's name in `open/`.
    pub(super) local: RecordingId,
    /// Finds a seal that was already done. Absent when only the file was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<Micros>,
}

impl LocalState {
    pub(super) fn parse(state: &AssemblyState) -> Result<Self> {
        serde_json::from_str(&state.0)
            .map_err(|error| VaultError::corrupt(format!("assembly state: {error}")))
    }

    pub(super) fn text(&self) -> AssemblyState {
        // Two plain fields always serialise.
        AssemblyState(serde_json::to_string(self).unwrap_or_default())
    }
}

/// All that happens to one upload's file happens in this lane, in order. A later generation's first job
/// therefore runs after the last write of the generation before, whose waiting writes then do nothing.
#[derive(Debug)]
pub(super) struct OpenUpload {
    pub(super) lane: Lane,
    pub(super) generation: AtomicU64,
    /// One begin, resume, seal or discard at a time. Held by the job, not by the caller who may be gone.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl OpenUpload {
    /// Stops the present generation and starts the next.
    fn take_over(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(super) fn is_current(&self, generation: u64) -> bool {
        self.generation.load(Ordering::SeqCst) == generation
    }
}

/// The right to decide what becomes of an upload; nobody writes it meanwhile.
pub(super) struct Turn {
    pub(super) upload: Arc<OpenUpload>,
    pub(super) generation: u64,
    _turn: OwnedMutexGuard<()>,
}

impl LocalVault {
    /// Waits for one's turn and for the last write of whoever had the upload before.
    pub(super) async fn take_turn(&self, id: RecordingId) -> Result<Turn> {
        let upload = self.open_upload(id);
        let turn = Arc::clone(&upload.turn).lock_owned().await;
        let generation = upload.take_over();
        let (answer, wait) = oneshot::channel();
        upload.lane.submit(move || {
            let _ = answer.send(());
        });
        wait.await.map_err(|_| lost_worker())?;
        Ok(Turn {
            upload,
            generation,
            _turn: turn,
        })
    }

    fn open_upload(&self, id: RecordingId) -> Arc<OpenUpload> {
        let mut uploads = lock(&self.uploads);
        if let Some(upload) = uploads.get(&id).and_then(std::sync::Weak::upgrade) {
            return upload;
        }
        uploads.retain(|_, upload| upload.strong_count() > 0);
        let upload = Arc::new(OpenUpload {
            lane: self.write.lane(),
            generation: AtomicU64::new(0),
            turn: Arc::default(),
        });
        uploads.insert(id, Arc::downgrade(&upload));
        upload
    }

    pub(super) async fn begin_upload(
        &self,
        id: RecordingId,
        created_at: Micros,
    ) -> Result<Box<dyn Assembly>> {
        let state = LocalState {
            local: id,
            created_at: Some(created_at),
        };
        self.assemble(state, 0).await
    }

    pub(super) async fn resume_upload(
        &self,
        state: &AssemblyState,
        durable_bytes: u64,
    ) -> Result<Box<dyn Assembly>> {
        self.assemble(LocalState::parse(state)?, durable_bytes)
            .await
    }

    async fn assemble(&self, state: LocalState, durable_bytes: u64) -> Result<Box<dyn Assembly>> {
        let turn = self.take_turn(state.local).await?;
        let shared = Arc::clone(&self.shared);
        let text = state.text();
        let (file, turn) = on(&self.write, move || {
            let file = shared.open_at(&state, durable_bytes)?;
            Ok((file, turn))
        })
        .await?;
        Ok(Box::new(LocalAssembly::new(
            Arc::clone(&self.shared),
            file,
            turn,
            text,
            durable_bytes,
            self.sync.clone(),
            &self.config,
        )))
    }

    pub(super) async fn discard_upload(&self, state: &AssemblyState) -> Result<()> {
        let state = LocalState::parse(state)?;
        let turn = self.take_turn(state.local).await?;
        self.durably(move |shared| {
            let _turn = turn;
            shared.remove_if_there(&shared.upload_path(state.local))
        })
        .await
    }

    pub(super) async fn read_upload(
        &self,
        state: &AssemblyState,
        range: Range<u64>,
    ) -> Result<Bytestream> {
        let id = LocalState::parse(state)?.local;
        let file = self.reading(move |shared| shared.open_upload(id)).await?;
        Ok(super::read::stream(self.read.clone(), file, range))
    }

    pub(super) async fn upload_descriptor(&self, state: &AssemblyState) -> Result<Option<OwnedFd>> {
        let id = LocalState::parse(state)?.local;
        self.reading(move |shared| Ok(shared.open_upload(id)?.read_descriptor()?))
            .await
    }
}

impl Shared {
    pub(super) fn upload_path(&self, id: RecordingId) -> PathBuf {
        self.root.join("open").join(id.to_string())
    }

    fn open_upload(&self, id: RecordingId) -> Result<Arc<dyn File>> {
        self.files
            .open_read(&self.upload_path(id))
            .map_err(|error| named(error.into(), || format!("upload {id}")))
    }

    /// Opens the upload's file with exactly its durable bytes in it.
    fn open_at(&self, state: &LocalState, durable_bytes: u64) -> Result<Arc<dyn File>> {
        let id = state.local;
        // A seal whose answer was lost in a crash. On a file system that can keep both names of an
        // unfinished rename, writing on would change the sealed original.
        if let Some(created_at) = state.created_at {
            for key in keys_of(id, created_at) {
                if self.files.metadata(&self.path(key.as_str()))?.is_some() {
                    return Err(VaultError::Conflict(format!("{id} is already sealed")));
                }
            }
        }
        let path = self.upload_path(id);
        let file = match self.files.open_write(&path) {
            // Also after a crash that lost the name: nothing was acknowledged, so nothing is missing.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && durable_bytes == 0 => {
                self.files.create_new(&path)
            }
            // Its mode survived a crash that the seal's rename did not.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(VaultError::Conflict(format!("the seal of {id} has begun")));
            }
            other => other,
        }
        .map_err(|error| named(error.into(), || format!("upload {id}")))?;
        let size_bytes = file.size_bytes()?;
        if size_bytes < durable_bytes {
            return Err(VaultError::corrupt(format!(
                "upload {id} has {size_bytes} bytes, {durable_bytes} were acknowledged"
            )));
        }
        if size_bytes > durable_bytes {
            // Not synced: after a crash the same bytes are cut off again.
            file.set_size(durable_bytes)?;
        }
        Ok(file)
    }

    /// Durably.
    pub(super) fn remove_if_there(&self, path: &std::path::Path) -> Result<()> {
        match self.files.remove_file(path) {
            Ok(()) => {}
            // Perhaps removed by a try whose sync failed, so the sync is due all the same.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        match path.parent() {
            Some(parent) if self.files.metadata(parent)?.is_some() => {
                Ok(self.files.sync_dir(parent)?)
            }
            _ => Ok(()),
        }
    }
}

/// Says what was not found.
pub(super) fn named(error: VaultError, what: impl FnOnce() -> String) -> VaultError {
    match error {
        VaultError::NotFound(_) => VaultError::NotFound(what()),
        other => other,
    }
}
