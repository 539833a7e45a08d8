//! Why a request is refused, with the status that tus gives it.

/// Why a request is refused. [`Refusal::status`] is what goes on the wire, the `Display` text the
/// detail a person reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `Tus-Resumable` missing or not 1.0.0.
    #[error("Tus-Resumable must be 1.0.0")]
    Version,
    /// A header that is missing, given twice or not of its form.
    #[error("{header}: {reason}")]
    Header {
        /// The header's name.
        header: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A metadata pair that is not of its form or beyond a limit.
    #[error("Upload-Metadata {key:?}: {reason}")]
    Metadata {
        /// The key, cut to a printable length.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Body bytes of another media type than [`crate::CONTENT_TYPE`].
    #[error("Content-Type must be application/offset+octet-stream")]
    ContentType,
    /// Longer than the server takes, or bytes beyond the declared length.
    #[error("larger than {limit_bytes} bytes")]
    TooLarge {
        /// The bound.
        limit_bytes: u64,
    },
    /// PATCH at another offset than the upload's.
    #[error("the upload stands at offset {offset_bytes}")]
    Offset {
        /// Where it stands.
        offset_bytes: u64,
    },
    /// No such upload, or none that this caller may see.
    #[error("no such upload")]
    NotFound,
    /// The upload ended: expired, terminated, or kept in quarantine.
    #[error("the upload has ended")]
    Gone,
    /// Not allowed to this caller.
    #[error("not allowed")]
    Forbidden,
    /// PATCH to a final (concatenated) upload.
    #[error("a final upload takes no bytes")]
    Final,
    /// A part named in `Upload-Concat: final` is not there, not partial, or not complete.
    #[error("part {index} is not a complete partial upload of this caller")]
    Part {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// Another request holds the upload and did not yield in time.
    #[error("another request is writing to this upload")]
    Locked,
    /// `Upload-Checksum` names an algorithm that is not spoken here.
    #[error("checksum algorithms: sha1, sha256")]
    ChecksumAlgorithm,
    /// The body does not have the checksum that was announced; nothing of it was kept.
    #[error("the body does not have the announced checksum; nothing of it was kept")]
    ChecksumMismatch,
    /// The whole file does not have the digest that was announced; it is kept in quarantine.
    #[error("the received file does not have the announced SHA-256; it is kept in quarantine")]
    DigestMismatch,
    /// No room: nothing acknowledged is lost, the upload goes on when there is some.
    #[error("the store is full; the upload can go on when there is room")]
    Full,
}

impl Refusal {
    /// The HTTP status: tus's own where tus names one.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Header { .. }
            | Self::Metadata { .. }
            | Self::Part { .. }
            | Self::ChecksumAlgorithm => 400,
            Self::Forbidden | Self::Final => 403,
            Self::NotFound => 404,
            Self::Offset { .. } => 409,
            Self::Gone => 410,
            Self::Version => 412,
            Self::TooLarge { .. } => 413,
            Self::ContentType => 415,
            Self::DigestMismatch => 422,
            Self::Locked => 423,
            Self::ChecksumMismatch => 460,
            Self::Full => 507,
        }
    }
}
