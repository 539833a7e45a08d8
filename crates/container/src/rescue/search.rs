//! Walking from unit to unit, and finding the next one behind what is none.

use std::io;
use std::ops::Range;

use super::sets::Sets;
use super::unit::{Set, Unit};
use super::{Codec, Found, ReadAt};

/// What is held of the recording.
const WINDOW_BYTES: usize = 1 << 20;
/// A unit's beginning, by which it is known.
const HEAD_BYTES: usize = 64;
/// Longest unit: a picture of 8K hardly takes more.
const MOST_UNIT_BYTES: u64 = 8 << 20;
/// Longest parameter set.
const MOST_SET_BYTES: u64 = 1024;
/// Longest picture.
const MOST_PICTURE_BYTES: u64 = 24 << 20;
/// Longest supplemental information behind what is no unit.
const MOST_LEAD_BYTES: u64 = 4096;
/// `frame_num` goes on by at most so much behind what is no unit.
const MOST_LOST: u32 = 2;
/// And a picture there is at most so many times as large as the largest of so many before it.
const MOST_TIMES: u64 = 8;
const USUAL: usize = 100;

/// A recording that is searched.
pub(super) struct Search<'a, S> {
    source: &'a mut S,
    within: Range<u64>,
    window: Vec<u8>,
    window_at: u64,
    /// Bytes that may still be compared: a hostile file makes many places look like long units.
    left_bytes: u64,
}

/// A picture being put together.
struct Building {
    begin: u64,
    end: u64,
    slice: Option<super::unit::Slice>,
}

impl<'a, S: ReadAt> Search<'a, S> {
    pub fn new(source: &'a mut S, within: Range<u64>) -> Self {
        let length = within.end.saturating_sub(within.start);
        Self {
            source,
            within,
            window: Vec::new(),
            window_at: 0,
            left_bytes: length.saturating_mul(4).saturating_add(64 << 20),
        }
    }

    /// The first parameter sets, which follow each other.
    pub fn sets(&mut self, until: u64) -> io::Result<Option<(Codec, Sets)>> {
        let mut at = self.within.start;
        while let Some(place) = self.next_place(at, until)? {
            at = place + 1;
            for codec in [Codec::H264, Codec::H265] {
                let sets = self.sets_at(codec, place)?;
                if let Some(sets) = sets {
                    return Ok(Some((codec, sets)));
                }
            }
        }
        Ok(None)
    }

    fn sets_at(&mut self, codec: Codec, mut at: u64) -> io::Result<Option<Sets>> {
        let mut sets = Sets::default();
        while let Some((unit, end)) = self.unit(codec, &sets, at)? {
            let Unit::Set(set) = unit else {
                break;
            };
            self.keep(&mut sets, set, at..end)?;
            at = end;
        }
        Ok(Some(sets).filter(|sets| sets.is_complete(codec)))
    }

    /// All pictures, and the sets with what came later.
    pub fn pictures(
        &mut self,
        codec: Codec,
        mut sets: Sets,
        most: usize,
    ) -> io::Result<(Vec<Found>, Sets)> {
        let mut found: Vec<Found> = Vec::new();
        let mut building: Option<Building> = None;
        let mut at = self.within.start;
        while found.len() < most && self.left_bytes > 0 {
            let linked = building.as_ref().is_some_and(|one| one.end == at);
            let unit = self.unit(codec, &sets, at)?;
            let unit = match unit {
                Some(unit) if linked || self.begins(&unit, at, &sets, &found)? => Some(unit),
                _ => None,
            };
            let Some((unit, end)) = unit else {
                close(&mut building, &mut found);
                // Behind a unit anything may follow; elsewhere this place was looked at.
                let from = if linked { at } else { at + 1 };
                match self.next_place(from.max(at), self.within.end)? {
                    Some(next) if next > at || linked => at = next,
                    Some(_) => at += 1,
                    None => break,
                }
                continue;
            };
            if let Unit::Set(set) = &unit {
                self.keep(&mut sets, set.clone(), at..end)?;
            }
            let has_picture = building.as_ref().is_some_and(|one| one.slice.is_some());
            let begins = matches!(unit, Unit::Set(_) | Unit::Lead | Unit::Picture(_));
            if begins && has_picture {
                close(&mut building, &mut found);
            }
            let one = building.get_or_insert(Building {
                begin: at,
                end,
                slice: None,
            });
            one.end = end;
            if let Unit::Picture(slice) = unit {
                one.slice = Some(slice);
            }
            at = end;
        }
        close(&mut building, &mut found);
        Ok((found, sets))
    }

