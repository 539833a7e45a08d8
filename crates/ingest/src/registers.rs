//! Registers: units, officers, recorders and who carried them. Each version of a row is a file in the vault
//! before the catalog has it; the entry holds the file's digest.

use docket_base::Micros;
use docket_base::ids::{AssignmentId, EventId, OfficerId, RecorderId, RegisterId, UnitId};
use docket_catalog::{
    Assignment, Change, Error as CatalogError, EventRow, Imported, ImportedRow, Officer, Recorder,
    RegisterKind, Scope, Unit,
};
use docket_ledger::register::{AssignmentRow, OfficerRow, RecorderRow, UnitRow};
use docket_ledger::{Actor, RegisterRef, RegisterValue, Subject, kinds};

use crate::text::{Limit, version_number};
use crate::{Ingest, IngestError, Result};

/// How many rows an import came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// New ones.
    pub created: usize,
    /// Changed ones.
    pub changed: usize,
    /// Lines that said what was known.
    pub unchanged: usize,
}

impl Ingest {
    /// Enters a unit. Id, version and time of the given row are made here.
    ///
    /// # Errors
    /// Taken code; missing parent; refused without name or code.
    pub async fn add_unit(&self, actor: Actor, unit: Unit) -> Result<Unit> {
        let unit = Unit {
            id: UnitId::fresh(&*self.clock, &*self.random),
            ..unit
        };
        let unit = checked_unit(Unit {
            version: 1,
            created_at: self.clock.now(),
            ..unit
        })?;
        self.put_row(actor, ImportedRow::Unit(unit.clone()), true)
            .await?;
        Ok(unit)
    }

    /// Changes a unit; its version is the one the writer saw.
    ///
    /// # Errors
    /// Stale; as [`Ingest::add_unit`].
    pub async fn change_unit(&self, actor: Actor, unit: Unit) -> Result<Unit> {
        let unit = checked_unit(unit)?;
        let after = Unit {
            version: unit.version + 1,
            ..unit
        };
        self.put_row(actor, ImportedRow::Unit(after.clone()), false)
            .await?;
        Ok(after)
    }

    /// Enters an officer.
    ///
    /// # Errors
    /// Taken certificate number; refused without one, or without a name.
    pub async fn add_officer(&self, actor: Actor, officer: Officer) -> Result<Officer> {
        let id = OfficerId::fresh(&*self.clock, &*self.random);
        let officer = checked_officer(Officer {
            id,
            version: 1,
            created_at: self.clock.now(),
            ..officer
        })?;
        self.put_row(actor, ImportedRow::Officer(officer.clone()), true)
            .await?;
        Ok(officer)
    }

    /// Changes an officer; the version is the one the writer saw.
    ///
    /// # Errors
    /// Stale; as [`Ingest::add_officer`].
    pub async fn change_officer(&self, actor: Actor, officer: Officer) -> Result<Officer> {
        let officer = checked_officer(officer)?;
        let after = Officer {
            version: officer.version + 1,
            ..officer
        };
        self.put_row(actor, ImportedRow::Officer(after.clone()), false)
            .await?;
        Ok(after)
    }

    /// Enters a recorder.
    ///
    /// # Errors
    /// Taken serial; refused without one.
    pub async fn add_recorder(&self, actor: Actor, recorder: Recorder) -> Result<Recorder> {
        let id = RecorderId::fresh(&*self.clock, &*self.random);
        let recorder = checked_recorder(Recorder {
            id,
            version: 1,
            created_at: self.clock.now(),
            ..recorder
        })?;
        self.put_row(actor, ImportedRow::Recorder(recorder.clone()), true)
            .await?;
        Ok(recorder)
    }

    /// Changes a recorder; the version is the one the writer saw.
    ///
    /// # Errors
    /// Stale; as [`Ingest::add_recorder`].
    pub async fn change_recorder(&self, actor: Actor, recorder: Recorder) -> Result<Recorder> {
        let recorder = checked_recorder(recorder)?;
        let after = Recorder {
            version: recorder.version + 1,
            ..recorder
        };
        self.put_row(actor, ImportedRow::Recorder(after.clone()), false)
            .await?;
        Ok(after)
    }

