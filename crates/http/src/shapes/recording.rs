//! Recordings.

use docket_base::ids::{DockingId, HoldId, RecorderId, RecordingId, StationId};
use docket_base::{Micros, Sha256Digest, Sm3Digest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OfficerRef, UnitRef};

/// A recorder, by id and serial number.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecorderRef {
    #[schema(value_type = String, format = "uuid")]
    pub id: RecorderId,
    pub serial: String,
}

/// A station, by id and name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StationRef {
    #[schema(value_type = String, format = "uuid")]
    pub id: StationId,
    pub name: String,
}

/// A case that a recording is tied to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CaseRef {
    pub number: String,
    pub unit: UnitRef,
    /// `linked` or `proposed`.
    pub state: String,
}

/// Why a recording is in quarantine.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Quarantine {
    /// What the sender announced.
    #[schema(value_type = String)]
    pub expected_sha256: Sha256Digest,
    /// What arrived.
    #[schema(value_type = String)]
    pub actual_sha256: Sha256Digest,
}

/// Whether and how it plays.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Playback {
    /// `ready`, `pending`, `impossible`, or `growing`: it is still arriving and plays up to `playable_ms`.
    pub state: String,
    /// A stable code of why it doesn't play (yet), e.g. `video_codec_unsupported`, `index_at_end`.
    pub reason: Option<String>,
    pub duration_ms: Option<u64>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// It is cut by an index that was sent ahead and not yet compared with what came.
    pub preview: bool,
    /// While it grows: up to this time it can be watched now.
    pub playable_ms: Option<u64>,
    /// While it arrives: no byte came for 10 s (the station is off-line or busy).
    pub stalled: bool,
    /// What is transcoded for viewing; the original is untouched.
    pub made: Option<Made>,
}

/// Streams transcoded for viewing, by what they are in the original, e.g. `hevc`, `pcm_mulaw`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Made {
    pub video: Option<String>,
    pub audio: Option<String>,
}

/// A recording 音像记录.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Recording {
    #[schema(value_type = String, format = "uuid")]
    pub id: RecordingId,
    /// `receiving`, `sealing`, `sealed`, `incomplete`, `quarantined` or `deleted`.
    pub state: String,
    /// `video`, `audio`, `photo`, `document`, `other`, or `clip`: a stretch of another recording.
    pub kind: String,
    /// Exactly as the sender gave it.
    pub file_name: String,
    /// As the sender claimed it.
    pub media_type: Option<String>,
    /// Null while nobody knows.
    pub size_bytes: Option<u64>,
    /// Durable so far.
    pub received_bytes: u64,
    #[schema(value_type = Option<String>)]
    pub sha256: Option<Sha256Digest>,
    #[schema(value_type = Option<String>)]
    pub sm3: Option<Sm3Digest>,
    /// What the sender announced.
    #[schema(value_type = Option<String>)]
    pub claimed_sha256: Option<Sha256Digest>,
    pub unit: UnitRef,
    pub officer: Option<OfficerRef>,
    /// The certificate number the sender gave, when no officer has it.
    pub officer_claimed: Option<String>,
    pub recorder: Option<RecorderRef>,
    /// The serial number the sender gave, when no recorder has it.
    pub recorder_claimed: Option<String>,
    pub station: Option<StationRef>,
    #[schema(value_type = Option<String>, format = "uuid")]
    pub docking_id: Option<DockingId>,
    /// By the recorder's clock, or as corrected.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recorded_at: Option<Micros>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Micros,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub sealed_at: Option<Micros>,
    /// When the original had been read back from the vault and was the same.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub verified_at: Option<Micros>,
    #[schema(value_type = Option<String>, format = "uuid")]
    pub duplicate_of: Option<RecordingId>,
    pub incomplete_reason: Option<String>,
    pub quarantine: Option<Quarantine>,
    /// Of `key`, `unknown_recorder`, `unknown_officer`.
    pub marks: Vec<String>,
    pub notes: String,
    pub tags: Vec<String>,
    pub cases: Vec<CaseRef>,
    /// Of a clip: what it was made of.
    pub derived_from: Option<super::DerivedFrom>,
    /// A hold stands on it.
    pub held: bool,
    pub playback: Playback,
    /// Its ETag is this number in quotes.
    pub version: i64,
}

/// New notes and tags; what is left out stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnotationInput {
    #[serde(default)]
    pub notes: Option<String>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
}

/// A correction: appended, what was said before stays in the ledger.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectionInput {
    /// `officer` (id), `recorder` (id), `recorded_at` (RFC 3339), `kind` or `unit` (id).
    pub field: String,
    /// The right value; null for "not known".
    pub value: Option<String>,
    /// Why, in words.
    pub reason: String,
}

/// A correction that was made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Correction {
    pub field: String,
    pub old_value: Option<String>,
    pub new_value: Option<String>,
    pub reason: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Micros,
    pub by: super::ActorRef,
}

/// A hold 冻结: nobody deletes while it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Hold {
    #[schema(value_type = String, format = "uuid")]
    pub id: HoldId,
    pub reason: String,
    #[schema(value_type = String, format = DateTime)]
    pub placed_at: Micros,
    pub placed_by: super::ActorRef,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lifted_at: Option<Micros>,
    pub lifted_by: Option<super::ActorRef>,
}

/// A new hold.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldInput {
    /// Why, in words.
    pub reason: String,
}

/// Why a hold is lifted.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldLift {
    /// In words.
    #[serde(default)]
    pub reason: Option<String>,
}
