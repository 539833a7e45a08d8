//! Uploads: created, appended to, finished.

mod append;
pub mod checksum;
mod clip;
mod close;
mod concat;
mod create;
mod expire;
mod finish;
pub mod hashing;
pub mod locks;
pub mod pump;
mod stored;

pub use append::{AppendOutcome, Appended, Body};
pub use clip::ClipWanted;
pub use concat::NewFinal;
pub use create::{NewUpload, Origin};
pub use finish::Finished;
pub use stored::StoredFacts;

use docket_base::ids::RecordingId;
use docket_catalog::{RecordingState, Upload, UploadKind};

use crate::{Ingest, IngestError, Result};

/// What HEAD tells of an upload.
#[derive(Debug, Clone)]
pub enum UploadStatus {
    /// Bytes may come.
    Open(Box<Upload>),
    /// All bytes are there: its length.
    Complete {
        /// The recording's length.
        size_bytes: u64,
    },
    /// It ended without being complete, or the bytes are no longer there.
    Gone(RecordingState),
}

impl Ingest {
    /// Where an upload stands. Asking hands its lock over: a client that asks has lost its
    /// connection, so a handler that still waits for its bytes saves them and stops first.
    ///
    /// Nobody is told that all bytes are there before the recording is closed: a client would go away,
    /// and a seal that failed would stay so. So a complete upload is closed here if need be.
    ///
    /// # Errors
    /// [`IngestError::NotFound`]; [`IngestError::StillHeld`] when the other handler can't save; what
    /// closing says.
    pub async fn upload_status(&self, id: RecordingId) -> Result<UploadStatus> {
        // A final upload takes no bytes: joining it must not stop for who only asks.
        match self.catalog.upload(id).await? {
            None => {}
            Some(upload) if matches!(upload.kind, UploadKind::Final | UploadKind::Clip) => {}
            Some(_) => {
                let _lock = self.locks.take(id).await?;
                if let Some(upload) = self.catalog.upload(id).await?
                    && upload.is_complete()
                {
                    self.finish(&upload, &self.start_point(&upload)?).await?;
                }
            }
        }
        self.upload_status_unlocked(id).await
    }

    pub(crate) async fn upload_status_unlocked(&self, id: RecordingId) -> Result<UploadStatus> {
        if let Some(upload) = self.catalog.upload(id).await? {
            return Ok(UploadStatus::Open(Box::new(upload)));
        }
        let recording = self
            .catalog
            .recording(id)
            .await?
            .ok_or_else(|| IngestError::not_found("upload", id))?;
        Ok(match (recording.state, recording.size_bytes) {
            (RecordingState::Sealed, Some(size_bytes)) => UploadStatus::Complete { size_bytes },
            (state, _) => UploadStatus::Gone(state),
        })
    }

    /// Whether it is a part of a concatenation: such an upload is no recording.
    pub fn is_partial(upload: &Upload) -> bool {
        upload.kind == UploadKind::Partial
    }
}
