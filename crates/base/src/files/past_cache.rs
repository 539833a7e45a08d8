//! Writing past the page cache (`O_DIRECT`).
//!
//! A gigabyte through the cache costs the kernel a page for each 4 KiB, a copy and its writing back; past
//! it the disk takes the bytes from our buffer. Whole blocks only go that way. A block is written by one
//! of the two ways and never by both at once: the end of a file that is no whole block lies in the cache
//! until the rest of the block comes, which goes there too.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::OFlags;

use super::BLOCK_BYTES;

/// Bytes of one write. Each waits for the disk, so small ones would leave it idle.
const WRITE_BYTES: usize = 1 << 20;

thread_local! {
    /// Few threads write, each one piece at a time: memory is theirs, not the files'.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The way past the cache to one file, opened at its first use.
#[derive(Debug, Default)]
pub(super) struct PastCache {
    direct: OnceLock<Option<fs::File>>,
    refused: AtomicBool,
}

impl PastCache {
    /// See [`super::File::write_past_cache`].
    pub(super) fn write(
        &self,
        file: &fs::File,
        pieces: &[&[u8]],
        offset_bytes: u64,
    ) -> io::Result<()> {
        let mut at = offset_bytes;
        BUFFER.with_borrow_mut(|memory| {
            // An allocation can't be asked for an alignment without unsafe code, but its place can be looked at.
            memory.resize(WRITE_BYTES + BLOCK_BYTES, 0);
            let begin = memory.as_ptr().align_offset(BLOCK_BYTES).min(BLOCK_BYTES);
            let buffer = &mut memory[begin..begin + WRITE_BYTES];
            let mut filled = 0;
            for mut piece in pieces.iter().copied() {
                while !piece.is_empty() {
                    let (now, later) = piece.split_at(piece.len().min(room(at, filled)));
                    buffer[filled..filled + now.len()].copy_from_slice(now);
                    (filled, piece) = (filled + now.len(), later);
                    if room(at, filled) == 0 {
                        self.put(file, &buffer[..filled], at)?;
                        (at, filled) = (at + filled as u64, 0);
                    }
                }
            }
            let whole = match at % BLOCK_BYTES as u64 {
                0 => filled - filled % BLOCK_BYTES,
                _ => 0,
            };
            if whole > 0 {
                self.put(file, &buffer[..whole], at)?;
            }
            // The begun block stays in the cache until its rest comes.
            file.write_all_at(&buffer[whole..filled], at + whole as u64)
        })
    }

    /// Either whole blocks, or the rest of one that was begun.
    fn put(&self, file: &fs::File, bytes: &[u8], at: u64) -> io::Result<()> {
        let is_whole = at.is_multiple_of(BLOCK_BYTES as u64);
        let Some(direct) = self.direct(file).filter(|_| is_whole) else {
            return file.write_all_at(bytes, at);
        };
        match direct.write_all_at(bytes, at) {
            // Blocks of this file system are larger, or it only pretends.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.refused.store(true, Ordering::Relaxed);
                file.write_all_at(bytes, at)
            }
            other => other,
        }
    }

    /// `None` where the file system has no such way.
    fn direct(&self, file: &fs::File) -> Option<&fs::File> {
        if self.refused.load(Ordering::Relaxed) {
            return None;
        }
        let direct = self.direct.get_or_init(|| {
            // Opened by descriptor: the name may be another file's by now.
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            let mut options = fs::OpenOptions::new();
            let options = options.write(true);
            options
                .custom_flags(OFlags::DIRECT.bits() as i32)
                .open(path)
                .ok()
        });
        direct.as_ref()
    }
}

/// How much more may be buffered before it is written: up to a whole buffer, or to the end of a begun block.
fn room(at: u64, filled: usize) -> usize {
    let into_block = (at % BLOCK_BYTES as u64) as usize;
    let most = match into_block {
        0 => WRITE_BYTES,
        begun => BLOCK_BYTES - begun,
    };
    most - filled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(dir: &std::path::Path) -> fs::File {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        options.open(dir.join("file")).expect("a file")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever is written in whatever pieces, the file is the same as by ordinary writes.
        #[test]
        fn a_file_is_what_was_written(
            lengths in prop::collection::vec(
                prop::collection::vec(prop_oneof![0..9_usize, 4_000..4_200_usize, 1..300_000_usize], 1..5),
                1..6,
            ),
            refused: bool,
        ) {
            let dir = tempfile::tempdir().expect("a folder");
            let (file, past_cache) = (file(dir.path()), PastCache::default());
            past_cache.refused.store(refused, Ordering::Relaxed);
            let mut expected = Vec::new();
            for (number, lengths) in lengths.into_iter().enumerate() {
                let offset = expected.len() as u64;
                let pieces: Vec<Vec<u8>> = lengths
                    .into_iter()
                    .enumerate()
                    .map(|(at, length)| {
                        (0..length).map(|byte| (byte * 7 + number * 31 + at) as u8).collect()
                    })
                    .collect();
                let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
                past_cache.write(&file, &slices, offset).expect("writes");
                expected.extend(pieces.concat());
            }
            prop_assert_eq!(fs::read(dir.path().join("file")).expect("reads"), expected);
        }
    }
}
