//! The one layer through which durable files are written, read and named.
//!
//! Calls block: use them from a bounded pool of threads. [`OsFiles`] is the machine's file system;
//! the test double `PowerLossFiles` (feature `testing`) forgets, at a chosen call, everything that
//! was not fsynced, directory entries included.
//!
//! What makes a byte durable: [`File::sync_data`] returned *and* [`Files::sync_dir`] of every
//! directory in which a name on its path is new returned. The two helpers at the end do both.

mod os;
mod past_cache;
#[cfg(feature = "testing")]
mod power_loss;

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use os::OsFiles;
#[cfg(feature = "testing")]
pub use power_loss::{Fault, PowerLossFiles, Survival};

/// What a name points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// Length in bytes; 0 for a directory.
    pub size_bytes: u64,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Whether nobody may write it (no write bit set).
    pub is_readonly: bool,
}

/// A file system.
pub trait Files: Send + Sync + fmt::Debug {
    /// Creates a file that must not exist yet, for reading and writing, mode 0600.
    /// A crash right after leaves an empty file or none: the name is durable after [`Files::sync_dir`].
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens an existing file for reading and writing. Symbolic links are not followed.
    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens an existing file for reading only. Symbolic links are not followed.
    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Creates a directory and the missing ones above it, and fsyncs the parent of each created
    /// one, so that after it returns they all survive. Mode 0700.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Renames, replacing an existing target. Durable after `sync_dir` of both parents.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames, refusing with `AlreadyExists` when the target exists.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Durable after `sync_dir` of its parent.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory, sorted.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<PathBuf>>;
    /// `None` where nothing has that name.
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>>;
    /// Takes every write permission away.
    fn set_readonly(&self, path: &Path) -> io::Result<()>;
    /// Bytes that an unprivileged writer could still store where `path` lies.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
}

/// What disks and file systems write in one piece: no file system in use asks for a larger alignment.
pub const BLOCK_BYTES: usize = 4096;

/// An open file; positions are explicit, so that one handle serves many readers.
pub trait File: Send + Sync + fmt::Debug {
    /// Writes all of `bytes` at `offset_bytes`, growing the file as needed.
    fn write_all_at(&self, bytes: &[u8], offset_bytes: u64) -> io::Result<()>;
    /// Writes all of the pieces at `offset_bytes`, one after another, as [`File::write_all_at`] does, but
    /// past the page cache where the file system can: a third of the processor time, and the cache is left
    /// to those who read. For large pieces that begin and end at multiples of [`BLOCK_BYTES`]; what lies in
    /// a partial block goes through the cache. Neither is durable before [`File::sync_data`]; after an
    /// error any part of the pieces may be there.
    fn write_past_cache(&self, pieces: &[&[u8]], offset_bytes: u64) -> io::Result<()>;
    /// Reads up to `buffer.len()` bytes; 0 means the end.
    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<usize>;
    /// Length in bytes.
    fn size_bytes(&self) -> io::Result<u64>;
    /// Cuts or extends with zeros.
    fn set_size(&self, size_bytes: u64) -> io::Result<()>;
    /// Returns when content and length are durable (fdatasync). An error here means that nothing
    /// is known about what was written since the last success: treat the upload's unsynced tail as
    /// lost and never retry the sync on the same handle.
    fn sync_data(&self) -> io::Result<()>;
    /// Asks the kernel to start writing a range out, without waiting. A hint only.
    fn start_writeback(&self, offset_bytes: u64, length_bytes: u64) -> io::Result<()>;
    /// Drops a (clean) range from the page cache, so that the next read asks the disk; 0 length
    /// means to the end.
    fn drop_cache(&self, offset_bytes: u64, length_bytes: u64) -> io::Result<()>;
    /// A descriptor of its own, opened for reading only, to hand to a worker process. `None` where
    /// the file is not the kernel's.
    fn read_descriptor(&self) -> io::Result<Option<OwnedFd>>;
}

/// Fills `buffer` from `offset_bytes`.
///
/// # Errors
/// `UnexpectedEof` when the file ends first.
pub fn read_exact_at(file: &dyn File, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], offset_bytes + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => done += n,
        }
    }
    Ok(())
}

/// Reads a whole small file, refusing one larger than `limit_bytes`. `None` where there is none.
///
/// # Errors
/// `FileTooLarge` above the limit; else what the file system says.
pub fn read_small(files: &dyn Files, path: &Path, limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match files.open_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let size = file.size_bytes()?;
    if size > limit_bytes {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?];
    read_exact_at(&*file, &mut bytes, 0)?;
    Ok(Some(bytes))
}

/// Replaces `path` by `bytes`, durably and in one step: after a crash there is the old content or
/// the new, never a mixture and never none. `temporary` must lie in the same directory.
///
/// # Errors
/// What the file system says; the old content then still stands.
pub fn replace(files: &dyn Files, path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    write_temporary(files, temporary, bytes)?;
    files.rename(temporary, path)?;
    files.sync_dir(parent(path)?)
}

/// Writes `path` durably if it does not exist, refusing with `AlreadyExists` if it does; read-only
/// from its first moment on. After a crash it is there whole or not at all.
///
/// # Errors
/// `AlreadyExists`, or what the file system says.
pub fn create_immutable(
    files: &dyn Files,
    path: &Path,
    temporary: &Path,
    bytes: &[u8],
) -> io::Result<()> {
    write_temporary(files, temporary, bytes)?;
    files.set_readonly(temporary)?;
    if let Err(error) = files.rename_new(temporary, path) {
        files.remove_file(temporary)?;
        return Err(error);
    }
    files.sync_dir(parent(path)?)
}

fn write_temporary(files: &dyn Files, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    // A leftover of a crash: never referenced, so it may go.
    match files.remove_file(temporary) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = files.create_new(temporary)?;
    file.write_all_at(bytes, 0)?;
    file.sync_data()
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}
