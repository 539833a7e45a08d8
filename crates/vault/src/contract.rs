//! The contract of every vault.

use std::fmt::Debug;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use docket_base::ids::RecordingId;
use docket_base::{Digests, Micros};
use futures_util::Stream;
use futures_util::future::BoxFuture;

use crate::error::Result;
use crate::key::{Area, BesideName, DerivativeName, VaultKey};

/// Bytes in order. It reads at most two blocks ahead of who consumes it, nothing before it is first
/// polled, and stops when dropped. A source that ends before the asked-for range does gives
/// [`Corrupt`](crate::VaultError::Corrupt), never a quiet end.
pub type Bytestream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// What a vault must remember of an upload under way, as opaque text. The catalog stores it in the row
/// and the transaction that stores the durable offset; the two belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssemblyState(pub String);

/// So many bytes survive a power cut, provided that this state is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durable {
    /// Bytes from the upload's beginning.
    pub offset_bytes: u64,
    /// The state to store together with the offset.
    pub state: AssemblyState,
}

/// What is known when the first byte arrives.
#[derive(Debug, Clone)]
pub struct BeginRequest {
    /// The upload's and the recording's id.
    pub id: RecordingId,
    /// Names the day's folder; must be the same at seal.
    pub created_at: Micros,
    /// Shown by S3 stores as `x-amz-meta-*`: keys of `a-z 0-9 -`, any text as value (what is not ASCII
    /// is percent-encoded; what doesn't fit into 1.8 KB is left out). The local vault ignores it: all of
    /// it is in the side file.
    pub metadata: Vec<(String, String)>,
}

/// What makes assembled bytes a sealed original.
#[derive(Debug, Clone)]
pub struct SealRequest {
    /// The recording.
    pub id: RecordingId,
    /// As at [`Vault::begin`].
    pub created_at: Micros,
    /// The shelf. An S3 vault keeps the key that the upload began with and marks quarantine as a tag.
    pub area: Area,
    /// Exactly so many bytes; all of them must be durable.
    pub size_bytes: u64,
    /// Digests of these bytes.
    pub digests: Digests,
    /// `meta.json`.
    pub side_file: Vec<u8>,
    /// As [`BeginRequest::metadata`].
    pub metadata: Vec<(String, String)>,
}

/// What makes a recording a duplicate that shares another's stored object.
#[derive(Debug, Clone)]
pub struct ShareRequest {
    /// The recording that arrived again.
    pub id: RecordingId,
    /// Names the day's folder.
    pub created_at: Micros,
    /// The original that has the same bytes. A pointer itself is followed, so chains never grow.
    pub of: VaultKey,
    /// `meta.json`.
    pub side_file: Vec<u8>,
}

/// A sealed original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Where it is.
    pub key: VaultKey,
    /// `Some` when an earlier try (before a crash) had already written a different side file: that one
    /// stands, and the entry must name its digest instead of the request's.
    pub earlier_side_file: Option<Vec<u8>>,
}

/// The answer to writing something that is written once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutOnce {
    /// It is stored, now or already before with the same bytes.
    Stored,
    /// Different bytes stand there already, and stay.
    Existing(Vec<u8>),
}

/// One folder of the originals, as found without asking the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOriginal {
    /// The recording.
    pub id: RecordingId,
    /// Its key.
    pub key: VaultKey,
    /// What is in the folder.
    pub form: StoredForm,
}

/// What a folder of the originals holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredForm {
    /// The bytes.
    Object {
        /// How many.
        size_bytes: u64,
    },
    /// A pointer to the original that has the bytes.
    SameAs(VaultKey),
    /// Neither: a seal that was interrupted, or an original that was deleted.
    SideFilesOnly,
}

/// An upload under way, as found without asking the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The upload.
    pub id: RecordingId,
    /// Good for [`Vault::discard`] only: offsets are known to the catalog alone.
    pub state: AssemblyState,
    /// What it takes up, where the vault can tell.
    pub size_bytes: u64,
}

/// Keeps bytes.
///
/// Every method may be cancelled (its future dropped); what it had begun may still happen. Repeating a
/// method after a crash or an error ends where one undisturbed call would have ended.
#[async_trait]
pub trait Vault: Send + Sync + Debug {
    /// `local` or `s3`.
    fn kind(&self) -> &'static str;
    /// The distance at which [`Assembly::flush`] is cheapest, with one flush under way while the next
    /// stretch is appended; at most 8 MiB, so that no more than 16 MiB are ever unacknowledged.
    fn flush_every_bytes(&self) -> u64;
    /// Bytes that can still be stored; `None` where nobody knows.
    fn free_bytes(&self) -> Result<Option<u64>>;

