//! Concatenation: parts arrive side by side and are joined in the background.
//!
//! SHA-256 of parts does not compose, so joining reads and hashes everything once more; meanwhile
//! the recording is `sealing`. The joined upload has its own durable offset and midstate: a crash in
//! the middle goes on from there.

use std::time::Duration;

use bytes::Bytes;
use docket_base::RunningDigest;
use docket_base::ids::{RecordingId, UnitId};
use docket_catalog::{NewRecording, RecordingKind, Upload, UploadKind};
use docket_ledger::kinds::{self, IncompleteReason};
use docket_ledger::{Actor, Salt, Subject};
use docket_vault::{AssemblyState, BeginRequest};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::append::{Body, pump_error};
use super::create::{NewUpload, Origin};
use super::pump::Ended;
use super::stored::StoredFacts;
use crate::event::actor_ref;
use crate::{Ingest, IngestError, Result};

const AGAIN: Duration = Duration::from_secs(30);
const BATCH: u32 = 256;
/// Parts of one final upload.
const MAX_PARTS: usize = 10_000;

/// A final upload: a recording made of parts.
#[derive(Debug, Clone)]
pub struct NewFinal {
    /// What it is to become; its length is the parts'.
    pub upload: NewUpload,
    /// The parts, in order.
    pub parts: Vec<RecordingId>,
}

impl Ingest {
    /// Creates a part. It is no recording and no event: its final upload is.
    ///
    /// # Errors
    /// As [`Ingest::create_upload`].
    pub async fn create_partial(
        &self,
        origin: Origin,
        unit: UnitId,
        length_bytes: Option<u64>,
        header: &str,
    ) -> Result<Upload> {
        self.check_length(length_bytes)?;
        let id = RecordingId::fresh(&*self.clock, &*self.random);
        let at = self.clock.now();
        let mut assembly = self
            .vault
            .begin(&BeginRequest {
                id,
                created_at: at,
                metadata: Vec::new(),
            })
            .await?;
        let facts = StoredFacts {
            header: header.to_owned(),
            salt: Salt::fresh(&*self.random),
            sender_token: origin.token,
            by_station: origin.station.is_some(),
            note: None,
            case_number: None,
            case_unit: None,
        };
        let upload = docket_catalog::NewUpload {
            id,
            kind: UploadKind::Partial,
            unit_id: unit,
            owner: actor_ref(origin.actor),
            length_bytes,
            midstate: Some(RunningDigest::new(self.options.sm3).midstate()),
            assembly_state: assembly.flush().await?.state.0,
            metadata: facts.to_text(),
            created_at: at,
            expires_at: Some(at.plus_seconds(i64::from(self.options.expiry_days) * 86_400)),
            parts: Vec::new(),
        };
        self.catalog.insert_partial_upload(&upload).await?;
        self.catalog
            .upload(id)
            .await?
            .ok_or(IngestError::Died("the upload's row"))
    }

    /// Creates a final upload from complete parts of the same sender; joining starts at once.
    ///
    /// # Errors
    /// [`IngestError::Refused`] names the part that does not exist, is not complete or is another's.
    pub async fn create_final(&self, origin: Origin, mut new: NewFinal) -> Result<Upload> {
        if new.parts.is_empty() || new.parts.len() > MAX_PARTS {
            return Err(IngestError::Refused(format!(
                "a final upload has 1 to {MAX_PARTS} parts"
            )));
        }
        let mut total = 0_u64;
        for id in &new.parts {
            let part = self
                .catalog
                .upload(*id)
                .await?
                .filter(|part| part.kind == UploadKind::Partial);
            let part = part.filter(|part| {
                part.owner() == actor_ref(origin.actor)
                    && part.unit_id == new.upload.unit
                    && !part.is_joined()
            });
            let Some(part) = part else {
                return Err(IngestError::Refused(format!(
                    "{id} is not a partial upload of yours in that unit"
                )));
            };
            if part.length_bytes != Some(part.offset_bytes) {
                return Err(IngestError::Refused(format!(
                    "partial upload {id} is not complete"
                )));
            }
            total = total.saturating_add(part.offset_bytes);
        }
        new.upload.length_bytes = Some(total);
        let id = RecordingId::fresh(&*self.clock, &*self.random);
        let upload = self
            .create_recording(id, origin, &new.upload, UploadKind::Final, new.parts)
            .await?;
        self.catalog.begin_sealing(id).await?;
        self.join_wanted.notify_one();
        Ok(upload)
    }

