//! C2SP tlog-tiles: where hashes and entries lie as files, and what is in them.
//!
//! A tile of level L holds up to 256 hashes, each the root of a perfect subtree of 256^L leaves. An
//! entry bundle holds up to 256 entries, each behind its length (two bytes, big-endian). Paths are
//! relative to the log's root: `tile/0/x001/x234/067`, `tile/entries/x001/000.p/17`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use crate::hash::TreeHash;

/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// Height of a tile: 2^8 = 256.
pub const TILE_HEIGHT: u32 = 8;
/// The largest entry that a bundle can hold, in bytes.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;
/// Tile levels beyond this cannot exist: 256^8 leaves is the end of 64 bits.
const MAX_LEVEL: u8 = 7;

/// What lies in a tile's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes, of this level.
    Hashes(u8),
    /// Entries.
    Entries,
}

/// One file of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Hashes of some level, or entries.
    pub kind: TileKind,
    /// Index within the level, from 0.
    pub index: u64,
    /// How many hashes or entries it holds: 256, or 1 to 255 for a partial one.
    pub width: u16,
}

/// A path that is no tile's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a tile path")]
pub struct BadTilePath;

/// A bundle that cannot be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry bundle is cut short or has entries too many")]
pub struct BadBundle;

impl Tile {
    /// The tile of this kind and index in a tree of `size` leaves; `None` when the tree does not reach it.
    pub fn in_tree(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let items = match kind {
            TileKind::Entries => size,
            TileKind::Hashes(level) if level <= MAX_LEVEL => {
                size >> (TILE_HEIGHT * u32::from(level))
            }
            TileKind::Hashes(_) => return None,
        };
        let left = items.checked_sub(index.checked_mul(TILE_WIDTH)?)?;
        let width = u16::try_from(left.min(TILE_WIDTH)).ok()?;
        (width > 0).then_some(Self { kind, index, width })
    }

    /// Whether it can never grow any more.
    pub fn is_full(&self) -> bool {
        u64::from(self.width) == TILE_WIDTH
    }

    /// The same tile once it is full.
    #[must_use]
    pub fn full(self) -> Self {
        Self {
            width: TILE_WIDTH as u16,
            ..self
        }
    }

    /// The path within the log.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// Reads a path as [`Tile::path`] writes it; no other spelling is accepted.
    ///
    /// # Errors
    /// [`BadTilePath`].
    pub fn parse_path(path: &str) -> Result<Self, BadTilePath> {
        let tile = Self::read_path(path).ok_or(BadTilePath)?;
        // One file, one name: whatever was read leniently shows here.
        if tile.path() == path {
            Ok(tile)
        } else {
            Err(BadTilePath)
        }
    }

    fn read_path(path: &str) -> Option<Self> {
        if path.len() > 64 {
            return None;
        }
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let kind = match level {
            "entries" => TileKind::Entries,
            digits => TileKind::Hashes(digits.parse().ok().filter(|l| *l <= MAX_LEVEL)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH as u16),
            Some((number, width)) => (
                number,
                width
                    .parse()
                    .ok()
                    .filter(|w| (1..TILE_WIDTH as u16).contains(w))?,
            ),
        };
        let mut index: u64 = 0;
        for part in number.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            index = index
                .checked_mul(1000)?
                .checked_add(digits.parse::<u64>().ok()?)?;
        }
        Some(Self { kind, index, width })
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries/")?,
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

/// The entries of a bundle, as written to its file. Entries over [`MAX_ENTRY_BYTES`] do not fit.
///
/// # Errors
/// [`BadBundle`].
pub fn encode_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, BadBundle> {
    if entries.len() as u64 > TILE_WIDTH {
        return Err(BadBundle);
    }
    let mut out = Vec::with_capacity(entries.iter().map(|e| e.as_ref().len() + 2).sum());
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| BadBundle)?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

/// Takes a bundle's file apart.
///
/// # Errors
/// [`BadBundle`] when it ends within an entry or holds more than 256.
pub fn decode_bundle(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, BadBundle> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(BadBundle)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let entry = rest.get(..length).ok_or(BadBundle)?;
        if entries.len() as u64 == TILE_WIDTH {
            return Err(BadBundle);
        }
        entries.push(entry.to_vec());
        bytes = &rest[length..];
    }
    Ok(entries)
}

/// Any failure of a reader.
pub type ReadFailure = Box<dyn Error + Send + Sync>;

/// Where tiles are read from. The ledger itself does no I/O: a caller whose storage is asynchronous
/// asks which tiles will be needed ([`crate::proof::inclusion_tiles`], [`crate::Integrator::edge_tiles`],
/// ...), fetches them into a [`TileMap`] and passes that.
pub trait TileReader {
    /// The bytes of the tile's file; `None` where there is none. When a partial tile is absent, the
    /// full one of the same index is asked for next.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn read_tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, ReadFailure>;
}

/// Tiles in memory.
#[derive(Debug, Clone, Default)]
pub struct TileMap(BTreeMap<String, Vec<u8>>);

impl TileMap {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a file under its path within the log.
    pub fn insert(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        self.0.insert(path.into(), bytes);
    }

    /// The file of that path.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(Vec::as_slice)
    }

    /// Paths and contents in the order of paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }
}

impl TileReader for TileMap {
    fn read_tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, ReadFailure> {
        Ok(self.0.get(&tile.path()).cloned())
    }
}

/// A tile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// No such file.
    #[error("{0} is missing")]
    Missing(Tile),
    /// The file's length is not what the tree's size asks for, or an entry bundle is malformed.
    #[error("{0} is damaged")]
    Damaged(Tile),
    /// The storage failed.
    #[error("reading {0}: {1}")]
    Read(Tile, #[source] ReadFailure),
}

/// Reads the first `tile.width` items: from the partial file, or from the full one that replaced it.
fn fetch(reader: &dyn TileReader, tile: Tile) -> Result<(Vec<u8>, Tile), TileError> {
    let read = |tile: Tile| {
        reader
            .read_tile(tile)
            .map_err(|failure| TileError::Read(tile, failure))
    };
    if let Some(bytes) = read(tile)? {
        return Ok((bytes, tile));
    }
    let full = tile.full();
    match read(full)? {
        Some(bytes) if !tile.is_full() => Ok((bytes, full)),
        _ => Err(TileError::Missing(tile)),
    }
}

/// The hashes of a tile, exactly as many as its width.
///
/// # Errors
/// [`TileError`].
pub fn read_hashes(reader: &dyn TileReader, tile: Tile) -> Result<Vec<TreeHash>, TileError> {
    let (bytes, found) = fetch(reader, tile)?;
    if bytes.len() != usize::from(found.width) * TreeHash::LENGTH {
        return Err(TileError::Damaged(found));
    }
    let (chunks, _) = bytes.as_chunks::<{ TreeHash::LENGTH }>();
    let wanted = usize::from(tile.width);
    Ok(chunks.iter().take(wanted).map(|c| TreeHash(*c)).collect())
}

/// The entries of a bundle, exactly as many as its width.
///
/// # Errors
/// [`TileError`].
pub fn read_entries(reader: &dyn TileReader, tile: Tile) -> Result<Vec<Vec<u8>>, TileError> {
    let (bytes, found) = fetch(reader, tile)?;
    let mut entries = decode_bundle(&bytes).map_err(|_| TileError::Damaged(found))?;
    if entries.len() != usize::from(found.width) {
        return Err(TileError::Damaged(found));
    }
    entries.truncate(usize::from(tile.width));
    Ok(entries)
}
