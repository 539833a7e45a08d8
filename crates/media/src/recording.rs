//! The recording's bytes as FFmpeg reads them: from a descriptor, or in blocks that docketd fetches,
//! with a bounded cache under it (AVI files with seeks otherwise read 4.4 times their size).

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use docket_playback::protocol::{FromWorker, MAX_BLOCK_BYTES, ToWorker, read_frame, write_frame};

/// Granule of the cache.
const BLOCK_BYTES: u64 = 256 << 10;
/// 32 MiB in all.
const CACHED_BLOCKS: usize = 128;
/// Sequential misses fetch ever more at once, up to a frame's bound.
const MOST_BLOCKS_AT_ONCE: u64 = MAX_BLOCK_BYTES as u64 / BLOCK_BYTES;

/// A recording. Clones share cache and state; a [`Reader`] adds a position.
#[derive(Debug, Clone)]
pub struct Recording {
    size_bytes: u64,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    origin: Origin,
    /// Stretches that read as zeros without being fetched, in order; see [`Recording::skim`].
    skimmed: Vec<Range<u64>>,
    /// Readers find the end here, before the recording's own; see [`Recording::end_at`].
    end: Option<u64>,
    /// What readers see instead; see [`Recording::lay_over`].
    over: Option<Over>,
    /// The first failure of the source, kept because FFmpeg makes an end of file of some errors.
    failure: Option<String>,
}

/// A view of a recording that has bytes in the place of some of its own, and more behind its end.
#[derive(Debug)]
struct Over {
    at: u64,
    bytes: Vec<u8>,
    behind: Vec<u8>,
}

#[derive(Debug)]
enum Origin {
    Descriptor(OwnedFd),
    Blocks(Blocks),
}

#[derive(Debug)]
struct Blocks {
    socket: Arc<UnixStream>,
    size_bytes: u64,
    cached: HashMap<u64, (Vec<u8>, u64)>,
    uses: u64,
    /// Where a sequential reader would miss next, and how much it got last time.
    next_miss: u64,
    last_blocks: u64,
}

impl Recording {
    /// A recording behind a descriptor.
    pub fn from_descriptor(descriptor: OwnedFd, size_bytes: u64) -> Self {
        Self::new(Origin::Descriptor(descriptor), size_bytes)
    }

    /// A recording whose blocks docketd fetches; `socket` is the protocol's.
    pub fn from_blocks(socket: Arc<UnixStream>, size_bytes: u64) -> Self {
        let cached = HashMap::with_capacity(CACHED_BLOCKS);
        let blocks = Blocks {
            socket,
            size_bytes,
            cached,
            uses: 0,
            next_miss: 0,
            last_blocks: 0,
        };
        Self::new(Origin::Blocks(blocks), size_bytes)
    }

