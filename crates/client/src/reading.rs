//! Reading a file once, hashing as it passes, with marks from which the hash can be taken up again.
//!
//! A mark is an offset with the SHA-256 midstate there. After a lost connection the server says how
//! much it has, which is somewhere behind what was read; the hash goes on from the last mark before
//! that offset, so at most [`MARK_EVERY_BYTES`] are read a second time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use docket_base::digest::Midstate;
use docket_base::{RunningDigest, Sha256Digest};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// Distance of marks.
pub(crate) const MARK_EVERY_BYTES: u64 = 4 * 1024 * 1024;
/// Bytes a read asks for: large enough for USB mass storage to stream, small enough that a bay holds
/// about 2 MiB in flight.
const CHUNK_BYTES: u64 = 512 * 1024;

/// A running digest at an offset. It authenticates nothing: keep it where only the station writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Bytes hashed.
    pub offset_bytes: u64,
    /// SHA-256 state after them, 104 bytes.
    pub midstate: Vec<u8>,
}

/// Why reading ended before it should.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The medium failed or was pulled.
    #[error("cannot be read at byte {offset_bytes}: {cause}")]
    Medium {
        /// Where.
        offset_bytes: u64,
        /// What the system said.
        cause: io::Error,
    },
    /// The file became shorter while it was read.
    #[error("ends at byte {offset_bytes}: it was shortened while it was read")]
    Shortened {
        /// Where it ends now.
        offset_bytes: u64,
    },
    /// A mark could not be stored.
    #[error("the journal cannot be written: {0}")]
    Journal(io::Error),
}

/// What is told about each mark as it is reached.
pub(crate) type OnMark = Arc<dyn Fn(&Mark) -> io::Result<()> + Send + Sync>;

/// A file being read, with its running digest.
pub struct Reading {
    file: Arc<File>,
    digest: RunningDigest,
    position_bytes: u64,
    marks: Vec<Mark>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading")
            .field("position_bytes", &self.position_bytes)
            .field("marks", &self.marks.len())
            .finish_non_exhaustive()
    }
}

impl Reading {
    /// Starts at the beginning; `marks` of an earlier reading of the same content spare reading again.
    /// Marks that are no midstates are left out.
    pub fn new(file: Arc<File>, mut marks: Vec<Mark>) -> Self {
        marks.retain(|mark| restore(mark).is_some());
        marks.sort_by_key(|mark| mark.offset_bytes);
        marks.dedup_by_key(|mark| mark.offset_bytes);
        Self {
            file,
            digest: RunningDigest::new(false),
            position_bytes: 0,
            marks,
        }
    }