    /// The unit at a place, and where it ends; `None` when there is none.
    fn unit(&mut self, codec: Codec, sets: &Sets, at: u64) -> io::Result<Option<(Unit, u64)>> {
        let until = self.within.end;
        let head = self.bytes(at, 4 + HEAD_BYTES)?;
        let Some((length, head)) = head.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u64::from(u32::from_be_bytes(*length));
        let end = at.saturating_add(4).saturating_add(length);
        if !(2..=MOST_UNIT_BYTES).contains(&length) || end > until {
            return Ok(None);
        }
        let head = &head[..head.len().min(length as usize)];
        let is_whole = length <= MOST_SET_BYTES;
        let Some(unit) = sets.unit(codec, head) else {
            // A parameter set may be longer than what was looked at.
            return match is_whole && head.len() == HEAD_BYTES {
                true => self.long_set(codec, sets, at, length, end),
                false => Ok(None),
            };
        };
        if matches!(unit, Unit::Set(_)) && !is_whole {
            return Ok(None);
        }
        Ok(self.is_escaped(at + 4..end)?.then_some((unit, end)))
    }

    fn long_set(
        &mut self,
        codec: Codec,
        sets: &Sets,
        at: u64,
        length: u64,
        end: u64,
    ) -> io::Result<Option<(Unit, u64)>> {
        let bytes = self.bytes(at + 4, length as usize)?;
        let unit = sets.unit(codec, bytes);
        let unit = unit.filter(|unit| matches!(unit, Unit::Set(_)));
        let Some(unit) = unit else {
            return Ok(None);
        };
        Ok(self.is_escaped(at + 4..end)?.then_some((unit, end)))
    }

    /// Whether a unit can stand behind what is none: it begins a picture, and goes on with what was found.
    fn begins(
        &mut self,
        (unit, end): &(Unit, u64),
        at: u64,
        sets: &Sets,
        found: &[Found],
    ) -> io::Result<bool> {
        Ok(match unit {
            Unit::Set(_) => true,
            Unit::Lead => end - at <= MOST_LEAD_BYTES && self.is_information(at + 4..*end)?,
            Unit::Picture(slice) => {
                let bits = sets.sequence().map_or(0, |set| set.frame_number_bits);
                let last = found.last().map_or(0, |last| last.slice.frame_number);
                let on = slice.frame_number.wrapping_sub(last) & ((1 << bits) - 1);
                let largest = found
                    .iter()
                    .rev()
                    .take(USUAL)
                    .map(|one| one.size_bytes)
                    .max();
                let largest = u64::from(largest.unwrap_or(0)) * MOST_TIMES;
                let usual = found.len() < USUAL || end - at <= largest;
                usual && (slice.resets || on <= MOST_LOST)
            }
            Unit::More | Unit::Tail => false,
        })
    }

    /// Delimiters; and messages whose lengths add up (H.264, 7.3.2.3.1).
    fn is_information(&mut self, unit: Range<u64>) -> io::Result<bool> {
        let length = (unit.end - unit.start) as usize; // at most MOST_LEAD_BYTES
        if length <= 3 {
            return Ok(true);
        }
        let bytes = self.bytes(unit.start, length)?;
        let header = if bytes.first().is_some_and(|b| b & 0x1f == 6) {
            1
        } else {
            2
        };
        let bits = super::bits::Bits::of(bytes.get(header..).unwrap_or_default());
        let mut rest = bits.bytes();
        loop {
            for field in [0, 1] {
                let mut sum = 0_usize;
                loop {
                    let Some((byte, after)) = rest.split_first() else {
                        return Ok(false);
                    };
                    rest = after;
                    sum += usize::from(*byte);
                    if *byte != 0xff {
                        break;
                    }
                }
                if field == 1 {
                    rest = rest.get(sum..).unwrap_or_default();
                }
            }
            match rest {
                [] => return Ok(false),
                [0x80, end @ ..] if end.iter().all(|byte| *byte == 0) => return Ok(true),
                _ => {}
            }
        }
    }

