//! Pictures in a recording whose index (`moov`) never was written: found by their own form.
//!
//! MP4 and MOV store H.264 and H.265 as NAL units behind a length of four bytes (ISO/IEC 14496-15, 5.3.4.2).
//! Where the recorder repeats its parameter sets before keyframes, as many do, the sets and each slice's
//! beginning tell enough to find picture after picture, across sound and whatever else lies between them:
//! sound in MP4 can't be told apart from noise, and is passed over. From what was found an index is made
//! anew ([`Rescued::index`]).
//!
//! Pure Rust; every number comes from a file that may be hostile. Work and memory are bounded.

mod bits;
mod h264;
mod h265;
mod index;
mod search;
mod sets;
mod unit;

use std::io;
use std::ops::Range;

use search::Search;
use sets::Sets;

/// Most pictures: 18 hours at 30 a second.
const MOST_PICTURES: usize = 2_000_000;
/// Parameter sets are looked for in the beginning only.
const SETS_WITHIN_BYTES: u64 = 64 << 20;

/// How the pictures are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// AVC.
    H264,
    /// HEVC.
    H265,
}

/// One picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Where its first unit's length begins.
    pub offset: u64,
    /// With all lengths.
    pub size_bytes: u32,
    /// Decoding can begin here.
    pub key: bool,
    /// Its place among those shown.
    pub shown: u32,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Rescued {
    /// How the pictures are coded.
    pub codec: Codec,
    /// In the order of decoding, the first one a keyframe.
    pub pictures: Vec<Picture>,
    /// Pictures in so many seconds, where the encoder says it.
    pub rate: Option<(u32, u32)>,
    /// Parameter sets change on the way.
    pub changes: bool,
    sets: Sets,
}

/// Bytes of a recording at some offset: at most as many as fit, none at its end.
pub trait ReadAt {
    /// Reads.
    ///
    /// # Errors
    /// The source's.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}

impl ReadAt for &[u8] {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).ok().and_then(|at| self.get(at..));
        let from = from.unwrap_or_default();
        let count = from.len().min(into.len());
        into[..count].copy_from_slice(&from[..count]);
        Ok(count)
    }
}

/// Looks for pictures within these bytes. `None` when there are none that could be decoded.
///
/// # Errors
/// The source's.
pub fn scan(source: &mut impl ReadAt, within: Range<u64>) -> io::Result<Option<Rescued>> {
    let mut search = Search::new(source, within.clone());
    let sets_until = within
        .end
        .min(within.start.saturating_add(SETS_WITHIN_BYTES));
    let Some((codec, sets)) = search.sets(sets_until)? else {
        return Ok(None);
    };
    let (found, sets) = search.pictures(codec, sets, MOST_PICTURES)?;
    let pictures = shown(found, &sets);
    let rate = sets.sequence().and_then(|set| set.rate);
    let sensible = |(count, seconds): &(u32, u32)| {
        let rate = f64::from(*count) / f64::from(*seconds);
        (1.0..=240.0).contains(&rate)
    };
    Ok((!pictures.is_empty()).then_some(Rescued {
        codec,
        pictures,
        rate: rate.filter(sensible),
        changes: sets.change,
        sets,
    }))
}

/// A picture as it was found.
#[derive(Debug, Clone, Copy)]
struct Found {
    offset: u64,
    size_bytes: u32,
    slice: unit::Slice,
}

/// From the first keyframe on, with the order of showing.
fn shown(mut found: Vec<Found>, sets: &Sets) -> Vec<Picture> {
    // Encoders that refresh by other means mark none.
    if !found.iter().any(|one| one.slice.key) {
        found
            .iter_mut()
            .for_each(|one| one.slice.key = one.slice.intra);
    }
    let first = found.iter().position(|one| one.slice.key);
    found.drain(..first.unwrap_or(found.len()));
    let orders = orders(&found, sets);
    let mut by_order: Vec<usize> = (0..found.len()).collect();
    by_order.sort_by_key(|at| (orders[*at], *at));
    let mut places = vec![0_u32; found.len()];
    for (place, at) in by_order.into_iter().enumerate() {
        places[at] = place as u32; // below MOST_PICTURES
    }
    let picture = |(one, shown): (&Found, u32)| Picture {
        offset: one.offset,
        size_bytes: one.size_bytes,
        key: one.slice.key,
        shown,
    };
    found.iter().zip(places).map(picture).collect()
}

/// Which stretch from one reset to the next a picture belongs to, and when in it it is shown (H.264,
/// 8.2.1.1; H.265, 8.3.1).
fn orders(found: &[Found], sets: &Sets) -> Vec<(u32, i64)> {
    let bits = sets.sequence().map_or(0, |set| set.order_bits);
    let (mut stretch, mut before, mut high) = (0_u32, 0_i64, 0_i64);
    let mut orders = Vec::with_capacity(found.len());
    for (at, one) in found.iter().enumerate() {
        if one.slice.resets && at > 0 {
            stretch += 1;
        }
        if bits == 0 {
            orders.push((stretch, at as i64));
            continue;
        }
        if one.slice.resets {
            (before, high) = (0, 0);
        }
        let (low, span) = (i64::from(one.slice.order), 1_i64 << bits);
        let own = match low - before {
            apart if -apart >= span / 2 => high + span,
            apart if apart > span / 2 => high - span,
            _ => high,
        };
        if one.slice.is_reference {
            (before, high) = (low, own);
        }
        orders.push((stretch, own + low));
    }
    orders
}

#[cfg(test)]
mod tests;
