//! What each kind of entry does to the rows. Kinds that are not here left no row that is restored:
//! sessions, viewings, downloads, checks.

use std::sync::Arc;

use docket_base::ids::{AssignmentId, RecordingId, RegisterId};
use docket_catalog::{
    ActorRef, Case, CaseState, Change, Clip, CorrectionField, Docking, DockingFile, Link,
    LinkState, Marker,
};
use docket_ledger::kinds::{self, Corrected, Correction, RegisterKind};
use docket_ledger::{Entry, Event, RegisterRef, RegisterValue};

use super::replay::{State, Waiting};
use super::shelf::Shelf;
use super::{RebuildError, Work};
use crate::event::{actor_ref, word};

type Done = Result<(), RebuildError>;

impl State {
    pub(super) async fn apply(
        &mut self,
        work: Work<'_>,
        change: &mut Change,
        shelf: &Shelf,
        entry: &Arc<Entry>,
    ) -> Done {
        if let Some(id) = about_recording(entry) {
            // What is said of a recording before its seal waits for it: until then there is no side
            // file, and thus no row.
            return match change.recording(id).await? {
                Some(_) => apply_to_recording(change, shelf, entry, id).await,
                None => {
                    self.waiting.entry(id).or_default().push(Waiting {
                        entry: Arc::clone(entry),
                        shelf: Arc::new(shelf.cut_for(entry)),
                    });
                    Ok(())
                }
            };
        }
        match &entry.event {
            Event::RecordingWithdrawn(_) => {
                if let Some(id) = entry.subject.recording {
                    self.waiting.remove(&id);
                }
                Ok(())
            }
            Event::RecordingSealed(body) => {
                self.seal(work, change, shelf, entry, body).await?;
                self.sum.recordings_count += 1;
                Ok(())
            }
            Event::CasePut(put) => put_case(change, shelf, entry, put).await,
            Event::CaseClosed(closed) => case_state(change, closed.case, CaseState::Closed).await,
            Event::CaseReopened(open) => case_state(change, open.case, CaseState::Open).await,
            Event::DockingListed(body) => docking(work, change, shelf, entry, body).await,
            Event::DockingFinished(body) => {
                let outcome = word(&body.outcome);
                Ok(change
                    .finish_docking(body.docking, body.finished_at, &outcome)
                    .await?)
            }
            Event::RegisterWithdrawn(body) if body.kind == RegisterKind::Assignment => {
                let id = AssignmentId::from_bytes(*body.id.as_bytes());
                change.end_assignment(id, Some(body.from_at)).await?;
                Ok(())
            }
            _ => super::people::apply(work, change, shelf, entry).await,
        }
    }
}

/// The recording that an entry says something of that its row, or rows that name it, hold.
fn about_recording(entry: &Entry) -> Option<RecordingId> {
    match &entry.event {
        Event::LinkMade(body) => Some(body.recording),
        Event::LinkProposed(body) => Some(body.recording),
        Event::LinkRemoved(body) => Some(body.recording),
        Event::HoldPlaced(body) => body.recording,
        Event::HoldLifted(body) => body.recording,
        Event::RecordingAnnounced(_)
        | Event::RecordingVerified(_)
        | Event::RecordingCorrected(_)
        | Event::RecordingAnnotated(_)
        | Event::ClipMade(_)
        | Event::MarkerPlaced(_)
        | Event::MarkerWithdrawn(_)
        | Event::RecordingDeleted(_) => entry.subject.recording,
        _ => None,
    }
}

pub(super) async fn apply_to_recording(
    change: &mut Change,
    shelf: &Shelf,
    entry: &Entry,
    id: RecordingId,
) -> Done {
    let by = actor_ref(entry.actor);
    match &entry.event {
        Event::LinkMade(kinds::LinkMade {
            link, case, note, ..
        })
        | Event::LinkProposed(kinds::LinkProposed {
            link, case, note, ..
        }) => {
            let is_made = matches!(entry.event, Event::LinkMade(_));
            let row = Link {
                id: *link,
                case_id: *case,
                recording_id: id,
                state: if is_made {
                    LinkState::Linked
                } else {
                    LinkState::Proposed
                },
                note: shelf.text(note.as_ref()),
                linked_at: entry.at,
                by_kind: by.kind,
                by_id: by.id,
            };
            change.link(&row).await?;
        }
        Event::LinkRemoved(removed) => {
            change.unlink(removed.case, id).await?;
        }
        Event::HoldPlaced(placed) => {
            let reason = shelf.text(Some(&placed.reason));
            change
                .place_hold(placed.hold, id, &reason, (entry.at, &by))
                .await?;
        }
        Event::HoldLifted(lifted) => {
            let reason = shelf.text(lifted.reason.as_ref());
            change
                .lift_hold(lifted.hold, &reason, (entry.at, &by))
                .await?;
        }
        Event::RecordingVerified(_) => change.set_verified(id, entry.at).await?,
        Event::RecordingDeleted(_) => change.mark_deleted(id, entry.at).await?,
        Event::RecordingCorrected(body) => correct(change, shelf, entry, id, body, &by).await?,
        Event::RecordingAnnotated(body) => {
            if let Some(RegisterValue::Annotation(row)) = shelf.value(&body.annotation) {
                let (notes, tags) = (row.notes.as_str(), row.tags.as_slice());
                change.describe(id, None, Some(notes), Some(tags)).await?;
            }
        }
        // The same is said of the source, of which it changes no row.
        Event::ClipMade(made) if made.clip == id => {
            let clip = Clip {
                id,
                source_id: made.source,
                source_sha256: made.source_sha256,
                from_us: made.from_us,
                until_us: made.until_us,
                transcoded: made.transcoded,
                reason: match made.reason {
                    Some(_) => shelf.text(made.reason.as_ref()),
                    // Put by the side file in a moment that had no entry to say it.
                    None => change.clip_reason(id).await?,
                },
            };
            change.put_clip(&clip).await?;
        }
        Event::MarkerPlaced(placed) => {
            let marker = Marker {
                id: placed.marker,
                recording_id: id,
                at_ms: placed.at_ms,
                until_ms: placed.until_ms,
                text: shelf.text(Some(&placed.text)),
                placed_at: entry.at,
                placed_by_kind: by.kind,
                placed_by_id: by.id,
                withdrawn_at: None,
                withdrawn_by_kind: None,
                withdrawn_by_id: None,
            };
            change.place_marker(&marker).await?;
        }
        Event::MarkerWithdrawn(withdrawn) => {
            change
                .withdraw_marker(withdrawn.marker, (entry.at, &by))
                .await?;
        }
        _ => {}
    }
    Ok(())
}

