//! Markers and clips.

use docket_base::ids::{MarkerId, RecordingId};
use docket_base::{Micros, Sha256Digest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a clip was made of. Never present on an original.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DerivedFrom {
    #[schema(value_type = String, format = "uuid")]
    pub recording: RecordingId,
    /// SHA-256 of that original.
    #[schema(value_type = String)]
    pub sha256: Sha256Digest,
    /// Where in the source it truly begins: at a frame, at or before what was asked for.
    pub from_ms: u64,
    /// Where in the source it truly ends.
    pub until_ms: u64,
    /// Its frames are not the original's: they were transcoded.
    pub transcoded: bool,
    /// For what it was made.
    pub reason: String,
}

/// A clip to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClipInput {
    /// From this time of what a player shows.
    pub from_ms: u64,
    /// Until this time.
    pub until_ms: u64,
    /// For what, in words.
    pub reason: String,
}

/// A marker: a time in a recording, and what is to be said of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Marker {
    #[schema(value_type = String, format = "uuid")]
    pub id: MarkerId,
    pub at_ms: u64,
    /// The end, where a stretch is meant.
    pub until_ms: Option<u64>,
    pub text: String,
    #[schema(value_type = String, format = DateTime)]
    pub placed_at: Micros,
    pub placed_by: super::ActorRef,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub withdrawn_at: Option<Micros>,
    pub withdrawn_by: Option<super::ActorRef>,
}

/// A new marker.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkerInput {
    /// Milliseconds from the recording's begin.
    pub at_ms: u64,
    /// The end, where a stretch is meant.
    #[serde(default)]
    pub until_ms: Option<u64>,
    pub text: String,
}
