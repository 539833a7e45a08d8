//! Events of recordings: arrival, seal, read-back, correction, watching, leaving.

use docket_base::ids::{
    DockingId, EventId, MarkerId, OfficerId, RecorderId, RecordingId, RuleId, StationId, TokenId,
    UnitId, UserId, ViewingId,
};
use docket_base::{Micros, Sha256Digest, Sm3Digest};
use serde::{Deserialize, Serialize};

use super::{RegisterRef, bodies, words};

words! {
    /// What a sealed recording is.
    SealedState {
        /// Whole, and its digest is the sender's where the sender gave one.
        Sealed,
        /// All that ever came.
        Incomplete,
        /// Not what the sender said it sends: kept aside.
        Quarantined,
    }
    /// What kind of thing a recording is.
    RecordingKind {
        /// Moving pictures.
        Video,
        /// Sound.
        Audio,
        /// A still picture.
        Photo,
        /// A document, such as a PDF.
        Document,
        /// Anything else.
        Other,
        /// A stretch of another recording: a derivative, never an original.
        Clip,
    }
    /// Why an upload ended before its last byte.
    IncompleteReason {
        /// Nothing came for the configured time.
        Expired,
        /// The sender gave it up.
        Terminated,
        /// The station says that the recorder is gone.
        RecorderLost,
        /// It was found half-finished and could not be taken up.
        Recovered,
    }
    /// Why a read-back failed.
    VerifyFailure {
        /// Other bytes than were sealed.
        DigestMismatch,
        /// Fewer or more bytes than were sealed.
        SizeMismatch,
        /// The object is not there.
        Missing,
        /// The store could not read it.
        Unreadable,
    }
    /// By which way someone watched.
    ViewingMeans {
        /// HLS segments.
        Hls,
        /// Bytes of the original, by Range.
        Bytes,
    }
    /// What an export is.
    ExportFormat {
        /// One ZIP64 file.
        Zip,
        /// A BagIt folder.
        Bagit,
        /// The original alone, by another system's request.
        Original,
    }
}

