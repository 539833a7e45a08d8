//! What can go wrong between docketd and a worker. Every case costs one recording its preview and
//! nothing else.

use std::path::PathBuf;

use crate::facts::{Reason, ReasonCode};

/// Why a request about a recording was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The worker's binary is not where it was looked for.
    #[error("the media worker is missing: no docket-media at {0}")]
    WorkerMissing(PathBuf),
    /// The system did not start the worker.
    #[error("the media worker did not start: {0}")]
    Start(#[source] std::io::Error),
    /// The worker ended in the middle of a request: by a signal, or with an exit code.
    #[error("the media worker ended on this recording ({0})")]
    Crashed(String),
    /// No answer within the time a request of this size is given; the worker was killed.
    #[error("the media worker gave no answer in {0} s on this recording")]
    TimedOut(u64),
    /// The worker used up its CPU seconds and was killed by the kernel.
    #[error("the media worker used up its CPU seconds on this recording")]
    CpuLimit,
    /// The recording wants more memory than a worker may have.
    #[error("the recording wants more memory than the media worker may have")]
    OutOfMemory,
    /// The worker said something that is no part of the protocol; it was killed.
    #[error("the media worker broke the protocol: {0}")]
    Protocol(String),
    /// The recording's bytes could not be read: disk or store, not the recording.
    #[error("the recording could not be read: {0}")]
    Source(#[source] std::io::Error),
    /// The media is such that the request makes no sense for it (a poster of sound alone).
    #[error("{}", .0.text)]
    Media(Reason),
    /// A stored playback index is damaged or of another version: make it again.
    #[error("the playback index is unusable: {0}")]
    BadIndex(&'static str),
    /// There is no segment of this number.
    #[error("there is no segment {0}")]
    NoSegment(usize),
    /// The pool is shutting down.
    #[error("playback is shutting down")]
    ShuttingDown,
}

impl Error {
    /// What to tell people about the recording, when the recording is at fault. `None` when trying
    /// again may help (disk, store, shutdown, installation).
    pub fn reason(&self) -> Option<Reason> {
        let code = match self {
            Self::Crashed(_) | Self::Protocol(_) => ReasonCode::WorkerCrashed,
            Self::TimedOut(_) | Self::CpuLimit => ReasonCode::WorkerTimedOut,
            Self::OutOfMemory => ReasonCode::WorkerOutOfMemory,
            Self::Media(reason) => return Some(reason.clone()),
            _ => return None,
        };
        Some(Reason::of(code))
    }
}

/// This crate's result.
pub type Result<T> = std::result::Result<T, Error>;
