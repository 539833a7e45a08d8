//! Closing a recording: its bytes get their final place, and the catalog says so.
//!
//! Order, and what a crash at each step means: (1) the vault gives the bytes their final name, with
//! the side file beside them; a crash in or after it leaves the catalog saying that the upload is open,
//! and recovery calls the same function again, which goes on as the side file says and which the vault
//! answers with what it already did. (2) one transaction closes the recording, removes the upload's row
//! and stores the event. Only then is the sender told.

use docket_base::ids::JobId;
use docket_base::{Digests, Sha256Digest};
use docket_catalog::{Clip, Recording, RecordingState, Seal, Upload, UploadKind};
use docket_ledger::kinds::{self, IncompleteReason, SealedState};
use docket_ledger::{Actor, DerivedFrom, SideFile, Subject};
use docket_vault::{Area, BesideName, SealRequest, Sealed, ShareRequest, VaultKey};

use super::create::ledger_kind;
use super::pump::Point;
use super::stored::StoredFacts;
use crate::event::word;
use crate::probe::PROBE;
use crate::{Ingest, IngestError, Result};

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
    /// What an earlier try left.
    begun: Option<SideFile>,
    /// Of a clip: what it was made of.
    clip: Option<Clip>,
}

impl Ingest {
    /// Closes a recording as `state`, or as an earlier try already began to; which of the two.
    pub(super) async fn close(
        &self,
        upload: &Upload,
        recording: Recording,
        point: &Point,
        state: SealedState,
        reason: Option<IncompleteReason>,
        actor: Actor,
    ) -> Result<SealedState> {
        let begun = self.side_file_of(upload).await?;
        let (state, reason) = match &begun {
            None => (state, reason),
            Some(side) if side.size_bytes == point.offset_bytes => {
                (side.state, side.incomplete_reason)
            }
            Some(side) => {
                return Err(IngestError::WrongState(format!(
                    "{} bytes came, but the side file is about {}",
                    point.offset_bytes, side.size_bytes
                )));
            }
        };
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
            begun,
            clip: self.clip_of(upload).await?,
        };
        let (sealed, side, side_digest) = self.store(&closing).await?;
        let event = self.sealed_event(&closing, &sealed.key, &side, side_digest)?;
        let mut events = vec![event];
        events.extend(
            self.clip_events(upload, closing.clip.as_ref(), &closing.digests, actor)
                .await?,
        );
        let event = &events[0];
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
        if upload.kind == UploadKind::Partial && change.part_is_needed(upload.id).await? {
            return Err(IngestError::WrongState(
                "a final upload needs this part since".to_owned(),
            ));
        }
        change.seal(upload.id, &seal).await?;
        if upload.kind == UploadKind::Final && state != SealedState::Incomplete {
            change.parts_joined(upload.id).await?;
        }
        change.delete_upload(upload.id).await?;
        if state != SealedState::Quarantined {
            let job = JobId::fresh(&*self.clock, &*self.random);
            change.enqueue(job, PROBE, upload.id, event.at).await?;
        }
        self.commit(change, &events).await?;
        tracing::info!(recording = %upload.id, ?state, size_bytes = point.offset_bytes, "recording closed");
        metrics::counter!("docket_recordings_closed_total", "state" => seal.state.as_str())
            .increment(1);
        self.read_back_wanted.notify_one();
        self.probe_wanted.notify_one();
        Ok(state)
    }

    /// The side file that an earlier try to close this upload left. That try is completed as the file
    /// says, whatever is asked for now: the file is written once, and the entry must agree with it.
    pub(super) async fn side_file_of(&self, upload: &Upload) -> Result<Option<SideFile>> {
        for area in Area::ALL {
            let key = VaultKey::new(area, upload.created_at, upload.id);
            if let Some(bytes) = self.vault.get_beside(&key, BesideName::SideFile).await? {
                return Ok(Some(SideFile::parse(&bytes)?));
            }
        }
        Ok(None)
    }

    /// Gives the bytes their final place and says what the entry must name.
    async fn store(&self, closing: &Closing<'_>) -> Result<(Sealed, SideFile, Sha256Digest)> {
        let area = match closing.state {
            SealedState::Quarantined => Area::Quarantine,
            SealedState::Sealed | SealedState::Incomplete => Area::Originals,
        };
        let (id, created_at) = (closing.upload.id, closing.upload.created_at);
        let twin = self.twin(closing).await?;
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

    /// The unit's recording with the same content whose object this one shares. The bytes that just
    /// came are given up only when the shared object was read back on this recording's account: were
    /// it damaged, they are the last good copy. An earlier try's choice stands.
    async fn twin(&self, closing: &Closing<'_>) -> Result<Option<Recording>> {
        if closing.state != SealedState::Sealed || closing.point.offset_bytes == 0 {
            return Ok(None);
        }
        if let Some(begun) = &closing.begun {
            return match begun.duplicate_of {
                Some(twin) => Ok(self.catalog.recording(twin).await?),
                None => Ok(None),
            };
        }
        let (unit, sha256) = (closing.upload.unit_id, closing.digests.sha256);
        let twin = self
            .catalog
            .sealed_with_content(unit, sha256, closing.point.offset_bytes)
            .await?;
        Ok(twin.filter(|twin| twin.id != closing.upload.id))
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
            derived_from: self.clip.as_ref().map(|clip| DerivedFrom {
                recording: clip.source_id,
                sha256: clip.source_sha256,
                from_us: clip.from_us,
                until_us: clip.until_us,
                transcoded: clip.transcoded,
                reason: clip.reason.clone(),
            }),
        }
    }
}