    pub(crate) async fn join_loop(&self) {
        loop {
            let pause = match self.join_round().await {
                Ok(true) => None,
                Ok(false) => Some(AGAIN),
                Err(error) => {
                    tracing::error!(%error, "joining uploads; trying again");
                    Some(AGAIN)
                }
            };
            tokio::select! {
                () = self.join_wanted.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or(Duration::from_secs(3_600))) => {}
                () = self.shutdown.cancelled() => return,
            }
        }
    }

    /// Joins what waits, and closes what is complete and could not be closed; whether all of it went
    /// well.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn join_round(&self) -> Result<bool> {
        let (mut after, mut all_well) = (None, true);
        loop {
            let uploads = self.catalog.open_uploads(after, BATCH).await?;
            let Some(last) = uploads.last() else {
                if let Err(error) = self.drop_joined_parts().await {
                    all_well = false;
                    tracing::error!(%error, "joined parts are still there; trying again");
                }
                return Ok(all_well);
            };
            after = Some(last.id);
            for upload in uploads {
                let done = match upload.kind {
                    UploadKind::Final => self.join(upload.id).await,
                    // Its last byte came, but closing it failed.
                    UploadKind::Whole | UploadKind::Clip if upload.is_complete() => {
                        self.finish_if_complete(&upload).await.map(drop)
                    }
                    UploadKind::Whole | UploadKind::Partial | UploadKind::Clip => continue,
                };
                if let Err(error) = done {
                    all_well = false;
                    tracing::error!(upload = %upload.id, %error, "not joined or closed; trying again");
                }
            }
        }
    }

    async fn join(&self, id: RecordingId) -> Result<()> {
        let mut lock = self.locks.take(id).await?;
        let Some(upload) = self.catalog.upload(id).await? else {
            return Ok(());
        };
        if self.go_on_closing(&upload).await? {
            return Ok(());
        }
        let parts = self.catalog.upload_parts(id).await?;
        let start = self.start_point(&upload)?;
        let body = self.rest_of_parts(&parts, start.offset_bytes).await?;
        let pump = self.pump(&upload, &start, None).await?;
        let (ended, point, _) = pump
            .run(start, &mut lock, body, self.commit_offsets(&upload))
            .await
            .map_err(pump_error)?;
        if upload.length_bytes != Some(point.offset_bytes) {
            return Err(IngestError::WrongState(format!(
                "joining stopped: {ended:?}"
            )));
        }
        debug_assert!(matches!(ended, Ended::Length | Ended::Body));
        self.finish(&upload, &point).await?;
        Ok(())
    }

    /// Throws away the parts whose bytes are in a sealed original now. A crash before this, or within,
    /// leaves them marked as joined: the next start does it.
    pub(crate) async fn drop_joined_parts(&self) -> Result<()> {
        loop {
            let mut joined = self.catalog.joined_parts(BATCH).await?;
            if joined.is_empty() {
                return Ok(());
            }
            for part in joined.drain(..) {
                self.drop_part(&part).await?;
            }
        }
    }

    /// The parts' bytes one after another, from an offset into the whole on.
    async fn rest_of_parts(&self, parts: &[RecordingId], from_bytes: u64) -> Result<Body<'_>> {
        let mut ranges = Vec::new();
        let mut begin = 0_u64;
        for id in parts {
            let part = self
                .catalog
                .upload(*id)
                .await?
                .ok_or_else(|| IngestError::not_found("part", id))?;
            let skip = from_bytes.saturating_sub(begin).min(part.offset_bytes);
            if skip < part.offset_bytes {
                ranges.push((AssemblyState(part.assembly_state), skip..part.offset_bytes));
            }
            begin += part.offset_bytes;
        }
        let bytes = stream::iter(ranges.into_iter().map(Ok::<_, std::io::Error>))
            .and_then(move |(state, range)| async move {
                let part = self
                    .vault
                    .read_assembly(&state, range)
                    .await
                    .map_err(std::io::Error::other)?;
                Ok(part.map_err(std::io::Error::other))
            })
            .try_flatten()
            .map(|block: std::io::Result<Bytes>| block);
        Ok(Box::pin(bytes))
    }

    /// A part that nobody joined in time: what was acknowledged becomes an incomplete recording.
    pub(super) async fn keep_orphan_part(
        &self,
        upload: &Upload,
        reason: IncompleteReason,
        actor: Actor,
    ) -> Result<()> {
        // It exists already when an earlier try ended between the two changes.
        if self.catalog.recording(upload.id).await?.is_none() {
            let recording = NewRecording {
                id: upload.id,
                kind: RecordingKind::Other,
                file_name: String::new(),
                media_type: None,
                size_bytes: upload.length_bytes,
                claimed_sha256: None,
                unit_id: upload.unit_id,
                officer_id: None,
                officer_claimed: None,
                recorder_id: None,
                recorder_claimed: None,
                station_id: None,
                docking_id: None,
                device_path: None,
                recorded_at: None,
                created_at: upload.created_at,
                marks: Vec::new(),
                notes: String::new(),
                tags: Vec::new(),
                created_by: upload.owner(),
            };
            let announced = kinds::RecordingAnnounced {
                kind: kinds::RecordingKind::Other,
                size_bytes: upload.length_bytes,
                claimed_sha256: None,
                station: None,
                docking: None,
            };
            let event = self.event(
                actor,
                Some(upload.unit_id),
                Subject::recording(upload.id),
                announced,
            )?;
            let mut change = self.catalog.change().await?;
            change.insert_recording(&recording).await?;
            self.commit(change, &[event]).await?;
        }
        self.give_up(upload, reason, actor).await
    }
}
