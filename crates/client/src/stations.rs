//! What a station says about itself: heartbeats and dockings.

use docket_base::Micros;
use docket_base::ids::DockingId;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::connect::Client;
use crate::error::Error;
use crate::request::{IDEMPOTENCY_KEY, from_json};

/// How a docking ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DockingOutcome {
    /// Everything listed was sent and its receipts hold.
    Complete,
    /// The recorder was taken away early.
    RecorderLost,
    /// The recorder could not be read to the end.
    Unreadable,
    /// The station gave up on something else: the daemon refused a file, a receipt did not hold.
    Aborted,
}

/// What a bay shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BayState {
    /// No recorder.
    Empty,
    /// A recorder is being identified and listed.
    Reading,
    /// Files are on their way.
    Uploading,
    /// Everything arrived and receipts are being checked or files erased.
    Verified,
    /// Done: the recorder may be taken.
    MayBeTaken,
    /// Somebody has to look.
    Fault,
}

/// One bay of a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BayReport {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub state: BayState,
    /// The recorder in it.
    pub recorder_serial: Option<String>,
    /// Whose it is, where the recorder says so.
    pub officer_name: Option<String>,
    /// Files on the recorder.
    pub files_total: u64,
    /// Files that are safe.
    pub files_done: u64,
    /// Bytes on the recorder.
    pub bytes_total: u64,
    /// Bytes that are safe or on their way.
    pub bytes_done: u64,
    /// Present speed.
    pub rate_bytes_per_s: u64,
    /// What is wrong or waited for.
    pub message: Option<String>,
}

/// A heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The station's name.
    pub name: String,
    /// Version of its software.
    pub version: String,
    /// Its bays as they sit.
    pub bays: Vec<BayReport>,
}

/// A file of a docking's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockedFile {
    /// Its path on the recorder.
    pub path: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Device time of its last change.
    pub modified_at: Option<Micros>,
}

/// A docking: one stay of a recorder in a bay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockingReport {
    /// The bay's name.
    pub bay: String,
    /// The recorder's serial.
    pub recorder_serial: String,
    /// When it was listed, by the station's clock.
    pub started_at: Micros,
    /// Recorder's clock minus station's clock, where it can be measured.
    pub recorder_clock_offset_ms: Option<i64>,
    /// Everything on it.
    pub files: Vec<DockedFile>,
}

/// A listed file that somebody wants now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WantedFile {
    /// The docking that lists it.
    pub docking: DockingId,
    /// Its path on the recorder.
    pub path: String,
}

/// What a heartbeat's answer asks of the station; an older daemon asks nothing.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    first: Vec<WantedFile>,
}

#[derive(Deserialize)]
struct Created {
    id: DockingId,
}

impl Client {
    /// Says what the station sees, and hears what is wanted of it first. The first one makes the
    /// station known.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<Vec<WantedFile>, Error> {
        let url = self.server.join(["v1", "stations", "self"]);
        let request = self.with_json(Method::PUT, url, heartbeat)?;
        let (_, body) = self.exchange(request).await?;
        if body.is_empty() {
            return Ok(Vec::new());
        }
        Ok(from_json::<Answer>(&body)?.first)
    }

    /// Reports a docking. The same key again creates nothing new.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn report_docking(
        &self,
        docking: &DockingReport,
        idempotency_key: &str,
    ) -> Result<DockingId, Error> {
        let url = self.server.join(["v1", "dockings"]);
        let request = self
            .with_json(Method::POST, url, docking)?
            .header(IDEMPOTENCY_KEY, idempotency_key);
        let (_, body) = self.exchange(request).await?;
        Ok(from_json::<Created>(&body)?.id)
    }

    /// Says how a docking ended.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn finish_docking(
        &self,
        id: DockingId,
        finished_at: Micros,
        outcome: DockingOutcome,
    ) -> Result<(), Error> {
        let url = self
            .server
            .join(["v1", "dockings", &id.to_string(), "finish"]);
        let body = json!({ "finished_at": finished_at, "outcome": outcome });
        self.send_json(Method::POST, url, &body).await
    }
}