    /// Gives a recorder to an officer for a time.
    ///
    /// # Errors
    /// Refused when it overlaps another assignment of the recorder, or ends before it begins.
    pub async fn assign(
        &self,
        actor: Actor,
        recorder_id: RecorderId,
        officer_id: OfficerId,
        (from_at, until_at): (Micros, Option<Micros>),
    ) -> Result<Assignment> {
        let id = AssignmentId::fresh(&*self.clock, &*self.random);
        let assignment = Assignment {
            id,
            recorder_id,
            officer_id,
            from_at,
            until_at,
        };
        self.put_row(actor, ImportedRow::Assignment(assignment.clone()), true)
            .await?;
        Ok(assignment)
    }

    /// Ends an assignment, or leaves it open again.
    ///
    /// # Errors
    /// Not found; refused as for [`Ingest::assign`].
    pub async fn end_assignment(
        &self,
        actor: Actor,
        assignment: Assignment,
        until_at: Option<Micros>,
    ) -> Result<Assignment> {
        let after = Assignment {
            until_at,
            ..assignment
        };
        self.put_row(actor, ImportedRow::Assignment(after.clone()), false)
            .await?;
        Ok(after)
    }

    async fn put_row(&self, actor: Actor, row: ImportedRow, is_new: bool) -> Result<()> {
        let register = self.row_register(&row).await?;
        let unit = self.unit_of(&row).await?;
        let mut change = self.catalog.change().await?;
        apply(&mut change, &row, is_new).await?;
        let event = self.row_event(actor, &row, unit, register, None)?;
        self.commit(change, &[event]).await
    }

    /// Takes in a CSV register, all of it or nothing.
    ///
    /// # Errors
    /// `Import` with the refused lines; stale when a row changed meanwhile: try again.
    pub async fn import_register(
        &self,
        actor: Actor,
        kind: RegisterKind,
        csv: &[u8],
        reach: &Scope,
    ) -> Result<ImportCounts> {
        // First only to see what it comes to: the files must be in the vault before the change commits, and the
        // vault is not written while a transaction is open.
        let mut rehearsal = self.catalog.change().await?;
        let Imported {
            created,
            updated,
            unchanged,
        } = rehearsal
            .import(kind, csv, reach, &*self.clock, &*self.random)
            .await?;
        drop(rehearsal);
        let counts = ImportCounts {
            created: created.len(),
            changed: updated.len(),
            unchanged,
        };
        let rows = created
            .into_iter()
            .map(|row| (row, true))
            .chain(updated.into_iter().map(|row| (row, false)));
        let mut filed = Vec::new();
        for (row, is_new) in rows {
            let register = self.row_register(&row).await?;
            let unit = self.unit_of(&row).await?;
            filed.push((row, is_new, unit, register));
        }
        if filed.is_empty() {
            return Ok(counts);
        }
        let import = EventId::fresh(&*self.clock, &*self.random);
        let mut change = self.catalog.change().await?;
        let mut events: Vec<EventRow> = Vec::with_capacity(filed.len());
        for (row, is_new, unit, register) in filed {
            apply(&mut change, &row, is_new).await?;
            events.push(self.row_event(actor, &row, unit, register, Some(import))?);
        }
        self.commit(change, &events).await?;
        Ok(counts)
    }

    /// Whose event it is: a unit's own, the officer's, the recorder's.
    async fn unit_of(&self, row: &ImportedRow) -> Result<Option<UnitId>> {
        Ok(match row {
            ImportedRow::Unit(u) => Some(u.id),
            ImportedRow::Officer(o) => Some(o.unit_id),
            ImportedRow::Recorder(r) => Some(r.unit_id),
            ImportedRow::Assignment(a) => self
                .catalog
                .recorder(a.recorder_id)
                .await?
                .map(|found| found.row.unit_id),
        })
    }

