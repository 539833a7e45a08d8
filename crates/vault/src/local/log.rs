//! The ledger's and the registers' files.

use docket_base::files::{read_small, replace};

use super::{SMALL_FILE_LIMIT_BYTES, Shared, temporary};
use crate::contract::PutOnce;
use crate::error::{Result, VaultError};
use crate::key::check_log_path;

pub(super) fn log_path(path: &str) -> Result<String> {
    check_log_path(path)?;
    Ok(format!("log/{path}"))
}

pub(super) fn log_folder(folder: &str) -> Result<String> {
    match folder.trim_end_matches('/') {
        "" => Ok("log".to_owned()),
        folder => log_path(folder),
    }
}

impl Shared {
    pub(super) fn log_create(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        self.make_log_folder(relative)?;
        match self.write_once(relative, bytes)? {
            PutOnce::Stored => Ok(()),
            PutOnce::Existing(_) => Err(VaultError::Conflict(format!(
                "{relative} is there with other bytes"
            ))),
        }
    }

    pub(super) fn log_replace(
        &self,
        relative: &str,
        expected: Option<&[u8]>,
        new: &[u8],
    ) -> Result<()> {
        self.make_log_folder(relative)?;
        let path = self.path(relative);
        // One process owns the data directory, so a lock in it is compare-and-swap enough.
        let _turn = self.turn(&path);
        let there = read_small(&*self.files, &path, SMALL_FILE_LIMIT_BYTES)?;
        if there.as_deref() != expected {
            return Err(VaultError::Conflict(format!("{relative} has changed")));
        }
        Ok(replace(&*self.files, &path, &temporary(&path), new)?)
    }

    fn make_log_folder(&self, relative: &str) -> Result<()> {
        match self.path(relative).parent() {
            Some(folder) => self.make_folder(folder),
            None => Ok(()),
        }
    }
}