    fn new(origin: Origin, size_bytes: u64) -> Self {
        let state = State {
            origin,
            skimmed: Vec::new(),
            end: None,
            over: None,
            failure: None,
        };
        Self {
            size_bytes,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Its size.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// A reader from the beginning.
    pub fn reader(&self) -> Reader {
        Reader {
            recording: self.clone(),
            position: 0,
        }
    }

    /// From now on these stretches (in order, disjoint) read as zeros and cost nothing: frames whose
    /// place and size matter, but not their content.
    pub fn skim(&self, stretches: Vec<Range<u64>>) {
        self.state().skimmed = stretches;
    }

    /// From now on FFmpeg sees the recording as ending here. A fragmented MP4 that ends inside a box (it
    /// is cut off, or still arriving) can't be opened otherwise.
    pub fn end_at(&self, offset: u64) {
        self.state().end = Some(offset);
    }

    /// From now on `bytes` are read in the place of those at `at`, and `behind` after the last. The
    /// original itself can't be changed from here.
    pub fn lay_over(&self, at: u64, bytes: Vec<u8>, behind: Vec<u8>) {
        self.state().over = Some(Over { at, bytes, behind });
    }

    /// Where readers find the end.
    pub fn seen_bytes(&self) -> u64 {
        let state = self.state();
        let behind = state
            .over
            .as_ref()
            .map_or(0, |over| over.behind.len() as u64);
        let all = self.size_bytes.saturating_add(behind);
        state.end.map_or(all, |end| end.min(all))
    }

    /// Why the source failed, if it did.
    pub fn failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    /// Reads at most `into.len()` bytes at `offset`; 0 at the end.
    ///
    /// # Errors
    /// The source's, which [`Self::failure`] repeats from then on.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let left = self.size_bytes.saturating_sub(offset);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        let mut state = self.state();
        if wanted == 0 {
            let over = state.over.as_ref();
            return Ok(over.map_or(0, |over| {
                over.read_behind(offset.saturating_sub(self.size_bytes), into)
            }));
        }
        let done = state.read_at(offset, &mut into[..wanted]);
        match &done {
            Ok(count) => {
                if let Some(over) = &state.over {
                    over.read(offset, &mut into[..*count]);
                }
            }
            Err(error) => {
                state.failure.get_or_insert(error.to_string());
            }
        }
        done
    }

    /// Fills `into` from `offset`; `false` when the recording ends before.
    ///
    /// # Errors
    /// The source's.
    pub fn fill_at(&self, offset: u64, into: &mut [u8]) -> io::Result<bool> {
        let mut done = 0;
        while done < into.len() {
            match self.read_at(offset + done as u64, &mut into[done..])? {
                0 => return Ok(false),
                read => done += read,
            }
        }
        Ok(true)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // One thread; the lock only satisfies FFmpeg's wrapper, which wants a reader that is Send.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Over {
    /// Replaces what of the recording's bytes, read at `offset`, is laid over.
    fn read(&self, offset: u64, into: &mut [u8]) {
        let end = offset + into.len() as u64;
        let (from, until) = (
            self.at.max(offset),
            end.min(self.at + self.bytes.len() as u64),
        );
        if from < until {
            let (to, own) = ((from - offset) as usize, (from - self.at) as usize);
            let count = (until - from) as usize;
            into[to..to + count].copy_from_slice(&self.bytes[own..own + count]);
        }
    }

    /// At most so many bytes behind the end, from there on.
    fn read_behind(&self, offset: u64, into: &mut [u8]) -> usize {
        let from = usize::try_from(offset)
            .ok()
            .and_then(|at| self.behind.get(at..));
        let from = from.unwrap_or_default();
        let count = from.len().min(into.len());
        into[..count].copy_from_slice(&from[..count]);
        count
    }
}

impl State {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut most = into.len() as u64;
        let after = self
            .skimmed
            .partition_point(|stretch| stretch.end <= offset);
        if let Some(stretch) = self.skimmed.get(after) {
            if stretch.contains(&offset) {
                let zeros = most.min(stretch.end - offset) as usize;
                into[..zeros].fill(0);
                return Ok(zeros);
            }
            most = most.min(stretch.start - offset);
        }
        let into = &mut into[..most as usize];
        match &mut self.origin {
            Origin::Descriptor(descriptor) => loop {
                match rustix::io::pread(&*descriptor, &mut *into, offset) {
                    Err(rustix::io::Errno::INTR) => {}
                    done => return Ok(done?),
                }
            },
            Origin::Blocks(blocks) => blocks.read_at(offset, into),
        }
    }
}

impl Blocks {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let block = offset / BLOCK_BYTES;
        if !self.cached.contains_key(&block) {
            self.fetch(block)?;
        }
        self.uses += 1;
        let uses = self.uses;
        let (bytes, used) = self
            .cached
            .get_mut(&block)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        *used = uses;
        let bytes = bytes
            .get((offset % BLOCK_BYTES) as usize..)
            .unwrap_or_default();
        let count = bytes.len().min(into.len());
        into[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn fetch(&mut self, block: u64) -> io::Result<()> {
        let sequential = block == self.next_miss && self.last_blocks > 0;
        let mut blocks = if sequential {
            (self.last_blocks * 2).min(MOST_BLOCKS_AT_ONCE)
        } else {
            1
        };
        blocks = (1..blocks)
            .find(|n| self.cached.contains_key(&(block + n)))
            .unwrap_or(blocks);
        let offset = block * BLOCK_BYTES;
        let length = (blocks * BLOCK_BYTES).min(self.size_bytes - offset);
        let fetched = self.ask(offset, length)?;
        while self.cached.len() + blocks as usize > CACHED_BLOCKS {
            let oldest = self
                .cached
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(block, _)| *block);
            oldest.and_then(|oldest| self.cached.remove(&oldest));
        }
        for (number, bytes) in fetched.chunks(BLOCK_BYTES as usize).enumerate() {
            self.uses += 1;
            self.cached
                .insert(block + number as u64, (bytes.to_vec(), self.uses));
        }
        (self.next_miss, self.last_blocks) = (block + blocks, blocks);
        Ok(())
    }

    fn ask(&mut self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let length = u32::try_from(length).map_err(io::Error::other)?;
        write_frame(
            &mut &*self.socket,
            &FromWorker::NeedBlock { offset, length },
            &[],
        )?;
        match read_frame(&mut &*self.socket)? {
            Some((ToWorker::Block, bytes)) if bytes.len() == length as usize => Ok(bytes),
            Some((ToWorker::BlockFailed, _)) => Err(io::Error::other("the store gave no block")),
            _ => Err(io::Error::other("docketd gave no block")),
        }
    }
}

/// A view of a recording that leaves out what lies between its head and a later place.
#[derive(Debug)]
pub struct Joined {
    reader: Reader,
    gap: Range<u64>,
}

impl Joined {
    /// The bytes before `gap` and those after it.
    pub fn new(recording: &Recording, gap: Range<u64>) -> Self {
        let reader = recording.reader();
        Self { reader, gap }
    }
}

impl Read for Joined {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let before = self.gap.start.saturating_sub(self.reader.position);
        if before > 0 {
            let most = usize::try_from(before).unwrap_or(usize::MAX);
            let most = most.min(into.len());
            return self.reader.read(&mut into[..most]);
        }
        self.reader.position = self.reader.position.max(self.gap.end);
        self.reader.read(into)
    }
}

/// A position in a recording.
#[derive(Debug)]
pub struct Reader {
    recording: Recording,
    position: u64,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.recording.seen_bytes().saturating_sub(self.position);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        let read = self.recording.read_at(self.position, &mut into[..most])?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(distance) => self.recording.seen_bytes().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        // Beyond the end is allowed, as in files: reading there finds nothing.
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