    async fn row_register(&self, row: &ImportedRow) -> Result<RegisterRef> {
        let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let (id, version, value) = match row {
            ImportedRow::Unit(u) => {
                let value = UnitRow {
                    name: u.name.clone(),
                    code: filled(&u.code),
                    parent: u.parent_id,
                };
                (*u.id.as_bytes(), u.version, RegisterValue::Unit(value))
            }
            ImportedRow::Officer(o) => {
                let value = OfficerRow {
                    name: o.name.clone(),
                    certificate_number: filled(&o.certificate_number),
                    unit: o.unit_id,
                    category: filled(&o.category),
                    area: filled(&o.area),
                };
                (*o.id.as_bytes(), o.version, RegisterValue::Officer(value))
            }
            ImportedRow::Recorder(r) => {
                let value = RecorderRow {
                    serial: r.serial.clone(),
                    model: filled(&r.model),
                    unit: r.unit_id,
                };
                (*r.id.as_bytes(), r.version, RegisterValue::Recorder(value))
            }
            // Its row has no version of its own: the first free number is taken.
            ImportedRow::Assignment(a) => {
                let value = AssignmentRow {
                    recorder: a.recorder_id,
                    officer: a.officer_id,
                    from_at: a.from_at,
                    until_at: a.until_at,
                };
                (*a.id.as_bytes(), 1, RegisterValue::Assignment(value))
            }
        };
        self.put_register(RegisterId::from_bytes(id), version_number(version)?, value)
            .await
    }

    fn row_event(
        &self,
        actor: Actor,
        row: &ImportedRow,
        unit: Option<UnitId>,
        register: RegisterRef,
        import: Option<EventId>,
    ) -> Result<EventRow> {
        let subject = match row {
            ImportedRow::Unit(_) => Subject::default(),
            ImportedRow::Officer(o) => Subject {
                officer: Some(o.id),
                ..Subject::default()
            },
            ImportedRow::Recorder(r) => Subject {
                recorder: Some(r.id),
                ..Subject::default()
            },
            ImportedRow::Assignment(a) => Subject {
                recorder: Some(a.recorder_id),
                officer: Some(a.officer_id),
                ..Subject::default()
            },
        };
        self.event(
            actor,
            unit,
            subject,
            kinds::RegisterChanged { register, import },
        )
    }
}

/// Enters a row, or changes the one it was made from.
async fn apply(change: &mut Change, row: &ImportedRow, is_new: bool) -> Result<(), CatalogError> {
    match (row, is_new) {
        (ImportedRow::Unit(u), true) => change.add_unit(u).await,
        (ImportedRow::Unit(u), false) => change
            .update_unit(&Unit {
                version: u.version - 1,
                ..u.clone()
            })
            .await
            .map(drop),
        (ImportedRow::Officer(o), true) => change.add_officer(o).await,
        (ImportedRow::Officer(o), false) => change
            .update_officer(&Officer {
                version: o.version - 1,
                ..o.clone()
            })
            .await
            .map(drop),
        (ImportedRow::Recorder(r), true) => change.add_recorder(r).await,
        (ImportedRow::Recorder(r), false) => change
            .update_recorder(&Recorder {
                version: r.version - 1,
                ..r.clone()
            })
            .await
            .map(drop),
        (ImportedRow::Assignment(a), true) => change.assign(a).await,
        (ImportedRow::Assignment(a), false) => {
            change.end_assignment(a.id, a.until_at).await.map(drop)
        }
    }
}

fn checked_unit(unit: Unit) -> Result<Unit> {
    Ok(Unit {
        name: Limit::NAME.require("name", &unit.name)?,
        code: Limit::NAME.require("code", &unit.code)?,
        ..unit
    })
}

fn checked_officer(officer: Officer) -> Result<Officer> {
    Ok(Officer {
        name: Limit::NAME.require("name", &officer.name)?,
        certificate_number: Limit::NAME
            .require("certificate_number", &officer.certificate_number)?,
        category: Limit::NAME.check("category", officer.category)?,
        area: Limit::NAME.check("area", officer.area)?,
        ..officer
    })
}

fn checked_recorder(recorder: Recorder) -> Result<Recorder> {
    Ok(Recorder {
        serial: Limit::NAME.require("serial", &recorder.serial)?,
        model: Limit::NAME.check("model", recorder.model)?,
        ..recorder
    })
}

impl IngestError {
    /// Whether the row was changed by somebody else in between.
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Catalog(CatalogError::Stale { .. }))
    }
}
