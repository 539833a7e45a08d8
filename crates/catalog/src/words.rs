//! The closed sets of words that rows hold.

use crate::engine::record::words;

/// A word outside its closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is none of {}", .known.join(", "))]
pub struct UnknownWord {
    word: String,
    known: &'static [&'static str],
}

impl UnknownWord {
    pub(crate) fn new(word: &str, known: &'static [&'static str]) -> Self {
        Self {
            word: word.chars().take(64).collect(),
            known,
        }
    }
}

words! {
    /// Where a recording stands.
    pub enum RecordingState {
        /// Bytes are arriving.
        Receiving = "receiving",
        /// All bytes are there; they are joined, compared or moved to their place.
        Sealing = "sealing",
        /// The original is complete and fixed.
        Sealed = "sealed",
        /// The upload ended early; what came is fixed.
        Incomplete = "incomplete",
        /// What came is not what was announced; kept aside.
        Quarantined = "quarantined",
        /// The bytes were lawfully deleted; the facts stay.
        Deleted = "deleted",
    }

    /// What a recording is.
    pub enum RecordingKind {
        /// Moving pictures.
        Video = "video",
        /// Sound alone.
        Audio = "audio",
        /// A photograph.
        Photo = "photo",
        /// A PDF or scan.
        Document = "document",
        /// Anything else.
        Other = "other",
        /// A stretch of another recording: a derivative, never an original.
        Clip = "clip",
    }

    /// Whether a recording can be played.
    pub enum PlaybackState {
        /// Not looked at yet.
        Pending = "pending",
        /// It plays.
        Ready = "ready",
        /// It doesn't; the reason is beside it.
        Impossible = "impossible",
    }

    /// What an upload is to become.
    pub enum UploadKind {
        /// One recording in one piece.
        Whole = "whole",
        /// A part of a concatenation: no recording.
        Partial = "partial",
        /// A recording made of parts.
        Final = "final",
        /// A clip: the daemon itself makes its bytes.
        Clip = "clip",
    }

    /// Who acts.
    pub enum ActorKind {
        /// A docking station by its token.
        Station = "station",
        /// A person.
        User = "user",
        /// Another system by its token.
        Token = "token",
        /// The daemon itself.
        System = "system",
    }

    /// Where a case stands.
    pub enum CaseState {
        /// Being worked on.
        Open = "open",
        /// Done.
        Closed = "closed",
    }

    /// How firmly a recording belongs to a case.
    pub enum LinkState {
        /// By someone who may.
        Linked = "linked",
        /// Claimed by an uploader; waits for someone who may.
        Proposed = "proposed",
    }

    /// What a user may do, within a unit's subtree.
    pub enum Role {
        /// Everything, registers and users included.
        Administrator = "administrator",
        /// Looks at and reviews recordings.
        Supervisor = "supervisor",
        /// Ties recordings to cases.
        CaseHandler = "case_handler",
        /// Reads the ledger.
        Auditor = "auditor",
    }

    /// Where a job stands.
    pub enum JobState {
        /// To be done from its time on.
        Waiting = "waiting",
        /// Someone is at it.
        Claimed = "claimed",
        /// Done.
        Done = "done",
        /// Given up.
        Failed = "failed",
    }
}

impl RecordingState {
    /// Whether bytes may still change.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Receiving | Self::Sealing)
    }
}

/// Who did something, as rows and events name them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActorRef {
    /// What they are.
    pub kind: ActorKind,
    /// Their id as text.
    pub id: String,
}

impl ActorRef {
    /// An actor of this kind and id.
    pub fn new(kind: ActorKind, id: impl ToString) -> Self {
        Self {
            kind,
            id: id.to_string(),
        }
    }
}
