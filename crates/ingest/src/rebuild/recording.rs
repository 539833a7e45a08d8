//! A recording's row, from the entry of its seal and its side file.

use std::sync::Arc;

use docket_base::Digests;
use docket_base::ids::{JobId, RecordingId};
use docket_catalog::{Change, Clip, NewRecording, RecordingKind, RecordingState, Seal};
use docket_ledger::kinds::{self, Correction, SealedState};
use docket_ledger::{DerivedFrom, Entry, Event, SideFile};

use super::apply::{apply_to_recording, no_unit};
use super::replay::{State, Waiting};
use super::shelf::Shelf;
use super::{RebuildError, Work};
use crate::event::{actor_ref, word};
use crate::probe::PROBE;

impl State {
    /// Creates the recording, lets it follow what was said of it while it arrived, and closes it.
    pub(super) async fn seal(
        &mut self,
        work: Work<'_>,
        change: &mut Change,
        shelf: &Shelf,
        entry: &Arc<Entry>,
        body: &kinds::RecordingSealed,
    ) -> Result<(), RebuildError> {
        let missing = || no_unit("recording", &body.vault_key);
        let id = entry.subject.recording.ok_or_else(missing)?;
        let said = self.waiting.remove(&id).unwrap_or_default();
        let new = new_recording(change, shelf, id, entry, body, &said).await?;
        change.insert_recording(&new).await?;
        if let Some(docking) = body.docking {
            let path = new.device_path.as_deref().unwrap_or(&new.file_name);
            change.docking_file_arrives(docking, path, id).await?;
        }
        if let Some(from) = shelf
            .side(&body.vault_key)
            .and_then(|side| side.derived_from.as_ref())
        {
            change.put_clip(&clip(id, from)).await?;
        }
        for waiting in &said {
            apply_to_recording(change, &waiting.shelf, &waiting.entry, id).await?;
        }
        change.seal(id, &seal(entry, body)).await?;
        if body.state != SealedState::Quarantined {
            // What plays and how is found out anew.
            let job = JobId::fresh(work.clock, work.random);
            change.enqueue(job, PROBE, id, work.clock.now()).await?;
        }
        Ok(())
    }
}

fn clip(id: RecordingId, from: &DerivedFrom) -> Clip {
    Clip {
        id,
        source_id: from.recording,
        source_sha256: from.sha256,
        from_us: from.from_us,
        until_us: from.until_us,
        transcoded: from.transcoded,
        reason: from.reason.clone(),
    }
}

fn seal(entry: &Entry, body: &kinds::RecordingSealed) -> Seal {
    Seal {
        state: match body.state {
            SealedState::Sealed => RecordingState::Sealed,
            SealedState::Incomplete => RecordingState::Incomplete,
            SealedState::Quarantined => RecordingState::Quarantined,
        },
        at: entry.at,
        size_bytes: body.size_bytes,
        digests: Digests {
            sha256: body.sha256,
            sm3: body.sm3,
        },
        vault_key: Some(body.vault_key.clone()),
        duplicate_of: body.duplicate_of,
        incomplete_reason: body.incomplete_reason.map(|reason| word(&reason)),
    }
}

async fn new_recording(
    change: &mut Change,
    shelf: &Shelf,
    id: RecordingId,
    entry: &Entry,
    body: &kinds::RecordingSealed,
    said: &[Waiting],
) -> Result<NewRecording, RebuildError> {
    let side = shelf.side(&body.vault_key);
    let announced = said
        .iter()
        .map(|waiting| &waiting.entry)
        .find(|entry| matches!(entry.event, Event::RecordingAnnounced(_)));
    let text = |of: fn(&SideFile) -> &Option<String>| side.and_then(|side| of(side).clone());
    let unit = announced.and_then(|entry| entry.unit).or(entry.unit);
    let mut new = NewRecording {
        id,
        kind: catalog_kind(body.kind),
        file_name: text(|side| &side.file_name).unwrap_or_default(),
        media_type: text(|side| &side.media_type),
        size_bytes: Some(body.size_bytes),
        claimed_sha256: body.claimed_sha256,
        unit_id: unit.ok_or_else(|| no_unit("recording", id))?,
        officer_id: body.officer,
        officer_claimed: text(|side| &side.officer_claimed),
        recorder_id: body.recorder,
        recorder_claimed: text(|side| &side.recorder_claimed),
        station_id: body.station,
        docking_id: body.docking,
        device_path: text(|side| &side.path),
        recorded_at: body.recorded_at,
        created_at: body.created_at,
        marks: side.map_or_else(|| marks(body), |side| side.marks.clone()),
        notes: text(|side| &side.note).unwrap_or_default(),
        tags: Vec::new(),
        created_by: actor_ref(announced.map_or(entry.actor, |entry| entry.actor)),
    };
    undo_corrections(&mut new, said);
    drop_unknown(change, &mut new).await?;
    Ok(new)
}

/// The seal says what was true then; what was corrected while the bytes still came is corrected again
/// in a moment, from what was said first.
fn undo_corrections(new: &mut NewRecording, said: &[Waiting]) {
    for waiting in said.iter().rev() {
        let Event::RecordingCorrected(body) = &waiting.entry.event else {
            continue;
        };
        match &body.correction {
            Correction::Officer(corrected) => new.officer_id = corrected.from,
            Correction::Recorder(corrected) => new.recorder_id = corrected.from,
            Correction::Kind(corrected) => {
                new.kind = corrected.from.map_or(new.kind, catalog_kind);
            }
            Correction::Unit(corrected) => new.unit_id = corrected.from.unwrap_or(new.unit_id),
            // Stands in a column of its own.
            Correction::RecordedAt(_) => {}
        }
    }
}

/// A recording must not be lost because something it names is not there.
async fn drop_unknown(change: &mut Change, new: &mut NewRecording) -> Result<(), RebuildError> {
    if let Some(id) = new.officer_id {
        new.officer_id = change.officer(id).await?.map(|row| row.id);
    }
    if let Some(id) = new.recorder_id {
        new.recorder_id = change.recorder(id).await?.map(|row| row.id);
    }
    if let Some(id) = new.station_id {
        new.station_id = change.station(id).await?.map(|row| row.id);
    }
    if let Some(id) = new.docking_id {
        new.docking_id = change.docking(id).await?.map(|row| row.id);
    }
    Ok(())
}

fn marks(body: &kinds::RecordingSealed) -> Vec<String> {
    let all = [
        (body.key_mark, "key"),
        (body.unknown_recorder, "unknown_recorder"),
        (body.unknown_officer, "unknown_officer"),
    ];
    let set = all.iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, mark)| (*mark).to_owned()).collect()
}

pub(super) fn catalog_kind(kind: kinds::RecordingKind) -> RecordingKind {
    match kind {
        kinds::RecordingKind::Video => RecordingKind::Video,
        kinds::RecordingKind::Audio => RecordingKind::Audio,
        kinds::RecordingKind::Photo => RecordingKind::Photo,
        kinds::RecordingKind::Document => RecordingKind::Document,
        kinds::RecordingKind::Other => RecordingKind::Other,
        kinds::RecordingKind::Clip => RecordingKind::Clip,
    }
}
