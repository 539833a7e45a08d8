//! From the catalog's rows to what goes over the wire.

use std::collections::HashMap;

use docket_base::ids::UnitId;
use docket_catalog::{RecordingState, RecordingView};
use docket_ingest::growing::Glance;

use super::{
    CaseRef, DerivedFrom, Made, OfficerRef, Playback, Quarantine, RecorderRef, Recording,
    StationRef, UnitRef,
};
use crate::access::{Action, Principal, authorise_units};
use crate::problem::Result;
use crate::state::AppState;

/// Shows rows to one reader, within what that reader may see. Remembers decisions for the length of a request.
pub struct Showing<'a> {
    app: &'a AppState,
    who: &'a Principal,
    seen: HashMap<(Action, UnitId), bool>,
}

impl<'a> Showing<'a> {
    /// To this reader.
    pub fn to(who: &'a Principal, app: &'a AppState) -> Self {
        Self {
            app,
            who,
            seen: HashMap::new(),
        }
    }

    /// Whether the reader may do this to something of this unit.
    pub async fn may(&mut self, action: Action, unit: UnitId) -> Result<bool> {
        if let Some(known) = self.seen.get(&(action, unit)) {
            return Ok(*known);
        }
        let path = self.app.path_of(unit).await?;
        let may = authorise_units(self.who, action, &path);
        self.seen.insert((action, unit), may);
        Ok(may)
    }

    /// A recording; of its cases only those the reader may see.
    pub async fn recording(&mut self, view: RecordingView) -> Result<Recording> {
        let mut cases = Vec::with_capacity(view.cases.len());
        for case in &view.cases {
            if self.may(Action::ReadCases, case.unit_id).await? {
                cases.push(CaseRef {
                    number: case.number.clone(),
                    unit: UnitRef {
                        id: case.unit_id,
                        name: case.unit_name.clone(),
                    },
                    state: case.state.to_string(),
                });
            }
        }
        let arriving = match view.recording.state.is_open() {
            true => Some(self.app.ingest().glance(view.recording.id).await?),
            false => None,
        };
        let mut shown = shape(view, cases);
        if let Some(glance) = arriving {
            shown.playback = playback_of(glance);
        }
        Ok(shown)
    }

    /// Whether a case's evidence of this unit is shown: to whoever may read its recordings, and to who ties them.
    pub async fn evidence(&mut self, unit: UnitId) -> Result<bool> {
        Ok(self.may(Action::ReadRecordings, unit).await?
            || self.may(Action::ProposeLink, unit).await?)
    }

    /// Several.
    pub async fn recordings(&mut self, views: Vec<RecordingView>) -> Result<Vec<Recording>> {
        let mut items = Vec::with_capacity(views.len());
        for view in views {
            items.push(self.recording(view).await?);
        }
        Ok(items)
    }
}

/// How a recording plays that is still arriving.
fn playback_of(glance: Glance) -> Playback {
    let plays = glance.playable_ms.is_some();
    let (video, audio) = glance.transcoded;
    Playback {
        state: if plays { "growing" } else { "pending" }.to_owned(),
        reason: glance.reason,
        duration_ms: glance.duration_ms,
        width: glance.size.map(|(width, _)| width),
        height: glance.size.map(|(_, height)| height),
        preview: glance.preview,
        playable_ms: glance.playable_ms,
        stalled: glance.stalled,
        made: made(video, audio),
    }
}

fn shape(view: RecordingView, cases: Vec<CaseRef>) -> Recording {
    let row = view.recording;
    let quarantine = match (row.state, row.claimed_sha256, row.sha256) {
        (RecordingState::Quarantined, Some(expected_sha256), Some(actual_sha256)) => {
            Some(Quarantine {
                expected_sha256,
                actual_sha256,
            })
        }
        _ => None,
    };
    let recorded_at = row.effective_recorded_at();
    Recording {
        id: row.id,
        state: row.state.to_string(),
        kind: row.kind.to_string(),
        file_name: row.file_name,
        media_type: row.media_type,
        size_bytes: row.size_bytes,
        received_bytes: row.received_bytes,
        sha256: row.sha256,
        sm3: row.sm3,
        claimed_sha256: row.claimed_sha256,
        unit: UnitRef {
            id: row.unit_id,
            name: view.unit_name,
        },
        officer: row
            .officer_id
            .zip(view.officer_name)
            .map(|(id, name)| OfficerRef { id, name }),
        officer_claimed: row.officer_claimed,
        recorder: row
            .recorder_id
            .zip(view.recorder_serial)
            .map(|(id, serial)| RecorderRef { id, serial }),
        recorder_claimed: row.recorder_claimed,
        station: row
            .station_id
            .zip(view.station_name)
            .map(|(id, name)| StationRef { id, name }),
        docking_id: row.docking_id,
        recorded_at,
        created_at: row.created_at,
        sealed_at: row.sealed_at,
        verified_at: row.verified_at,
        duplicate_of: row.duplicate_of,
        incomplete_reason: row.incomplete_reason,
        quarantine,
        marks: row.marks,
        notes: row.notes,
        tags: row.tags,
        cases,
        derived_from: view.clip.map(derived_from),
        held: row.held,
        playback: Playback {
            state: row.playback_state.to_string(),
            reason: row.playback_reason,
            duration_ms: row.duration_ms,
            width: row.width,
            height: row.height,
            preview: false,
            playable_ms: None,
            stalled: false,
            made: made(row.made_video, row.made_audio),
        },
        version: row.version,
    }
}

fn derived_from(clip: docket_catalog::Clip) -> DerivedFrom {
    DerivedFrom {
        recording: clip.source_id,
        sha256: clip.source_sha256,
        from_ms: (clip.from_us + 500) / 1_000,
        until_ms: (clip.until_us + 500) / 1_000,
        transcoded: clip.transcoded,
        reason: clip.reason,
    }
}

/// Nothing is transcoded where both are absent.
fn made(video: Option<String>, audio: Option<String>) -> Option<Made> {
    (video.is_some() || audio.is_some()).then_some(Made { video, audio })
}
