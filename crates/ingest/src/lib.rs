//! The workflow that joins vault, catalog, ledger and playback: receive, hash, seal, publish, read
//! back, and every act that is evidence. Recovery after a crash runs the same functions as the
//! first try.

pub mod annotations;
pub mod cases;
pub mod check;
pub mod clock_state;
pub mod corrections;
pub mod dockings;
mod error;
mod event;
pub mod growing;
pub mod holds;
mod ingest;
pub mod links;
pub mod looks;
pub mod markers;
mod original;
pub mod probe;
mod published_log;
pub mod read_back;
pub mod rebuild;
pub mod receipts;
pub mod recover;
pub mod registers;
pub mod reserve;
pub mod sequencer;
pub mod sessions;
pub mod stations;
mod text;
pub mod tokens;
pub mod upload;
pub mod users;
pub mod viewing;

pub use error::{IngestError, Result};
pub use event::actor_ref;
pub use ingest::{Ingest, Options, Parts, Progress, StartError};
