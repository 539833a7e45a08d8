//! Everything on a recorder.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use docket_base::{Micros, Sha256Digest};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use sha2::{Digest, Sha256};

use super::CardPath;
use super::glob::fits;
use super::open::{Card, modified_ns};
use crate::config::FilesSection;

/// Deeper directories are not looked into; FAT paths end long before.
const DEEPEST: usize = 32;
/// Longest path text that metadata can carry.
const LONGEST_PATH_BYTES: usize = 4096;

/// One regular file on a recorder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CardFile {
    /// Where it is.
    pub path: CardPath,
    /// Its length.
    pub size_bytes: u64,
    /// Its time of change by the recorder's clock, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// Whether its name marks it as important.
    pub is_key: bool,
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl CardFile {
    /// Its time of change.
    pub fn modified_at(&self) -> Micros {
        Micros(self.modified_ns.div_euclid(1000))
    }

    /// Path, length and time as one number: what a stay is compared by.
    pub fn token(&self) -> u64 {
        let mut hasher = Sha256::new();
        hasher.update(self.path.to_text());
        hasher.update([0]);
        hasher.update(self.size_bytes.to_be_bytes());
        hasher.update(self.modified_ns.to_be_bytes());
        let digest = Sha256Digest(hasher.finalize().into());
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_bytes()[..8]);
        u64::from_be_bytes(first)
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Regular files: marked ones first, then by path.
    pub files: Vec<CardFile>,
    /// Links, devices, sockets, pipes, other file systems: left alone.
    pub special_count: usize,
    /// What could not be listed, for people. Not empty means that the recorder is never "done".
    pub faults: Vec<String>,
}

impl Listing {
    /// Bytes of all files together.
    pub fn size_bytes(&self) -> u64 {
        self.files
            .iter()
            .fold(0, |sum, file| sum.saturating_add(file.size_bytes))
    }

    /// Whether every file was written last at least so many milliseconds before `now`. A file from the
    /// future says nothing about when it was written.
    pub fn rests_since_ms(&self, now: Micros, age_ms: u64) -> bool {
        let latest = now
            .0
            .saturating_sub(i64::try_from(age_ms.saturating_mul(1000)).unwrap_or(i64::MAX));
        self.faults.is_empty() && self.files.iter().all(|file| file.modified_at().0 <= latest)
    }
}

struct Walk<'a> {
    card: &'a Card,
    rules: &'a FilesSection,
    also_ignored: &'a [String],
    listing: Listing,
}

/// Lists a recorder. `also_ignored` are the identity files. Blocks.
///
/// # Errors
/// When the root itself cannot be read; what fails below it becomes a fault of the listing.
pub fn list(card: &Card, rules: &FilesSection, also_ignored: &[String]) -> io::Result<Listing> {
    let mut walk = Walk {
        card,
        rules,
        also_ignored,
        listing: Listing::default(),
    };
    let root = rustix::fs::openat(card.root(), ".", directory_flags(), Mode::empty())?;
    walk.directory(root, &CardPath::root(), 0)?;
    let mut listing = walk.listing;
    listing.files.sort_by(|a, b| {
        let marked_first = b.is_key.cmp(&a.is_key);
        marked_first.then_with(|| a.path.cmp(&b.path))
    });
    Ok(listing)
}

fn directory_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

