//! Recordings 音像记录: what is known of one, apart from its bytes.

pub(crate) mod clips;
pub(crate) mod corrections;
pub(crate) mod holds;
pub(crate) mod markers;
pub(crate) mod read;
pub(crate) mod seal;
pub(crate) mod write;

use docket_base::ids::{DockingId, OfficerId, RecorderId, RecordingId, StationId, UnitId};
use docket_base::{Digests, Micros, Sha256Digest, Sm3Digest};

use crate::engine::record::rows;
use crate::words::{ActorKind, ActorRef, PlaybackState, RecordingKind, RecordingState};

rows! {
    /// A recording's row.
    pub struct Recording in "recordings" {
        /// Its id, also its upload's.
        pub id: RecordingId,
        /// Where it stands.
        pub state: RecordingState,
        /// What it is.
        pub kind: RecordingKind,
        /// As the client named it, exactly. Never part of a path.
        pub file_name: String,
        /// As claimed by the client.
        pub media_type: Option<String>,
        /// Announced while receiving, true once sealed.
        pub size_bytes: Option<u64>,
        /// Bytes received; follows the upload's offset while there is one (in a [`crate::RecordingView`]).
        pub received_bytes: u64,
        /// Of what came, once sealed (also as incomplete or quarantined).
        pub sha256: Option<Sha256Digest>,
        /// As above, where SM3 is configured.
        pub sm3: Option<Sm3Digest>,
        /// What the client announced. In quarantine the expected one.
        pub claimed_sha256: Option<Sha256Digest>,
        /// The unit it belongs to.
        pub unit_id: UnitId,
        /// Who recorded it, as far as known.
        pub officer_id: Option<OfficerId>,
        /// The certificate number that the client gave.
        pub officer_claimed: Option<String>,
        /// The device, as far as known.
        pub recorder_id: Option<RecorderId>,
        /// The serial that the client gave.
        pub recorder_claimed: Option<String>,
        /// The station it came through.
        pub station_id: Option<StationId>,
        /// The docking it came by.
        pub docking_id: Option<DockingId>,
        /// Its path on the recorder.
        pub device_path: Option<String>,
        /// What the device said; never changed.
        pub recorded_at: Option<Micros>,
        /// What a correction said since.
        pub corrected_recorded_at: Option<Micros>,
        /// When the upload was created, by the daemon's clock.
        pub created_at: Micros,
        /// When it was sealed (also as incomplete or quarantined).
        pub sealed_at: Option<Micros>,
        /// When the vault's copy was read back and found the same.
        pub verified_at: Option<Micros>,
        /// When its bytes were deleted.
        pub deleted_at: Option<Micros>,
        /// The earlier recording of the unit with the same content, whose stored object it shares.
        pub duplicate_of: Option<RecordingId>,
        /// Why it is incomplete.
        pub incomplete_reason: Option<String>,
        /// Where its original lies in the vault.
        pub vault_key: Option<String>,
        /// `key`, `unknown_recorder`, `unknown_officer`.
        pub marks: Vec<String>,
        /// Free text of people.
        pub notes: String,
        /// Free words of people.
        pub tags: Vec<String>,
        /// Whether a hold is on it.
        pub held: bool,
        /// Whether it can be played.
        pub playback_state: PlaybackState,
        /// Why it can't.
        pub playback_reason: Option<String>,
        /// How long it plays, in milliseconds.
        pub duration_ms: Option<u64>,
        /// Picture width in pixels.
        pub width: Option<u32>,
        /// Picture height in pixels.
        pub height: Option<u32>,
        /// The picture is transcoded for viewing: its codec in the original.
        pub made_video: Option<String>,
        /// The sound is transcoded for viewing: its codec in the original.
        pub made_audio: Option<String>,
        /// What its creator is.
        pub created_by_kind: ActorKind,
        /// Who created it.
        pub created_by_id: String,
        /// Unique place in every listing.
        pub sort_key: i64,
        /// Goes up at every change: the ETag.
        pub version: i64,
    }
}

impl Recording {
    /// The best known recording time: corrected, else the device's.
    pub fn effective_recorded_at(&self) -> Option<Micros> {
        self.corrected_recorded_at.or(self.recorded_at)
    }

    /// Who created it.
    pub fn created_by(&self) -> ActorRef {
        ActorRef::new(self.created_by_kind, &self.created_by_id)
    }
}

/// A recording that is about to exist, in state `receiving`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecording {
    /// See [`Recording`] for all fields.
    pub id: RecordingId,
    /// What it is.
    pub kind: RecordingKind,
    /// As the client named it.
    pub file_name: String,
    /// As claimed.
    pub media_type: Option<String>,
    /// The announced length.
    pub size_bytes: Option<u64>,
    /// The announced digest.
    pub claimed_sha256: Option<Sha256Digest>,
    /// The unit it belongs to.
    pub unit_id: UnitId,
    /// The officer, where known.
    pub officer_id: Option<OfficerId>,
    /// The certificate number given.
    pub officer_claimed: Option<String>,
    /// The recorder, where known.
    pub recorder_id: Option<RecorderId>,
    /// The serial given.
    pub recorder_claimed: Option<String>,
    /// The station.
    pub station_id: Option<StationId>,
    /// The docking.
    pub docking_id: Option<DockingId>,
    /// The path on the recorder.
    pub device_path: Option<String>,
    /// The device's time.
    pub recorded_at: Option<Micros>,
    /// The daemon's time.
    pub created_at: Micros,
    /// `key`, `unknown_recorder`, `unknown_officer`.
    pub marks: Vec<String>,
    /// A note given with the upload.
    pub notes: String,
    /// Tags from the beginning (`rebuild`).
    pub tags: Vec<String>,
    /// Who creates it.
    pub created_by: ActorRef,
}

/// How a recording is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// `sealed`, `incomplete` or `quarantined`.
    pub state: RecordingState,
    /// When, by the daemon's clock.
    pub at: Micros,
    /// Bytes that came.
    pub size_bytes: u64,
    /// Digests of what came.
    pub digests: Digests,
    /// Where the vault put it; `None` only for an incomplete recording of which nothing came.
    pub vault_key: Option<String>,
    /// The earlier recording it shares its object with.
    pub duplicate_of: Option<RecordingId>,
    /// Why it is incomplete.
    pub incomplete_reason: Option<String>,
}

/// What was found out about playing a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playback {
    /// Whether it plays.
    pub state: PlaybackState,
    /// Why not, as a stable word.
    pub reason: Option<String>,
    /// How long, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Picture width in pixels.
    pub width: Option<u32>,
    /// Picture height in pixels.
    pub height: Option<u32>,
    /// The picture is transcoded for viewing: its codec in the original.
    pub made_video: Option<String>,
    /// The sound is transcoded for viewing: its codec in the original.
    pub made_audio: Option<String>,
}

/// Recordings of one millisecond have this many bits to differ in; more spill into the next.
const SORT_COUNTER_BITS: u32 = 12;

/// The first sort key of this time's millisecond.
pub(crate) fn sort_key_floor(at: Micros) -> i64 {
    // Any i64 of microseconds fits after the division: |2^63 / 1000| << 12 would not, hence the clamp
    // to what the shift leaves room for, years -69,000 to 73,000.
    let limit = (i64::MAX >> SORT_COUNTER_BITS) - 1;
    at.0.div_euclid(1_000).clamp(-limit, limit) << SORT_COUNTER_BITS
}
