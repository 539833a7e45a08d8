//! Edit lists (ISO/IEC 14496-12, 8.6.6) in an init segment: where in a track its time 0 lies.

use docket_playback::facts::ReasonCode;

use crate::fault::Result;

/// `edts` with one `elst` of one entry.
const EDIT_BYTES: usize = 8 + 8 + 8 + 12;

/// The init segment with an edit for each track that begins before 0, by so many of its ticks.
///
/// # Errors
/// When it is no init segment of these tracks.
pub fn with_edits(init: Vec<u8>, leads: &[u32]) -> Result<Vec<u8>> {
    if leads.iter().all(|lead| *lead == 0) {
        return Ok(init);
    }
    edited(&init, leads).ok_or_else(|| ReasonCode::IndexDamaged.into())
}

fn edited(init: &[u8], leads: &[u32]) -> Option<Vec<u8>> {
    let moov = boxes(init, 0..init.len()).find(|one| &one.kind == b"moov")?;
    let tracks = boxes(init, moov.start + 8..moov.end).filter(|one| &one.kind == b"trak");
    let tracks: Vec<Place> = tracks.collect();
    if tracks.len() != leads.len() {
        return None;
    }
    let mut out = init.to_vec();
    // From the last on, so that places before it stay.
    for (track, lead) in tracks
        .iter()
        .zip(leads)
        .rev()
        .filter(|(_, lead)| **lead > 0)
    {
        let header = boxes(init, track.start + 8..track.end).find(|one| &one.kind == b"tkhd")?;
        lengthen(&mut out, track.start)?;
        lengthen(&mut out, moov.start)?;
        out.splice(header.end..header.end, edit(*lead));
    }
    Some(out)
}

fn lengthen(out: &mut [u8], start: usize) -> Option<()> {
    let field = out.get_mut(start..start + 4)?;
    let length = u32::from_be_bytes(field.try_into().ok()?);
    let longer = length.checked_add(EDIT_BYTES as u32)?;
    field.copy_from_slice(&longer.to_be_bytes());
    Some(())
}

fn edit(lead: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(EDIT_BYTES);
    bytes.extend((EDIT_BYTES as u32).to_be_bytes());
    bytes.extend(b"edts");
    bytes.extend((EDIT_BYTES as u32 - 8).to_be_bytes());
    bytes.extend(b"elst");
    // Version 0; one entry; up to the end, of whatever length; from `lead` on; at the usual rate.
    for word in [0, 1, 0, lead, 0x1_0000] {
        bytes.extend(word.to_be_bytes());
    }
    bytes
}

struct Place {
    kind: [u8; 4],
    start: usize,
    end: usize,
}

fn boxes(bytes: &[u8], within: std::ops::Range<usize>) -> impl Iterator<Item = Place> {
    let mut at = within.start;
    std::iter::from_fn(move || {
        let header = bytes.get(at..at.checked_add(8)?)?;
        let length = u32::from_be_bytes(header[..4].try_into().ok()?);
        let end = at.checked_add(usize::try_from(length).ok()?)?;
        if length < 8 || end > within.end {
            return None;
        }
        let kind = header[4..].try_into().ok()?;
        let start = std::mem::replace(&mut at, end);
        Some(Place { kind, start, end })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut bytes = (content.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(content);
        bytes
    }

    #[test]
    fn only_the_track_that_begins_early_gets_an_edit() {
        let track = [boxed(b"tkhd", b"head"), boxed(b"mdia", b"media")].concat();
        let init = |second: &[u8]| {
            let moov = [boxed(b"trak", &track), boxed(b"trak", second)].concat();
            [boxed(b"ftyp", b"iso5"), boxed(b"moov", &moov)].concat()
        };
        let edited = [
            boxed(b"tkhd", b"head"),
            edit(1024),
            boxed(b"mdia", b"media"),
        ]
        .concat();
        assert_eq!(
            with_edits(init(&track), &[0, 1024]).expect("edits"),
            init(&edited)
        );
        assert_eq!(
            with_edits(init(&track), &[0, 0]).expect("same"),
            init(&track)
        );
        assert!(with_edits(init(&track), &[7]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = with_edits(bytes, &[1]);
        }
    }
}
