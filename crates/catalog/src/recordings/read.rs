//! Recordings as they are shown: with the names of what they refer to.

use docket_base::ids::{CaseId, DockingId, RecordingId, UnitId};

use crate::Catalog;
use crate::engine::record::{FromRecord, Record, rows};
use crate::engine::value::args;
use crate::engine::{Db, Statement};
use crate::error::Result;
use crate::recordings::Recording;
use crate::recordings::clips::{Clip, with_clips};
use crate::words::LinkState;

/// A recording with the names of what it refers to, as one reader saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingView {
    /// Its row; `received_bytes` follows the upload while there is one.
    pub recording: Recording,
    /// Name of its unit.
    pub unit_name: String,
    /// Name of its officer.
    pub officer_name: Option<String>,
    /// Serial of its recorder.
    pub recorder_serial: Option<String>,
    /// Name of its station.
    pub station_name: Option<String>,
    /// The cases it is linked to or proposed for. Not limited to the reader's scope: the caller's
    /// authorisation decides which of them are shown.
    pub cases: Vec<CaseMention>,
    /// Of a clip: what it was made of.
    pub clip: Option<Clip>,
}

rows! {
    /// A case, as a recording's listing names it.
    pub struct CaseMention in "links" {
        /// The recording.
        pub recording_id: RecordingId,
        /// The case.
        pub case_id: CaseId,
        /// Its number, as given.
        pub number: String,
        /// Its unit.
        pub unit_id: UnitId,
        /// The unit's name.
        pub unit_name: String,
        /// How firmly.
        pub state: LinkState,
    }
}

pub(crate) const VIEW_COLUMNS: &str = "r.*, COALESCE(up.offset_bytes, r.received_bytes) AS arrived_bytes,
    un.name AS unit_name, oo.name AS officer_name, rr.serial AS recorder_serial, st.name AS station_name";

pub(crate) const VIEW_JOINS: &str = "JOIN units un ON un.id = r.unit_id
    LEFT JOIN uploads up ON up.id = r.id
    LEFT JOIN officers oo ON oo.id = r.officer_id
    LEFT JOIN recorders rr ON rr.id = r.recorder_id
    LEFT JOIN stations st ON st.id = r.station_id";

impl FromRecord for RecordingView {
    fn from_record(record: &Record) -> Result<Self> {
        let mut recording = Recording::from_record(record)?;
        recording.received_bytes = record.field("uploads", "arrived_bytes")?;
        Ok(Self {
            recording,
            unit_name: record.field("units", "unit_name")?,
            officer_name: record.field("officers", "officer_name")?,
            recorder_serial: record.field("recorders", "recorder_serial")?,
            station_name: record.field("stations", "station_name")?,
            cases: Vec::new(),
            clip: None,
        })
    }
}

/// Fills in the cases of the recordings of a page.
pub(crate) async fn with_cases(db: &mut Db, views: &mut [RecordingView]) -> Result<()> {
    if views.is_empty() {
        return Ok(());
    }
    let mut s = Statement::new(
        "SELECT l.recording_id, l.case_id, c.number, c.unit_id, u.name AS unit_name, l.state
         FROM links l JOIN cases c ON c.id = l.case_id JOIN units u ON u.id = c.unit_id WHERE l.recording_id IN ",
    );
    s.bind_list(views.iter().map(|view| view.recording.id))
        .push(" ORDER BY l.linked_at_us, l.id");
    let mentions: Vec<CaseMention> = db.all(s.text, s.values).await?;
    for mention in mentions {
        if let Some(view) = views
            .iter_mut()
            .find(|view| view.recording.id == mention.recording_id)
        {
            view.cases.push(mention);
        }
    }
    Ok(())
}

impl Catalog {
    /// A recording's row alone.
    ///
    /// # Errors
    /// The database's.
    pub async fn recording(&self, id: RecordingId) -> Result<Option<Recording>> {
        self.read()
            .await?
            .one("SELECT * FROM recordings WHERE id = $1", args![id])
            .await
    }

    /// What came of these paths of a docking and is closed, whole or not. The paths are few.
    ///
    /// # Errors
    /// The database's.
    pub async fn recordings_beside(
        &self,
        docking: DockingId,
        paths: &[String],
    ) -> Result<Vec<Recording>> {
        let mut s = Statement::new("SELECT * FROM recordings WHERE docking_id = ");
        s.bind(docking)
            .push(" AND state IN ('sealed', 'incomplete') AND device_path IN ");
        s.bind_list(paths.iter().map(String::as_str));
        s.push(" ORDER BY id LIMIT 100");
        self.read().await?.all(s.text, s.values).await
    }

    /// A recording as it is shown.
    ///
    /// # Errors
    /// The database's.
    pub async fn recording_view(&self, id: RecordingId) -> Result<Option<RecordingView>> {
        Ok(self.recording_views(&[id]).await?.pop())
    }

    /// These recordings as they are shown, in the order given; those that don't exist are left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn recording_views(&self, ids: &[RecordingId]) -> Result<Vec<RecordingView>> {
        let mut s = Statement::new(&format!(
            "SELECT {VIEW_COLUMNS} FROM recordings r {VIEW_JOINS} WHERE r.id IN "
        ));
        s.bind_list(ids);
        let mut db = self.read().await?;
        let mut views: Vec<RecordingView> = db.all(s.text, s.values).await?;
        views.sort_by_key(|view| ids.iter().position(|id| *id == view.recording.id));
        with_cases(&mut db, &mut views).await?;
        with_clips(&mut db, &mut views).await?;
        Ok(views)
    }
}
