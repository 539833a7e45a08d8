//! What a start finds after a crash, and makes good with the functions of the first try.

use docket_base::ids::RecordingId;
use docket_catalog::{Upload, UploadKind};

use crate::{Ingest, Result};

const BATCH: u32 = 256;
const LEFTOVERS: usize = 100_000;

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Uploads that were complete, or whose closing had begun, and are closed now.
    pub sealed: usize,
    /// Empty or superseded assemblies that were thrown away.
    pub discarded: usize,
    /// Assemblies with bytes that no row knows: kept for `docketd check` and people.
    pub unknown: usize,
}

impl Ingest {
    /// Runs once, before requests are served.
    ///
    /// # Errors
    /// The catalog's or the vault's. One upload's own failure is logged, and it stays open.
    pub async fn recover(&self) -> Result<Recovered> {
        let mut recovered = Recovered::default();
        let mut after = None;
        loop {
            let uploads = self.catalog.open_uploads(after, BATCH).await?;
            let Some(last) = uploads.last() else { break };
            after = Some(last.id);
            for upload in uploads {
                match self.recover_upload(&upload).await {
                    Ok(true) => recovered.sealed += 1,
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(upload = %upload.id, %error, "an upload could not be closed")
                    }
                }
            }
        }
        self.drop_joined_parts().await?;
        self.clear_leftovers(&mut recovered).await?;
        Ok(recovered)
    }

    /// Closes an upload that is complete, or whose closing had begun; whether it was such a one.
    async fn recover_upload(&self, upload: &Upload) -> Result<bool> {
        if matches!(upload.kind, UploadKind::Whole | UploadKind::Clip) && upload.is_complete() {
            return Ok(self.finish_if_complete(upload).await?.is_some());
        }
        self.go_on_closing(upload).await
    }

    async fn clear_leftovers(&self, recovered: &mut Recovered) -> Result<()> {
        for leftover in self.vault.leftovers(LEFTOVERS).await? {
            if self.catalog.upload(leftover.id).await?.is_some() {
                continue;
            }
            let is_settled = self.is_settled(leftover.id).await?;
            if is_settled || leftover.size_bytes == 0 {
                self.vault.discard(&leftover.state).await?;
                recovered.discarded += 1;
            } else {
                recovered.unknown += 1;
                tracing::warn!(
                    upload = %leftover.id, size_bytes = leftover.size_bytes,
                    "the vault holds bytes of an upload that the catalog does not know; they are kept"
                );
            }
        }
        Ok(())
    }

    /// Whether a recording no longer needs the bytes of its upload: it was withdrawn, or it is a
    /// duplicate whose shared object was read back since.
    async fn is_settled(&self, id: RecordingId) -> Result<bool> {
        let Some(recording) = self.catalog.recording(id).await? else {
            return Ok(false);
        };
        let withdrawn = recording.deleted_at.is_some() && recording.vault_key.is_none();
        Ok(withdrawn || recording.verified_at.is_some())
    }
}
