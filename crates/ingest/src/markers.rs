//! Markers: times in a recording that people marked, each with an event. What they say is free text, so it
//! stands in a register file and not in the entry.

use docket_base::ids::{MarkerId, RecordingId, RegisterId};
use docket_catalog::Marker;
use docket_ledger::register::TextRow;
use docket_ledger::{Actor, RegisterValue, Subject, kinds};

use crate::event::actor_ref;
use crate::text::Limit;
use crate::{Ingest, IngestError, Result};

/// Most that stand on one recording.
const MOST_MARKERS: i64 = 1_000;
/// No recording is longer: a week.
const LONGEST_MS: u64 = 7 * 24 * 3_600_000;

/// A marker that somebody wants.
#[derive(Debug, Clone)]
pub struct MarkerWanted {
    /// Milliseconds from the recording's begin.
    pub at_ms: u64,
    /// The end, where a stretch is meant.
    pub until_ms: Option<u64>,
    /// What it says.
    pub text: String,
}

impl Ingest {
    /// Places a marker; also on what is still arriving.
    ///
    /// # Errors
    /// Refused without a text, for a time beyond the recording, over the most markers; not found without a
    /// recording.
    pub async fn place_marker(
        &self,
        actor: Actor,
        id: RecordingId,
        wanted: MarkerWanted,
    ) -> Result<Marker> {
        let text = Limit::NOTE.require("text", &wanted.text)?;
        let row = self.catalog.recording(id).await?;
        let row = row.ok_or_else(|| IngestError::not_found("recording", id))?;
        let most_ms = row.duration_ms.unwrap_or(LONGEST_MS).min(LONGEST_MS);
        let end_ms = wanted.until_ms.unwrap_or(wanted.at_ms);
        if end_ms < wanted.at_ms || end_ms > most_ms {
            return Err(IngestError::Refused(format!(
                "at_ms, until_ms: from 0 to {most_ms}, in this order"
            )));
        }
        let marker = MarkerId::fresh(&*self.clock, &*self.random);
        let register = RegisterId::from_bytes(*marker.as_bytes());
        let value = RegisterValue::Marker(TextRow { text: text.clone() });
        let register = self.put_register(register, 1, value).await?;
        let by = actor_ref(actor);
        let body = kinds::MarkerPlaced {
            marker,
            at_ms: wanted.at_ms,
            until_ms: wanted.until_ms,
            text: register,
        };
        let event = self.event(actor, Some(row.unit_id), Subject::recording(id), body)?;
        let placed = Marker {
            id: marker,
            recording_id: id,
            at_ms: wanted.at_ms,
            until_ms: wanted.until_ms,
            text,
            placed_at: event.at,
            placed_by_kind: by.kind,
            placed_by_id: by.id,
            withdrawn_at: None,
            withdrawn_by_kind: None,
            withdrawn_by_id: None,
        };
        let mut change = self.catalog.change().await?;
        if change.standing_markers(id).await? >= MOST_MARKERS {
            return Err(IngestError::Refused(format!(
                "at most {MOST_MARKERS} markers on one recording"
            )));
        }
        change.place_marker(&placed).await?;
        self.commit(change, &[event]).await?;
        Ok(placed)
    }

    /// Withdraws a marker of this recording; its history stays. One that was withdrawn before stays as it is.
    ///
    /// # Errors
    /// Not found when the recording has no such marker.
    pub async fn withdraw_marker(
        &self,
        actor: Actor,
        id: RecordingId,
        marker: MarkerId,
    ) -> Result<()> {
        let row = self.catalog.recording(id).await?;
        let row = row.ok_or_else(|| IngestError::not_found("recording", id))?;
        let markers = self.catalog.markers(id).await?;
        let found = markers.into_iter().find(|row| row.id == marker);
        let found = found.ok_or_else(|| IngestError::not_found("marker", marker))?;
        if found.withdrawn_at.is_some() {
            return Ok(());
        }
        let body = kinds::MarkerWithdrawn { marker };
        let event = self.event(actor, Some(row.unit_id), Subject::recording(id), body)?;
        let mut change = self.catalog.change().await?;
        change
            .withdraw_marker(marker, (event.at, &actor_ref(actor)))
            .await?;
        self.commit(change, &[event]).await
    }
}
