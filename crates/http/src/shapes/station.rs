//! Stations, their bays, and dockings.

use docket_base::Micros;
use docket_base::ids::{DockingId, RecordingId, StationId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UnitRef;

/// A station 采集站.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Station {
    #[schema(value_type = String, format = "uuid")]
    pub id: StationId,
    pub name: String,
    pub unit: UnitRef,
    /// It reported within the last minute.
    pub online: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen_at: Option<Micros>,
    /// Of its software.
    pub version: String,
    pub bays: Vec<Bay>,
}

/// What is going on in one bay 仓位.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bay {
    pub name: String,
    pub state: BayState,
    #[serde(default)]
    pub recorder_serial: Option<String>,
    #[serde(default)]
    pub officer_name: Option<String>,
    #[serde(default)]
    pub files_total: u64,
    #[serde(default)]
    pub files_done: u64,
    #[serde(default)]
    pub bytes_total: u64,
    #[serde(default)]
    pub bytes_done: u64,
    #[serde(default)]
    pub rate_bytes_per_s: u64,
    #[serde(default)]
    pub message: Option<String>,
}

/// The states of a bay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BayState {
    /// No recorder.
    Empty,
    /// Listing what is on it.
    Reading,
    /// Sending.
    Uploading,
    /// Everything sent and proven to be in the vault.
    Verified,
    /// Take it.
    MayBeTaken,
    /// Somebody has to look.
    Fault,
}

/// What a station says of itself.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StationReport {
    pub name: String,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub bays: Vec<Bay>,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StationAnswer {
    #[serde(flatten)]
    pub station: Station,
    /// Files that somebody wants now: the station sends them before others.
    pub first: Vec<WantedFile>,
}

/// A listed file that somebody wants now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WantedFile {
    #[schema(value_type = String, format = "uuid")]
    pub docking: DockingId,
    pub path: String,
}

/// Which listed file is wanted now.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DockingFirst {
    /// As listed.
    pub path: String,
}

/// A recorder came into a bay; what is on it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DockingInput {
    pub bay: String,
    pub recorder_serial: String,
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Micros,
    /// The recorder's clock minus the station's.
    #[serde(default)]
    pub recorder_clock_offset_ms: Option<i64>,
    pub files: Vec<DockingFileInput>,
}

/// A file on a recorder.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DockingFileInput {
    /// As on the recorder.
    pub path: String,
    pub size_bytes: u64,
    /// By the recorder's clock.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub modified_at: Option<Micros>,
}

/// Names a docking.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DockingCreated {
    #[schema(value_type = String, format = "uuid")]
    pub id: DockingId,
}

/// How a docking ended.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DockingFinish {
    #[schema(value_type = String, format = DateTime)]
    pub finished_at: Micros,
    /// `complete`, `recorder_lost`, `unreadable` or `aborted`.
    pub outcome: String,
}

/// A docking, without its list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DockingHead {
    #[schema(value_type = String, format = "uuid")]
    pub id: DockingId,
    #[schema(value_type = String, format = "uuid")]
    pub station_id: StationId,
    pub unit: UnitRef,
    pub bay: String,
    pub recorder_serial: String,
    pub recorder_clock_offset_ms: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Micros,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Micros>,
    pub outcome: Option<String>,
}

/// A docking with the list of what was on the recorder.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Docking {
    #[serde(flatten)]
    pub head: DockingHead,
    pub files: Vec<DockingFile>,
}

/// A listed file and what became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DockingFile {
    pub path: String,
    pub size_bytes: u64,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub modified_at: Option<Micros>,
    /// The recording that arrived; null: missing.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub recording: Option<RecordingId>,
}
