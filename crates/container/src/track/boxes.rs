//! Boxes inside a file (ISO/IEC 14496-12, 4.2), found by their headers alone.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::{FIRST, fill, header_at};

/// Boxes looked at on one level.
const MOST_BOXES: usize = 4096;

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) kind: [u8; 4],
    /// What is in it.
    pub(super) body: Range<u64>,
}

/// The `moov` of a file that begins like an MP4 or MOV. Nothing behind it is looked at.
pub(super) fn moov(source: &mut (impl Read + Seek), size_bytes: u64) -> io::Result<Option<Span>> {
    let mut is_first = true;
    let found = first(source, &(0..size_bytes), |one| {
        if std::mem::take(&mut is_first) && !FIRST.contains(&&one.kind) {
            return Some(false);
        }
        (&one.kind == b"moov").then_some(true)
    })?;
    Ok(found.filter(|one| &one.kind == b"moov"))
}

/// The boxes inside. What makes no sense ends them.
pub(super) fn children(
    source: &mut (impl Read + Seek),
    within: &Range<u64>,
) -> io::Result<Vec<Span>> {
    let mut all = Vec::new();
    first(source, within, |one| {
        all.push(one.clone());
        None
    })?;
    Ok(all)
}

/// The box of this kind inside.
pub(super) fn child(
    source: &mut (impl Read + Seek),
    within: &Range<u64>,
    kind: &[u8; 4],
) -> io::Result<Option<Span>> {
    first(source, within, |one| (&one.kind == kind).then_some(true))
}

/// The box at which `stop` says to stop.
fn first(
    source: &mut (impl Read + Seek),
    within: &Range<u64>,
    mut stop: impl FnMut(&Span) -> Option<bool>,
) -> io::Result<Option<Span>> {
    let mut offset = within.start;
    for _ in 0..MOST_BOXES {
        if offset >= within.end {
            break;
        }
        let Some(header) = header_at(source, offset, within.end)? else {
            break;
        };
        let end = match header.box_bytes {
            0 => within.end,
            length => offset.saturating_add(length),
        };
        let start = offset + header.bytes;
        if end < start || end > within.end {
            break;
        }
        let one = Span {
            kind: header.kind,
            body: start..end,
        };
        if stop(&one).is_some() {
            return Ok(Some(one));
        }
        offset = end;
    }
    Ok(None)
}

/// So many bytes; `None` when the file ends before.
pub(super) fn bytes(
    source: &mut (impl Read + Seek),
    offset: u64,
    count: u64,
) -> io::Result<Option<Vec<u8>>> {
    source.seek(SeekFrom::Start(offset))?;
    let mut out = Vec::new();
    // Grows as bytes come, so that a lying length costs nothing.
    source.by_ref().take(count).read_to_end(&mut out)?;
    Ok((out.len() as u64 == count).then_some(out))
}

/// What is in a box, of which `most` bytes are wanted at most.
pub(super) fn body(source: &mut (impl Read + Seek), one: &Span, most: u64) -> io::Result<Vec<u8>> {
    let count = (one.body.end - one.body.start).min(most);
    Ok(bytes(source, one.body.start, count)?.unwrap_or_default())
}

/// The beginning of a stretch.
pub(super) fn head<const N: usize>(
    source: &mut (impl Read + Seek),
    offset: u64,
) -> io::Result<Option<[u8; N]>> {
    source.seek(SeekFrom::Start(offset))?;
    let mut out = [0; N];
    Ok(fill(source, &mut out)?.then_some(out))
}

/// A big-endian number.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(array(bytes, at)?))
}

/// A big-endian number.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(array(bytes, at)?))
}

/// A big-endian number.
pub(super) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(array(bytes, at)?))
}

/// So many bytes from there on.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}
