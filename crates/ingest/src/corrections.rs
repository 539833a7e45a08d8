//! Corrections: a fact about a recording was wrong. What was said before stays in the log.

use std::str::FromStr;

use docket_base::Micros;
use docket_base::ids::{EventId, OfficerId, RecorderId, RecordingId, RegisterId, UnitId};
use docket_catalog::{Correction, CorrectionField};
use docket_ledger::kinds::{self, Corrected, RecordingKind};
use docket_ledger::register::TextRow;
use docket_ledger::{Actor, Entry, RegisterValue, Salt, Subject};

use crate::event::{actor_ref, event_row};
use crate::text::{Limit, version_number};
use crate::{Ingest, IngestError, Result};

/// What shall be corrected, to what, and why.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which fact.
    pub field: CorrectionField,
    /// The right value as text; `None` for "not known".
    pub value: Option<String>,
    /// Why, in words.
    pub reason: String,
}

impl Ingest {
    /// Appends a correction.
    ///
    /// # Errors
    /// Refused for a value that is none, or names nothing; stale when it changed meanwhile.
    pub async fn correct(
        &self,
        actor: Actor,
        id: RecordingId,
        wanted: Wanted,
    ) -> Result<Correction> {
        let reason = Limit::NOTE.require("reason", &wanted.reason)?;
        let event = EventId::fresh(&*self.clock, &*self.random);
        let row = RegisterId::from_bytes(*event.as_bytes());
        let file = self
            .put_register(
                row,
                1,
                RegisterValue::Reason(TextRow {
                    text: reason.clone(),
                }),
            )
            .await?;

        let at = self.clock.now();
        let mut change = self.catalog.change().await?;
        let before = change
            .recording(id)
            .await?
            .ok_or_else(|| IngestError::not_found("recording", id))?;
        let made = change
            .correct(
                row,
                id,
                (wanted.field, wanted.value.as_deref()),
                &reason,
                (at, &actor_ref(actor)),
            )
            .await?;
        let body = kinds::RecordingCorrected {
            correction: ledger_form(&made)?,
            corrects: made
                .predecessor_id
                .map(|id| EventId::from_bytes(*id.as_bytes())),
            reason: file,
            version: version_number(before.version + 1)?,
        };
        let entry = Entry {
            id: event,
            at,
            actor,
            unit: Some(before.unit_id),
            subject: Subject::recording(id),
            event: body.into(),
            salt: Salt::fresh(&*self.random),
        };
        self.commit(change, &[event_row(&entry)?]).await?;
        Ok(made)
    }
}

fn ledger_form(made: &Correction) -> Result<kinds::Correction> {
    Ok(match made.field {
        CorrectionField::Officer => kinds::Correction::Officer(both::<OfficerId>(made)?),
        CorrectionField::Recorder => kinds::Correction::Recorder(both::<RecorderId>(made)?),
        CorrectionField::Unit => kinds::Correction::Unit(both::<UnitId>(made)?),
        CorrectionField::RecordedAt => kinds::Correction::RecordedAt(Corrected {
            from: time(made.old_value.as_deref())?,
            to: time(made.new_value.as_deref())?,
        }),
        CorrectionField::Kind => kinds::Correction::Kind(Corrected {
            from: word(made.old_value.as_deref())?,
            to: word(made.new_value.as_deref())?,
        }),
    })
}

fn both<T: FromStr<Err: ToString>>(made: &Correction) -> Result<Corrected<T>> {
    let read = |text: &Option<String>| -> Result<Option<T>> {
        text.as_deref()
            .map(|text| {
                text.parse()
                    .map_err(|e: T::Err| IngestError::Refused(e.to_string()))
            })
            .transpose()
    };
    Ok(Corrected {
        from: read(&made.old_value)?,
        to: read(&made.new_value)?,
    })
}

fn time(text: Option<&str>) -> Result<Option<Micros>> {
    text.map(|text| Micros::parse_rfc3339(text).map_err(|e| IngestError::Refused(e.to_string())))
        .transpose()
}

fn word(text: Option<&str>) -> Result<Option<RecordingKind>> {
    let read = |text: &str| serde_json::from_value(serde_json::Value::String(text.to_owned()));
    text.map(|text| read(text).map_err(|e| IngestError::Refused(e.to_string())))
        .transpose()
}
