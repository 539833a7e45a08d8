//! Why a request can't be met, inside the worker.

use docket_playback::facts::{Reason, ReasonCode};
use docket_playback::protocol::Failure;
use ffmpeg_next as ffmpeg;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The media is at fault.
    #[error("{}", .0.text)]
    Media(Reason),
    /// The bytes could not be had.
    #[error("the source failed: {0}")]
    Source(String),
    /// FFmpeg could not allocate.
    #[error("out of memory")]
    OutOfMemory,
    /// FFmpeg gave up.
    #[error("FFmpeg: {0}")]
    Ffmpeg(ffmpeg::Error),
    /// The index can't be put together.
    #[error(transparent)]
    Index(#[from] docket_playback::Error),
    /// No picture could be encoded.
    #[error("JPEG: {0}")]
    Jpeg(#[from] image::ImageError),
}

/// This crate's result.
pub type Result<T> = std::result::Result<T, Fault>;

impl From<ffmpeg::Error> for Fault {
    fn from(error: ffmpeg::Error) -> Self {
        match error {
            ffmpeg::Error::Other {
                errno: libc::ENOMEM,
            } => Self::OutOfMemory,
            other => Self::Ffmpeg(other),
        }
    }
}

impl From<ReasonCode> for Fault {
    fn from(code: ReasonCode) -> Self {
        Self::Media(Reason::of(code))
    }
}

impl Fault {
    /// As docketd hears of it.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Media(reason) => Failure::Media { reason },
            Self::Source(message) => Failure::Source { message },
            Self::OutOfMemory => Failure::OutOfMemory,
            // What FFmpeg can't do with a file is the file's fault, once the source is known to be sound.
            Self::Ffmpeg(_) | Self::Index(_) => Failure::Media {
                reason: Reason::of(ReasonCode::IndexDamaged),
            },
            Self::Jpeg(error) => Failure::Other {
                message: error.to_string(),
            },
        }
    }
}