bodies! {
    /// See [`super::Event::RecordingAnnounced`].
    RecordingAnnounced {
        /// What the sender says it is.
        kind: RecordingKind,
        /// The length the sender promised, if any.
        size_bytes: Option<u64>,
        /// The digest the sender promised, if any.
        claimed_sha256: Option<Sha256Digest>,
        /// The station that sends.
        station: Option<StationId>,
        /// The docking it belongs to.
        docking: Option<DockingId>,
    }
    /// See [`super::Event::RecordingWithdrawn`].
    RecordingWithdrawn {
        /// Why.
        reason: IncompleteReason,
    }
    /// See [`super::Event::RecordingSealed`]. The recording's unit is the entry's.
    RecordingSealed {
        /// Whole, incomplete or quarantined.
        state: SealedState,
        /// What kind of thing it is.
        kind: RecordingKind,
        /// Length of the original.
        size_bytes: u64,
        /// SHA-256 of the original.
        sha256: Sha256Digest,
        /// SM3 of the original, where configured.
        sm3: Option<Sm3Digest>,
        /// The SHA-256 the sender gave; in quarantine it differs from `sha256`.
        claimed_sha256: Option<Sha256Digest>,
        /// Where the vault keeps the original.
        vault_key: String,
        /// SHA-256 of the side file beside the original (file name, media type, what was claimed).
        side_file_sha256: Sha256Digest,
        /// The officer it is attributed to.
        officer: Option<OfficerId>,
        /// The recorder it came from, where known.
        recorder: Option<RecorderId>,
        /// The station that sent it.
        station: Option<StationId>,
        /// The token that sent it, where no station did.
        token: Option<TokenId>,
        /// The docking it came in.
        docking: Option<DockingId>,
        /// When it was recorded, by the recorder's clock.
        recorded_at: Option<Micros>,
        /// When its upload began, by the daemon's clock.
        created_at: Micros,
        /// Why it is incomplete.
        incomplete_reason: Option<IncompleteReason>,
        /// The recording in the same unit that has the same content and shares the stored object.
        duplicate_of: Option<RecordingId>,
        /// Whether the officer pressed the key mark.
        key_mark: bool,
        /// The recorder it claims to come from is not in the register.
        unknown_recorder: bool,
        /// The officer it claims is not in the register.
        unknown_officer: bool,
    }
    /// See [`super::Event::RecordingVerified`].
    RecordingVerified {
        /// What was sealed.
        state: SealedState,
        /// Length read.
        size_bytes: u64,
        /// SHA-256 of what was read.
        sha256: Sha256Digest,
        /// SM3 of what was read, where configured.
        sm3: Option<Sm3Digest>,
        /// Where it was read.
        vault_key: String,
        /// The event that sealed it.
        sealed_by: EventId,
    }
    /// See [`super::Event::RecordingVerifyFailed`].
    RecordingVerifyFailed {
        /// Why.
        failure: VerifyFailure,
        /// Where it was read.
        vault_key: String,
        /// SHA-256 as sealed.
        expected_sha256: Sha256Digest,
        /// SHA-256 of what was read, where all was.
        actual_sha256: Option<Sha256Digest>,
        /// Length read.
        actual_size_bytes: Option<u64>,
    }
    /// See [`super::Event::RecordingHintDiffered`]. Who watched by the hint is told by their viewings.
    RecordingHintDiffered {
        /// SHA-256 of the hint.
        hint_sha256: Sha256Digest,
        /// Where in the file it was said to begin.
        from_bytes: u64,
        /// Where it was said to end (exclusive).
        until_bytes: u64,
        /// SHA-256 of the original's bytes there.
        actual_sha256: Sha256Digest,
    }
    /// See [`super::Event::RecordingCorrected`]. What was said before stays in the log.
    RecordingCorrected {
        /// The field and its new value.
        correction: Correction,
        /// The event that said otherwise, when it was a correction too.
        corrects: Option<EventId>,
        /// Why, in words.
        reason: RegisterRef,
        /// The recording's version after it.
        version: u32,
    }
    /// See [`super::Event::RecordingAnnotated`].
    RecordingAnnotated {
        /// Notes and tags as they are now.
        annotation: RegisterRef,
        /// The recording's version after it.
        version: u32,
    }
    /// See [`super::Event::ClipMade`]. Said twice with the same body: of the clip, and of its source.
    ClipMade {
        /// The clip: a recording of its own.
        clip: RecordingId,
        /// SHA-256 of the clip.
        clip_sha256: Sha256Digest,
        /// What it was made of.
        source: RecordingId,
        /// SHA-256 of that original.
        source_sha256: Sha256Digest,
        /// Where in the source it begins, exactly: microseconds of what a player shows.
        from_us: u64,
        /// Where in the source it ends.
        until_us: u64,
        /// Its frames are not the original's: it was transcoded.
        transcoded: bool,
        /// For what, in words. Absent where a rebuild found the clip without its entry.
        reason: Option<RegisterRef>,
    }
    /// See [`super::Event::MarkerPlaced`].
    MarkerPlaced {
        /// The marker.
        marker: MarkerId,
        /// Milliseconds from the recording's begin.
        at_ms: u64,
        /// Where a stretch is meant: its end.
        until_ms: Option<u64>,
        /// What it says.
        text: RegisterRef,
    }
    /// See [`super::Event::MarkerWithdrawn`].
    MarkerWithdrawn {
        /// The marker.
        marker: MarkerId,
    }
    /// See [`super::Event::ViewingOpened`].
    ViewingOpened {
        /// The viewing.
        viewing: ViewingId,
        /// By which way.
        means: ViewingMeans,
        /// Whether it was still arriving.
        while_receiving: bool,
        /// SHA-256 of the hint by which it was cut, while that was not compared with the original.
        hint_sha256: Option<Sha256Digest>,
    }
    /// See [`super::Event::ViewingClosed`].
    ViewingClosed {
        /// The viewing.
        viewing: ViewingId,
        /// When it was opened.
        opened_at: Micros,
        /// When the last byte of it went out.
        last_served_at: Micros,
        /// Bytes that went out.
        served_bytes: u64,
        /// Stretches that the daemon sent, in the recording's milliseconds.
        served: Vec<Stretch>,
        /// Stretches that the player says were watched: a claim of the browser.
        claimed: Vec<Stretch>,
    }
    /// A stretch of a recording.
    Stretch {
        /// Begin, milliseconds from the recording's begin.
        from_ms: u64,
        /// End, milliseconds from the recording's begin.
        until_ms: u64,
    }
    /// See [`super::Event::RecordingDownloaded`].
    RecordingDownloaded {
        /// First byte asked for.
        from_bytes: u64,
        /// End of what was asked for (exclusive).
        until_bytes: u64,
        /// SHA-256 of the whole original, when it was sealed.
        sha256: Option<Sha256Digest>,
    }
    /// See [`super::Event::RecordingExported`]. One event a recording.
    RecordingExported {
        /// Same for all recordings of one package: the event that began it.
        export: EventId,
        /// What was made.
        format: ExportFormat,
        /// SHA-256 of the original as exported.
        sha256: Sha256Digest,
        /// For what, in words.
        reason: Option<RegisterRef>,
    }
    /// See [`super::Event::RecordingDeleted`].
    RecordingDeleted {
        /// SHA-256 of what was deleted.
        sha256: Sha256Digest,
        /// Its length.
        size_bytes: u64,
        /// Where it was.
        vault_key: String,
        /// Whether other recordings still share the stored object, which therefore stays.
        object_stays: bool,
        /// The retention rule it followed.
        rule: Option<RuleId>,
        /// The people who approved, where there was no rule.
        approved_by: Vec<UserId>,
        /// Why, in words.
        reason: Option<RegisterRef>,
    }
}

/// A corrected field with its new value; `None` says "not known".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "field",
    content = "value",
    rename_all = "snake_case",
    deny_unknown_fields
)]
pub enum Correction {
    /// Who made it.
    Officer(Corrected<OfficerId>),
    /// With which recorder.
    Recorder(Corrected<RecorderId>),
    /// When. The device's own time stays beside it.
    RecordedAt(Corrected<Micros>),
    /// What kind of thing it is.
    Kind(Corrected<RecordingKind>),
    /// Which unit it belongs to.
    Unit(Corrected<UnitId>),
}

/// Before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corrected<T> {
    /// What was said before.
    pub from: Option<T>,
    /// What is said now.
    pub to: Option<T>,
}
