//! Corrections: appended, never overwriting. The claimed values stay; what a listing filters by follows
//! the last correction.

use docket_base::Micros;
use docket_base::ids::{OfficerId, RecorderId, RecordingId, RegisterId, UnitId};

use super::Recording;
use super::write::resort;
use crate::engine::record::{rows, words};
use crate::engine::value::{Bind, args};
use crate::error::{Error, Result};
use crate::search::document::reindex;
use crate::words::{ActorKind, ActorRef, RecordingKind};
use crate::{Catalog, Change};

words! {
    /// What of a recording can be corrected.
    pub enum CorrectionField {
        /// Who recorded it (an officer's id, or nothing).
        Officer = "officer",
        /// With which device (a recorder's id, or nothing).
        Recorder = "recorder",
        /// Whose it is (a unit's id).
        Unit = "unit",
        /// When (RFC 3339, or nothing: back to the device's time).
        RecordedAt = "recorded_at",
        /// What it is.
        Kind = "kind",
    }
}

rows! {
    /// A correction that was made.
    pub struct Correction in "corrections" {
        /// Its id.
        pub id: RegisterId,
        /// The recording.
        pub recording_id: RecordingId,
        /// What was corrected.
        pub field: CorrectionField,
        /// The correction of the same field it follows.
        pub predecessor_id: Option<RegisterId>,
        /// Value before, as text.
        pub old_value: Option<String>,
        /// Value since, as text.
        pub new_value: Option<String>,
        /// Why.
        pub reason: String,
        /// When.
        pub at: Micros,
        /// What the corrector is.
        pub by_kind: ActorKind,
        /// Who.
        pub by_id: String,
    }
}

fn bad(field: CorrectionField, reason: impl ToString) -> Error {
    Error::Refused(format!("{field}: {}", reason.to_string()))
}

fn parsed<T: std::str::FromStr<Err: ToString>>(
    field: CorrectionField,
    value: Option<&str>,
) -> Result<Option<T>> {
    value
        .map(|text| text.parse().map_err(|e: T::Err| bad(field, e)))
        .transpose()
}

fn required<T>(field: CorrectionField, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| bad(field, "a value is needed"))
}

impl Change {
    /// Appends a correction and lets the recording follow it. Returns what was appended.
    ///
    /// # Errors
    /// [`Error::Missing`] recording; [`Error::Refused`] for a value that is none, or names nothing.
    pub async fn correct(
        &mut self,
        id: RegisterId,
        recording: RecordingId,
        (field, value): (CorrectionField, Option<&str>),
        reason: &str,
        (at, by): (Micros, &ActorRef),
    ) -> Result<Correction> {
        let row = self
            .recording(recording)
            .await?
            .ok_or_else(|| Error::missing("recording", recording))?;
        let old_value = present(&row, field);
        self.apply_correction(&row, field, value).await?;
        reindex(&mut self.db, recording).await?;
        let last = "SELECT * FROM corrections c WHERE recording_id = $1 AND field = $2
            AND NOT EXISTS (SELECT 1 FROM corrections n WHERE n.predecessor_id = c.id)";
        let last: Option<Correction> = self.db.one(last, args![recording, field]).await?;
        let correction = Correction {
            id,
            recording_id: recording,
            field,
            predecessor_id: last.map(|last| last.id),
            old_value,
            new_value: value.map(str::to_owned),
            reason: reason.to_owned(),
            at,
            by_kind: by.kind,
            by_id: by.id.clone(),
        };
        self.insert_correction(&correction).await?;
        Ok(correction)
    }

    async fn insert_correction(&mut self, c: &Correction) -> Result<()> {
        let sql = "INSERT INTO corrections
            (id, recording_id, field, predecessor_id, old_value, new_value, reason, at_us, by_kind, by_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let values = args![
            c.id,
            c.recording_id,
            c.field,
            c.predecessor_id,
            c.old_value,
            c.new_value,
            c.reason,
            c.at,
            c.by_kind,
            c.by_id
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    async fn apply_correction(
        &mut self,
        row: &Recording,
        field: CorrectionField,
        value: Option<&str>,
    ) -> Result<()> {
        let (column, value) = match field {
            CorrectionField::Officer => ("officer_id", parsed::<OfficerId>(field, value)?.bind()),
            CorrectionField::Recorder => {
                ("recorder_id", parsed::<RecorderId>(field, value)?.bind())
            }
            CorrectionField::Unit => (
                "unit_id",
                required(field, parsed::<UnitId>(field, value)?)?.bind(),
            ),
            CorrectionField::Kind => {
                let kind = required(field, parsed::<RecordingKind>(field, value)?)?;
                // A derivative never passes as an original, nor the other way round.
                if (row.kind == RecordingKind::Clip) != (kind == RecordingKind::Clip) {
                    return Err(bad(
                        field,
                        "what is a clip stays one, and nothing becomes one",
                    ));
                }
                ("kind", kind.bind())
            }
            CorrectionField::RecordedAt => {
                let at = value
                    .map(Micros::parse_rfc3339)
                    .transpose()
                    .map_err(|e| bad(field, e))?;
                resort(
                    &mut self.db,
                    row,
                    at.or(row.recorded_at).unwrap_or(row.created_at),
                )
                .await?;
                ("corrected_recorded_at_us", at.bind())
            }
        };
        let sql =
            format!("UPDATE recordings SET {column} = $1, version = version + 1 WHERE id = $2");
        self.db.execute(sql, vec![value, row.id.bind()]).await?;
        Ok(())
    }
}

fn present(row: &Recording, field: CorrectionField) -> Option<String> {
    match field {
        CorrectionField::Officer => row.officer_id.map(|id| id.to_string()),
        CorrectionField::Recorder => row.recorder_id.map(|id| id.to_string()),
        CorrectionField::Unit => Some(row.unit_id.to_string()),
        CorrectionField::Kind => Some(row.kind.to_string()),
        CorrectionField::RecordedAt => row.effective_recorded_at().map(Micros::to_rfc3339),
    }
}

impl Catalog {
    /// A recording's corrections, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn corrections(&self, recording: RecordingId) -> Result<Vec<Correction>> {
        let sql = "SELECT * FROM corrections WHERE recording_id = $1 ORDER BY at_us, id";
        self.read().await?.all(sql, args![recording]).await
    }
}
