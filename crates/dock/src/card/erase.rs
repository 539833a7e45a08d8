//! Erasing one file, and only that file.

use std::fs::File;
use std::io;

use docket_base::{RunningDigest, Sha256Digest};
use rustix::fs::{Advice, AtFlags};

use super::CardFile;
use super::open::{Card, OpenError, name_of};
use crate::config::EraseCheck;

/// What the receipt is about: the proof that a file may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proven {
    /// The receipt's digest, which is also the station's own.
    pub sha256: Sha256Digest,
    /// The fingerprint of what was read.
    pub fingerprint: Sha256Digest,
}

/// Why a file was not erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// It is not (any more) what was sent. It stays.
    #[error("not erased: {0}")]
    Open(#[from] OpenError),
    /// It reads differently than it did. It stays.
    #[error("not erased: it reads differently than when it was sent")]
    Differs,
    /// The recorder does not let it.
    #[error("cannot be erased: {0}")]
    Refused(io::Error),
}

/// Erases a file whose verified receipt was checked. Blocks.
///
/// A crash before the directory reached the medium leaves the file: it is then found again, known as
/// finished, and erased once more.
///
/// # Errors
/// [`EraseError`]; the file is then still there.
pub fn erase(
    card: &Card,
    listed: &CardFile,
    proven: &Proven,
    check: EraseCheck,
) -> Result<(), EraseError> {
    let opened = card.open_file(listed)?;
    if opened.fingerprint != proven.fingerprint {
        return Err(EraseError::Differs);
    }
    if check == EraseCheck::RereadSource
        && reread(&opened.file, listed.size_bytes)? != proven.sha256
    {
        return Err(EraseError::Differs);
    }
    let parent = card.parent_of(&listed.path)?;
    let name = name_of(&listed.path);
    // The name must still lead to the file that was looked at.
    let now = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(refused)?;
    if !listed.is_described_by(&now) {
        return Err(OpenError::Changed.into());
    }
    rustix::fs::unlinkat(&parent, name, AtFlags::empty()).map_err(refused)?;
    rustix::fs::fsync(&parent).map_err(refused)
}

fn refused(errno: rustix::io::Errno) -> EraseError {
    EraseError::Refused(errno.into())
}

/// The digest of the whole file as the medium has it now. Blocks.
///
/// # Errors
/// What the medium says; a file that ends early is `UnexpectedEof`.
pub fn reread(file: &File, size_bytes: u64) -> Result<Sha256Digest, OpenError> {
    use std::os::unix::fs::FileExt;
    rustix::fs::fadvise(file, 0, None, Advice::DontNeed)?;
    let mut digest = RunningDigest::new(false);
    let mut buffer = vec![0; 512 * 1024];
    let mut at = 0;
    while at < size_bytes {
        let length = (size_bytes - at).min(buffer.len() as u64) as usize;
        file.read_exact_at(&mut buffer[..length], at)?;
        digest.update(&buffer[..length]);
        at += length as u64;
    }
    Ok(digest.finish().sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::listing::list;
    use crate::config::FilesSection;
    use std::fs;

    fn scene() -> (tempfile::TempDir, Card, CardFile, Proven) {
        let root = tempfile::tempdir().expect("tempdir");
        fs::write(root.path().join("a.mp4"), b"12345").expect("write");
        let card = Card::open(root.path(), false)
            .expect("open")
            .expect("there");
        let listing = list(&card, &FilesSection::default(), &[]).expect("list");
        let file = listing.files[0].clone();
        let proven = Proven {
            sha256: Sha256Digest::of(b"12345"),
            fingerprint: card.open_file(&file).expect("open").fingerprint,
        };
        (root, card, file, proven)
    }

    #[test]
    fn only_what_was_proven_goes() {
        let (root, card, file, proven) = scene();
        let other = Proven {
            sha256: Sha256Digest::of(b"other"),
            ..proven
        };
        let kept = erase(&card, &file, &other, EraseCheck::RereadSource);
        assert!(matches!(kept, Err(EraseError::Differs)));
        assert!(root.path().join("a.mp4").exists());
        erase(&card, &file, &proven, EraseCheck::RereadSource).expect("erase");
        assert!(!root.path().join("a.mp4").exists());
    }

    #[test]
    fn other_content_under_the_same_name_size_and_time_stays() {
        let (root, card, file, proven) = scene();
        let path = root.path().join("a.mp4");
        let modified = fs::metadata(&path)
            .and_then(|m| m.modified())
            .expect("time");
        fs::write(&path, b"54321").expect("write");
        File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(modified))
            .expect("time");
        let kept = erase(&card, &file, &proven, EraseCheck::Receipt);
        assert!(matches!(kept, Err(EraseError::Differs)), "{kept:?}");
        fs::write(&path, b"123456").expect("write");
        let kept = erase(&card, &file, &proven, EraseCheck::Receipt);
        assert!(matches!(kept, Err(EraseError::Open(OpenError::Changed))));
        assert!(path.exists());
    }
}
