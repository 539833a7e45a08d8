//! AVI: chunks of a four-letter name and a length (little-endian), padded to even places.

use std::io;

use super::{MOST_IN_HEAD, fill};
use crate::rescue::ReadAt;

/// Where the first chunk of `movi` begins.
pub fn head(source: &mut impl ReadAt) -> io::Result<Option<u64>> {
    let mut riff = [0_u8; 12];
    let is_avi = fill(source, 0, &mut riff)? && riff.starts_with(b"RIFF") && &riff[8..11] == b"AVI";
    let mut offset = 12_u64;
    for _ in 0..MOST_IN_HEAD {
        let mut header = [0_u8; 12];
        if !is_avi || !fill(source, offset, &mut header)? {
            break;
        }
        let [kind @ .., a, b, c, d, _, _, _, _] = header;
        if &kind == b"LIST" && header.ends_with(b"movi") {
            return Ok(Some(offset + 12));
        }
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        let Some(next) = offset.checked_add(8 + length + length % 2) else {
            break;
        };
        offset = next;
    }
    Ok(None)
}

/// The chunk of a stream whose data begin at `data`.
pub fn chunk(source: &mut impl ReadAt, data: u64, stream: usize) -> io::Result<Option<u64>> {
    let Some(at) = data.checked_sub(8) else {
        return Ok(None);
    };
    let mut name = [0_u8; 2];
    let digits = [b'0' + (stream / 10 % 10) as u8, b'0' + (stream % 10) as u8];
    let is_it = stream < 100 && fill(source, at, &mut name)? && name == digits;
    Ok(is_it.then_some(at))
}
