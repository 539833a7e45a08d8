//! The catalog: every fact of Docket that is not bytes, in SQLite or PostgreSQL. The only room with SQL.
//!
//! Work that changes evidence goes through a [`Change`]: a transaction that refuses to commit without
//! at least one custody event, so no unlogged change exists. What is no evidence (offsets, sessions,
//! jobs, tokens) are plain methods of [`Catalog`] in their own small transactions.
//!
//! Readers see the last committed state; listings are keyset pages over a key that never moves.

mod access;
mod cases;
mod change;
mod dockings;
mod engine;
mod error;
mod events;
mod jobs;
mod page;
mod reach;
mod recordings;
mod registers;
mod restore;
mod search;
mod text;
mod uploads;
mod viewings;
mod words;

pub use access::idempotency::Idempotency;
pub use access::playback_tokens::PlaybackToken;
pub use access::sessions::Session;
pub use access::throttle::ThrottleRule;
pub use access::tokens::Token;
pub use access::users::User;
pub use cases::{Case, Link, LinkOutcome};
pub use change::Change;
pub use dockings::{Docking, DockingFile, DockingFileView, WantedFile};
pub use error::{Error, Result};
pub use events::{EventRow, StoredEvent, TreeHead};
pub use jobs::Job;
pub use page::{BadCursor, Cursor, MAX_PAGE, Page, Scope};
pub use recordings::clips::Clip;
pub use recordings::corrections::{Correction, CorrectionField};
pub use recordings::holds::Hold;
pub use recordings::markers::Marker;
pub use recordings::read::{CaseMention, RecordingView};
pub use recordings::{NewRecording, Playback, Recording, Seal};
pub use registers::WithUnit;
pub use registers::import::{Imported, ImportedRow, RegisterKind};
pub use registers::officers::Officer;
pub use registers::recorders::{Assignment, AssignmentView, Recorder};
pub use registers::retention::RetentionRule;
pub use registers::stations::Station;
pub use registers::units::Unit;
pub use search::listing::Filter;
pub use text::{case_number_key, name_key};
pub use uploads::{NewUpload, Progress, Upload};
pub use viewings::{Stretches, Viewing, ViewingPurpose};
pub use words::{
    ActorKind, ActorRef, CaseState, JobState, LinkState, PlaybackState, RecordingKind,
    RecordingState, Role, UnknownWord, UploadKind,
};

/// A line of a CSV register that can't be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// Line of the file, from 1.
    pub line: u64,
    /// Why, for a person.
    pub reason: String,
}

/// The open catalog. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog {
    engine: engine::Engine,
}
