use proptest::prelude::*;

use super::*;

/// Bits as an encoder writes them.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    bits: usize,
}

impl Written {
    fn of(header: &[u8]) -> Self {
        Self {
            bytes: header.to_vec(),
            bits: 0,
        }
    }

    fn bits(mut self, value: u32, count: u32) -> Self {
        for at in (0..count).rev() {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> at & 1) as u8) << (7 - self.bits % 8);
            self.bits += 1;
        }
        self
    }

    fn number(self, value: u32) -> Self {
        let length = u32::BITS - (value + 1).leading_zeros();
        self.bits(0, length - 1).bits(value + 1, length)
    }

    /// Stop bit, and so many bytes that mean nothing.
    fn unit(self, more: usize) -> Vec<u8> {
        let mut bytes = self.bits(1, 1).bytes;
        bytes.extend((0..more).map(|at| 3 + (at * 7 % 250) as u8));
        let mut unit = (bytes.len() as u32).to_be_bytes().to_vec();
        unit.extend(bytes);
        unit
    }
}

/// Baseline, 320 x 240, frame numbers of 8 bits, orders of 8 bits, 25 pictures a second.
fn sets() -> Vec<u8> {
    let sequence = Written::of(&[0x67, 66, 0xc0, 30])
        .number(0)
        .number(4)
        .number(0)
        .number(4);
    let sequence = sequence
        .number(1)
        .bits(0, 1)
        .number(19)
        .number(14)
        .bits(1, 1)
        .bits(1, 1);
    let sequence = sequence
        .bits(0, 1)
        .bits(1, 1)
        .bits(0, 4)
        .bits(1, 1)
        .bits(1, 32)
        .bits(50, 32);
    let picture = Written::of(&[0x68]).number(0).number(0).bits(0, 2);
    [escaped(sequence.bits(1, 1).unit(0)), picture.unit(0)].concat()
}

fn escaped(unit: Vec<u8>) -> Vec<u8> {
    let (mut out, mut zeros) = (Vec::new(), 0);
    for byte in &unit[4..] {
        if zeros == 2 && *byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    [(out.len() as u32).to_be_bytes().to_vec(), out].concat()
}

fn slice(is_key: bool, number: u32, order: u32, size: usize) -> Vec<u8> {
    let header = if is_key { 0x65 } else { 0x41 };
    let slice = Written::of(&[header])
        .number(0)
        .number(if is_key { 7 } else { 5 })
        .number(0);
    let slice = slice.bits(number, 8);
    let slice = if is_key { slice.number(0) } else { slice };
    escaped(slice.bits(order, 8).unit(size))
}

/// Bytes in which all kinds of numbers occur.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 11) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A film of two groups of five, shown in another order than decoded, with sound between the pictures.
fn film() -> (Vec<u8>, Vec<(u64, usize)>) {
    let (mut bytes, mut places) = (b"....mdat".to_vec(), Vec::new());
    for number in 0..10_u32 {
        let (of_group, size) = (number % 5, 700 + number as usize * 13);
        let order = [0, 4, 2, 8, 6][of_group as usize];
        let picture = match of_group {
            0 => [sets(), slice(true, 0, 0, size * 4)].concat(),
            _ => slice(false, of_group, order, size),
        };
        places.push((bytes.len() as u64, picture.len()));
        bytes.extend(picture);
        bytes.extend(noise(number, 400));
    }
    (bytes, places)
}

fn scanned(bytes: &[u8]) -> Option<Rescued> {
    scan(&mut &*bytes, 8..bytes.len() as u64).expect("memory reads")
}

#[test]
fn pictures_are_found_between_sound() {
    let (bytes, places) = film();
    let found = scanned(&bytes).expect("pictures");
    let at: Vec<_> = found
        .pictures
        .iter()
        .map(|p| (p.offset, p.size_bytes as usize))
        .collect();
    assert_eq!(at, places);
    let shown: Vec<u32> = found.pictures.iter().map(|p| p.shown).collect();
    assert_eq!(shown, [0, 2, 1, 4, 3, 5, 7, 6, 9, 8]);
    let keys: Vec<bool> = found.pictures.iter().map(|p| p.key).collect();
    assert_eq!(keys.iter().filter(|key| **key).count(), 2);
    assert!(keys[0] && keys[5]);
    assert_eq!((found.codec, found.rate), (Codec::H264, Some((50, 2))));
}

#[test]
fn a_film_that_is_cut_anywhere_gives_its_whole_pictures() {
    let (bytes, places) = film();
    for end in (0..bytes.len()).step_by(97) {
        let whole = places
            .iter()
            .filter(|(at, size)| *at as usize + size <= end)
            .count();
        let found = scanned(&bytes[..end]).map_or(0, |found| found.pictures.len());
        assert_eq!(found, whole, "cut at {end}");
    }
}

#[test]
fn what_is_damaged_costs_no_more_than_its_group() {
    let (mut bytes, places) = film();
    let (at, size) = places[3];
    bytes[at as usize..at as usize + size].copy_from_slice(&noise(77, size));
    let found = scanned(&bytes).expect("pictures");
    for place in [0, 1, 2, 5, 6, 7, 8, 9] {
        assert!(
            found.pictures.iter().any(|p| p.offset == places[place].0),
            "{place}"
        );
    }
}

#[test]
fn noise_is_no_film() {
    assert!(scanned(&noise(5, 300_000)).is_none());
    let (bytes, _) = film();
    assert!(scan(&mut &bytes[..], 8..8).expect("reads").is_none());
}

#[test]
fn an_index_names_every_picture() {
    let (bytes, places) = film();
    let found = scanned(&bytes).expect("pictures");
    let index = found.index((25, 1)).expect("an index");
    let places_table = index.windows(4).position(|w| w == b"co64").expect("places");
    let table = &index[places_table + 12..];
    for (number, (place, _)) in places.iter().enumerate() {
        let own = table[number * 8..number * 8 + 8].try_into().expect("eight");
        assert_eq!(u64::from_be_bytes(own), *place);
    }
    assert!(found.index((0, 1)).is_none() && found.index((25, 0)).is_none());
    assert!(found.index((u32::MAX, 1)).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_film_with_changes_never_panics(changes in prop::collection::vec((0..9000_usize, any::<u8>()), 0..40),
        end in 0..9000_usize) {
        let (mut bytes, _) = film();
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(end);
        if let Some(found) = scanned(&bytes) {
            for picture in &found.pictures {
                prop_assert!(picture.offset + u64::from(picture.size_bytes) <= bytes.len() as u64);
            }
            let _ = found.index((25, 1));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(0..4_u8, 0..600)) {
        let mut all = [[0; 8].to_vec(), sets(), bytes].concat();
        if let Some(found) = scanned(&all) {
            let _ = found.index((25, 1));
        }
        // The same as H.265, whose sets are only claimed.
        all[8] = 0x40;
        let _ = scanned(&all);
    }
}
