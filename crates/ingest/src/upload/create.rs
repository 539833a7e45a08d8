//! An upload begins: from here on the recording exists.

use docket_base::ids::{DockingId, OfficerId, RecorderId, RecordingId, StationId, TokenId, UnitId};
use docket_base::{Micros, RunningDigest, Sha256Digest};
use docket_catalog::{NewRecording, RecordingKind, Upload, UploadKind};
use docket_ledger::{Actor, Salt, Subject, kinds};
use docket_vault::{AssemblyState, BeginRequest};

use super::stored::StoredFacts;
use crate::event::actor_ref;
use crate::{Ingest, IngestError, Result};

/// Who sends.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The actor of the event.
    pub actor: Actor,
    /// The station, where one sends.
    pub station: Option<StationId>,
    /// The token that was shown.
    pub token: Option<TokenId>,
    /// Whether a case number given with the upload makes a link (else a proposal).
    pub may_link: bool,
}

/// An upload as its sender describes it.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// Its length, unless deferred.
    pub length_bytes: Option<u64>,
    /// The unit it is for; the caller has checked that the sender may send for it.
    pub unit: UnitId,
    /// What it is.
    pub kind: RecordingKind,
    /// The name on the recorder, exactly; empty when none was given.
    pub file_name: String,
    /// The media type claimed.
    pub media_type: Option<String>,
    /// The digest promised.
    pub claimed_sha256: Option<Sha256Digest>,
    /// The officer's certificate number.
    pub officer: Option<String>,
    /// The recorder's serial number.
    pub recorder: Option<String>,
    /// By the recorder's clock.
    pub recorded_at: Option<Micros>,
    /// The docking in whose list it stands.
    pub docking: Option<DockingId>,
    /// Its path on the recorder.
    pub device_path: Option<String>,
    /// Whether it bears the key mark 重点.
    pub key_mark: bool,
    /// Free text.
    pub note: Option<String>,
    /// The case it belongs to.
    pub case_number: Option<String>,
    /// The unit in which that number is meant.
    pub case_unit: Option<UnitId>,
    /// `Upload-Metadata` as given.
    pub header: String,
}

/// Whom and what it is attributed to.
pub(super) struct Attribution {
    officer: Option<OfficerId>,
    recorder: Option<RecorderId>,
    marks: Vec<String>,
}

impl Ingest {
    /// Creates an upload and its recording. An empty file is sealed by the caller with
    /// [`Ingest::finish_if_complete`].
    ///
    /// # Errors
    /// [`IngestError::Refused`] over the largest accepted length, [`IngestError::Full`] below the
    /// disk reserve, else the catalog's and vault's.
    pub async fn create_upload(&self, origin: Origin, new: &NewUpload) -> Result<Upload> {
        let id = RecordingId::fresh(&*self.clock, &*self.random);
        self.create_recording(id, origin, new, UploadKind::Whole, Vec::new())
            .await
    }

    pub(super) async fn create_recording(
        &self,
        id: RecordingId,
        origin: Origin,
        new: &NewUpload,
        kind: UploadKind,
        parts: Vec<RecordingId>,
    ) -> Result<Upload> {
        self.check_length(new.length_bytes)?;
        let at = self.clock.now();
        let attribution = self.attribute(new, at).await?;
        let state = self.begin_assembly(id, at, new).await?;
        let recording = NewRecording {
            id,
            kind: new.kind,
            file_name: new.file_name.clone(),
            media_type: new.media_type.clone(),
            size_bytes: new.length_bytes,
            claimed_sha256: new.claimed_sha256,
            unit_id: new.unit,
            officer_id: attribution.officer,
            officer_claimed: new.officer.clone(),
            recorder_id: attribution.recorder,
            recorder_claimed: new.recorder.clone(),
            station_id: origin.station,
            docking_id: new.docking,
            device_path: new.device_path.clone(),
            recorded_at: new.recorded_at,
            created_at: at,
            marks: attribution.marks,
            notes: new.note.clone().unwrap_or_default(),
            tags: Vec::new(),
            created_by: actor_ref(origin.actor),
        };
        let facts = StoredFacts {
            header: new.header.clone(),
            salt: Salt::fresh(&*self.random),
            sender_token: origin.token,
            by_station: origin.station.is_some(),
            note: new.note.clone(),
            case_number: new.case_number.clone(),
            case_unit: new.case_unit,
        };
        let upload = docket_catalog::NewUpload {
            id,
            kind,
            unit_id: new.unit,
            owner: actor_ref(origin.actor),
            length_bytes: new.length_bytes,
            midstate: Some(RunningDigest::new(self.options.sm3).midstate()),
            assembly_state: state.0,
            metadata: facts.to_text(),
            created_at: at,
            // All bytes of a final upload are there: joining it is tried for as long as it takes.
            expires_at: (kind == UploadKind::Whole)
                .then(|| at.plus_seconds(i64::from(self.options.expiry_days) * 86_400)),
            parts,
        };
        let announced = kinds::RecordingAnnounced {
            kind: ledger_kind(new.kind),
            size_bytes: new.length_bytes,
            claimed_sha256: new.claimed_sha256,
            station: origin.station,
            docking: new.docking,
        };
        let event = self.event(
            origin.actor,
            Some(new.unit),
            Subject::recording(id),
            announced,
        )?;
        let mut events = vec![event];
        let planned = match &new.case_number {
            None => None,
            Some(number) => Some(
                self.plan_link_at_upload(new.case_unit.unwrap_or(new.unit), number)
                    .await?,
            ),
        };
        // A crash before this commit leaves an empty assembly that no row names; recovery discards it.
        let mut change = self.catalog.change().await?;
        change.insert_recording(&recording).await?;
        change.insert_upload(&upload).await?;
        for part in &upload.parts {
            // Since it was looked at, it may have expired or been joined into another.
            if change
                .upload(*part)
                .await?
                .is_none_or(|part| part.is_joined())
            {
                return Err(IngestError::Refused(format!("{part} is no longer there")));
            }
        }
        if let Some(docking) = new.docking {
            // A file that is not in the docking's list is still taken: the list may be older than it.
            let path = new.device_path.as_deref().unwrap_or(&new.file_name);
            change.docking_file_arrives(docking, path, id).await?;
        }
        if let Some(planned) = &planned {
            let who = (origin.actor, origin.may_link);
            let linked = self
                .link_at_upload(&mut change, who, planned, (id, new.unit))
                .await?;
            events.extend(linked);
        }
        self.commit(change, &events).await?;
        self.catalog
            .upload(id)
            .await?
            .ok_or(IngestError::Died("the upload's row"))
    }

