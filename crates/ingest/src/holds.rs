//! Holds: nobody deletes while one stands.

use docket_base::ids::{HoldId, RecordingId, RegisterId};
use docket_catalog::Hold;
use docket_ledger::register::TextRow;
use docket_ledger::{Actor, RegisterRef, RegisterValue, Subject, kinds};

use crate::event::actor_ref;
use crate::text::Limit;
use crate::{Ingest, IngestError, Result};

impl Ingest {
    /// Places a hold on a recording.
    ///
    /// # Errors
    /// Refused without a reason; not found without a recording.
    pub async fn place_hold(&self, actor: Actor, id: RecordingId, reason: &str) -> Result<Hold> {
        let reason = Limit::NOTE.require("reason", reason)?;
        let hold = HoldId::fresh(&*self.clock, &*self.random);
        let register = self.hold_reason(hold, 1, &reason).await?;
        let mut change = self.catalog.change().await?;
        let row = change
            .recording(id)
            .await?
            .ok_or_else(|| IngestError::not_found("recording", id))?;
        change
            .place_hold(hold, id, &reason, (self.clock.now(), &actor_ref(actor)))
            .await?;
        let body = kinds::HoldPlaced {
            hold,
            recording: Some(id),
            case: None,
            until_at: None,
            reason: register,
        };
        let event = self.event(actor, Some(row.unit_id), subject(id, hold), body)?;
        self.commit(change, &[event]).await?;
        self.hold(id, hold).await
    }

    /// Lifts a hold of this recording. One that was lifted before stays as it is.
    ///
    /// # Errors
    /// Not found when the recording has no such hold.
    pub async fn lift_hold(
        &self,
        actor: Actor,
        id: RecordingId,
        hold: HoldId,
        reason: Option<&str>,
    ) -> Result<Hold> {
        let before = self.hold(id, hold).await?;
        if before.lifted_at.is_some() {
            return Ok(before);
        }
        let reason = Limit::NOTE.check("reason", reason.unwrap_or_default().trim().to_owned())?;
        let register = match reason.is_empty() {
            true => None,
            false => Some(self.hold_reason(hold, 2, &reason).await?),
        };
        let mut change = self.catalog.change().await?;
        let row = change
            .recording(id)
            .await?
            .ok_or_else(|| IngestError::not_found("recording", id))?;
        let after = change
            .lift_hold(hold, &reason, (self.clock.now(), &actor_ref(actor)))
            .await?;
        let body = kinds::HoldLifted {
            hold,
            recording: Some(id),
            case: None,
            reason: register,
        };
        let event = self.event(actor, Some(row.unit_id), subject(id, hold), body)?;
        self.commit(change, &[event]).await?;
        Ok(after)
    }

    async fn hold(&self, recording: RecordingId, hold: HoldId) -> Result<Hold> {
        let found = self
            .catalog
            .holds(recording)
            .await?
            .into_iter()
            .find(|row| row.id == hold);
        found.ok_or_else(|| IngestError::not_found("hold", hold))
    }

    async fn hold_reason(&self, hold: HoldId, version: u32, text: &str) -> Result<RegisterRef> {
        let value = RegisterValue::HoldReason(TextRow {
            text: text.to_owned(),
        });
        self.put_register(RegisterId::from_bytes(*hold.as_bytes()), version, value)
            .await
    }
}

fn subject(recording: RecordingId, hold: HoldId) -> Subject {
    Subject {
        hold: Some(hold),
        ..Subject::recording(recording)
    }
}
