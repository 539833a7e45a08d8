//! The tus resumable upload protocol, version 1.0.0 (<https://tus.io/protocols/resumable-upload>),
//! as values: request headers in, parsed requests or refusals out; outcomes in, response headers
//! out. No sockets, no files, no clock.
//!
//! Extensions spoken: creation, creation-with-upload, creation-defer-length, termination,
//! expiration, checksum (sha1, sha256), concatenation.
//!
//! Every header is hostile input: parsing is bounded by [`limits`], never panics, and accepts no
//! header twice.

pub mod checksum;
pub mod concat;
pub mod date;
pub mod facts;
mod header;
pub mod metadata;
pub mod refusal;
pub mod request;
pub mod response;

pub use checksum::{Algorithm, Checksum, RunningChecksum};
pub use concat::Concat;
pub use facts::{Facts, Kind};
pub use metadata::Metadata;
pub use refusal::Refusal;
pub use request::{
    Creation, Length, Patch, Plan, check_version, creation, effective_method, patch,
};
pub use response::{Standing, created, options, patched, refused, standing, terminated};

/// The one version of the protocol spoken here.
pub const VERSION: &str = "1.0.0";

/// What `Tus-Extension` says.
pub const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,termination,expiration,checksum,concatenation";

/// The media type of upload bytes in PATCH, and in a POST that carries the first ones.
pub const CONTENT_TYPE: &str = "application/offset+octet-stream";

/// Bounds on what a request may ask us to keep.
pub mod limits {
    /// `Upload-Metadata`, whole, in bytes.
    pub const METADATA_BYTES: usize = 32 * 1024;
    /// Pairs in `Upload-Metadata`.
    pub const METADATA_PAIRS: usize = 64;
    /// A metadata key, in bytes.
    pub const KEY_BYTES: usize = 128;
    /// `filename` and `path`, decoded, in bytes of UTF-8.
    pub const NAME_BYTES: usize = 4096;
    /// `note`, decoded, in bytes of UTF-8.
    pub const NOTE_BYTES: usize = 8192;
    /// Every other known value, decoded, in bytes of UTF-8.
    pub const VALUE_BYTES: usize = 255;
    /// All unknown keys and values together, decoded, in bytes.
    pub const UNKNOWN_BYTES: usize = 8192;
    /// Partial uploads in one `Upload-Concat: final`.
    pub const PARTS: usize = 1000;
    /// `Upload-Concat`, whole, in bytes.
    pub const CONCAT_BYTES: usize = 128 * 1024;
    /// The largest upload, in bytes: offsets are kept as signed 64-bit numbers.
    pub const UPLOAD_BYTES: u64 = i64::MAX as u64;
}
