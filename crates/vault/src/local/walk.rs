//! Listings made from what is on the disk alone: for check, rebuild and cleaning up.

use std::path::Path;

use docket_base::ids::RecordingId;

use super::Shared;
use super::open::LocalState;
use crate::contract::{Leftover, StoredForm, StoredOriginal};
use crate::error::Result;
use crate::key::{Area, VaultKey, is_number};

impl Shared {
    /// Names of the entries of a folder that fit; what somebody else put there is passed over. Empty
    /// when there is no folder.
    fn names(&self, folder: &str, fits: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let path = self.path(folder);
        if self.files.metadata(&path)?.is_none() {
            return Ok(Vec::new());
        }
        let entries = self.files.read_dir(&path)?;
        let names = entries.iter().filter_map(|path| file_name(path));
        Ok(names.filter(|name| fits(name)).map(str::to_owned).collect())
    }

    pub(super) fn originals(
        &self,
        after: Option<&VaultKey>,
        limit: usize,
    ) -> Result<Vec<StoredOriginal>> {
        let mut found = Vec::new();
        for area in Area::ALL {
            self.originals_under(area.folder(), &[4, 2, 2], after, limit, &mut found)?;
        }
        Ok(found)
    }

    /// Goes down year, month and day; a folder that lies wholly before `after` is not entered.
    fn originals_under(
        &self,
        folder: &str,
        levels: &[usize],
        after: Option<&VaultKey>,
        limit: usize,
        found: &mut Vec<StoredOriginal>,
    ) -> Result<()> {
        let after_text = after.map_or("", |key| key.as_str());
        let names = match levels.first() {
            Some(digits) => self.names(folder, |name| is_number(name, *digits))?,
            None => self.names(folder, |name| name.parse::<RecordingId>().is_ok())?,
        };
        for name in names {
            if found.len() >= limit {
                return Ok(());
            }
            let path = format!("{folder}/{name}");
            if path.as_str() < after_text && !after_text.starts_with(&path) {
                continue;
            }
            match levels.split_first() {
                Some((_, deeper)) => {
                    self.originals_under(&path, deeper, after, limit, found)?;
                }
                None => {
                    let Ok(key) = format!("{path}/original").parse::<VaultKey>() else {
                        continue;
                    };
                    if after.is_none_or(|after| key > *after) {
                        found.push(self.stored(key)?);
                    }
                }
            }
        }
        Ok(())
    }

    fn stored(&self, key: VaultKey) -> Result<StoredOriginal> {
        let form = match self.files.metadata(&self.path(key.as_str()))? {
            Some(file) => StoredForm::Object {
                size_bytes: file.size_bytes,
            },
            None => match self.pointer_target(&key)? {
                Some(of) => StoredForm::SameAs(of),
                None => StoredForm::SideFilesOnly,
            },
        };
        Ok(StoredOriginal {
            id: key.id(),
            key,
            form,
        })
    }

    pub(super) fn leftovers(&self, limit: usize) -> Result<Vec<Leftover>> {
        let mut found = Vec::new();
        for name in self.names("open", |name| name.parse::<RecordingId>().is_ok())? {
            if found.len() >= limit {
                break;
            }
            let (Ok(id), Some(file)) = (
                name.parse(),
                self.files.metadata(&self.path(&format!("open/{name}")))?,
            ) else {
                continue;
            };
            let state = LocalState {
                local: id,
                created_at: None,
            };
            found.push(Leftover {
                id,
                state: state.text(),
                size_bytes: file.size_bytes,
            });
        }
        Ok(found)
    }

    pub(super) fn log_list(
        &self,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.log_files_under(folder, after.unwrap_or(""), limit, &mut found)?;
        Ok(found)
    }

    fn log_files_under(
        &self,
        folder: &str,
        after: &str,
        limit: usize,
        found: &mut Vec<String>,
    ) -> Result<()> {
        let mut entries = Vec::new();
        // Temporaries begin with a dot.
        for name in self.names(folder, |name| !name.starts_with('.'))? {
            let path = format!("{folder}/{name}");
            match self.files.metadata(&self.path(&path))? {
                // With the slash, so that files come in the byte order of their whole paths.
                Some(entry) if entry.is_dir => entries.push(format!("{path}/")),
                Some(_) => entries.push(path),
                None => {}
            }
        }
        entries.sort();
        for entry in entries {
            if found.len() >= limit {
                return Ok(());
            }
            match entry.strip_suffix('/') {
                Some(_) if entry.as_str() < after && !after.starts_with(&entry) => {}
                Some(deeper) => self.log_files_under(deeper, after, limit, found)?,
                None if entry.as_str() > after => {
                    found.push(entry.strip_prefix("log/").unwrap_or(&entry).to_owned());
                }
                None => {}
            }
        }
        Ok(())
    }
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}
