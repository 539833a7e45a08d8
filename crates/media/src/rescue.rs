//! MP4 and MOV whose index never was written (the power was cut): an index made anew from the pictures
//! that can be found is laid over the recording, and everything else works as with any other.
//!
//! Only the view of this process changes; the original stays what it is.

use std::io;

use docket_container::rescue::{self, Codec, ReadAt, Rescued};

use crate::fault::{Fault, Result};
use crate::layout::Layout;
use crate::opening::{Depth, open};
use crate::poster;
use crate::recording::Recording;

/// Pictures a second where nothing says how many.
const USUAL_RATE: (u32, u32) = (25, 1);

impl ReadAt for &Recording {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        Recording::read_at(self, offset, into)
    }
}

/// What was found in a recording without an index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// At so many pictures a second their times are estimated.
    pub rate: f64,
    /// Parameters change on the way: no one init segment fits all.
    pub changes: bool,
}

/// Lays an index over a recording that has none; `None` when nothing was found.
///
/// # Errors
/// The source's.
pub fn rescue(recording: &Recording, layout: &Layout) -> Result<Option<Estimate>> {
    let Some(media) = &layout.first_media else {
        return Ok(None);
    };
    let within = media.end..recording.size_bytes();
    let found = rescue::scan(&mut &*recording, within);
    let found = found.map_err(|error| Fault::Source(error.to_string()))?;
    let Some(found) = found else {
        return Ok(None);
    };
    let mut rate = found.rate.unwrap_or(USUAL_RATE);
    if !lay_over(recording, layout, &found, rate) {
        return Ok(None);
    }
    if let (Codec::H265, None) = (found.codec, found.rate)
        && let Some(told) = told(recording)?
    {
        rate = told;
        lay_over(recording, layout, &found, rate);
    }
    Ok(Some(Estimate {
        rate: f64::from(rate.0) / f64::from(rate.1),
        changes: found.changes,
    }))
}

fn lay_over(recording: &Recording, layout: &Layout, found: &Rescued, rate: (u32, u32)) -> bool {
    let (Some(media), Some(index)) = (&layout.first_media, found.index(rate)) else {
        return false;
    };
    // Fragments without an index would be refused: they are hidden.
    let hides = layout.has_fragments;
    let header = media_header(media.start, media.end, recording.size_bytes(), hides);
    let Some((offset, header)) = header else {
        return false;
    };
    recording.lay_over(offset, header, index);
    true
}

/// Where, and which: a header of the media data that ends where the recording does.
fn media_header(start: u64, content: u64, size_bytes: u64, hides: bool) -> Option<(u64, Vec<u8>)> {
    let long = |from: u64| {
        let mut header = 1_u32.to_be_bytes().to_vec();
        header.extend(b"mdat");
        header.extend((size_bytes - from).to_be_bytes());
        header
    };
    if !hides && content - start >= 16 {
        return Some((start, long(start)));
    }
    if let (false, Ok(length)) = (hides, u32::try_from(size_bytes - start)) {
        return Some((start, length.to_be_bytes().to_vec()));
    }
    // A longer one takes the room of what is before, which nobody needs.
    let before = u32::try_from(content.checked_sub(16)?).ok()?;
    if before >= MOST_BEFORE {
        return None;
    }
    let mut header = Vec::new();
    if before > 0 {
        header.extend(before.to_be_bytes());
        header.extend(b"free");
        header.resize((before >= 8).then_some(before as usize)?, 0);
    }
    header.extend(long(content - 16));
    Some((0, header))
}

/// Most bytes before the media data that are laid over.
const MOST_BEFORE: u32 = 1 << 20;

/// The rate that H.265 says deep in its parameter sets, which its decoder understands.
fn told(recording: &Recording) -> Result<Option<(u32, u32)>> {
    let input = match open(recording, Depth::Container) {
        Ok(input) => input,
        Err(fault @ (Fault::Source(_) | Fault::OutOfMemory)) => return Err(fault),
        Err(_) => return Ok(None),
    };
    let stream = input.streams().next();
    let rate = stream.and_then(|stream| poster::decoder(&stream).ok()?.frame_rate());
    let part = |number: i32| u32::try_from(number).ok().filter(|number| *number > 0);
    Ok(rate.and_then(|rate| {
        let told = (part(rate.numerator())?, part(rate.denominator())?);
        (1.0..=240.0).contains(&f64::from(rate)).then_some(told)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_data_ends_with_the_recording() {
        let (at, header) = media_header(24, 32, 1_000, false).expect("a header");
        assert_eq!((at, header), (24, 976_u32.to_be_bytes().to_vec()));
        let (at, header) = media_header(24, 40, 1_000, false).expect("a header");
        assert_eq!(
            (at, header.len(), &header[8..]),
            (24, 16, &976_u64.to_be_bytes()[..])
        );
        let large = 5_u64 << 30;
        let (at, header) = media_header(32, 40, large, false).expect("a header");
        assert_eq!(
            (at, header.len(), &header[..8]),
            (0, 40, &[0, 0, 0, 24, b'f', b'r', b'e', b'e'][..])
        );
        assert_eq!(header[32..], (large - 24).to_be_bytes());
        assert_eq!(
            media_header(8, 16, large, false).expect("a header").1.len(),
            16
        );
        assert_eq!(media_header(12, 20, large, false), None);
        let (at, hidden) = media_header(92, 100, 1_000, true).expect("a header");
        assert_eq!(
            (at, hidden.len(), &hidden[84..92]),
            (0, 100, &[0, 0, 0, 1, b'm', b'd', b'a', b't'][..])
        );
    }
}
