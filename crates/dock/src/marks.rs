//! Running digests of one upload, so that after a crash nothing is hashed twice.
//!
//! Not fsynced: `kill -9` keeps the page cache, and after a power cut a lost mark costs hashing
//! again from the one before. Each line carries a check value, because a wrong midstate would make a
//! wrong digest; it is not there against people, who could write the whole directory.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use docket_base::Sha256Digest;
use docket_base::files::{File, Files, read_small};
use docket_client::Mark;

/// 40 GB have 10,000 marks of 250 bytes.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// The marks file of one upload, open for appending.
#[derive(Debug)]
pub struct MarkFile {
    file: Arc<dyn File>,
    end_bytes: Mutex<u64>,
}

impl MarkFile {
    /// Opens or makes it and reads the marks that are whole. Blocks.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(files: &dyn Files, path: &Path) -> io::Result<(Self, Vec<Mark>)> {
        let known = match read_small(files, path, LIMIT_BYTES) {
            Ok(known) => known,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Some(Vec::new()),
            Err(error) => return Err(error),
        };
        let (file, bytes) = match known {
            Some(bytes) => (files.open_write(path)?, bytes),
            None => (files.create_new(path)?, Vec::new()),
        };
        let mut marks = Vec::new();
        let mut good_bytes = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(mark) = read_line(line) else {
                break;
            };
            marks.push(mark);
            good_bytes += line.len() as u64;
        }
        // What follows a damaged line is not used, so it may be overwritten.
        file.set_size(good_bytes)?;
        let this = Self {
            file,
            end_bytes: Mutex::new(good_bytes),
        };
        Ok((this, marks))
    }

    /// Adds a mark. Blocks only as long as a write into the page cache does.
    ///
    /// # Errors
    /// What the file system says.
    pub fn add(&self, mark: &Mark) -> io::Result<()> {
        let line = write_line(mark);
        let mut end = self
            .end_bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.file.write_all_at(line.as_bytes(), *end)?;
        *end += line.len() as u64;
        Ok(())
    }
}

fn write_line(mark: &Mark) -> String {
    let hex: String = mark
        .midstate
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let fields = format!("{} {hex}", mark.offset_bytes);
    let check = check_of(&fields);
    format!("{fields} {check}\n")
}

fn read_line(line: &[u8]) -> Option<Mark> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (fields, check) = line.rsplit_once(' ')?;
    if check_of(fields) != check {
        return None;
    }
    let (offset, hex) = fields.split_once(' ')?;
    let midstate = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    Some(Mark {
        offset_bytes: offset.parse().ok()?,
        midstate,
    })
}

fn check_of(fields: &str) -> String {
    let mut hex = Sha256Digest::of(fields.as_bytes()).to_string();
    hex.truncate(16);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_base::RunningDigest;
    use docket_base::files::OsFiles;

    fn mark(offset_bytes: u64) -> Mark {
        Mark {
            offset_bytes,
            midstate: RunningDigest::new(false).midstate().sha256,
        }
    }

    #[test]
    fn marks_survive_and_damage_ends_them() {
        let directory = tempfile::tempdir().expect("tempdir");
        let path = directory.path().join("marks");
        let (file, known) = MarkFile::open(&OsFiles, &path).expect("open");
        assert!(known.is_empty());
        for offset in [4, 8, 12] {
            file.add(&mark(offset)).expect("add");
        }
        drop(file);
        let (_, known) = MarkFile::open(&OsFiles, &path).expect("open");
        assert_eq!(known, [mark(4), mark(8), mark(12)]);

        let mut bytes = std::fs::read(&path).expect("read");
        let second = bytes.len() / 2;
        bytes[second] ^= 1;
        std::fs::write(&path, &bytes).expect("damage");
        let (file, known) = MarkFile::open(&OsFiles, &path).expect("open");
        assert_eq!(known, [mark(4)]);
        file.add(&mark(8)).expect("add");
        drop(file);
        let (_, known) = MarkFile::open(&OsFiles, &path).expect("open");
        assert_eq!(known, [mark(4), mark(8)]);
    }
}