    /// The digest of a whole file. Blocks.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub fn digest_of(file: Arc<File>, size_bytes: u64) -> Result<Sha256Digest, ReadFault> {
        let mut reading = Self::new(file, Vec::new());
        let unmarked: OnMark = Arc::new(|_: &Mark| Ok(()));
        reading.go_to(size_bytes, &unmarked)?;
        Ok(reading.sha256())
    }

    /// Bytes hashed so far.
    pub fn position_bytes(&self) -> u64 {
        self.position_bytes
    }

    /// The digest of everything up to the position.
    pub fn sha256(&self) -> Sha256Digest {
        self.digest.finish().sha256
    }

    /// Drops marks that no resumption will ask for: the server has `acknowledged_bytes` for good.
    pub(crate) fn forget_before(&mut self, acknowledged_bytes: u64) {
        let keep_from = self
            .marks
            .partition_point(|mark| mark.offset_bytes <= acknowledged_bytes)
            .saturating_sub(1);
        self.marks.drain(..keep_from);
    }

    /// Moves to `offset_bytes` by the nearest mark, hashing again what lies between. Blocks.
    pub(crate) fn go_to(&mut self, offset_bytes: u64, on_mark: &OnMark) -> Result<(), ReadFault> {
        if self.position_bytes != offset_bytes {
            let known = self
                .marks
                .partition_point(|mark| mark.offset_bytes <= offset_bytes);
            let nearest = self.marks[..known].last();
            let from = nearest.map_or(0, |mark| mark.offset_bytes);
            // Going forward from here may be shorter than from any mark.
            let here_is_nearer = self.position_bytes < offset_bytes && from <= self.position_bytes;
            if !here_is_nearer {
                self.digest = nearest
                    .and_then(restore)
                    .unwrap_or_else(|| RunningDigest::new(false));
                self.position_bytes = from;
            }
        }
        while self.position_bytes < offset_bytes {
            self.read_chunk(offset_bytes, on_mark)?;
        }
        Ok(())
    }

    /// Reads from `from_bytes` to `until_bytes` into the channel. Ends early without an error when
    /// the receiver is gone. Blocks: runs on a reader thread.
    pub(crate) fn stream(
        &mut self,
        from_bytes: u64,
        until_bytes: u64,
        chunks: &mpsc::Sender<Bytes>,
        on_mark: &OnMark,
    ) -> Result<(), ReadFault> {
        self.go_to(from_bytes, on_mark)?;
        while self.position_bytes < until_bytes {
            let chunk = self.read_chunk(until_bytes, on_mark)?;
            if chunks.blocking_send(chunk).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads one chunk that does not cross a mark's place.
    fn read_chunk(&mut self, until_bytes: u64, on_mark: &OnMark) -> Result<Bytes, ReadFault> {
        let at = self.position_bytes;
        let next_mark = (at / MARK_EVERY_BYTES + 1) * MARK_EVERY_BYTES;
        let length = (until_bytes.min(next_mark) - at).min(CHUNK_BYTES) as usize;
        let mut buffer = BytesMut::zeroed(length);
        let mut filled = 0;
        while filled < length {
            let offset_bytes = at + filled as u64;
            match self.file.read_at(&mut buffer[filled..], offset_bytes) {
                Ok(0) => return Err(ReadFault::Shortened { offset_bytes }),
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => {
                    return Err(ReadFault::Medium {
                        offset_bytes,
                        cause,
                    });
                }
            }
        }
        self.digest.update(&buffer);
        self.position_bytes = at + length as u64;
        if self.position_bytes == next_mark {
            self.mark(on_mark)?;
        }
        Ok(buffer.freeze())
    }

    /// Marks the present position.
    pub(crate) fn mark(&mut self, on_mark: &OnMark) -> Result<(), ReadFault> {
        let place = self
            .marks
            .binary_search_by_key(&self.position_bytes, |mark| mark.offset_bytes);
        let Err(place) = place else {
            return Ok(());
        };
        let mark = Mark {
            offset_bytes: self.position_bytes,
            midstate: self.digest.midstate().sha256,
        };
        on_mark(&mark).map_err(ReadFault::Journal)?;
        self.marks.insert(place, mark);
        Ok(())
    }
}

fn restore(mark: &Mark) -> Option<RunningDigest> {
    let state = Midstate {
        sha256: mark.midstate.clone(),
        sm3: None,
    };
    RunningDigest::restore(&state).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Mutex;

    fn file_of(bytes: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().expect("temporary");
        file.write_all(bytes).expect("write");
        Arc::new(file)
    }

    fn collect() -> (OnMark, Arc<Mutex<Vec<Mark>>>) {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&kept);
        let on_mark: OnMark = Arc::new(move |mark: &Mark| {
            sink.lock().expect("lock").push(mark.clone());
            Ok(())
        });
        (on_mark, kept)
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|n| (n * 31 % 251) as u8).collect()
    }

    #[test]
    fn marks_take_the_digest_up_where_the_server_stands() {
        let bytes = pattern(10 * 1024 * 1024 + 17);
        let whole = Sha256Digest::of(&bytes);
        let (on_mark, kept) = collect();
        let mut reading = Reading::new(file_of(&bytes), Vec::new());
        reading.go_to(bytes.len() as u64, &on_mark).expect("read");
        assert_eq!(reading.sha256(), whole);
        let marks = kept.lock().expect("lock").clone();
        assert_eq!(marks.len(), 2);

        // A file whose first 8 MiB are gone: only marks can bring the digest past them.
        let mut hollow = bytes.clone();
        hollow[..8 * 1024 * 1024].fill(0);
        let mut resumed = Reading::new(file_of(&hollow), marks);
        resumed.go_to(9_000_000, &on_mark).expect("read");
        resumed.go_to(bytes.len() as u64, &on_mark).expect("read");
        assert_eq!(resumed.sha256(), whole);
    }

    #[test]
    fn going_back_uses_a_mark_and_unusable_marks_are_left_out() {
        let bytes = pattern(9 * 1024 * 1024);
        let (on_mark, _) = collect();
        let bad = Mark {
            offset_bytes: 5,
            midstate: vec![1, 2, 3],
        };
        let mut reading = Reading::new(file_of(&bytes), vec![bad]);
        reading.go_to(9 * 1024 * 1024, &on_mark).expect("read");
        reading.go_to(100, &on_mark).expect("back");
        assert_eq!(reading.sha256(), Sha256Digest::of(&bytes[..100]));
        reading.forget_before(5 * 1024 * 1024);
        assert_eq!(reading.marks.len(), 2, "4 MiB and 8 MiB stay");
    }

    #[test]
    fn a_shortened_file_is_told_apart() {
        let (on_mark, _) = collect();
        let mut reading = Reading::new(file_of(b"12345"), Vec::new());
        let fault = reading.go_to(6, &on_mark).expect_err("too short");
        assert!(matches!(fault, ReadFault::Shortened { offset_bytes: 5 }));
    }
}
