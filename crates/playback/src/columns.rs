//! Columns of numbers in few bytes: what the playback index is made of.
//!
//! A column is one word (its greatest common divisor and the way it is stored) and what that way needs.
//! Nearly all are either the same number again and again (durations), or scatter around something (sizes
//! of frames): the latter are Rice codes, within a few hundredths of a bit of what a normal distribution
//! takes. Each segment's columns are unpacked alone.

use crate::error::{Error, Result};

/// The ways to store a column; the shortest is taken.
/// All are the divisor itself: nothing more is stored.
const SAME: u64 = 0;
/// Value and count, again and again.
const REPEATS: u64 = 1;
/// One after another.
const PLAIN: u64 = 2;
/// Rice codes of the distances from the median.
const NEAR: u64 = 3;
/// Rice codes of the distances from the one before.
const STEPS: u64 = 4;
const WAYS: u64 = 8;

/// Longest unary part of a Rice code; rare far-off values have an Elias gamma code behind it.
const MOST_ONES: u32 = 6;
/// Distances of so many bits are stored plainly.
const MOST_RICE_BITS: u32 = 48;

/// Packs a column. Nothing is written for an empty one.
pub(crate) fn pack_column(values: &[u64], out: &mut Vec<u8>) {
    let (Some(first), Some(most)) = (values.first(), values.iter().max()) else {
        return;
    };
    let fits = *most < u64::MAX / WAYS;
    if fits && values.iter().all(|value| value == first) {
        return put(out, first * WAYS + SAME);
    }
    // Not all are 0 here. What is beyond the word's room is stored as it is.
    let unit = match fits {
        true => values.iter().copied().fold(0, common_divisor),
        false => 1,
    };
    let scaled: Vec<u64> = values.iter().map(|value| value / unit).collect();
    let near = near(&scaled);
    let ways = [
        Some((REPEATS, repeats(&scaled))),
        Some((PLAIN, plain(&scaled))),
        near.map(|bytes| (NEAR, bytes)),
        steps(&scaled).map(|bytes| (STEPS, bytes)),
    ];
    // Two are always there, so one of them is the shortest.
    let shortest = ways.into_iter().flatten().min_by_key(|(_, b)| b.len());
    if let Some((way, bytes)) = shortest {
        put(out, unit * WAYS + way);
        out.extend_from_slice(&bytes);
    }
}

fn repeats(values: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for same in values.chunk_by(|a, b| a == b) {
        put(&mut bytes, same[0]); // chunks are never empty
        put(&mut bytes, same.len() as u64);
    }
    bytes
}

fn plain(values: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|value| put(&mut bytes, *value));
    bytes
}

fn near(values: &[u64]) -> Option<Vec<u8>> {
    let mut sorted = values.to_vec();
    let (_, median, _) = sorted.select_nth_unstable(values.len() / 2);
    let distances = values.iter().map(|value| distance(*median, *value));
    rice(*median, distances.collect())
}

fn steps(values: &[u64]) -> Option<Vec<u8>> {
    let first = *values.first()?;
    let distances = values.windows(2).map(|pair| distance(pair[0], pair[1]));
    rice(first, distances.collect())
}

fn distance(from: u64, to: u64) -> u64 {
    zigzag(to.wrapping_sub(from).cast_signed())
}

/// Where the distances count from, how many bits are stored as they are, and the codes.
fn rice(base: u64, distances: Vec<u64>) -> Option<Vec<u8>> {
    let sum = distances
        .iter()
        .try_fold(0_u64, |sum, d| sum.checked_add(*d))?;
    if distances.iter().any(|d| d >> MOST_RICE_BITS != 0) {
        return None;
    }
    let mean = sum / (distances.len() as u64).max(1);
    // The best is within two of the mean's length.
    let about = (u64::BITS - mean.leading_zeros()).min(MOST_RICE_BITS - 3);
    let low_bits = (about.saturating_sub(3)..about + 2)
        .min_by_key(|low| distances.iter().map(|d| code_bits(*d, *low)).sum::<u64>())?;
    let mut bytes = Vec::new();
    put(&mut bytes, base);
    bytes.push(low_bits as u8);
    let mut writer = BitWriter::new(&mut bytes);
    for distance in distances {
        let high = distance >> low_bits;
        match u32::try_from(high).ok().filter(|high| *high < MOST_ONES) {
            Some(ones) => writer.put((1 << (ones + 1)) - 2, ones + 1),
            None => {
                writer.put((1 << MOST_ONES) - 1, MOST_ONES);
                let rest = high - u64::from(MOST_ONES) + 1;
                let length = u64::BITS - rest.leading_zeros();
                writer.put(0, length - 1);
                writer.put(rest, length);
            }
        }
        writer.put(distance & ((1 << low_bits) - 1), low_bits);
    }
    writer.finish();
    Some(bytes)
}

