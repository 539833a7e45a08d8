//! Uploads that end before their last byte: given up by their sender, or by time.

use std::time::Duration;

use docket_base::ids::RecordingId;
use docket_catalog::{Upload, UploadKind};
use docket_ledger::Actor;
use docket_ledger::kinds::IncompleteReason;
use docket_vault::AssemblyState;

use crate::{Ingest, IngestError, Result};

/// Expiry is counted in days, so looking once in a while is enough.
const EVERY: Duration = Duration::from_secs(600);
const BATCH: u32 = 100;

impl Ingest {
    /// tus termination. What came is sealed as incomplete, because acknowledged bytes are evidence.
    ///
    /// # Errors
    /// [`IngestError::NotFound`]; [`IngestError::WrongState`] when it is over already.
    pub async fn terminate_upload(&self, id: RecordingId, actor: Actor) -> Result<()> {
        let _lock = self.locks.take(id).await?;
        match self.catalog.upload(id).await? {
            Some(upload) => {
                self.end_early(&upload, IncompleteReason::Terminated, actor)
                    .await
            }
            None => match self.catalog.recording(id).await? {
                Some(recording) => Err(IngestError::WrongState(format!(
                    "the recording is {}",
                    recording.state
                ))),
                None => Err(IngestError::not_found("upload", id)),
            },
        }
    }

    pub(super) async fn end_early(
        &self,
        upload: &Upload,
        reason: IncompleteReason,
        actor: Actor,
    ) -> Result<()> {
        if matches!(upload.kind, UploadKind::Final | UploadKind::Clip) {
            return Err(IngestError::WrongState(
                "all its bytes are there, and are being joined or cut".to_owned(),
            ));
        }
        if upload.kind == UploadKind::Whole {
            return self.give_up(upload, reason, actor).await;
        }
        if upload.is_joined() {
            return self.drop_part(upload).await;
        }
        if self.catalog.part_is_needed(upload.id).await? {
            return Err(IngestError::WrongState(
                "a final upload still needs this part".to_owned(),
            ));
        }
        // A part is no recording, but its bytes were acknowledged: they become one, incomplete.
        if upload.offset_bytes > 0 {
            return self.keep_orphan_part(upload, reason, actor).await;
        }
        self.drop_part(upload).await
    }

    /// Throws a part away of which nothing must be kept. The row goes last: after a crash it is the row
    /// that says that these bytes may go.
    pub(crate) async fn drop_part(&self, upload: &Upload) -> Result<()> {
        let state = AssemblyState(upload.assembly_state.clone());
        self.vault.discard(&state).await?;
        Ok(self.catalog.delete_partial_upload(upload.id).await?)
    }

    /// Seals what expired by now; how many uploads that were.
    ///
    /// # Errors
    /// The catalog's. One upload's own failure is logged and tried again later.
    pub async fn expire_uploads(&self) -> Result<usize> {
        let mut count = 0;
        for upload in self
            .catalog
            .expired_uploads(self.clock.now(), BATCH)
            .await?
        {
            let Ok(_lock) = self.locks.take(upload.id).await else {
                continue;
            };
            // Under the lock it may have moved on or been finished.
            let Some(upload) = self.catalog.upload(upload.id).await? else {
                continue;
            };
            match self
                .end_early(&upload, IncompleteReason::Expired, Actor::System)
                .await
            {
                Ok(()) => count += 1,
                Err(error) => {
                    tracing::error!(upload = %upload.id, %error, "an expired upload could not be sealed")
                }
            }
        }
        Ok(count)
    }

    pub(crate) async fn expire_loop(&self) {
        loop {
            if let Err(error) = self.expire_uploads().await {
                tracing::error!(%error, "looking for expired uploads");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.shutdown.cancelled() => return,
            }
        }
    }
}
