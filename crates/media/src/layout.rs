//! The top-level boxes of an MP4 or MOV (ISO/IEC 14496-12, 4.2): enough to say why one can't be opened,
//! and where its media data lies. Everything below is FFmpeg's.

use std::ops::Range;

use crate::fault::{Fault, Result};
use crate::recording::Recording;

/// Boxes looked at; a fragmented recording has two for each fragment.
const MAX_BOXES: usize = 8192;

/// What the top level looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// It begins like an MP4 or MOV.
    pub is_iso: bool,
    /// There is a `moov`, or a part of one.
    pub has_moov: bool,
    /// There are fragments.
    pub has_fragments: bool,
    /// The last box claims bytes that aren't there.
    pub is_cut: bool,
    /// Where that box begins: up to here everything is whole.
    pub cut_at: Option<u64>,
    /// The header of the first `mdat`: its content begins where this ends.
    pub first_media: Option<Range<u64>>,
    /// Contents of `mdat` boxes that lie in the file, in order.
    pub media_data: Vec<Range<u64>>,
}

const KNOWN: [&[u8; 4]; 11] = [
    b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx",
    b"uuid",
];

/// Walks the top level.
///
/// # Errors
/// When the source fails.
pub fn read(recording: &Recording) -> Result<Layout> {
    let mut layout = Layout::default();
    let size_bytes = recording.seen_bytes();
    let mut offset = 0_u64;
    for number in 0..MAX_BOXES {
        let Some((kind, header_bytes, box_bytes)) = header_at(recording, offset)? else {
            break;
        };
        if number == 0 {
            layout.is_iso = KNOWN.contains(&&kind);
        }
        if !layout.is_iso {
            break;
        }
        let end = match box_bytes {
            0 => size_bytes, // up to the end of the file
            length if length < header_bytes => break,
            length => offset.saturating_add(length),
        };
        layout.has_moov |= &kind == b"moov";
        layout.has_fragments |= &kind == b"moof";
        layout.is_cut = end > size_bytes;
        layout.cut_at = layout.is_cut.then_some(offset);
        if &kind == b"mdat" {
            let header = offset..offset + header_bytes;
            layout.first_media.get_or_insert(header);
        }
        let content = offset + header_bytes..end.min(size_bytes);
        if &kind == b"mdat" && content.start < content.end {
            layout.media_data.push(content);
        }
        if end >= size_bytes {
            break;
        }
        offset = end;
    }
    Ok(layout)
}

/// Kind, length of the header and of the whole box (0: to the end).
fn header_at(recording: &Recording, offset: u64) -> Result<Option<([u8; 4], u64, u64)>> {
    let mut short = [0_u8; 8];
    if !fill(recording, offset, &mut short)? {
        return Ok(None);
    }
    let [a, b, c, d, kind @ ..] = short;
    let length = u32::from_be_bytes([a, b, c, d]);
    if length != 1 {
        return Ok(Some((kind, 8, u64::from(length))));
    }
    let mut long = [0_u8; 8];
    if !fill(recording, offset + 8, &mut long)? {
        return Ok(None);
    }
    // A 64-bit length of 0 has no meaning; as 1 it ends the walk.
    Ok(Some((kind, 16, u64::from_be_bytes(long).max(1))))
}

fn fill(recording: &Recording, offset: u64, into: &mut [u8]) -> Result<bool> {
    recording
        .fill_at(offset, into)
        .map_err(|error| Fault::Source(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn layout_of(bytes: &[u8]) -> Layout {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("writes");
        let size_bytes = bytes.len() as u64;
        read(&Recording::from_descriptor(file.into(), size_bytes)).expect("reads")
    }

    fn boxed(kind: &[u8; 4], claimed: u32, content: usize) -> Vec<u8> {
        let mut bytes = claimed.to_be_bytes().to_vec();
        bytes.extend_from_slice(kind);
        bytes.resize(8 + content, 0);
        bytes
    }

    #[test]
    fn a_recording_cut_off_before_its_moov() {
        let mut bytes = boxed(b"ftyp", 16, 8);
        bytes.extend(boxed(b"mdat", 1000, 92));
        let layout = layout_of(&bytes);
        assert!(layout.is_iso && layout.is_cut && !layout.has_moov);
        assert_eq!(layout.media_data, vec![24..116]);
    }

    #[test]
    fn a_size_of_zero_goes_to_the_end() {
        let mut bytes = boxed(b"moov", 8, 0);
        bytes.extend(boxed(b"mdat", 0, 5));
        let layout = layout_of(&bytes);
        assert!(layout.has_moov && !layout.is_cut);
        assert_eq!(layout.media_data, vec![16..21]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            layout_of(&bytes);
            bytes.splice(0..0, boxed(b"ftyp", 8, 0));
            let layout = layout_of(&bytes);
            prop_assert!(layout.media_data.iter().all(|r| r.start < r.end && r.end <= bytes.len() as u64));
        }
    }
}
