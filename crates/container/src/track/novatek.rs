//! Novatek's boxes: `gps ` in the `moov` lists where blocks lie in the media data, about one a second; each begins
//! with its length and `freeGPS `. What follows differs between makers of recorders, numbers in it are little-endian.
//!
//! The layouts are those that owners of such recorders have published; encrypted ones are not among them. They are
//! told apart by where the letters for fix, north or south, and east or west stand.

use std::io::{self, Read, Seek};

use super::boxes::{Span, array, be32, body, bytes};
use super::{Point, Points, Source, Track, nmea};

/// Blocks listed: 55 hours.
const MOST_BLOCKS: usize = 200_000;
/// So much of a block is looked at.
const BLOCK_BYTES: u64 = 1024;
const LEAST_BLOCK_BYTES: usize = 82;
/// A knot is 1,852 m an hour.
pub(super) const KNOT_M_PER_S: f64 = 1852.0 / 3600.0;

/// The positions in the blocks that the box lists.
pub(super) fn blocks(
    source: &mut (impl Read + Seek),
    list: &Span,
    duration_ms: Option<u64>,
) -> io::Result<Option<Track>> {
    let list = body(source, list, 8 + 8 * MOST_BLOCKS as u64)?;
    let listed = list.len().saturating_sub(8) / 8;
    let count = be32(&list, 4).map_or(0, |count| (count as usize).min(listed));
    let step_ms = step_ms(count, duration_ms);
    let mut into = Points::default();
    for number in 0..count {
        let at = 8 + number * 8;
        let (Some(offset), Some(size)) = (be32(&list, at), be32(&list, at + 4)) else {
            break;
        };
        // A place in the list that names nothing is a second without a fix.
        if offset == 0 {
            continue;
        }
        let wanted = u64::from(size).min(BLOCK_BYTES);
        if let Some(block) = bytes(source, u64::from(offset), wanted)? {
            let at_ms = (number as f64 * step_ms).round() as i64;
            into.extend(position(&block).map(|point| Point { at_ms, ..point }));
        }
    }
    Ok(into.track(Source::Novatek))
}

/// A block a second; where there are clearly more than the film has seconds, spread over the film.
fn step_ms(count: usize, duration_ms: Option<u64>) -> f64 {
    let duration_ms = duration_ms
        .filter(|lasts| *lasts > 0)
        .map(|lasts| lasts as f64);
    match duration_ms {
        Some(lasts_ms) if count as f64 * 1000.0 > lasts_ms * 1.1 + 3000.0 => {
            lasts_ms / count as f64
        }
        _ => 1000.0,
    }
}

/// Where in a block its letters and numbers stand.
struct Layout {
    /// `A`, where there is a fix.
    fix: usize,
    /// `N` or `S`.
    north: usize,
    /// `E` or `W`.
    east: usize,
    latitude: usize,
    longitude: usize,
    /// In knots.
    speed: usize,
    altitude: Option<usize>,
    /// Numbers have eight bytes instead of four.
    is_double: bool,
}

/// Three letters in a row, at `fix`, with the numbers from `numbers` on.
const fn together(fix: usize, numbers: usize) -> Layout {
    Layout {
        fix,
        north: fix + 1,
        east: fix + 2,
        latitude: numbers,
        longitude: numbers + 4,
        speed: numbers + 8,
        altitude: None,
        is_double: false,
    }
}

const LAYOUTS: [Layout; 5] = [
    together(72, 76),
    together(40, 44),
    Layout {
        longitude: 92,
        latitude: 96,
        speed: 100,
        altitude: Some(108),
        ..together(64, 92)
    },
    Layout {
        fix: 60,
        north: 68,
        east: 76,
        latitude: 64,
        longitude: 72,
        speed: 80,
        altitude: None,
        is_double: false,
    },
    Layout {
        fix: 28,
        north: 40,
        east: 56,
        latitude: 32,
        longitude: 48,
        speed: 64,
        altitude: None,
        is_double: true,
    },
];

fn position(block: &[u8]) -> Option<Point> {
    let is_block = block.len() >= LEAST_BLOCK_BYTES && block.get(4..12) == Some(b"freeGPS ");
    if !is_block {
        return None;
    }
    let binary = LAYOUTS.iter().find_map(|layout| layout.read(block));
    binary.or_else(|| nmea::in_bytes(block))
}

impl Layout {
    fn read(&self, block: &[u8]) -> Option<Point> {
        let letter = |at: usize| block.get(at).copied();
        if letter(self.fix)? != b'A' {
            return None;
        }
        let north = signed(letter(self.north)?, b'N', b'S')?;
        let east = signed(letter(self.east)?, b'E', b'W')?;
        let number = |at: usize| match self.is_double {
            true => array(block, at).map(f64::from_le_bytes),
            false => array(block, at).map(f32::from_le_bytes).map(f64::from),
        };
        let (latitude, longitude) = (number(self.latitude)?, number(self.longitude)?);
        // Encrypted blocks have their letters in the same places, and nothing where these numbers would be.
        if latitude == 0.0 || longitude == 0.0 {
            return None;
        }
        Some(Point {
            at_ms: 0,
            latitude_deg: north * nmea::degrees(latitude)?,
            longitude_deg: east * nmea::degrees(longitude)?,
            altitude_m: self.altitude.and_then(number),
            speed_m_per_s: number(self.speed).map(|knots| knots * KNOT_M_PER_S),
            // Some write UTC here and some the wearer's time, and nothing says which.
            fix_at_ms: None,
        })
    }
}

/// 1 or -1.
pub(super) fn signed(letter: u8, plus: u8, minus: u8) -> Option<f64> {
    match letter {
        _ if letter == plus => Some(1.0),
        _ if letter == minus => Some(-1.0),
        _ => None,
    }
}
