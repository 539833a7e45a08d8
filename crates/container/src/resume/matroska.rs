//! Matroska: elements of an ID and a length, both of variable size (RFC 8794). Clusters hold blocks, each
//! with a time relative to its cluster's: reading goes on from a cluster only (RFC 9559, 5.1.3).

use std::io;

use super::{MOST_IN_HEAD, fill};
use crate::rescue::ReadAt;

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const SIMPLE_BLOCK: u32 = 0xa3;
/// A cluster begins at most so long before a block of it.
const MOST_BACK: u64 = 32 << 20;
/// Bytes looked through at once.
const WINDOW: u64 = 64 << 10;
/// Elements looked at for one block, whatever the file says: a cluster has a few thousand.
const MOST_ELEMENTS: usize = 1 << 18;

#[derive(Clone, Copy)]
struct Element {
    id: u32,
    data: u64,
    /// `None`: as far as its parent.
    end: Option<u64>,
}

/// Where the first cluster begins.
pub fn head(source: &mut impl ReadAt) -> io::Result<Option<u64>> {
    let first = element(source, 0)?.filter(|first| first.id == EBML);
    let Some(after) = first.and_then(|first| first.end) else {
        return Ok(None);
    };
    let segment = element(source, after)?.filter(|segment| segment.id == SEGMENT);
    let mut next = segment.map(|segment| segment.data);
    for _ in 0..MOST_IN_HEAD {
        let Some(at) = next else { break };
        let found = element(source, at)?;
        if found.is_some_and(|found| found.id == CLUSTER) {
            return Ok(Some(at));
        }
        next = found.and_then(|found| found.end);
    }
    Ok(None)
}

/// The cluster, none before `least`, with a block whose data begin at `data`.
pub fn cluster(source: &mut impl ReadAt, least: u64, data: u64) -> io::Result<Option<u64>> {
    let mut elements = MOST_ELEMENTS;
    let least = least.max(data.saturating_sub(MOST_BACK));
    let mut until = data;
    let name = CLUSTER.to_be_bytes();
    while until > least {
        let from = until.saturating_sub(WINDOW).max(least);
        // A name may go on behind the window.
        let mut bytes = vec![0_u8; (until - from) as usize + name.len() - 1];
        if !fill(source, from, &mut bytes)? {
            return Ok(None);
        }
        let names = bytes.windows(name.len()).enumerate().rev();
        for (at, _) in names.filter(|(_, bytes)| *bytes == name) {
            let begin = from + at as u64;
            if holds(source, begin, data, &mut elements)? {
                return Ok(Some(begin));
            }
        }
        until = from;
    }
    Ok(None)
}

/// Whether a cluster begins there, whose elements lead to the block. The same bytes in the middle of a
/// picture don't.
fn holds(
    source: &mut impl ReadAt,
    begin: u64,
    data: u64,
    elements: &mut usize,
) -> io::Result<bool> {
    let mut next = element(source, begin)?.map(|cluster| cluster.data);
    while let Some(at) = next.filter(|at| *at < data) {
        let Some(left) = elements.checked_sub(1) else {
            return Ok(false);
        };
        *elements = left;
        let Some(found) = element(source, at)?.filter(|found| found.id != CLUSTER) else {
            return Ok(false);
        };
        if found.data == data && matches!(found.id, SIMPLE_BLOCK | BLOCK) {
            return Ok(true);
        }
        let is_within = found.id == BLOCK_GROUP && found.end.is_none_or(|end| end > data);
        next = match is_within {
            true => Some(found.data),
            false => found.end,
        };
    }
    Ok(false)
}

fn element(source: &mut impl ReadAt, at: u64) -> io::Result<Option<Element>> {
    let Some((id, id_bytes)) = number(source, at, 4)? else {
        return Ok(None);
    };
    let Some((length, length_bytes)) = number(source, at + id_bytes, 8)? else {
        return Ok(None);
    };
    let value_bits = 7 * length_bytes;
    let value = length & ((1 << value_bits) - 1);
    let data = at + id_bytes + length_bytes;
    let is_unknown = value == (1 << value_bits) - 1;
    let end = match is_unknown {
        true => None,
        // A length beyond what can be counted goes nowhere.
        false => Some(data.saturating_add(value)),
    };
    let id = u32::try_from(id).unwrap_or(0); // four bytes at most
    Ok(Some(Element { id, data, end }))
}

/// A number with its marker bit, and how many bytes it takes; `None` where there is none.
fn number(source: &mut impl ReadAt, at: u64, most: usize) -> io::Result<Option<(u64, u64)>> {
    let mut first = [0_u8; 1];
    if at.checked_add(16).is_none() || !fill(source, at, &mut first)? {
        return Ok(None);
    }
    let bytes = first[0].leading_zeros() as usize + 1;
    let mut all = [0_u8; 8];
    if bytes > most || !fill(source, at, &mut all[8 - bytes..])? {
        return Ok(None);
    }
    Ok(Some((u64::from_be_bytes(all), bytes as u64)))
}
