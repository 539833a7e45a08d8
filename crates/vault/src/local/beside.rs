//! Small files beside originals, and derivatives.

use std::path::PathBuf;

use docket_base::Micros;
use docket_base::files::{read_small, replace};
use docket_base::ids::RecordingId;

use super::{SMALL_FILE_LIMIT_BYTES, Shared, temporary};
use crate::contract::PutOnce;
use crate::error::{Result, VaultError};
use crate::key::{BesideName, DerivativeName, VaultKey, day_folder};

impl Shared {
    pub(super) fn read_small(&self, relative: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(relative);
        Ok(read_small(&*self.files, &path, SMALL_FILE_LIMIT_BYTES)?)
    }

    pub(super) fn put_beside(
        &self,
        key: &VaultKey,
        name: BesideName,
        bytes: &[u8],
    ) -> Result<PutOnce> {
        if self.files.metadata(&self.path(key.folder()))?.is_none() {
            return Err(VaultError::NotFound(key.to_string()));
        }
        self.write_once(&key.beside(name), bytes)
    }

    pub(super) fn put_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
        bytes: &[u8],
    ) -> Result<()> {
        let folder = self.derived_folder(id, created_at);
        let path = folder.join(name.as_str());
        let _turn = self.turn(&path);
        self.make_folder(&folder)?;
        Ok(replace(&*self.files, &path, &temporary(&path), bytes)?)
    }

    pub(super) fn get_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
    ) -> Result<Option<Vec<u8>>> {
        let path = self.derived_folder(id, created_at).join(name.as_str());
        Ok(read_small(&*self.files, &path, SMALL_FILE_LIMIT_BYTES)?)
    }

    pub(super) fn delete_derivatives(&self, id: RecordingId, created_at: Micros) -> Result<()> {
        let folder = self.derived_folder(id, created_at);
        if self.files.metadata(&folder)?.is_none() {
            return Ok(());
        }
        for path in self.files.read_dir(&folder)? {
            self.files.remove_file(&path)?;
        }
        self.files.remove_dir(&folder)?;
        match folder.parent() {
            Some(parent) => Ok(self.files.sync_dir(parent)?),
            None => Ok(()),
        }
    }

    fn derived_folder(&self, id: RecordingId, created_at: Micros) -> PathBuf {
        self.path(&format!("derived/{}/{id}", day_folder(created_at)))
    }
}