impl Walk<'_> {
    fn directory(&mut self, directory: OwnedFd, at: &CardPath, depth: usize) -> io::Result<()> {
        let entries = Dir::read_from(&directory)?;
        for entry in entries {
            if self.listing.files.len() >= self.rules.at_most {
                self.too_many();
                return Ok(());
            }
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let Some(path) = at.join(name) else {
                self.fault(at, "holds a name that no directory can hold");
                continue;
            };
            if let Err(error) = self.entry(&directory, name, path.clone(), depth) {
                self.fault(&path, &error.to_string());
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        directory: &OwnedFd,
        name: &[u8],
        path: CardPath,
        depth: usize,
    ) -> io::Result<()> {
        let stat = rustix::fs::statat(directory.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW)?;
        if stat.st_dev != self.card.device() {
            self.listing.special_count += 1;
            return Ok(());
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if depth + 1 > DEEPEST => {
                self.fault(&path, "is too deep to be looked into");
            }
            FileType::Directory => {
                let below = rustix::fs::openat(directory, name, directory_flags(), Mode::empty())?;
                self.directory(below, &path, depth + 1)?;
            }
            FileType::RegularFile => {
                let size_bytes = u64::try_from(stat.st_size).unwrap_or(0);
                self.file(CardFile {
                    path,
                    size_bytes,
                    modified_ns: modified_ns(&stat),
                    is_key: false,
                    device: stat.st_dev,
                    inode: stat.st_ino,
                });
            }
            _ => self.listing.special_count += 1,
        }
        Ok(())
    }

    fn file(&mut self, mut file: CardFile) {
        let shown = file.path.display();
        let mut ignored = self.rules.ignore.iter().chain(self.also_ignored);
        if ignored.any(|pattern| fits(pattern, &shown)) {
            return;
        }
        if file.path.to_text().len() > LONGEST_PATH_BYTES {
            self.fault(&file.path, "has a path too long to be reported");
            return;
        }
        file.is_key = self.rules.key.iter().any(|pattern| fits(pattern, &shown));
        self.listing.files.push(file);
    }

    fn too_many(&mut self) {
        let text = format!("more than {} files", self.rules.at_most);
        if !self.listing.faults.contains(&text) {
            self.listing.faults.push(text);
        }
    }

    fn fault(&mut self, path: &CardPath, reason: &str) {
        // A broken directory can name millions; the first few tell enough.
        if self.listing.faults.len() < 20 {
            let shown: String = path.to_text().chars().take(200).collect();
            self.listing.faults.push(format!("{shown}: {reason}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    fn listed(root: &std::path::Path, rules: &FilesSection) -> Listing {
        let card = Card::open(root, false).expect("open").expect("there");
        list(&card, rules, &["recorder.toml".into()]).expect("list")
    }

    #[test]
    fn regular_files_only_and_marked_ones_first() {
        let root = tempfile::tempdir().expect("tempdir");
        let at = |name: &[u8]| root.path().join(OsStr::from_bytes(name));
        fs::create_dir_all(root.path().join("DCIM/System Volume Information")).expect("dirs");
        fs::create_dir_all(root.path().join("System Volume Information")).expect("dirs");
        for name in [
            &b"a.mp4"[..],
            b"DCIM/b.mp4",
            b"DCIM/z_KEY.mp4",
            b"recorder.toml",
            b"System Volume Information/x",
            b"\xcf\xd6\xb3\xa1.mp4",
        ] {
            fs::write(at(name), b"12345").expect("write");
        }
        symlink("/etc/passwd", root.path().join("link.mp4")).expect("link");
        symlink("/etc", root.path().join("linked")).expect("link");
        let socket =
            std::os::unix::net::UnixListener::bind(root.path().join("pipe")).expect("socket");
        let listing = listed(root.path(), &FilesSection::default());
        drop(socket);
        let names: Vec<_> = listing
            .files
            .iter()
            .map(|file| file.path.to_text())
            .collect();
        assert_eq!(
            names,
            ["DCIM/z_KEY.mp4", "DCIM/b.mp4", "a.mp4", "%CF%D6%B3%A1.mp4"]
        );
        assert_eq!(listing.special_count, 3);
        assert_eq!(listing.size_bytes(), 20);
        assert!(listing.faults.is_empty());
    }

    #[test]
    fn files_of_a_while_ago_rest_and_new_ones_and_ones_from_the_future_do_not() {
        let root = tempfile::tempdir().expect("tempdir");
        fs::write(root.path().join("a.mp4"), b"x").expect("write");
        fs::write(root.path().join("b.mp4"), b"x").expect("write");
        let listing = listed(root.path(), &FilesSection::default());
        let written = listing.files.iter().map(CardFile::modified_at).max();
        let written = written.expect("two files");
        assert!(!listing.rests_since_ms(written, 2000));
        assert!(!listing.rests_since_ms(written.plus_seconds(1), 2000));
        assert!(listing.rests_since_ms(written.plus_seconds(2), 2000));
        assert!(!listing.rests_since_ms(written.plus_seconds(-3600), 2000));
        let damaged = Listing {
            faults: vec!["DCIM: Input/output error".into()],
            ..listing
        };
        assert!(!damaged.rests_since_ms(written.plus_seconds(60), 2000));
    }

    #[test]
    fn depth_and_count_have_bounds_that_are_told() {
        let root = tempfile::tempdir().expect("tempdir");
        let deep = root.path().join(vec!["d"; 40].join("/"));
        fs::create_dir_all(&deep).expect("dirs");
        fs::write(deep.join("lost.mp4"), b"x").expect("write");
        for n in 0..5 {
            fs::write(root.path().join(format!("{n}.mp4")), b"x").expect("write");
        }
        let listing = listed(root.path(), &FilesSection::default());
        assert_eq!(listing.files.len(), 5);
        assert!(
            listing.faults[0].contains("too deep"),
            "{:?}",
            listing.faults
        );
        let few = FilesSection {
            at_most: 3,
            ..FilesSection::default()
        };
        let listing = listed(root.path(), &few);
        assert_eq!(listing.files.len(), 3);
        assert!(listing.faults.contains(&"more than 3 files".to_owned()));
    }

    #[test]
    fn a_replaced_file_is_not_opened() {
        let root = tempfile::tempdir().expect("tempdir");
        fs::write(root.path().join("a.mp4"), b"12345").expect("write");
        let card = Card::open(root.path(), false)
            .expect("open")
            .expect("there");
        let listing = list(&card, &FilesSection::default(), &[]).expect("list");
        assert!(card.open_file(&listing.files[0]).is_ok());
        fs::remove_file(root.path().join("a.mp4")).expect("remove");
        symlink("/etc/passwd", root.path().join("a.mp4")).expect("link");
        let opened = card.open_file(&listing.files[0]);
        assert!(matches!(
            opened,
            Err(super::super::open::OpenError::Changed)
        ));
    }
}
