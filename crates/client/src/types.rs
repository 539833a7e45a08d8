//! What the API answers, as far as its users need it. Unknown members are ignored, so that an older
//! client reads a newer server.

use docket_base::ids::{CaseId, DockingId, RecordingId};
use docket_base::{Micros, Sha256Digest, Sm3Digest};
use serde::{Deserialize, Serialize};

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next page.
    #[serde(default)]
    pub next: Option<String>,
}

/// Something with an id and a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name; a recorder's serial.
    #[serde(alias = "serial")]
    pub name: String,
}

/// The life of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// Bytes arrive.
    Receiving,
    /// All bytes are there, the original is being made.
    Sealing,
    /// The original stands.
    Sealed,
    /// Ended early; what came is kept.
    Incomplete,
    /// Not what was announced; kept aside.
    Quarantined,
    /// Removed by a rule.
    Deleted,
    /// A state this client does not know.
    #[serde(other)]
    Unknown,
}

/// What was announced and what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Announced.
    pub expected_sha256: Sha256Digest,
    /// Arrived.
    pub actual_sha256: Sha256Digest,
}

/// Whether it plays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Playback {
    /// `ready`, `pending` or `impossible`.
    pub state: String,
    /// Why it does not play.
    #[serde(default)]
    pub reason: Option<String>,
    /// Length in milliseconds.
    #[serde(default)]
    pub duration_ms: Option<i64>,
}

/// A recording 音像记录.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Its id, the upload's too.
    pub id: RecordingId,
    /// Where it is in its life.
    pub state: RecordingState,
    /// `video`, `audio`, `photo`, `document` or `other`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Its name as uploaded.
    #[serde(default)]
    pub file_name: Option<String>,
    /// Length, where declared.
    #[serde(default)]
    pub size_bytes: Option<u64>,
    /// Bytes that arrived.
    #[serde(default)]
    pub received_bytes: u64,
    /// SHA-256, once known.
    #[serde(default)]
    pub sha256: Option<Sha256Digest>,
    /// SM3, where configured.
    #[serde(default)]
    pub sm3: Option<Sm3Digest>,
    /// Its unit.
    #[serde(default)]
    pub unit: Option<Named>,
    /// Its officer.
    #[serde(default)]
    pub officer: Option<Named>,
    /// Its recorder.
    #[serde(default)]
    pub recorder: Option<Named>,
    /// The station it came through.
    #[serde(default)]
    pub station: Option<Named>,
    /// The docking it came in.
    #[serde(default)]
    pub docking_id: Option<DockingId>,
    /// Device time.
    #[serde(default)]
    pub recorded_at: Option<Micros>,
    /// When the upload was created.
    #[serde(default)]
    pub created_at: Option<Micros>,
    /// When the original stood.
    #[serde(default)]
    pub sealed_at: Option<Micros>,
    /// When it was read back.
    #[serde(default)]
    pub verified_at: Option<Micros>,
    /// The recording with the same content that came first.
    #[serde(default)]
    pub duplicate_of: Option<RecordingId>,
    /// Why it ended early.
    #[serde(default)]
    pub incomplete_reason: Option<String>,
    /// Where quarantined.
    #[serde(default)]
    pub quarantine: Option<Quarantine>,
    /// `key`, `unknown_recorder`, `unknown_officer`.
    #[serde(default)]
    pub marks: Vec<String>,
    /// Free text.
    #[serde(default)]
    pub notes: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whether it plays.
    #[serde(default)]
    pub playback: Option<Playback>,
    /// For If-Match.
    #[serde(default)]
    pub version: Option<i64>,
}

/// A recording's link to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseLink {
    /// The recording.
    pub recording: Recording,
    /// `linked` or `proposed`.
    pub state: String,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
    /// When.
    #[serde(default)]
    pub linked_at: Option<Micros>,
}

/// A case 案件.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Its number as given.
    pub number: String,
    /// Its unit.
    #[serde(default)]
    pub unit: Option<Named>,
    /// Its title.
    #[serde(default)]
    pub title: Option<String>,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: Option<String>,
    /// What is tied to it.
    #[serde(default)]
    pub evidence: Vec<CaseLink>,
}
