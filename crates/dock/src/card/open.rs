//! Reaching files on a recorder without following anything.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use docket_base::Sha256Digest;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use sha2::{Digest, Sha256};

use super::{CardFile, CardPath};

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Length of head and tail that tell one content from another.
const PROBE_BYTES: u64 = 16 * 1024;

/// A recorder's root, held open: what is put in its place later is another card.
#[derive(Debug)]
pub struct Card {
    root: OwnedFd,
    device: u64,
    inode: u64,
}

/// A file that is there, open for reading, and the one that was listed.
#[derive(Debug, Clone)]
pub struct OpenedFile {
    /// The file.
    pub file: Arc<File>,
    /// SHA-256 over its first and last 16 KiB: a card with the same names, sizes and times but other
    /// content must not be taken for this one when an upload is resumed or a file erased.
    pub fingerprint: Sha256Digest,
}

/// Why a listed file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not the file that was listed.
    #[error("it was changed or replaced after it was listed")]
    Changed,
    /// The medium.
    #[error("cannot be opened: {0}")]
    Io(#[from] io::Error),
}

impl From<rustix::io::Errno> for OpenError {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Io(errno.into())
    }
}

impl Card {
    /// Opens the root; `None` when there is none. `mounted` wants something mounted there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: &Path, mounted: bool) -> io::Result<Option<Self>> {
        // The configured path itself may go over links; nothing below it does.
        let flags = DIRECTORY.difference(OFlags::NOFOLLOW);
        let root = match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
            Ok(root) => root,
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        let stat = rustix::fs::fstat(&root)?;
        if mounted {
            let above = rustix::fs::statat(&root, "..", AtFlags::empty())?;
            if above.st_dev == stat.st_dev {
                return Ok(None);
            }
        }
        Ok(Some(Self {
            root,
            device: stat.st_dev,
            inode: stat.st_ino,
        }))
    }

    /// Whether the path still leads to this card and it can still be read.
    pub fn is_still_at(&self, path: &Path) -> bool {
        let same = rustix::fs::stat(path)
            .is_ok_and(|stat| stat.st_dev == self.device && stat.st_ino == self.inode);
        // A pulled medium may keep its mount point while every read fails.
        let readable = || {
            rustix::fs::openat(&self.root, ".", DIRECTORY, Mode::empty()).and_then(|here| {
                let mut entries = rustix::fs::Dir::read_from(&here)?;
                entries.next().transpose().map(|_| ())
            })
        };
        same && readable().is_ok()
    }

    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// The device everything must lie on: a mount inside a recorder is none of its files.
    pub(crate) fn device(&self) -> u64 {
        self.device
    }

    /// The directory a path lies in, opened component by component.
    pub(crate) fn parent_of(&self, path: &CardPath) -> Result<OwnedFd, OpenError> {
        let mut directory = rustix::fs::openat(&self.root, ".", DIRECTORY, Mode::empty())?;
        let mut components = path.components();
        let _name = components.next_back();
        for component in components {
            directory = rustix::fs::openat(&directory, component, DIRECTORY, Mode::empty())?;
        }
        Ok(directory)
    }

    /// Opens a listed file and takes its fingerprint. Blocks.
    ///
    /// # Errors
    /// [`OpenError::Changed`] when it is no longer what was listed.
    pub fn open_file(&self, listed: &CardFile) -> Result<OpenedFile, OpenError> {
        let parent = self.parent_of(&listed.path)?;
        let name = name_of(&listed.path);
        // Not blocking: a FIFO put in the file's place must not hold the bay.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&parent, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::NXIO) => {
                return Err(OpenError::Changed);
            }
            Err(errno) => return Err(errno.into()),
        };
        if !listed.is_described_by(&rustix::fs::fstat(&file)?) {
            return Err(OpenError::Changed);
        }
        let fingerprint = fingerprint(&file, listed.size_bytes)?;
        Ok(OpenedFile {
            file: Arc::new(file),
            fingerprint,
        })
    }
}

pub(crate) fn name_of(path: &CardPath) -> &[u8] {
    path.components().next_back().unwrap_or_default()
}

impl CardFile {
    /// Whether this is still the regular file that was listed, by its identity, length and time.
    pub(crate) fn is_described_by(&self, stat: &Stat) -> bool {
        FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && u64::try_from(stat.st_size) == Ok(self.size_bytes)
            && modified_ns(stat) == self.modified_ns
            && (stat.st_dev, stat.st_ino) == (self.device, self.inode)
    }

    /// Whether an open file still is what was listed.
    pub fn is_unchanged(&self, file: &File) -> bool {
        rustix::fs::fstat(file).is_ok_and(|stat| self.is_described_by(&stat))
    }
}

pub(crate) fn modified_ns(stat: &Stat) -> i64 {
    let nanoseconds = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
    stat.st_mtime
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

fn fingerprint(file: &File, size_bytes: u64) -> io::Result<Sha256Digest> {
    let head = size_bytes.min(PROBE_BYTES);
    let tail_from = size_bytes.saturating_sub(PROBE_BYTES).max(head);
    let mut hasher = Sha256::new();
    for (from, until) in [(0, head), (tail_from, size_bytes)] {
        let mut buffer = vec![0; (until - from) as usize];
        file.read_exact_at(&mut buffer, from)?;
        hasher.update(&buffer);
    }
    Ok(Sha256Digest(hasher.finalize().into()))
}
