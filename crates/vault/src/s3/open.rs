//! Uploads under way in the store: who may write to one, and how a hand-over stops the one before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use docket_base::ids::RecordingId;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::assembly::S3Assembly;
use super::body::Chunks;
use super::state::{S3State, open_folder};
use super::store::{Bucket, failed};
use super::{S3Vault, kept_metadata};
use crate::contract::{Assembly, AssemblyState, BeginRequest};
use crate::error::{Result, VaultError};
use crate::key::{Area, VaultKey};

/// The present handle of an upload is the one with the current generation.
#[derive(Debug, Default)]
pub(super) struct OpenUpload {
    generation: AtomicU64,
    /// Held during each request that writes: a hand-over waits for its end, because a late part would
    /// replace the newer one of the same number.
    pub(super) busy: Mutex<()>,
    turn: Arc<Mutex<()>>,
}

impl OpenUpload {
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

impl S3Vault {
    pub(super) async fn take_turn(&self, id: RecordingId) -> Turn {
        let upload = self.open_upload(id);
        let turn = Arc::clone(&upload.turn).lock_owned().await;
        let generation = upload.generation.fetch_add(1, Ordering::SeqCst) + 1;
        drop(upload.busy.lock().await);
        Turn {
            upload,
            generation,
            _turn: turn,
        }
    }

    fn open_upload(&self, id: RecordingId) -> Arc<OpenUpload> {
        let mut uploads = self
            .uploads
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(upload) = uploads.get(&id).and_then(std::sync::Weak::upgrade) {
            return upload;
        }
        uploads.retain(|_, upload| upload.strong_count() > 0);
        let upload = Arc::new(OpenUpload::default());
        uploads.insert(id, Arc::downgrade(&upload));
        upload
    }

    pub(super) async fn begin_upload(&self, begin: &BeginRequest) -> Result<Box<dyn Assembly>> {
        let key = VaultKey::new(Area::Originals, begin.created_at, begin.id);
        let turn = self.take_turn(begin.id).await;
        self.refuse_sealed(&key).await?;
        self.remove_upload(&key, None).await?;
        let state = S3State::new(key, kept_metadata(&begin.metadata));
        Ok(self.assembly(turn, state, Chunks::default()))
    }

    pub(super) async fn resume_upload(
        &self,
        state: &AssemblyState,
        durable_bytes: u64,
    ) -> Result<Box<dyn Assembly>> {
        let mut state = S3State::parse(state)?;
        let turn = self.take_turn(state.s3.id()).await;
        if state.durable_bytes() != durable_bytes {
            return Err(VaultError::corrupt(format!(
                "{} has {} durable bytes, {durable_bytes} were acknowledged",
                state.s3,
                state.durable_bytes()
            )));
        }
        self.refuse_sealed(&state.s3).await?;
        self.skip_taken_numbers(&mut state).await?;
        let tail = self.take_tail(&mut state).await?;
        Ok(self.assembly(turn, state, tail))
    }

    /// Reads the last, unfinished piece back, so that it can grow: the only bytes ever read again.
    async fn take_tail(&self, state: &mut S3State) -> Result<Chunks> {
        let whole = self.plan.piece_bytes(state.parts + 1);
        let Some(tail) = state.pieces.pop_if(|piece| Some(piece.size_bytes) != whole) else {
            return Ok(Chunks::default());
        };
        let found = self.store.get_small(Bucket::Scaffold, &tail.key).await?;
        match found {
            Some((bytes, _)) if bytes.len() as u64 == tail.size_bytes => Ok(bytes.into()),
            _ => Err(VaultError::corrupt(format!(
                "{}, acknowledged bytes of {}, is not in the store",
                tail.key, state.s3
            ))),
        }
    }

    fn assembly(&self, turn: Turn, state: S3State, tail: Chunks) -> Box<dyn Assembly> {
        Box::new(S3Assembly::new(
            self.store.clone(),
            turn,
            state,
            tail,
            self.plan.clone(),
            Arc::clone(&self.random),
        ))
    }

    async fn refuse_sealed(&self, key: &VaultKey) -> Result<()> {
        match self.store.head(Bucket::Originals, key.as_str()).await? {
            Some(_) => Err(VaultError::Conflict(format!("{key} is already sealed"))),
            None => Ok(()),
        }
    }

    pub(super) async fn discard_upload(&self, state: &AssemblyState) -> Result<()> {
        let state = S3State::parse(state)?;
        let _turn = self.take_turn(state.s3.id()).await;
        self.remove_upload(&state.s3, state.upload_id.as_deref())
            .await
    }

    /// Aborts the key's multipart uploads, also those that no stored state names, and removes pieces.
    async fn remove_upload(&self, key: &VaultKey, upload_id: Option<&str>) -> Result<()> {
        let mut upload_ids = self.multipart_uploads(key.as_str()).await?;
        upload_ids.extend(upload_id.map(|id| (key.clone(), id.to_owned())));
        for (_, upload_id) in upload_ids {
            self.abort(key, &upload_id).await?;
        }
        self.store
            .delete_all(Bucket::Scaffold, &open_folder(key))
            .await
    }

    async fn abort(&self, key: &VaultKey, upload_id: &str) -> Result<()> {
        let request = self
            .store
            .client
            .abort_multipart_upload()
            .bucket(&self.store.originals)
            .key(key.as_str())
            .upload_id(upload_id);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match failed(key.as_str(), error) {
                // Aborted or completed before.
                VaultError::NotFound(_) => Ok(()),
                error => Err(error),
            },
        }
    }

    /// Multipart uploads under way whose key begins with this prefix.
    pub(super) async fn multipart_uploads(&self, prefix: &str) -> Result<Vec<(VaultKey, String)>> {
        let mut found = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let request = self
                .store
                .client
                .list_multipart_uploads()
                .bucket(&self.store.originals)
                .prefix(prefix)
                .set_key_marker(key_marker)
                .set_upload_id_marker(id_marker);
            let page = request
                .send()
                .await
                .map_err(|error| failed(prefix, error))?;
            found.extend(page.uploads().iter().filter_map(|upload| {
                Some((upload.key()?.parse().ok()?, upload.upload_id()?.to_owned()))
            }));
            if page.is_truncated() != Some(true) || page.uploads().is_empty() {
                return Ok(found);
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            id_marker = page.next_upload_id_marker().map(str::to_owned);
        }
    }
}
