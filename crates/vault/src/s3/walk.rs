//! Listings made from what is in the store alone.

use std::collections::BTreeMap;

use super::S3Vault;
use super::state::S3State;
use super::store::{Bucket, Listed};
use crate::contract::{Leftover, StoredForm, StoredOriginal};
use crate::error::Result;
use crate::key::{Area, SAME_AS, VaultKey};

/// A folder's objects as far as listed.
struct Folder {
    key: VaultKey,
    size_bytes: Option<u64>,
    has_pointer: bool,
}

impl S3Vault {
    pub(super) async fn list_originals(
        &self,
        after: Option<&VaultKey>,
        limit: usize,
    ) -> Result<Vec<StoredOriginal>> {
        let mut found = Vec::new();
        for area in Area::ALL {
            let skip = match after {
                Some(key) if key.area() > area => continue,
                // Behind everything in that folder.
                Some(key) if key.area() == area => format!("{}/~", key.folder()),
                _ => String::new(),
            };
            self.list_area(area, skip, limit, &mut found).await?;
        }
        Ok(found)
    }

    async fn list_area(
        &self,
        area: Area,
        mut after: String,
        limit: usize,
        found: &mut Vec<StoredOriginal>,
    ) -> Result<()> {
        let prefix = format!("{}/", area.folder());
        let mut open: Option<Folder> = None;
        while found.len() < limit {
            let page = self.store.list(Bucket::Originals, &prefix, &after).await?;
            let Some(last) = page.last() else {
                break;
            };
            after.clone_from(&last.key);
            for object in page {
                let Some((key, name)) = parse(&object) else {
                    continue;
                };
                if open.as_ref().is_none_or(|folder| folder.key != key)
                    && let Some(done) = open.replace(Folder::new(key))
                {
                    found.push(self.stored(done).await?);
                    if found.len() >= limit {
                        return Ok(());
                    }
                }
                if let Some(folder) = &mut open {
                    folder.add(&name, object.size_bytes);
                }
            }
        }
        match open {
            Some(folder) if found.len() < limit => found.push(self.stored(folder).await?),
            _ => {}
        }
        Ok(())
    }

    async fn stored(&self, folder: Folder) -> Result<StoredOriginal> {
        let form = match (folder.size_bytes, folder.has_pointer) {
            (Some(size_bytes), _) => StoredForm::Object { size_bytes },
            (None, true) => match self.pointer_target(&folder.key).await? {
                Some(of) => StoredForm::SameAs(of),
                None => StoredForm::SideFilesOnly,
            },
            (None, false) => StoredForm::SideFilesOnly,
        };
        Ok(StoredOriginal {
            id: folder.key.id(),
            key: folder.key,
            form,
        })
    }

    pub(super) async fn list_leftovers(&self, limit: usize) -> Result<Vec<Leftover>> {
        // By key: a multipart upload and its scaffold objects are one upload.
        let mut found: BTreeMap<VaultKey, (Option<String>, u64)> = BTreeMap::new();
        for (key, upload_id) in self.multipart_uploads("").await? {
            found.entry(key).or_default().0 = Some(upload_id);
        }
        let mut after = String::new();
        while found.len() < limit {
            let page = self.store.list(Bucket::Scaffold, "open/", &after).await?;
            let Some(last) = page.last() else {
                break;
            };
            after.clone_from(&last.key);
            for object in page {
                let key = object.key.replacen("open/", "originals/", 1);
                let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
                if let Ok(key) = format!("{folder}/original").parse::<VaultKey>() {
                    found.entry(key).or_default().1 += object.size_bytes;
                }
            }
        }
        let leftovers = found.into_iter().map(|(key, (upload_id, size_bytes))| {
            let id = key.id();
            let mut state = S3State::new(key, Vec::new());
            state.upload_id = upload_id;
            Leftover {
                id,
                state: state.text(),
                size_bytes,
            }
        });
        Ok(leftovers.take(limit).collect())
    }

    pub(super) async fn list_log(
        &self,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut after = after.map_or_else(String::new, |after| format!("log/{after}"));
        while found.len() < limit {
            let page = self.store.list(Bucket::Scaffold, folder, &after).await?;
            let Some(last) = page.last() else {
                break;
            };
            after.clone_from(&last.key);
            let paths = page
                .iter()
                .filter_map(|object| object.key.strip_prefix("log/"));
            found.extend(paths.map(str::to_owned).take(limit - found.len()));
        }
        Ok(found)
    }
}

impl Folder {
    fn new(key: VaultKey) -> Self {
        Self {
            key,
            size_bytes: None,
            has_pointer: false,
        }
    }

    fn add(&mut self, name: &str, size_bytes: u64) {
        match name {
            "original" => self.size_bytes = Some(size_bytes),
            SAME_AS => self.has_pointer = true,
            _ => {}
        }
    }
}

fn parse(object: &Listed) -> Option<(VaultKey, String)> {
    let (folder, name) = object.key.rsplit_once('/')?;
    Some((format!("{folder}/original").parse().ok()?, name.to_owned()))
}
