//! From an upload to a sealed original, in steps that can all be repeated.

use docket_base::files::{create_immutable, read_small};

use super::open::{LocalState, named};
use super::{LocalVault, SMALL_FILE_LIMIT_BYTES, Shared, temporary};
use crate::contract::{AssemblyState, PutOnce, SealRequest, Sealed, ShareRequest};
use crate::error::{Result, VaultError};
use crate::key::{BesideName, VaultKey};

impl LocalVault {
    pub(super) async fn seal_upload(
        &self,
        state: &AssemblyState,
        seal: &SealRequest,
    ) -> Result<Sealed> {
        let state = LocalState::parse(state)?;
        if state.local != seal.id {
            return Err(VaultError::Conflict(format!(
                "the assembly of {} can't become {}",
                state.local, seal.id
            )));
        }
        let turn = self.take_turn(state.local).await?;
        let seal = seal.clone();
        self.durably(move |shared| {
            let _turn = turn;
            shared.seal(&seal)
        })
        .await
    }
}

impl Shared {
    fn seal(&self, seal: &SealRequest) -> Result<Sealed> {
        let key = VaultKey::new(seal.area, seal.created_at, seal.id);
        if self.files.metadata(&self.path(&key.pointer()))?.is_some() {
            return Err(VaultError::Conflict(format!("{key} is a duplicate")));
        }
        // A crash here or after it leaves a folder without an original: the next try fills it.
        self.make_folder(&self.path(key.folder()))?;
        let earlier_side_file = self.put_side_file(&key, &seal.side_file)?;
        self.place_original(&key, seal)?;
        Ok(Sealed {
            key,
            earlier_side_file,
        })
    }

    fn put_side_file(&self, key: &VaultKey, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.write_once(&key.beside(BesideName::SideFile), bytes)? {
            PutOnce::Stored => Ok(None),
            PutOnce::Existing(earlier) => Ok(Some(earlier)),
        }
    }

    fn place_original(&self, key: &VaultKey, seal: &SealRequest) -> Result<()> {
        let (from, to) = (self.upload_path(seal.id), self.path(key.as_str()));
        let folder = self.path(key.folder());
        if let Some(there) = self.files.metadata(&to)? {
            // An earlier try came this far; its last steps may be missing.
            if there.size_bytes != seal.size_bytes {
                return Err(VaultError::corrupt(format!(
                    "{key} has {} bytes instead of {}",
                    there.size_bytes, seal.size_bytes
                )));
            }
            self.files.set_readonly(&to)?;
            self.files.sync_dir(&folder)?;
            // A file system may have kept both names of the rename: the same file, one name too many.
            return self.remove_if_there(&from);
        }
        self.cut_and_sync(seal)?;
        self.files.rename_new(&from, &to)?;
        // A crash from here on: the original stands under one of its names (or both), whole. The next
        // try goes on from whichever it finds.
        self.files.set_readonly(&to)?;
        self.files.sync_dir(&folder)?;
        Ok(self.files.sync_dir(&self.path("open"))?)
    }

    /// Exactly the bytes to be sealed, durable.
    fn cut_and_sync(&self, seal: &SealRequest) -> Result<()> {
        let path = self.upload_path(seal.id);
        let unnamed = |error: std::io::Error| named(error.into(), || format!("upload {}", seal.id));
        let (file, writable) = match self.files.open_write(&path) {
            // The mode of an earlier try survived a crash that its rename did not.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                (self.files.open_read(&path).map_err(unnamed)?, false)
            }
            other => (other.map_err(unnamed)?, true),
        };
        let size_bytes = file.size_bytes()?;
        if size_bytes < seal.size_bytes || (!writable && size_bytes != seal.size_bytes) {
            return Err(VaultError::corrupt(format!(
                "upload {} has {size_bytes} bytes, {} are to be sealed",
                seal.id, seal.size_bytes
            )));
        }
        if writable {
            // Also where nothing is to be cut: an earlier try may have cut, and failed to sync that.
            file.set_size(seal.size_bytes)?;
        }
        Ok(file.sync_data()?)
    }

    pub(super) fn share(&self, share: &ShareRequest) -> Result<Sealed> {
        let of = self
            .resolve(&share.of)?
            .ok_or_else(|| VaultError::NotFound(share.of.to_string()))?;
        let key = VaultKey::new(of.area(), share.created_at, share.id);
        if key == of || self.files.metadata(&self.path(key.as_str()))?.is_some() {
            return Err(VaultError::Conflict(format!("{key} has bytes of its own")));
        }
        self.make_folder(&self.path(key.folder()))?;
        let earlier_side_file = self.put_side_file(&key, &share.side_file)?;
        match self.write_once(&key.pointer(), format!("{of}\n").as_bytes())? {
            PutOnce::Stored => Ok(Sealed {
                key,
                earlier_side_file,
            }),
            PutOnce::Existing(_) => Err(VaultError::Conflict(format!(
                "{key} already shares another original"
            ))),
        }
    }

    /// Writes a small file once, durably; its folder exists.
    pub(super) fn write_once(&self, relative: &str, bytes: &[u8]) -> Result<PutOnce> {
        let path = self.path(relative);
        let _turn = self.turn(&path);
        if let Some(there) = read_small(&*self.files, &path, SMALL_FILE_LIMIT_BYTES)? {
            if there != bytes {
                return Ok(PutOnce::Existing(there));
            }
            // The try that wrote it may have failed before its name was durable.
            if let Some(folder) = path.parent() {
                self.files.sync_dir(folder)?;
            }
            return Ok(PutOnce::Stored);
        }
        create_immutable(&*self.files, &path, &temporary(&path), bytes)?;
        Ok(PutOnce::Stored)
    }

    pub(super) fn delete_original(&self, key: &VaultKey) -> Result<()> {
        self.remove_if_there(&self.path(&key.pointer()))?;
        self.remove_if_there(&self.path(key.as_str()))
    }
}
