//! ITU-T H.265, 7.3: parameter sets and the beginning of slices.

use super::bits::Bits;
use super::sets::Sets;
use super::unit::{PictureSet, Sequence, Set, Slice, Unit};

const LARGEST: u32 = 16_384;

/// A unit by its first bytes; `None` when it makes no sense.
pub(super) fn unit(unit: &[u8], sets: &Sets) -> Option<Unit> {
    let (header, payload) = unit.split_at_checked(2)?;
    let (kind, layer) = (
        header[0] >> 1,
        u32::from(header[0] & 1) << 5 | u32::from(header[1] >> 3),
    );
    let below_top = header[1] & 7;
    if header[0] & 0x80 != 0 || layer != 0 || below_top == 0 {
        return None;
    }
    match kind {
        0..=9 | 16..=21 => slice(payload, kind, sets),
        32 => (payload.len() > 4).then_some(Unit::Set(Set::Video)),
        33 => sequence(payload).map(|set| Unit::Set(Set::Sequence(set))),
        34 => picture(payload).map(|set| Unit::Set(Set::Picture(set))),
        35 if payload.len() == 1 => Some(Unit::Lead),
        36 | 37 if payload.is_empty() => Some(Unit::Tail),
        38 if payload
            .iter()
            .take(8)
            .all(|byte| matches!(byte, 0xff | 0x80)) =>
        {
            Some(Unit::Tail)
        }
        39 => Some(Unit::Lead),
        40 => Some(Unit::Tail),
        _ => None,
    }
}

fn sequence(payload: &[u8]) -> Option<Sequence> {
    let mut bits = Bits::of(payload);
    bits.skip(4);
    let further_layers = bits.bits(3).filter(|layers| *layers <= 6)?;
    bits.bit()?;
    bits.skip(96); // general profile, tier and level
    let mut of_layers = Vec::new();
    for _ in 0..further_layers {
        of_layers.push((bits.bit()?, bits.bit()?));
    }
    if further_layers > 0 {
        bits.skip(2 * (8 - further_layers as usize));
    }
    for (profile, level) in of_layers {
        bits.skip(88 * usize::from(profile) + 8 * usize::from(level));
    }
    let id = bits.at_most(15)?;
    let colours = bits.at_most(3)?;
    let separate_planes = colours == 3 && bits.bit()?;
    let (mut width, mut height) = (bits.at_most(LARGEST)?, bits.at_most(LARGEST)?);
    if bits.bit()? {
        let step_x = if matches!(colours, 1 | 2) { 2 } else { 1 };
        let step_y = if colours == 1 { 2 } else { 1 };
        let mut cut = || bits.at_most(LARGEST);
        let (left, right, top, bottom) = (cut()?, cut()?, cut()?, cut()?);
        width = width.checked_sub((left + right) * step_x)?;
        height = height.checked_sub((top + bottom) * step_y)?;
    }
    bits.at_most(8)?;
    bits.at_most(8)?;
    let order_bits = bits.at_most(12)? + 4;
    (width >= 16 && height >= 16).then_some(Sequence {
        id,
        width,
        height,
        frame_number_bits: 0,
        order_bits,
        separate_planes,
        frames_only: true,
        rate: None,
    })
}

fn picture(payload: &[u8]) -> Option<PictureSet> {
    let mut bits = Bits::of(payload);
    let (id, sequence) = (bits.at_most(63)?, bits.at_most(15)?);
    bits.bit()?;
    Some(PictureSet {
        id,
        sequence,
        says_output: bits.bit()?,
        extra_bits: bits.bits(3)?,
    })
}

fn slice(payload: &[u8], kind: u8, sets: &Sets) -> Option<Unit> {
    let mut bits = Bits::of(payload.get(..payload.len().min(40))?);
    let is_first = bits.bit()?;
    let key = kind >= 16;
    if key {
        bits.bit()?;
    }
    let (picture, sequence) = sets.of_picture(bits.at_most(63)?)?;
    if !is_first {
        return Some(Unit::More);
    }
    bits.skip(picture.extra_bits as usize);
    let intra = bits.at_most(2)? == 2;
    if key && !intra {
        return None;
    }
    if picture.says_output {
        bits.bit()?;
    }
    if sequence.separate_planes {
        bits.skip(2);
    }
    let resets = matches!(kind, 19 | 20);
    let order = match resets {
        true => 0,
        false => bits.bits(sequence.order_bits)?,
    };
    Some(Unit::Picture(Slice {
        key,
        resets,
        intra,
        // Of the lowest kinds the even ones are predicted from by none of their own layer.
        is_reference: kind >= 16 || kind % 2 == 1,
        frame_number: 0,
        order,
    }))
}
