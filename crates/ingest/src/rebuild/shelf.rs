//! Files that a batch of entries needs, fetched before its transaction: no waiting for a store while
//! the writer is held.

use std::collections::HashMap;
use std::sync::Arc;

use docket_base::Sha256Digest;
use docket_ledger::register::RegisterValue;
use docket_ledger::{Entry, Event, RegisterFile, RegisterRef, SideFile};
use docket_vault::{BesideName, Vault, VaultKey};

use super::{RebuildError, Rebuilt};
use crate::published_log::references;

/// What was there.
#[derive(Debug, Default, Clone)]
pub(super) struct Shelf {
    registers: HashMap<String, Arc<RegisterFile>>,
    sides: HashMap<String, Arc<SideFile>>,
}

impl Shelf {
    /// Fetches what an entry names; how many bytes that were. What is missing or changed is noted: the
    /// log does not depend on it.
    pub(super) async fn fetch(
        &mut self,
        vault: &dyn Vault,
        entry: &Entry,
        notes: &mut Rebuilt,
    ) -> Result<usize, RebuildError> {
        let mut fetched = 0;
        if let Event::RecordingSealed(body) = &entry.event {
            fetched += self
                .side_file(vault, &body.vault_key, body.side_file_sha256, notes)
                .await?;
        }
        if matches!(entry.event, Event::RegisterErased(_)) {
            return Ok(fetched);
        }
        let mut named = Vec::new();
        references(
            &entry.event.body().map_err(crate::IngestError::from)?,
            &mut named,
        );
        for reference in named {
            let path = reference.path();
            match vault.log_read(&path).await? {
                None => notes.note(
                    path,
                    "the register file is gone: erased lawfully, or missing",
                ),
                Some(bytes) => match RegisterFile::open(&bytes, &reference) {
                    Ok(file) => {
                        fetched += bytes.len();
                        self.registers.insert(path, Arc::new(file));
                    }
                    Err(error) => notes.note(path, error.to_string()),
                },
            }
        }
        Ok(fetched)
    }

    async fn side_file(
        &mut self,
        vault: &dyn Vault,
        key: &str,
        expected: Sha256Digest,
        notes: &mut Rebuilt,
    ) -> Result<usize, RebuildError> {
        let Ok(parsed) = key.parse::<VaultKey>() else {
            notes.note(key, "the entry names no vault key");
            return Ok(0);
        };
        let Some(bytes) = vault.get_beside(&parsed, BesideName::SideFile).await? else {
            notes.note(
                key,
                "the side file is gone: file name, media type and claims are not known",
            );
            return Ok(0);
        };
        if Sha256Digest::of(&bytes) != expected {
            notes.note(
                key,
                "the side file is not the one that was sealed, and was not used",
            );
            return Ok(0);
        }
        match SideFile::parse(&bytes) {
            Ok(side) => self.put_side(key, side),
            Err(error) => notes.note(key, error.to_string()),
        }
        Ok(bytes.len())
    }

    pub(super) fn put_side(&mut self, key: &str, side: SideFile) {
        self.sides.insert(key.to_owned(), Arc::new(side));
    }

    pub(super) fn side(&self, key: &str) -> Option<&SideFile> {
        self.sides.get(key).map(|side| &**side)
    }

    pub(super) fn value(&self, reference: &RegisterRef) -> Option<&RegisterValue> {
        self.registers
            .get(&reference.path())
            .map(|file| &file.value)
    }

    /// A free text, empty where it is gone.
    pub(super) fn text(&self, reference: Option<&RegisterRef>) -> String {
        match reference.and_then(|reference| self.value(reference)) {
            Some(
                RegisterValue::LinkNote(row)
                | RegisterValue::HoldReason(row)
                | RegisterValue::Marker(row)
                | RegisterValue::ClipReason(row)
                | RegisterValue::Reason(row),
            ) => row.text.clone(),
            _ => String::new(),
        }
    }

    /// Only what this entry needs, for an entry that has to wait.
    pub(super) fn cut_for(&self, entry: &Entry) -> Self {
        let mut named = Vec::new();
        if let Ok(body) = entry.event.body() {
            references(&body, &mut named);
        }
        let registers = named.iter().filter_map(|reference| {
            let path = reference.path();
            let file = Arc::clone(self.registers.get(&path)?);
            Some((path, file))
        });
        Self {
            registers: registers.collect(),
            sides: HashMap::new(),
        }
    }
}
