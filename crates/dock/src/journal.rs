//! What became of each file of one recorder, across crashes and dockings.
//!
//! Lines of JSON, appended. A file is known by path, length and time of change on that recorder, not
//! by where the recorder was mounted. The last line about a file holds.
//!
//! A crash while a line is written leaves a torn last line, which is cut off when the journal is
//! opened: what it said is found out anew from the daemon. A line lost with the page cache (power)
//! costs the same. So nothing is ever erased because of a line alone.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use docket_base::files::{File, Files, read_exact_at, replace};
use docket_base::ids::RecordingId;
use docket_base::{Micros, Sha256Digest};
use serde::{Deserialize, Serialize};

use crate::card::CardFile;

/// What a file is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileKey {
    /// Lossless path text.
    pub path: String,
    /// Length.
    pub size_bytes: u64,
    /// Time of change, nanoseconds.
    pub modified_ns: i64,
}

impl From<&CardFile> for FileKey {
    fn from(file: &CardFile) -> Self {
        Self {
            path: file.path.to_text(),
            size_bytes: file.size_bytes,
            modified_ns: file.modified_ns,
        }
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Fate {
    /// An upload was made for it.
    Open {
        /// Where.
        upload: String,
        /// Which content.
        fingerprint: Sha256Digest,
        /// Which try.
        attempt: u32,
    },
    /// All its bytes are durable on the daemon.
    Uploaded {
        /// Where.
        upload: String,
        /// Which content.
        fingerprint: Sha256Digest,
        /// Digest of what was read here.
        sha256: Sha256Digest,
        /// Which try.
        attempt: u32,
    },
    /// Its verified receipt was checked and is kept.
    Finished {
        /// The recording.
        recording: RecordingId,
        /// Which content.
        fingerprint: Sha256Digest,
        /// Its digest, here and by the receipt.
        sha256: Sha256Digest,
    },
    /// The upload is no more; the next try is a new one.
    Abandoned {
        /// Why.
        reason: String,
        /// Which try it was.
        attempt: u32,
    },
    /// Erased from the recorder.
    Erased {
        /// The recording that holds it.
        recording: RecordingId,
    },
}

impl Fate {
    /// The number of the try that an upload made next is.
    pub fn next_attempt(fate: Option<&Self>) -> u32 {
        match fate {
            Some(
                Self::Open { attempt, .. }
                | Self::Uploaded { attempt, .. }
                | Self::Abandoned { attempt, .. },
            ) => attempt.saturating_add(1),
            _ => 1,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    at: Micros,
    #[serde(flatten)]
    key: FileKey,
    #[serde(flatten)]
    fate: Fate,
}

/// Lines beyond what is needed before the journal is written anew.
const SLACK_LINES: usize = 2000;
/// What is over and this old is forgotten: a recorder has overwritten it many times.
const FORGET_AFTER_SECONDS: i64 = 120 * 86_400;
/// Longest line that is believed to be one.
const LINE_LIMIT_BYTES: usize = 64 * 1024;

/// The journal of one recorder.
#[derive(Debug)]
pub struct Journal {
    file: Arc<dyn File>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    end_bytes: u64,
    fates: HashMap<FileKey, (Micros, Fate)>,
}

impl Journal {
    /// Opens or makes the journal in a recorder's directory. Blocks.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(files: &dyn Files, directory: &Path, now: Micros) -> io::Result<Self> {
        files.create_dir_all(&directory.join("marks"))?;
        let path = directory.join("journal.jsonl");
        let file = match files.open_write(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = files.create_new(&path)?;
                files.sync_dir(directory)?;
                file
            }
            Err(error) => return Err(error),
        };
        let size = file.size_bytes()?;
        let read = Self::replay(&*file, size, now)?;
        if read.good_bytes < size {
            // The torn line of a crash. Cut off before anything follows it.
            file.set_size(read.good_bytes)?;
            file.sync_data()?;
        }
        let journal = Self {
            file,
            inner: Mutex::new(Inner {
                end_bytes: read.good_bytes,
                fates: read.fates,
            }),
        };
        if read.lines > journal.lock().fates.len() * 2 + SLACK_LINES {
            return journal.compacted(files, &path);
        }
        Ok(journal)
    }

    fn replay(file: &dyn File, size: u64, now: Micros) -> io::Result<Replayed> {
        let mut read = Replayed::default();
        let mut carry: Vec<u8> = Vec::new();
        let mut at = 0;
        while at < size {
            let mut block = vec![0; (size - at).min(1 << 20) as usize];
            read_exact_at(file, &mut block, at)?;
            at += block.len() as u64;
            carry.extend_from_slice(&block);
            let mut start = 0;
            while let Some(length) = carry[start..].iter().position(|byte| *byte == b'\n') {
                read.take(&carry[start..start + length], now);
                start += length + 1;
                read.good_bytes += length as u64 + 1;
            }
            carry.drain(..start);
            if carry.len() > LINE_LIMIT_BYTES {
                // No line is so long: a length without content. What follows cannot be found again.
                tracing::warn!(at = read.good_bytes, "the journal is damaged and cut off");
                break;
            }
        }
        Ok(read)
    }

    /// Writes only what still holds. A crash leaves the old journal or the new one.
    fn compacted(self, files: &dyn Files, path: &Path) -> io::Result<Self> {
        let inner = self
            .inner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut text = Vec::new();
        for (key, (at, fate)) in &inner.fates {
            text.extend(line(*at, key.clone(), fate.clone())?);
        }
        replace(files, path, &path.with_extension("tmp"), &text)?;
        Ok(Self {
            file: files.open_write(path)?,
            inner: Mutex::new(Inner {
                end_bytes: text.len() as u64,
                fates: inner.fates,
            }),
        })
    }

    /// What became of a file.
    pub fn fate(&self, key: &FileKey) -> Option<Fate> {
        self.lock().fates.get(key).map(|(_, fate)| fate.clone())
    }

    /// Writes down what became of a file; durable when it returns, but for [`Fate::Uploaded`], which
    /// the daemon tells again at the price of one request. Blocks.
    ///
    /// # Errors
    /// What the file system says; the old fate then still holds, and a later call starts at the same
    /// place of the file.
    pub fn note(&self, now: Micros, key: &FileKey, fate: Fate) -> io::Result<()> {
        let bytes = line(now, key.clone(), fate.clone())?;
        let mut inner = self.lock();
        self.file.write_all_at(&bytes, inner.end_bytes)?;
        if !matches!(fate, Fate::Uploaded { .. }) {
            self.file.sync_data()?;
        }
        inner.end_bytes += bytes.len() as u64;
        inner.fates.insert(key.clone(), (now, fate));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the marks of an upload lie in a recorder's directory.
pub fn marks_path(directory: &Path, recording: RecordingId) -> PathBuf {
    directory.join("marks").join(recording.to_string())
}

#[derive(Default)]
struct Replayed {
    fates: HashMap<FileKey, (Micros, Fate)>,
    good_bytes: u64,
    lines: usize,
}

impl Replayed {
    fn take(&mut self, bytes: &[u8], now: Micros) {
        self.lines += 1;
        let Ok(line) = serde_json::from_slice::<Line>(bytes) else {
            // Damage in the middle costs what one line said; the daemon is asked again.
            tracing::warn!(line = self.lines, "a journal line cannot be read");
            return;
        };
        let is_over = matches!(line.fate, Fate::Finished { .. } | Fate::Erased { .. });
        if is_over && line.at < now.plus_seconds(-FORGET_AFTER_SECONDS) {
            self.fates.remove(&line.key);
        } else {
            self.fates.insert(line.key, (line.at, line.fate));
        }
    }
}

fn line(at: Micros, key: FileKey, fate: Fate) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(&Line { at, key, fate })?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests;
