//! The workflow that joins vault, catalog, ledger and playback: receive, hash, seal, publish, read
//! back, and every act that is evidence. Recovery after a crash runs the same functions as the
//! first try.

pub mod clock_state;
mod error;
mod event;
mod ingest;
pub mod probe;
pub mod read_back;
pub mod receipts;
pub mod recover;
pub mod reserve;
pub mod sequencer;
pub mod upload;

pub use error::{IngestError, Result};
pub use ingest::{Ingest, Options, Parts, Progress};
