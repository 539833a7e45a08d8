//! The catalog: every fact of Docket that is not bytes, in SQLite or PostgreSQL. The only room with SQL.
//!
//! Work that changes evidence goes through a [`Change`]: a transaction that refuses to commit without
//! at least one custody event, so no unlogged change exists. What is no evidence (offsets, sessions,
//! jobs, tokens) are plain methods of [`Catalog`] in their own small transactions.
//!
//! Still to come: officers, recorders, stations, dockings, cases, links, holds, retention, imports, users,
//! sessions, tokens, idempotency keys, jobs, viewings (their tables stand in the first migration).
//!
//! Readers see the last committed state; listings are keyset pages over a key that never moves.

mod change;
mod engine;
mod error;
mod events;
mod page;
mod recordings;
mod search;
mod text;
mod units;
mod uploads;
mod words;

pub use change::Change;
pub use error::{Error, Result};
pub use events::{EventRow, StoredEvent, TreeHead};
pub use page::{BadCursor, Cursor, MAX_PAGE, Page, Scope};
pub use recordings::read::{CaseMention, RecordingView};
pub use recordings::{Correction, CorrectionField, NewRecording, Playback, Recording, Seal};
pub use search::listing::Filter;
pub use text::{case_number_key, name_key};
pub use units::Unit;
pub use uploads::{NewUpload, Progress, Upload};
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
