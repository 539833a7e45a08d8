//! What the vault holds and the catalog does not know.

use docket_catalog::RecordingState;
use docket_ledger::kinds::Finding;
use docket_vault::{StoredForm, StoredOriginal};

use super::{Found, Run};
use crate::Result;

const PAGE: usize = 256;
/// More uploads than this are never under way.
const LEFTOVERS: usize = 100_000;

impl Run<'_> {
    pub(super) async fn strays(&mut self) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.parts.vault.originals(after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|stored| stored.key.clone()).or(after);
            for stored in page {
                self.sum.originals_count += 1;
                self.stored(&stored).await?;
            }
            if is_last {
                break;
            }
        }
        self.leftovers().await
    }

    async fn stored(&mut self, stored: &StoredOriginal) -> Result<()> {
        let row = self.parts.catalog.recording(stored.id).await?;
        let detail = match (&row, &stored.form) {
            (None, StoredForm::SideFilesOnly) => "side files of a recording that nobody knows",
            (None, _) => "an original that the catalog does not know",
            // Sealed in the vault just now, or before a crash: the catalog follows.
            (Some(row), _) if row.state.is_open() => return Ok(()),
            (Some(row), _) if row.vault_key.as_deref() == Some(stored.key.as_str()) => {
                return Ok(());
            }
            // An interrupted try at the other shelf left its folder.
            (Some(_), StoredForm::SideFilesOnly) => return Ok(()),
            (Some(_), _) => "a second original of a recording that lies elsewhere",
        };
        let mut found = Found::new(Finding::OriginalUnlogged, stored.key.as_str(), detail);
        found.recording = row.map(|row| (row.id, row.unit_id));
        self.found(found);
        Ok(())
    }

    async fn leftovers(&mut self) -> Result<()> {
        for leftover in self.parts.vault.leftovers(LEFTOVERS).await? {
            // An upload that begins has its assembly before it has its row, and no bytes yet.
            if leftover.size_bytes == 0
                || self.parts.catalog.upload(leftover.id).await?.is_some()
                || self.is_accounted_for(&leftover).await?
            {
                continue;
            }
            let place = format!("open/{}", leftover.id);
            let detail = format!(
                "{} bytes of an upload that the catalog does not know",
                leftover.size_bytes
            );
            self.found(Found::new(Finding::OriginalUnlogged, place, detail));
        }
        Ok(())
    }

    /// Whether a recording that is over explains the bytes: it has its original elsewhere (a duplicate
    /// keeps its own until the shared one was read back), or was withdrawn.
    async fn is_accounted_for(&self, leftover: &docket_vault::Leftover) -> Result<bool> {
        let row = self.parts.catalog.recording(leftover.id).await?;
        Ok(row.is_some_and(|row| {
            row.vault_key.is_some() || row.state == RecordingState::Deleted || row.state.is_open()
        }))
    }
}