/// How many bits a distance takes.
fn code_bits(distance: u64, low_bits: u32) -> u64 {
    let high = distance >> low_bits;
    let most = u64::from(MOST_ONES);
    let unary = match high < most {
        true => high + 1,
        false => most + 2 * u64::from(u64::BITS - (high - most + 1).leading_zeros()) - 1,
    };
    unary + u64::from(low_bits)
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Unpacks a column of `count` numbers.
///
/// # Errors
/// [`Error::BadIndex`] when the bytes are not what [`pack_column`] makes.
pub(crate) fn unpack_column(bytes: &mut &[u8], count: usize) -> Result<Vec<u64>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let word = take(bytes)?;
    let (unit, way) = (word / WAYS, word % WAYS);
    let mut values: Vec<u64> = Vec::with_capacity(count);
    match way {
        SAME => values.resize(count, 1),
        REPEATS => {
            while values.len() < count {
                let (value, times) = (take(bytes)?, take_count(bytes, count - values.len())?);
                if times == 0 {
                    return Err(Error::BadIndex("a column repeats nothing"));
                }
                values.resize(values.len() + times, value);
            }
        }
        PLAIN => {
            for _ in 0..count {
                values.push(take(bytes)?);
            }
        }
        NEAR => {
            let (base, distances) = unrice(bytes, count)?;
            let value = |d: u64| base.wrapping_add(unzigzag(d).cast_unsigned());
            values.extend(distances.into_iter().map(value));
        }
        STEPS => {
            let (mut value, distances) = unrice(bytes, count - 1)?;
            values.push(value);
            for distance in distances {
                value = value.wrapping_add(unzigzag(distance).cast_unsigned());
                values.push(value);
            }
        }
        _ => return Err(Error::BadIndex("a column of an unknown kind")),
    }
    if unit != 1 {
        for value in &mut values {
            *value = value.checked_mul(unit).ok_or_else(too_large)?;
        }
    }
    Ok(values)
}

fn unrice(bytes: &mut &[u8], count: usize) -> Result<(u64, Vec<u64>)> {
    let base = take(bytes)?;
    let (low_bits, rest) = bytes.split_first().ok_or_else(ended)?;
    let low_bits = u32::from(*low_bits);
    if low_bits > MOST_RICE_BITS || count > rest.len().saturating_mul(8) {
        return Err(too_large());
    }
    let mut reader = BitReader { bytes: rest, at: 0 };
    let mut distances = Vec::with_capacity(count);
    for _ in 0..count {
        let ones = reader.ones(MOST_ONES);
        let high = match ones < MOST_ONES {
            true => u64::from(ones),
            false => reader.gamma()? + u64::from(MOST_ONES) - 1,
        };
        if high >> (MOST_RICE_BITS - low_bits) != 0 {
            return Err(too_large());
        }
        distances.push((high << low_bits) | reader.take(low_bits));
    }
    *bytes = reader.rest()?;
    Ok((base, distances))
}

struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    held: u64,
    held_bits: u32,
}

