//! The machine's file system.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Advice, CWD, OFlags, RenameFlags};

use super::past_cache::PastCache;
use super::{File, Files, Metadata};

/// The machine's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsFiles;

#[derive(Debug)]
struct OsFile {
    file: fs::File,
    past_cache: PastCache,
}

const NO_FOLLOW: i32 = OFlags::NOFOLLOW.bits() as i32;

fn open(options: &fs::OpenOptions, path: &Path) -> io::Result<Arc<dyn File>> {
    Ok(Arc::new(OsFile {
        file: options.open(path)?,
        past_cache: PastCache::default(),
    }))
}

impl Files for OsFiles {
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        open(
            fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(0o600),
            path,
        )
    }

    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        open(
            fs::OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags(NO_FOLLOW),
            path,
        )
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        open(
            fs::OpenOptions::new().read(true).custom_flags(NO_FOLLOW),
            path,
        )
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        if path.as_os_str().is_empty() || path.is_dir() {
            return Ok(());
        }
        let parent = path.parent().unwrap_or(Path::new("."));
        self.create_dir_all(parent)?;
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            // Another thread was faster; its fsync may still be under way, so ours is due all the same.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        self.sync_dir(parent)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(rustix::fs::renameat_with(
            CWD,
            from,
            CWD,
            to,
            RenameFlags::NOREPLACE,
        )?)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        fs::File::open(path)?.sync_all()
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let mut names = fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        match fs::symlink_metadata(path) {
            Ok(found) => Ok(Some(Metadata {
                size_bytes: if found.is_dir() { 0 } else { found.size() },
                is_dir: found.is_dir(),
                is_readonly: found.mode() & 0o222 == 0,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn set_readonly(&self, path: &Path) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(0o400))
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

impl File for OsFile {
    fn write_all_at(&self, bytes: &[u8], offset_bytes: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset_bytes)
    }

    fn write_past_cache(&self, pieces: &[&[u8]], offset_bytes: u64) -> io::Result<()> {
        self.past_cache.write(&self.file, pieces, offset_bytes)
    }

    fn read_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset_bytes)
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.size())
    }

    fn set_size(&self, size_bytes: u64) -> io::Result<()> {
        self.file.set_len(size_bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    #[allow(unsafe_code)]
    fn start_writeback(&self, offset_bytes: u64, length_bytes: u64) -> io::Result<()> {
        let (Ok(offset), Ok(length)) = (i64::try_from(offset_bytes), i64::try_from(length_bytes))
        else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        use std::os::fd::AsRawFd;
        // SAFETY: a plain system call on a descriptor that `self` keeps open; no memory is passed.
        let code = unsafe {
            libc::sync_file_range(
                self.file.as_raw_fd(),
                offset,
                length,
                libc::SYNC_FILE_RANGE_WRITE,
            )
        };
        if code == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    fn drop_cache(&self, offset_bytes: u64, length_bytes: u64) -> io::Result<()> {
        let length = std::num::NonZeroU64::new(length_bytes);
        Ok(rustix::fs::fadvise(
            self.file.as_fd(),
            offset_bytes,
            length,
            Advice::DontNeed,
        )?)
    }

    fn read_descriptor(&self) -> io::Result<Option<OwnedFd>> {
        // Opened anew, so that the worker has neither our write access nor our file position.
        use std::os::fd::AsRawFd;
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        Ok(Some(fs::OpenOptions::new().read(true).open(path)?.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{create_immutable, read_small, replace};
    use super::*;

    #[test]
    fn immutable_files_are_created_once_and_are_read_only() {
        let dir = tempfile::tempdir().expect("tempdir");
        let (path, temporary) = (dir.path().join("a"), dir.path().join("a.tmp"));
        create_immutable(&OsFiles, &path, &temporary, b"one").expect("first");
        let again = create_immutable(&OsFiles, &path, &temporary, b"two").expect_err("second");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(
            read_small(&OsFiles, &path, 10).expect("read"),
            Some(b"one".to_vec())
        );
        assert!(
            OsFiles
                .metadata(&path)
                .expect("stat")
                .expect("there")
                .is_readonly
        );
        assert_eq!(
            OsFiles.read_dir(dir.path()).expect("list").len(),
            1,
            "no temporary is left"
        );
    }

    #[test]
    fn replace_takes_over_a_leftover() {
        let dir = tempfile::tempdir().expect("tempdir");
        let (path, temporary) = (dir.path().join("a"), dir.path().join("a.tmp"));
        fs::write(&temporary, b"leftover").expect("write");
        replace(&OsFiles, &path, &temporary, b"one").expect("first");
        replace(&OsFiles, &path, &temporary, b"two").expect("second");
        assert_eq!(
            read_small(&OsFiles, &path, 10).expect("read"),
            Some(b"two".to_vec())
        );
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().expect("tempdir");
        fs::write(dir.path().join("target"), b"x").expect("write");
        std::os::unix::fs::symlink(dir.path().join("target"), dir.path().join("link"))
            .expect("link");
        assert!(OsFiles.open_read(&dir.path().join("link")).is_err());
    }
}