    /// Starts an upload of which nothing was acknowledged yet: bytes under the same id that an earlier
    /// try left are discarded. `Conflict` when the id is already sealed.
    async fn begin(&self, begin: &BeginRequest) -> Result<Box<dyn Assembly>>;
    /// Takes an upload up again. Bytes past `durable_bytes` were never acknowledged and are discarded;
    /// bytes before it are not read. An older [`Assembly`] of the same upload stops: its appends and
    /// flushes answer `Conflict` from now on. (Its last flush may have succeeded just before: whoever
    /// resumes must hold the upload's lock before reading the offset.) `Conflict` when sealed already:
    /// then only [`Vault::seal`] is left to do. `Corrupt` when durable bytes are missing.
    async fn resume(&self, state: &AssemblyState, durable_bytes: u64) -> Result<Box<dyn Assembly>>;
    /// Throws an upload away. Nothing is left to do when it is not there.
    async fn discard(&self, state: &AssemblyState) -> Result<()>;
    /// Reads durable bytes of an upload under way. `NotFound` once it is sealed, `NotYet` where the
    /// store can't.
    async fn read_assembly(&self, state: &AssemblyState, range: Range<u64>) -> Result<Bytestream>;
    /// A read-only descriptor of an upload under way; `None` where there is no such thing.
    async fn assembly_descriptor(&self, state: &AssemblyState) -> Result<Option<OwnedFd>>;
    /// Makes the assembled bytes the sealed original. When it returns, original and side file survive
    /// a power cut and nothing in Docket writes them any more. The side file is durable before the
    /// original has its name: no original is ever without one.
    async fn seal(&self, state: &AssemblyState, seal: &SealRequest) -> Result<Sealed>;
    /// Gives a duplicate its own folder with side file and a pointer to the stored object. The
    /// duplicate's own bytes are [discarded](Vault::discard) by the caller afterwards.
    async fn share(&self, share: &ShareRequest) -> Result<Sealed>;

    /// Reads a range of an original, following a duplicate's pointer.
    async fn read(&self, key: &VaultKey, range: Range<u64>) -> Result<Bytestream>;
    /// Reads the whole original from where it is kept, past the page cache: what comes out was stored.
    async fn read_back(&self, key: &VaultKey) -> Result<Bytestream>;
    /// The original's size, following a pointer; `None` where there is none.
    async fn size(&self, key: &VaultKey) -> Result<Option<u64>>;
    /// A read-only descriptor for the media worker; `None` where there is no such thing or no original.
    async fn descriptor(&self, key: &VaultKey) -> Result<Option<OwnedFd>>;
    /// Deletes an original (or a duplicate's pointer); side file and receipts stay. The caller knows
    /// that no duplicate shares it. Nothing is left to do when it is not there.
    async fn delete_original(&self, key: &VaultKey) -> Result<()>;

    /// Keeps a small file beside an original, once and for ever, durably.
    async fn put_beside(&self, key: &VaultKey, name: BesideName, bytes: &[u8]) -> Result<PutOnce>;
    /// Reads what is beside an original.
    async fn get_beside(&self, key: &VaultKey, name: BesideName) -> Result<Option<Vec<u8>>>;

    /// Keeps something that can be made again; replaces what was there.
    async fn put_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
        bytes: &[u8],
    ) -> Result<()>;
    /// Reads a derivative.
    async fn get_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
    ) -> Result<Option<Vec<u8>>>;
    /// Throws all derivatives of a recording away.
    async fn delete_derivatives(&self, id: RecordingId, created_at: Micros) -> Result<()>;

    /// Reads a log file. Paths are relative, of parts `A-Z a-z 0-9 . _ -` not beginning with a dot.
    async fn log_read(&self, path: &str) -> Result<Option<Vec<u8>>>;
    /// Writes a log file once, durably. The same bytes again are fine, others are `Conflict`.
    async fn log_create(&self, path: &str, bytes: &[u8]) -> Result<()>;
    /// Replaces a log file durably if it holds `expected` (`None`: if it doesn't exist), else
    /// `Conflict`. After a crash there is the old or the new, whole.
    async fn log_replace(&self, path: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<()>;
    /// Paths of log files under `folder` (empty: all) that come after `after`, at most `limit`; fewer
    /// means the end. The order is the store's own (S3 stores differ in it) and stays the same.
    async fn log_list(
        &self,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>>;

    /// Folders of originals and quarantine after `after`, in the order of their keys, at most `limit`;
    /// fewer than `limit` means the end.
    async fn originals(
        &self,
        after: Option<&VaultKey>,
        limit: usize,
    ) -> Result<Vec<StoredOriginal>>;
    /// Uploads under way, known to the catalog or not, at most `limit`.
    async fn leftovers(&self, limit: usize) -> Result<Vec<Leftover>>;
}

/// An upload that bytes are appended to. One lives at a time for each upload.
///
/// After an error from [`append`](Assembly::append) or a flush the handle is spoilt: drop it and
/// [resume](Vault::resume) from the last offset that was stored. A failed sync is never repeated on the
/// same handle, because the system may have forgotten what it could not write.
#[async_trait]
pub trait Assembly: Send {
    /// Bytes from the upload's beginning, durable or not.
    fn appended_bytes(&self) -> u64;
    /// Queues the next bytes for writing, without copying them; waits while too many are queued. A
    /// cancelled call may have taken a part: [`appended_bytes`](Assembly::appended_bytes) tells.
    async fn append(&mut self, bytes: Bytes) -> Result<()>;
    /// Starts making everything appended so far durable; the future says when that is so. More may be
    /// appended and flushed meanwhile. Dropping the future does not stop it.
    fn flush(&mut self) -> BoxFuture<'static, Result<Durable>>;
    /// Tells that the catalog has stored this durable offset and state: what only older states need may
    /// go. Never calling it is safe and costs space in an S3 store until the seal.
    fn settled(&mut self, durable: &Durable) {
        let _ = durable;
    }
}