impl<'a> BitWriter<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            held: 0,
            held_bits: 0,
        }
    }

    /// The last `count` bits of `value`, at most 56.
    fn put(&mut self, value: u64, count: u32) {
        self.held = (self.held << count) | value;
        self.held_bits += count;
        while self.held_bits >= 8 {
            self.held_bits -= 8;
            self.out.push((self.held >> self.held_bits) as u8);
        }
        self.held &= (1 << self.held_bits) - 1;
    }

    fn finish(mut self) {
        if self.held_bits > 0 {
            self.put(0, 8 - self.held_bits);
        }
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    /// The next bits, of which the first 56 count. Behind the end there are zeros; [`Self::rest`] finds
    /// that out.
    fn peek(&self) -> u64 {
        let from = self.bytes.get(self.at / 8..).unwrap_or_default();
        let word = match from.first_chunk::<8>() {
            Some(word) => u64::from_be_bytes(*word),
            None => {
                let mut word = [0; 8];
                word[..from.len()].copy_from_slice(from);
                u64::from_be_bytes(word)
            }
        };
        word << (self.at % 8)
    }

    /// How many ones follow, at most so many; and the zero behind them.
    fn ones(&mut self, most: u32) -> u32 {
        let ones = self.peek().leading_ones();
        self.at += ones.min(most - 1) as usize + 1;
        ones.min(most)
    }

    /// An Elias gamma code.
    fn gamma(&mut self) -> Result<u64> {
        let zeros = self.peek().leading_zeros();
        if zeros > MOST_RICE_BITS {
            return Err(too_large());
        }
        self.at += zeros as usize;
        Ok(self.take(zeros + 1))
    }

    /// So many bits, at most 56.
    fn take(&mut self, count: u32) -> u64 {
        let word = self.peek();
        self.at += count as usize;
        match count {
            0 => 0,
            count => word >> (u64::BITS - count),
        }
    }

    /// What begins at the next whole byte.
    fn rest(&self) -> Result<&'a [u8]> {
        self.bytes.get(self.at.div_ceil(8)..).ok_or_else(ended)
    }
}

pub(crate) fn too_large() -> Error {
    Error::BadIndex("a number is too large")
}

fn ended() -> Error {
    Error::BadIndex("rows end early")
}

pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn take(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or_else(ended)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(too_large())
}

pub(crate) fn take_count(bytes: &mut &[u8], most: usize) -> Result<usize> {
    let count = usize::try_from(take(bytes)?).map_err(|_| too_large())?;
    if count > most {
        Err(too_large())
    } else {
        Ok(count)
    }
}

pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(crate) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(values: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        pack_column(values, &mut bytes);
        bytes
    }

    fn assert_unpacks(values: &[u64]) {
        let mut bytes = packed(values);
        bytes.push(0xa5);
        let mut rest = bytes.as_slice();
        assert_eq!(
            unpack_column(&mut rest, values.len()).expect("unpacks"),
            values
        );
        assert_eq!(rest, [0xa5], "what follows a column is left alone");
    }

    #[test]
    fn usual_columns_are_short() {
        assert_eq!(packed(&[512; 100]).len(), 2);
        assert_eq!(packed(&[0; 100]).len(), 1);
        assert!(packed(&[]).is_empty());
        // Alternating counts take hardly more than a bit each.
        let counts: Vec<u64> = (0..160).map(|at| 1 + u64::from(at % 4 != 0)).collect();
        assert!(packed(&counts).len() <= 32, "{}", packed(&counts).len());
        // Sizes that scatter by 64 around 400 take 8 bits, not 16.
        let sizes: Vec<u64> = (0..160).map(|at| 368 + at * 37 % 64).collect();
        assert!(packed(&sizes).len() <= 170, "{}", packed(&sizes).len());
    }

    #[test]
    fn the_largest_numbers_are_kept() {
        for values in [
            vec![u64::MAX; 3],
            vec![0, u64::MAX],
            vec![u64::MAX / 8, u64::MAX / 8],
            vec![u64::MAX - 1, 0, 1 << 63],
            vec![1 << 48, 0, (1 << 48) - 1],
            vec![1 << 46, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            vec![(1 << 60) * 3, 1 << 60],
        ] {
            assert_unpacks(&values);
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(values in prop::collection::vec(any::<u64>(), 0..60)) {
            assert_unpacks(&values);
        }

        #[test]
        fn sizes_are_packed_and_unpacked(base in 0..1_u64 << 30, spread in 1..1_u64 << 24, unit in 1..4_u64,
            scatter in prop::collection::vec(any::<u64>(), 0..300)) {
            let values: Vec<u64> = scatter.iter().map(|one| (base + one % spread) * unit).collect();
            assert_unpacks(&values);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0..400_usize) {
            let _ = unpack_column(&mut bytes.as_slice(), count);
        }
    }
}