    pub(super) fn check_length(&self, length_bytes: Option<u64>) -> Result<()> {
        match length_bytes {
            Some(length) if length > self.options.max_upload_bytes => {
                Err(IngestError::Refused(format!(
                    "{length} bytes are more than this server accepts ({})",
                    self.options.max_upload_bytes
                )))
            }
            _ if !self.room.has_room() => Err(IngestError::Full),
            _ => Ok(()),
        }
    }

    async fn begin_assembly(
        &self,
        id: RecordingId,
        at: Micros,
        new: &NewUpload,
    ) -> Result<AssemblyState> {
        let mut metadata = vec![("recording".to_owned(), id.to_string())];
        metadata.extend(
            new.recorder
                .clone()
                .map(|serial| ("recorder".to_owned(), serial)),
        );
        metadata.extend(
            new.recorded_at
                .map(|at| ("recorded-at".to_owned(), at.to_rfc3339())),
        );
        metadata.push(("received-at".to_owned(), at.to_rfc3339()));
        let mut assembly = self
            .vault
            .begin(&BeginRequest {
                id,
                created_at: at,
                metadata,
            })
            .await?;
        Ok(assembly.flush().await?.state)
    }

    /// The register's answer to what the sender claims. Who isn't known is accepted and marked: a
    /// recording must never be lost because a register is behind.
    async fn attribute(&self, new: &NewUpload, at: Micros) -> Result<Attribution> {
        let mut marks = Vec::new();
        if new.key_mark {
            marks.push("key".to_owned());
        }
        let recorder = match &new.recorder {
            None => None,
            Some(serial) => self.catalog.recorder_by_serial(serial).await?,
        };
        if new.recorder.is_some() && recorder.is_none() {
            marks.push("unknown_recorder".to_owned());
        }
        let officer = match (&new.officer, &recorder) {
            (Some(number), _) => self.catalog.officer_by_certificate(number).await?,
            // Nobody named: whoever carried the recorder then.
            (None, Some(recorder)) => {
                let then = new.recorded_at.unwrap_or(at);
                self.catalog.officer_at(recorder.id, then).await?
            }
            (None, None) => None,
        };
        if new.officer.is_some() && officer.is_none() {
            marks.push("unknown_officer".to_owned());
        }
        Ok(Attribution {
            officer: officer.map(|officer| officer.id),
            recorder: recorder.map(|recorder| recorder.id),
            marks,
        })
    }
}

/// The catalog's word in the ledger's vocabulary.
pub(crate) fn ledger_kind(kind: RecordingKind) -> kinds::RecordingKind {
    match kind {
        RecordingKind::Video => kinds::RecordingKind::Video,
        RecordingKind::Audio => kinds::RecordingKind::Audio,
        RecordingKind::Photo => kinds::RecordingKind::Photo,
        RecordingKind::Document => kinds::RecordingKind::Document,
        RecordingKind::Other => kinds::RecordingKind::Other,
        RecordingKind::Clip => kinds::RecordingKind::Clip,
    }
}
