//! The end of an upload: sealed, incomplete or quarantined.
//!
//! Order, and what a crash at each step means: (1) the vault gives the bytes their final name, with
//! the side file beside them; a crash after it leaves the catalog saying "receiving" at full length,
//! and recovery calls the same function again, which the vault answers with what it already did.
//! (2) one transaction closes the recording, removes the upload's row and stores the event. Only then
//! is the sender told.

use docket_base::ids::JobId;
use docket_base::{Digests, Sha256Digest};
use docket_catalog::{Recording, RecordingState, Seal, Upload, UploadKind};
use docket_ledger::kinds::{self, IncompleteReason, SealedState};
use docket_ledger::{Actor, SideFile, Subject};
use docket_vault::{Area, AssemblyState, SealRequest, Sealed, ShareRequest, VaultError, VaultKey};

use super::create::ledger_kind;
use super::pump::Point;
use super::stored::StoredFacts;
use crate::event::word;
use crate::probe::PROBE;
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

/// What is being closed, and how.
struct Closing<'a> {
    upload: &'a Upload,
    recording: Recording,
    facts: StoredFacts,
    point: &'a Point,
    digests: Digests,
    state: SealedState,
    reason: Option<IncompleteReason>,
    actor: Actor,
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
        let mismatch = recording
            .claimed_sha256
            .filter(|claimed| *claimed != digests.sha256);
        let state = if mismatch.is_some() {
            SealedState::Quarantined
        } else {
            SealedState::Sealed
        };
        let actor = owner(upload);
        self.close(upload, recording, point, state, None, actor)
            .await?;
        Ok(Some(match mismatch {
            Some(expected) => Finished::Quarantined {
                expected,
                actual: digests.sha256,
            },
            None => Finished::Sealed { digests },
        }))
    }

    /// Seals an upload that was created with its whole (possibly empty) content already there.
    ///
    /// # Errors
    /// As [`Ingest::append`].
    pub async fn finish_if_complete(&self, upload: &Upload) -> Result<Option<Finished>> {
        if upload.length_bytes != Some(upload.offset_bytes) {
            return Ok(None);
        }
        let _lock = self.locks.take(upload.id).await?;
        let Some(upload) = self.catalog.upload(upload.id).await? else {
            return Ok(None);
        };
        self.finish(&upload, &self.start_point(&upload)?).await
    }

    /// Closes an upload that will get no more bytes. What was acknowledged is evidence: it is sealed
    /// as incomplete. Where nothing was, the recording is withdrawn.
    ///
    /// # Errors
    /// The vault's or the catalog's.
    pub(super) async fn give_up(
        &self,
        upload: &Upload,
        reason: IncompleteReason,
        actor: Actor,
    ) -> Result<()> {
        if upload.offset_bytes == 0 {
            return self.withdraw(upload, reason, actor).await;
        }
        let point = self.start_point(upload)?;
        match self.vault.resume(&point.state, point.offset_bytes).await {
            // Bytes past the durable offset are cut off: nobody was told of them.
            Ok(_) => {}
            // An earlier try sealed it already.
            Err(VaultError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let recording = self.recording_of(upload).await?;
        self.close(
            upload,
            recording,
            &point,
            SealedState::Incomplete,
            Some(reason),
            actor,
        )
        .await
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
        Ok(self
            .vault
            .discard(&AssemblyState(upload.assembly_state.clone()))
            .await?)
    }

    async fn recording_of(&self, upload: &Upload) -> Result<Recording> {
        let found = self.catalog.recording(upload.id).await?;
        found.ok_or_else(|| IngestError::not_found("recording", upload.id))
    }

    async fn close(
        &self,
        upload: &Upload,
        recording: Recording,
        point: &Point,
        state: SealedState,
        reason: Option<IncompleteReason>,
        actor: Actor,
    ) -> Result<()> {
        let facts = StoredFacts::parse(&upload.metadata)?;
        let digests = point.digest.finish();
        let closing = Closing {
            upload,
            recording,
            facts,
            point,
            digests,
            state,
            reason,
            actor,
        };
        let (sealed, side, side_digest) = self.store(&closing).await?;
        let event = self.sealed_event(&closing, &sealed.key, &side, side_digest)?;
        let seal = Seal {
            state: match state {
                SealedState::Sealed => RecordingState::Sealed,
                SealedState::Incomplete => RecordingState::Incomplete,
                SealedState::Quarantined => RecordingState::Quarantined,
            },
            at: event.at,
            size_bytes: point.offset_bytes,
            digests,
            vault_key: Some(sealed.key.to_string()),
            duplicate_of: side.duplicate_of,
            incomplete_reason: reason.map(|reason| word(&reason)),
        };
        let mut change = self.catalog.change().await?;
        change.seal(upload.id, &seal).await?;
        change.delete_upload(upload.id).await?;
        if state != SealedState::Quarantined {
            let job = JobId::fresh(&*self.clock, &*self.random);
            change.enqueue(job, PROBE, upload.id, event.at).await?;
        }
        self.commit(change, &[event]).await?;
        tracing::info!(recording = %upload.id, ?state, size_bytes = point.offset_bytes, "recording closed");
        metrics::counter!("docket_recordings_closed_total", "state" => seal.state.as_str())
            .increment(1);
        self.read_back_wanted.notify_one();
        self.probe_wanted.notify_one();
        Ok(())
    }

    /// Gives the bytes their final place and says what the entry must name.
    async fn store(&self, closing: &Closing<'_>) -> Result<(Sealed, SideFile, Sha256Digest)> {
        let area = match closing.state {
            SealedState::Quarantined => Area::Quarantine,
            SealedState::Sealed | SealedState::Incomplete => Area::Originals,
        };
        let (id, created_at) = (closing.upload.id, closing.upload.created_at);
        let twin = self
            .twin(closing, &VaultKey::new(area, created_at, id))
            .await?;
        let side = closing.side_file(twin.as_ref().map(|twin| twin.id));
        let (bytes, digest) = side.seal()?;
        let sealed = match twin.and_then(|twin| twin.vault_key) {
            Some(key) => {
                let of = key
                    .parse()
                    .map_err(|_| IngestError::WrongState(format!("vault key {key:?}")))?;
                let share = ShareRequest {
                    id,
                    created_at,
                    of,
                    side_file: bytes,
                };
                self.vault.share(&share).await?
            }
            None => {
                let seal = SealRequest {
                    id,
                    created_at,
                    area,
                    size_bytes: closing.point.offset_bytes,
                    digests: closing.digests,
                    side_file: bytes,
                    metadata: vec![("sha256".to_owned(), closing.digests.sha256.to_string())],
                };
                self.vault.seal(&closing.point.state, &seal).await?
            }
        };
        match &sealed.earlier_side_file {
            None => Ok((sealed, side, digest)),
            Some(earlier) => {
                let (side, digest) = (SideFile::parse(earlier)?, Sha256Digest::of(earlier));
                Ok((sealed, side, digest))
            }
        }
    }

    /// The unit's recording with the same content whose object this one may share: only one that was
    /// read back and found good, because the bytes that just came are given up for it (after one
    /// more read-back). None when an earlier try already stored these bytes under their own name.
    async fn twin(&self, closing: &Closing<'_>, own: &VaultKey) -> Result<Option<Recording>> {
        if closing.state != SealedState::Sealed || closing.point.offset_bytes == 0 {
            return Ok(None);
        }
        let (unit, sha256) = (closing.upload.unit_id, closing.digests.sha256);
        let twin = self
            .catalog
            .sealed_with_content(unit, sha256, closing.point.offset_bytes)
            .await?;
        let Some(twin) =
            twin.filter(|twin| twin.verified_at.is_some() && twin.id != closing.upload.id)
        else {
            return Ok(None);
        };
        if self.vault.size(own).await?.is_some() {
            return Ok(None);
        }
        Ok(Some(twin))
    }

    fn sealed_event(
        &self,
        closing: &Closing<'_>,
        key: &VaultKey,
        side: &SideFile,
        side_file_sha256: Sha256Digest,
    ) -> Result<docket_catalog::EventRow> {
        let has_mark = |mark: &str| side.marks.iter().any(|found| found == mark);
        let sealed = kinds::RecordingSealed {
            state: closing.state,
            kind: side.kind,
            size_bytes: closing.point.offset_bytes,
            sha256: closing.digests.sha256,
            sm3: closing.digests.sm3,
            claimed_sha256: side.claimed_sha256,
            vault_key: key.to_string(),
            side_file_sha256,
            officer: side.officer,
            recorder: side.recorder,
            station: side.station,
            token: side.token,
            docking: side.docking,
            recorded_at: side.recorded_at,
            created_at: side.created_at,
            incomplete_reason: closing.reason,
            duplicate_of: side.duplicate_of,
            key_mark: has_mark("key"),
            unknown_recorder: has_mark("unknown_recorder"),
            unknown_officer: has_mark("unknown_officer"),
        };
        let unit = Some(closing.upload.unit_id);
        self.event(
            closing.actor,
            unit,
            Subject::recording(closing.upload.id),
            sealed,
        )
    }
}

impl Closing<'_> {
    fn side_file(&self, duplicate_of: Option<docket_base::ids::RecordingId>) -> SideFile {
        let recording = &self.recording;
        SideFile {
            schema: SideFile::SCHEMA,
            salt: self.facts.salt,
            recording: recording.id,
            state: self.state,
            kind: ledger_kind(recording.kind),
            file_name: Some(recording.file_name.clone()),
            media_type: recording.media_type.clone(),
            size_bytes: self.point.offset_bytes,
            sha256: self.digests.sha256,
            sm3: self.digests.sm3,
            claimed_sha256: recording.claimed_sha256,
            unit: recording.unit_id,
            officer: recording.officer_id,
            officer_claimed: recording.officer_claimed.clone(),
            recorder: recording.recorder_id,
            recorder_claimed: recording.recorder_claimed.clone(),
            station: recording.station_id,
            token: self.facts.sender_token.filter(|_| !self.facts.by_station),
            docking: recording.docking_id,
            path: recording.device_path.clone(),
            recorded_at: recording.recorded_at,
            created_at: recording.created_at,
            incomplete_reason: self.reason,
            duplicate_of,
            marks: recording.marks.clone(),
            note: self.facts.note.clone(),
            case_number: self.facts.case_number.clone(),
            case_unit: self.facts.case_unit,
        }
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
