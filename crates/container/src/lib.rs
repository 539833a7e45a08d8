//! The top level of MP4 and MOV files (ISO/IEC 14496-12, 4.2): where the index (`moov`) lies, and which
//! stretch of a file to send ahead of its upload so that it plays from its first bytes on; and where a recording was
//! made ([`track`]).
//!
//! And what is left of those whose index never was written ([`rescue`]). Of AVI and Matroska where reading can
//! go on in the middle without their index ([`resume`]).
//!
//! Pure Rust, no allocation that a file decides, a bounded number of reads. Only headers are read;
//! everything in a file is hostile, and what makes no sense ends the walk.

pub mod rescue;
pub mod resume;
pub mod track;

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// Longest stretch that a daemon takes as a hint.
pub const MOST_HINT_BYTES: u64 = 32 << 20;
/// Boxes looked at; a fragmented recording has two for each fragment.
const MOST_BOXES: usize = 4096;

/// Boxes that a file may begin with.
const FIRST: [&[u8; 4]; 11] = [
    b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx",
    b"uuid",
];

/// What the top level looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopLevel {
    /// The file's size.
    pub size_bytes: u64,
    /// It begins like an MP4 or MOV.
    pub is_iso: bool,
    /// The first `moov`, header included, when all of it is there.
    pub moov: Option<Range<u64>>,
    /// Where the first `mdat` begins.
    pub first_media_data: Option<u64>,
    /// Where the last `mdat` before the `moov` ends.
    pub media_data_end: Option<u64>,
    /// There are fragments (`moof`): such a file needs nothing sent ahead.
    pub has_fragments: bool,
    /// The last box claims bytes that aren't there, or something that is no box follows.
    pub is_cut: bool,
}

impl TopLevel {
    /// Whether the index comes after the media data.
    pub fn is_index_last(&self) -> bool {
        match (&self.moov, self.first_media_data) {
            (Some(moov), Some(media)) => media < moov.start,
            _ => false,
        }
    }

    /// The stretch to send ahead: `moov`, with the small boxes between it and the media data, so that
    /// whoever walks the file finds it. `None` when nothing has to be sent, or when it is too long.
    pub fn hint(&self) -> Option<Range<u64>> {
        let moov = self.moov.clone()?;
        if !self.is_index_last() || self.has_fragments {
            return None;
        }
        let from = self.media_data_end.unwrap_or(moov.start).min(moov.start);
        let fits = |range: &Range<u64>| range.end - range.start <= MOST_HINT_BYTES;
        Some(from..moov.end)
            .filter(fits)
            .or(Some(moov))
            .filter(fits)
    }
}

/// A box's header.
struct Header {
    kind: [u8; 4],
    /// Of the header itself.
    bytes: u64,
    /// Of the whole box; 0: up to the end of the file.
    box_bytes: u64,
}

/// Walks the top level.
///
/// # Errors
/// What the source says. A file that makes no sense is no error: see [`TopLevel::is_iso`] and
/// [`TopLevel::is_cut`].
pub fn walk(source: &mut (impl Read + Seek)) -> io::Result<TopLevel> {
    let size_bytes = source.seek(SeekFrom::End(0))?;
    let mut top = TopLevel {
        size_bytes,
        ..TopLevel::default()
    };
    let mut offset = 0_u64;
    for number in 0..MOST_BOXES {
        if offset >= size_bytes {
            return Ok(top);
        }
        let Some(header) = header_at(source, offset, size_bytes)? else {
            break;
        };
        if number == 0 {
            top.is_iso = FIRST.contains(&&header.kind);
        }
        // Printable or a vendor's © mark: anything else is junk behind the last box.
        let is_box = header.kind.iter().all(|b| matches!(b, 0x20..=0x7e | 0xa9));
        if !top.is_iso || !is_box {
            break;
        }
        let end = match header.box_bytes {
            0 => size_bytes,
            length if length < header.bytes => break,
            length => offset.saturating_add(length),
        };
        top.note(&header.kind, offset..end);
        if end > size_bytes {
            break;
        }
        offset = end;
    }
    top.is_cut = true;
    Ok(top)
}

impl TopLevel {
    fn note(&mut self, kind: &[u8; 4], place: Range<u64>) {
        match kind {
            b"moof" => self.has_fragments = true,
            b"mdat" => {
                self.first_media_data.get_or_insert(place.start);
                if self.moov.is_none() {
                    self.media_data_end = Some(place.end.min(self.size_bytes));
                }
            }
            b"moov" if self.moov.is_none() && place.end <= self.size_bytes => {
                self.moov = Some(place);
            }
            _ => {}
        }
    }
}

fn header_at(
    source: &mut (impl Read + Seek),
    offset: u64,
    size_bytes: u64,
) -> io::Result<Option<Header>> {
    if size_bytes - offset < 8 {
        return Ok(None);
    }
    source.seek(SeekFrom::Start(offset))?;
    let mut short = [0_u8; 8];
    if !fill(source, &mut short)? {
        return Ok(None);
    }
    let [a, b, c, d, kind @ ..] = short;
    let length = u32::from_be_bytes([a, b, c, d]);
    if length != 1 {
        return Ok(Some(Header {
            kind,
            bytes: 8,
            box_bytes: u64::from(length),
        }));
    }
    let mut long = [0_u8; 8];
    if !fill(source, &mut long)? {
        return Ok(None);
    }
    Ok(Some(Header {
        kind,
        bytes: 16,
        // A 64-bit length of 0 has no meaning; as 1 it ends the walk.
        box_bytes: u64::from_be_bytes(long).max(1),
    }))
}

/// Whether all of `into` could be read: the file may shrink while it is walked.
fn fill(source: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match source.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
