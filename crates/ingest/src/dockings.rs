//! Dockings: what was on a recorder when it came into a bay, reported before any upload. So "what was on the
//! card and never arrived" is a query.

use std::collections::HashSet;

use docket_base::Micros;
use docket_base::ids::{DockingFileId, DockingId, RegisterId};
use docket_catalog::{Docking, DockingFile, Station};
use docket_ledger::kinds::{self, DockingOutcome};
use docket_ledger::register::{DockedFile, DockingRow};
use docket_ledger::{Actor, RegisterValue, Subject};

use crate::text::Limit;
use crate::{Ingest, IngestError, Result};

/// Most files on one recorder.
pub const MOST_FILES: usize = 20_000;

/// A docking as the station lists it.
#[derive(Debug, Clone)]
pub struct DockingReport {
    /// The bay's name.
    pub bay: String,
    /// The serial number the recorder gave.
    pub recorder_serial: String,
    /// When it came, by the station's clock.
    pub started_at: Micros,
    /// The recorder's clock minus the station's, in milliseconds.
    pub recorder_clock_offset_ms: Option<i64>,
    /// Everything on it.
    pub files: Vec<DockedFile>,
}

impl Ingest {
    /// Enters a docking with its list.
    ///
    /// # Errors
    /// Refused for a list that is too long or names a path twice.
    pub async fn docking_listed(
        &self,
        station: &Station,
        report: DockingReport,
    ) -> Result<DockingId> {
        let bay = Limit::NAME.require("bay", &report.bay)?;
        let serial = Limit::NAME.check("recorder_serial", report.recorder_serial)?;
        check_files(&report.files)?;
        let id = DockingId::fresh(&*self.clock, &*self.random);
        let recorder = match serial.is_empty() {
            true => None,
            false => self
                .catalog
                .recorder_by_serial(&serial)
                .await?
                .map(|recorder| recorder.id),
        };
        let files_bytes = report
            .files
            .iter()
            .fold(0_u64, |sum, file| sum.saturating_add(file.size_bytes));
        let rows: Vec<DockingFile> = report
            .files
            .iter()
            .map(|file| self.file_row(id, file))
            .collect();
        let list = DockingRow {
            docking: id,
            recorder_serial: Some(serial.clone()).filter(|serial| !serial.is_empty()),
            files: report.files,
        };
        let row = RegisterId::from_bytes(*id.as_bytes());
        let list = self
            .put_register(row, 1, RegisterValue::Docking(list))
            .await?;
        let docking = Docking {
            id,
            station_id: station.id,
            unit_id: station.unit_id,
            bay: bay.clone(),
            recorder_id: recorder,
            recorder_serial: serial,
            recorder_clock_offset_ms: report.recorder_clock_offset_ms,
            started_at: report.started_at,
            finished_at: None,
            outcome: None,
            created_at: self.clock.now(),
        };
        let body = kinds::DockingListed {
            docking: id,
            bay,
            started_at: report.started_at,
            recorder_clock_offset_ms: report.recorder_clock_offset_ms,
            files_count: rows.len() as u64,
            files_bytes,
            list,
        };
        let event = self.event(
            Actor::Station(station.id),
            Some(station.unit_id),
            subject(&docking),
            body,
        )?;
        let mut change = self.catalog.change().await?;
        change.add_docking(&docking, &rows).await?;
        self.commit(change, &[event]).await?;
        Ok(id)
    }

    fn file_row(&self, docking: DockingId, file: &DockedFile) -> DockingFile {
        DockingFile {
            id: DockingFileId::fresh(&*self.clock, &*self.random),
            docking_id: docking,
            path: file.path.clone(),
            size_bytes: file.size_bytes,
            modified_at: file.modified_at,
            recording_id: None,
        }
    }

    /// Ends a docking. One that has ended stays as it is.
    ///
    /// # Errors
    /// Not found.
    pub async fn docking_finished(
        &self,
        id: DockingId,
        at: Micros,
        outcome: DockingOutcome,
    ) -> Result<()> {
        let docking = self
            .catalog
            .docking(id)
            .await?
            .ok_or_else(|| IngestError::not_found("docking", id))?;
        if docking.finished_at.is_some() {
            return Ok(());
        }
        let files = self.catalog.docking_files(id).await?;
        let arrived = files
            .iter()
            .filter(|file| file.recording_id.is_some())
            .count();
        let body = kinds::DockingFinished {
            docking: id,
            finished_at: at,
            outcome,
            arrived_count: arrived as u64,
        };
        let actor = Actor::Station(docking.station_id);
        let event = self.event(actor, Some(docking.unit_id), subject(&docking), body)?;
        let mut change = self.catalog.change().await?;
        change.finish_docking(id, at, word(outcome)).await?;
        self.commit(change, &[event]).await
    }
}

/// The outcome of a word. Stations say `faults` and `removed` too.
pub fn outcome(text: &str) -> Option<DockingOutcome> {
    Some(match text {
        "complete" => DockingOutcome::Complete,
        "recorder_lost" | "removed" => DockingOutcome::RecorderLost,
        "unreadable" | "faults" => DockingOutcome::Unreadable,
        "aborted" => DockingOutcome::Aborted,
        _ => return None,
    })
}

fn word(outcome: DockingOutcome) -> &'static str {
    match outcome {
        DockingOutcome::Complete => "complete",
        DockingOutcome::RecorderLost => "recorder_lost",
        DockingOutcome::Unreadable => "unreadable",
        DockingOutcome::Aborted => "aborted",
    }
}

fn check_files(files: &[DockedFile]) -> Result<()> {
    if files.len() > MOST_FILES {
        return Err(IngestError::Refused(format!("files: at most {MOST_FILES}")));
    }
    let mut paths = HashSet::with_capacity(files.len());
    for file in files {
        if file.path.is_empty() || file.path.len() > 4_096 {
            return Err(IngestError::Refused(
                "files: a path has 1 to 4096 bytes".to_owned(),
            ));
        }
        // The catalog's largest integer; no disk comes near it.
        if i64::try_from(file.size_bytes).is_err() {
            return Err(IngestError::Refused(
                "files: a size is out of range".to_owned(),
            ));
        }
        if !paths.insert(file.path.as_str()) {
            return Err(IngestError::Refused(format!(
                "files: {:?} is listed twice",
                file.path
            )));
        }
    }
    Ok(())
}

fn subject(docking: &Docking) -> Subject {
    Subject {
        docking: Some(docking.id),
        recorder: docking.recorder_id,
        ..Subject::station(docking.station_id)
    }
}
