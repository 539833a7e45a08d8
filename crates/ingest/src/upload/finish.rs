//! The end of an upload: sealed, incomplete or quarantined.

use docket_base::{Digests, Sha256Digest};
use docket_catalog::{Recording, RecordingState, Upload, UploadKind};
use docket_ledger::kinds::{self, IncompleteReason, SealedState};
use docket_ledger::{Actor, Subject};
use docket_vault::{AssemblyState, VaultError};

use super::pump::Point;
use crate::{Ingest, IngestError, Result};

/// How a complete upload ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// The original is sealed.
    Sealed {
        /// Its digests.
        digests: Digests,
    },
    /// It is not what was promised: kept aside.
    Quarantined {
        /// Promised.
        expected: Sha256Digest,
        /// Came.
        actual: Sha256Digest,
    },
}

impl Ingest {
    /// Closes an upload whose bytes are all there. `None` for a part of a concatenation, which waits
    /// for its final upload.
    ///
    /// # Errors
    /// The vault's or the catalog's; the upload stays, and recovery or the next PATCH tries again.
    pub(crate) async fn finish(&self, upload: &Upload, point: &Point) -> Result<Option<Finished>> {
        if upload.kind == UploadKind::Partial {
            return Ok(None);
        }
        let recording = self.recording_of(upload).await?;
        let digests = point.digest.finish();
        let claimed = recording.claimed_sha256.unwrap_or(digests.sha256);
        let state = if claimed == digests.sha256 {
            SealedState::Sealed
        } else {
            SealedState::Quarantined
        };
        let actor = owner(upload);
        let closed = self
            .close(upload, recording, point, state, None, actor)
            .await?;
        match closed {
            SealedState::Sealed => Ok(Some(Finished::Sealed { digests })),
            SealedState::Quarantined => Ok(Some(Finished::Quarantined {
                expected: claimed,
                actual: digests.sha256,
            })),
            // It had been given up before, and that had got too far to be taken back.
            SealedState::Incomplete => Err(IngestError::WrongState(
                "the recording is incomplete".to_owned(),
            )),
        }
    }

    /// Seals an upload that was created with its whole (possibly empty) content already there.
    ///
    /// # Errors
    /// As [`Ingest::append`].
    pub async fn finish_if_complete(&self, upload: &Upload) -> Result<Option<Finished>> {
        if !upload.is_complete() {
            return Ok(None);
        }
        let _lock = self.locks.take(upload.id).await?;
        let Some(upload) = self.catalog.upload(upload.id).await? else {
            return Ok(None);
        };
        self.finish(&upload, &self.start_point(&upload)?).await
    }

    /// Closes an upload that will get no more bytes. What was acknowledged is evidence: it is sealed
    /// as incomplete. Where nothing was, the recording is withdrawn. Where all of it was, it is complete.
    ///
    /// # Errors
    /// The vault's or the catalog's.
    pub(super) async fn give_up(
        &self,
        upload: &Upload,
        reason: IncompleteReason,
        actor: Actor,
    ) -> Result<()> {
        let point = self.start_point(upload)?;
        if upload.is_complete() && upload.kind != UploadKind::Partial {
            return self.finish(upload, &point).await.map(drop);
        }
        if upload.offset_bytes == 0 {
            return self.withdraw(upload, reason, actor).await;
        }
        // From here on it takes no more bytes, whatever becomes of the steps below: the side file they
        // write is about exactly these.
        self.catalog.begin_sealing(upload.id).await?;
        match self.vault.resume(&point.state, point.offset_bytes).await {
            // Bytes past the durable offset are cut off: nobody was told of them.
            Ok(_) => {}
            // An earlier try sealed it already.
            Err(VaultError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let recording = self.recording_of(upload).await?;
        let state = SealedState::Incomplete;
        self.close(upload, recording, &point, state, Some(reason), actor)
            .await
            .map(drop)
    }

    /// Completes a closing that an error or a crash broke off; whether there was one.
    ///
    /// # Errors
    /// The vault's or the catalog's.
    pub(crate) async fn go_on_closing(&self, upload: &Upload) -> Result<bool> {
        let Some(recording) = self.catalog.recording(upload.id).await? else {
            return Ok(false);
        };
        // A final upload is `sealing` while it is joined, too.
        let given_up =
            recording.state == RecordingState::Sealing && upload.kind != UploadKind::Final;
        if !given_up && self.side_file_of(upload).await?.is_none() {
            return Ok(false);
        }
        if upload.is_complete() && upload.kind != UploadKind::Partial {
            self.finish(upload, &self.start_point(upload)?).await?;
        } else {
            let reason = IncompleteReason::Recovered;
            self.give_up(upload, reason, Actor::System).await?;
        }
        Ok(true)
    }

    async fn withdraw(
        &self,
        upload: &Upload,
        reason: IncompleteReason,
        actor: Actor,
    ) -> Result<()> {
        let withdrawn = kinds::RecordingWithdrawn { reason };
        let event = self.event(
            actor,
            Some(upload.unit_id),
            Subject::recording(upload.id),
            withdrawn,
        )?;
        let mut change = self.catalog.change().await?;
        change.mark_deleted(upload.id, event.at).await?;
        change.delete_upload(upload.id).await?;
        self.commit(change, &[event]).await?;
        // A crash before this leaves an empty assembly, which recovery discards.
        let state = AssemblyState(upload.assembly_state.clone());
        if let Err(error) = self.vault.discard(&state).await {
            tracing::warn!(upload = %upload.id, %error, "an empty assembly is left until the next start");
        }
        Ok(())
    }

    async fn recording_of(&self, upload: &Upload) -> Result<Recording> {
        let found = self.catalog.recording(upload.id).await?;
        found.ok_or_else(|| IngestError::not_found("recording", upload.id))
    }
}

/// Who created the upload, as the ledger names them.
pub(crate) fn owner(upload: &Upload) -> Actor {
    use docket_catalog::ActorKind;
    let id = &upload.owner_id;
    let known = match upload.owner_kind {
        ActorKind::Station => id.parse().ok().map(Actor::Station),
        ActorKind::User => id.parse().ok().map(Actor::User),
        ActorKind::Token => id.parse().ok().map(Actor::Token),
        ActorKind::System => None,
    };
    known.unwrap_or(Actor::System)
}