    fn keep(&mut self, sets: &mut Sets, set: Set, unit: Range<u64>) -> io::Result<()> {
        let length = (unit.end - unit.start - 4) as usize; // at most MOST_SET_BYTES
        let bytes = self.bytes(unit.start + 4, length)?;
        sets.take(set, bytes);
        Ok(())
    }

    /// No unit holds a start code (H.264, 7.4.1).
    fn is_escaped(&mut self, unit: Range<u64>) -> io::Result<bool> {
        let mut at = unit.start;
        while at < unit.end {
            let length = (unit.end - at).min(WINDOW_BYTES as u64 / 2) as usize;
            let Some(left) = self.left_bytes.checked_sub(length as u64) else {
                self.left_bytes = 0;
                return Ok(false);
            };
            self.left_bytes = left;
            let bytes = self.bytes(at, length)?;
            let is_last = at + length as u64 == unit.end;
            if bytes.len() < length || has_start_code(bytes) {
                return Ok(false);
            }
            // Two bytes again: a code may lie across.
            at += length as u64 - if is_last { 0 } else { 2 };
        }
        Ok(true)
    }

    /// The next place, from `at` on, at which a unit may begin: its length is a sensible one.
    fn next_place(&mut self, mut at: u64, until: u64) -> io::Result<Option<u64>> {
        while at < until {
            let bytes = self.bytes(at, WINDOW_BYTES / 2)?;
            if bytes.len() < 6 {
                return Ok(None);
            }
            let place = bytes.windows(6).position(|bytes| {
                bytes[0] == 0 && bytes[1] <= 0x80 && bytes[4] & 0x80 == 0 && bytes[..4] != [0; 4]
            });
            match place {
                Some(place) => return Ok(Some(at + place as u64).filter(|at| *at < until)),
                None => at += bytes.len() as u64 - 5,
            }
        }
        Ok(None)
    }

    /// At most so many bytes from there on; fewer at the end.
    fn bytes(&mut self, at: u64, length: usize) -> io::Result<&[u8]> {
        let most = self.within.end.saturating_sub(at);
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(length);
        let held_until = self.window_at + self.window.len() as u64;
        if at < self.window_at || at + length as u64 > held_until {
            self.window.resize(WINDOW_BYTES.max(length), 0);
            let mut filled = 0;
            while filled < self.window.len() {
                let into = &mut self.window[filled..];
                match self.source.read_at(at + filled as u64, into)? {
                    0 => break,
                    count => filled += count,
                }
            }
            self.window.truncate(filled);
            self.window_at = at;
        }
        let from = (at - self.window_at) as usize;
        let end = (from + length).min(self.window.len());
        Ok(self.window.get(from..end).unwrap_or_default())
    }
}

fn close(building: &mut Option<Building>, found: &mut Vec<Found>) {
    let Some(Building {
        begin,
        end,
        slice: Some(slice),
    }) = building.take()
    else {
        return;
    };
    let size_bytes = end - begin;
    if size_bytes <= MOST_PICTURE_BYTES {
        found.push(Found {
            offset: begin,
            size_bytes: size_bytes as u32,
            slice,
        });
    }
}

/// Whether 0, 0 and one of 0, 1, 2 follow each other.
fn has_start_code(bytes: &[u8]) -> bool {
    let mut at = 2;
    while at < bytes.len() {
        match bytes[at] {
            3.. => at += 3,
            0 if bytes[at - 1] == 0 && bytes[at - 2] == 0 => return true,
            0 => at += 1,
            _ if bytes[at - 1] == 0 && bytes[at - 2] == 0 => return true,
            _ => at += 1,
        }
    }
    false
}