async fn correct(
    change: &mut Change,
    shelf: &Shelf,
    entry: &Entry,
    id: RecordingId,
    body: &kinds::RecordingCorrected,
    by: &ActorRef,
) -> Done {
    fn to<T>(corrected: &Corrected<T>, text: impl Fn(&T) -> String) -> Option<String> {
        corrected.to.as_ref().map(text)
    }
    let (field, value) = match &body.correction {
        Correction::Officer(c) => (CorrectionField::Officer, to(c, ToString::to_string)),
        Correction::Recorder(c) => (CorrectionField::Recorder, to(c, ToString::to_string)),
        Correction::Unit(c) => (CorrectionField::Unit, to(c, ToString::to_string)),
        Correction::RecordedAt(c) => (CorrectionField::RecordedAt, to(c, |at| at.to_rfc3339())),
        Correction::Kind(c) => (CorrectionField::Kind, to(c, word)),
    };
    // A correction's row has its event's id.
    let row = RegisterId::from_bytes(*entry.id.as_bytes());
    let reason = shelf.text(Some(&body.reason));
    change
        .correct(row, id, (field, value.as_deref()), &reason, (entry.at, by))
        .await?;
    Ok(())
}

fn title(shelf: &Shelf, register: &RegisterRef) -> Option<String> {
    match shelf.value(register) {
        Some(RegisterValue::Case(row)) => Some(row.title.clone().unwrap_or_default()),
        _ => None,
    }
}

async fn put_case(change: &mut Change, shelf: &Shelf, entry: &Entry, put: &kinds::CasePut) -> Done {
    let title = title(shelf, &put.register);
    if let Some(case) = change.case(put.case).await? {
        let title = title.unwrap_or_default();
        change.update_case(&Case { title, ..case }).await?;
        return Ok(());
    }
    let unit_id = entry.unit.ok_or_else(|| no_unit("case", put.case))?;
    let case = Case {
        id: put.case,
        unit_id,
        number: put.number.clone(),
        title: title.unwrap_or_default(),
        state: CaseState::Open,
        version: i64::from(put.version),
        created_at: entry.at,
    };
    Ok(change.add_case(&case).await?)
}

async fn case_state(change: &mut Change, id: docket_base::ids::CaseId, state: CaseState) -> Done {
    if let Some(case) = change.case(id).await? {
        change.update_case(&Case { state, ..case }).await?;
    }
    Ok(())
}

async fn docking(
    work: Work<'_>,
    change: &mut Change,
    shelf: &Shelf,
    entry: &Entry,
    body: &kinds::DockingListed,
) -> Done {
    let (serial, files) = match shelf.value(&body.list) {
        Some(RegisterValue::Docking(row)) => (
            row.recorder_serial.clone().unwrap_or_default(),
            row.files.as_slice(),
        ),
        _ => (String::new(), [].as_slice()),
    };
    let recorder_id = match entry.subject.recorder {
        Some(id) => change.recorder(id).await?.map(|row| row.id),
        None => None,
    };
    let missing = || no_unit("docking", body.docking);
    let row = Docking {
        id: body.docking,
        station_id: entry.subject.station.ok_or_else(missing)?,
        unit_id: entry.unit.ok_or_else(missing)?,
        bay: body.bay.clone(),
        recorder_id,
        recorder_serial: serial,
        recorder_clock_offset_ms: body.recorder_clock_offset_ms,
        started_at: body.started_at,
        finished_at: None,
        outcome: None,
        created_at: entry.at,
    };
    let files: Vec<DockingFile> = files
        .iter()
        .map(|file| DockingFile {
            // These ids are the catalog's own and stand in no entry.
            id: docket_base::ids::DockingFileId::fresh(work.clock, work.random),
            docking_id: body.docking,
            path: file.path.clone(),
            size_bytes: file.size_bytes,
            modified_at: file.modified_at,
            recording_id: None,
        })
        .collect();
    Ok(change.add_docking(&row, &files).await?)
}

/// An entry without what its row needs: told as the catalog would.
pub(super) fn no_unit(what: &str, id: impl std::fmt::Display) -> RebuildError {
    RebuildError::Catalog(docket_catalog::Error::Refused(format!(
        "the entry of {what} {id} names no unit or station"
    )))
}
