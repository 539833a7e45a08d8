//! ITU-T H.264, 7.3: parameter sets and the beginning of slices.

use super::bits::Bits;
use super::sets::Sets;
use super::unit::{PictureSet, Sequence, Set, Slice, Unit};

/// Profiles whose sequence parameter set says more of colours (7.3.2.1.1).
const HIGH: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
const LARGEST: u32 = 16_384;

/// A unit by its first bytes; `None` when it makes no sense.
pub(super) fn unit(unit: &[u8], sets: &Sets) -> Option<Unit> {
    let (header, payload) = unit.split_first()?;
    let (importance, kind) = (header >> 5 & 3, header & 0x1f);
    if header & 0x80 != 0 {
        return None;
    }
    match (kind, importance) {
        (1, _) | (5, 1..) => slice(payload, kind == 5, importance > 0, sets),
        (6, 0) => Some(Unit::Lead),
        (7, 1..) => sequence(payload).map(|set| Unit::Set(Set::Sequence(set))),
        (8, 1..) => picture(payload).map(|set| Unit::Set(Set::Picture(set))),
        (9, 0) if payload.len() == 1 => Some(Unit::Lead),
        (10 | 11, 0) if payload.is_empty() => Some(Unit::Tail),
        (12, 0)
            if payload
                .iter()
                .take(8)
                .all(|byte| matches!(byte, 0xff | 0x80)) =>
        {
            Some(Unit::Tail)
        }
        _ => None,
    }
}

fn sequence(payload: &[u8]) -> Option<Sequence> {
    let mut bits = Bits::of(payload);
    let profile = bits.bits(8)?;
    bits.skip(16);
    let id = bits.at_most(31)?;
    let mut planes = (1, false);
    if HIGH.contains(&profile) {
        planes.0 = bits.at_most(3)?;
        planes.1 = planes.0 == 3 && bits.bit()?;
        bits.at_most(6)?;
        bits.at_most(6)?;
        bits.bit()?;
        if bits.bit()? {
            scaling_lists(&mut bits, if planes.0 == 3 { 12 } else { 8 })?;
        }
    }
    let frame_number_bits = bits.at_most(12)? + 4;
    let order_bits = match bits.at_most(2)? {
        0 => bits.at_most(12)? + 4,
        1 => {
            bits.bit()?;
            bits.signed()?;
            bits.signed()?;
            for _ in 0..bits.at_most(255)? {
                bits.signed()?;
            }
            0
        }
        _ => 0,
    };
    bits.at_most(16)?;
    bits.bit()?;
    let (across, down) = (bits.at_most(1023)? + 1, bits.at_most(1023)? + 1);
    let frames_only = bits.bit()?;
    if !frames_only {
        bits.bit()?;
    }
    bits.bit()?;
    let (mut width, mut height) = (across * 16, down * 16 * (2 - u32::from(frames_only)));
    if bits.bit()? {
        let step_x = if matches!(planes.0, 1 | 2) { 2 } else { 1 };
        let step_y = if planes.0 == 1 { 2 } else { 1 } * (2 - u32::from(frames_only));
        let mut cut = || bits.at_most(LARGEST);
        let (left, right, top, bottom) = (cut()?, cut()?, cut()?, cut()?);
        width = width.checked_sub((left + right) * step_x)?;
        height = height.checked_sub((top + bottom) * step_y)?;
    }
    let sensible = |side: u32| (16..=LARGEST).contains(&side);
    if !sensible(width) || !sensible(height) {
        return None;
    }
    let rate = match bits.bit()? {
        true => rate(&mut bits),
        false => None,
    };
    Some(Sequence {
        id,
        width,
        height,
        frame_number_bits,
        order_bits,
        separate_planes: planes.1,
        frames_only,
        rate,
    })
}

fn scaling_lists(bits: &mut Bits, count: usize) -> Option<()> {
    for list in 0..count {
        if !bits.bit()? {
            continue;
        }
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                next = (last + bits.signed()? + 256).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
    }
    Some(())
}

/// Of the usability information (E.1.1).
fn rate(bits: &mut Bits) -> Option<(u32, u32)> {
    if bits.bit()? && bits.bits(8)? == 255 {
        bits.skip(32);
    }
    if bits.bit()? {
        bits.bit()?;
    }
    if bits.bit()? {
        bits.skip(4);
        if bits.bit()? {
            bits.skip(24);
        }
    }
    if bits.bit()? {
        bits.number()?;
        bits.number()?;
    }
    if !bits.bit()? {
        return None;
    }
    // Ticks of fields: a picture takes two.
    let (units, scale) = (bits.bits(32)?, bits.bits(32)?);
    Some((scale, units.checked_mul(2)?))
}

fn picture(payload: &[u8]) -> Option<PictureSet> {
    let mut bits = Bits::of(payload);
    Some(PictureSet {
        id: bits.at_most(255)?,
        sequence: bits.at_most(31)?,
        extra_bits: 0,
        says_output: false,
    })
}

fn slice(payload: &[u8], resets: bool, is_reference: bool, sets: &Sets) -> Option<Unit> {
    let mut bits = Bits::of(payload.get(..payload.len().min(40))?);
    let first = bits.number()?;
    let kind = bits.at_most(9)?;
    let (_, sequence) = sets.of_picture(bits.at_most(255)?)?;
    let intra = matches!(kind % 5, 2 | 4);
    if resets && !intra {
        return None;
    }
    if sequence.separate_planes {
        bits.skip(2);
    }
    let frame_number = bits.bits(sequence.frame_number_bits)?;
    let is_second_field = !sequence.frames_only && bits.bit()? && bits.bit()?;
    if first > 0 || is_second_field {
        return Some(Unit::More);
    }
    if resets {
        bits.at_most(65_535)?;
    }
    let order = bits.bits(sequence.order_bits)?;
    (!resets || frame_number == 0).then_some(Unit::Picture(Slice {
        key: resets,
        resets,
        intra: kind == 7 || kind == 9 || resets,
        is_reference,
        frame_number,
        order,
    }))
}
