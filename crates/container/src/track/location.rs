//! One place for the whole recording, as phones write it: `©xyz` and Apple's metadata keys (QuickTime File Format)
//! with text of ISO 6709, and `loci` (3GPP TS 26.244, 8.11).

use std::io::{self, Read, Seek};

use super::Point;
use super::boxes::{Span, array, be32, body, child, children, head};

const MOST_TEXT_BYTES: u64 = 4096;
const KEY: &[u8] = b"com.apple.quicktime.location.ISO6709";

/// The place in a `moov`.
pub(super) fn of_moov(source: &mut (impl Read + Seek), moov: &[Span]) -> io::Result<Option<Point>> {
    for one in moov {
        let found = match &one.kind {
            b"udta" => user_data(source, one)?,
            b"meta" => keyed(source, one)?,
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn user_data(source: &mut (impl Read + Seek), udta: &Span) -> io::Result<Option<Point>> {
    for one in children(source, &udta.body)? {
        let found = match &one.kind {
            // Length and language, then the text.
            b"\xa9xyz" => iso_6709(
                body(source, &one, MOST_TEXT_BYTES)?
                    .get(4..)
                    .unwrap_or_default(),
            ),
            b"loci" => loci(&body(source, &one, MOST_TEXT_BYTES)?),
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn keyed(source: &mut (impl Read + Seek), meta: &Span) -> io::Result<Option<Point>> {
    // In MP4 a version and flags come first, in MOV they don't.
    let is_plain = head::<8>(source, meta.body.start)?.is_some_and(|head| &head[4..] == b"hdlr");
    let start = meta.body.start + if is_plain { 0 } else { 4 };
    let within = start.min(meta.body.end)..meta.body.end;
    let (Some(keys), Some(list)) = (
        child(source, &within, b"keys")?,
        child(source, &within, b"ilst")?,
    ) else {
        return Ok(None);
    };
    let Some(number) = key_number(&body(source, &keys, 64 << 10)?) else {
        return Ok(None);
    };
    let Some(item) = child(source, &list.body, &number.to_be_bytes())? else {
        return Ok(None);
    };
    let Some(data) = child(source, &item.body, b"data")? else {
        return Ok(None);
    };
    // Type and language, then the text.
    let data = body(source, &data, MOST_TEXT_BYTES)?;
    Ok(iso_6709(data.get(8..).unwrap_or_default()))
}

/// The number of the key, counted from 1.
fn key_number(keys: &[u8]) -> Option<u32> {
    let mut at = 8_usize;
    for number in 1..=be32(keys, 4)?.min(1000) {
        let length = be32(keys, at)? as usize;
        let name = keys.get(at + 8..at.checked_add(length)?)?;
        if name == KEY {
            return Some(number);
        }
        at += length;
    }
    None
}

/// `+27.5916+086.5640+8850/`: latitude, longitude, perhaps altitude. Degrees, or degrees and minutes, or degrees,
/// minutes and seconds, by the number of digits.
fn iso_6709(text: &[u8]) -> Option<Point> {
    let end = text
        .iter()
        .position(|b| !matches!(b, b'+' | b'-' | b'.' | b'0'..=b'9'));
    let text = std::str::from_utf8(&text[..end.unwrap_or(text.len())]).ok()?;
    let starts: Vec<usize> = text
        .match_indices(['+', '-'])
        .map(|(at, _)| at)
        .take(4)
        .collect();
    let part = |number: usize| {
        let start = *starts.get(number)?;
        let end = starts.get(number + 1).copied().unwrap_or(text.len());
        text.get(start..end)
    };
    Some(Point {
        at_ms: 0,
        latitude_deg: sexagesimal(part(0)?, 2)?,
        longitude_deg: sexagesimal(part(1)?, 3)?,
        altitude_m: part(2).and_then(|text| text.parse().ok()),
        speed_m_per_s: None,
        fix_at_ms: None,
    })
}

fn sexagesimal(text: &str, degree_digits: usize) -> Option<f64> {
    let value: f64 = text.get(1..)?.parse().ok()?;
    let digits = text.get(1..)?.split('.').next()?.len();
    let (degrees, minutes, seconds) = match digits.checked_sub(degree_digits) {
        Some(2) => ((value / 100.0).trunc(), value % 100.0, 0.0),
        Some(4) => (
            (value / 10_000.0).trunc(),
            (value / 100.0).trunc() % 100.0,
            value % 100.0,
        ),
        _ => (value, 0.0, 0.0),
    };
    let all = degrees + minutes / 60.0 + seconds / 3600.0;
    let is_sound = minutes < 60.0 && seconds < 60.0;
    is_sound.then_some(if text.starts_with('-') { -all } else { all })
}

/// Version and flags, language, a name (UTF-8, or UTF-16 with its mark), role, longitude, latitude, altitude.
fn loci(bytes: &[u8]) -> Option<Point> {
    let name = bytes.get(6..)?;
    let name_bytes = match name {
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => {
            let pairs = name.chunks_exact(2).position(|pair| pair == [0, 0])?;
            (pairs + 1) * 2
        }
        _ => name.iter().position(|b| *b == 0)? + 1,
    };
    let fixed = |number: usize| {
        let at = name_bytes + 1 + number * 4;
        Some(f64::from(i32::from_be_bytes(array(name, at)?)) / 65_536.0)
    };
    Some(Point {
        at_ms: 0,
        latitude_deg: fixed(1)?,
        longitude_deg: fixed(0)?,
        altitude_m: fixed(2),
        speed_m_per_s: None,
        fix_at_ms: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_6709_in_its_three_forms() {
        let of = |text: &str| {
            iso_6709(text.as_bytes()).map(|p| (p.latitude_deg, p.longitude_deg, p.altitude_m))
        };
        assert_eq!(
            of("+27.5916+086.5640+8850/"),
            Some((27.5916, 86.564, Some(8850.0)))
        );
        assert_eq!(of("-33.8568+151.2153/"), Some((-33.8568, 151.2153, None)));
        assert_eq!(
            of("+2635.5-10642.25/"),
            Some((26.0 + 35.5 / 60.0, -(106.0 + 42.25 / 60.0), None))
        );
        let (latitude, longitude, _) = of("+263530.5+1064215/").expect("seconds");
        assert!((latitude - (26.0 + 35.0 / 60.0 + 30.5 / 3600.0)).abs() < 1e-12);
        assert!((longitude - (106.0 + 42.0 / 60.0 + 15.0 / 3600.0)).abs() < 1e-12);
        for wrong in [
            "",
            "/",
            "+",
            "+26",
            "26.5,106.7",
            "+2699.0+10600.0/",
            "+.+./",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn loci_has_the_longitude_first() {
        let of = |name: &[u8]| {
            let numbers =
                [106.75, 26.5, 1071.5].map(|n: f64| ((n * 65_536.0) as i32).to_be_bytes());
            loci(&[&[0, 0, 0, 0, 0x15, 0xc7], name, &[0], &numbers.concat()].concat())
        };
        for name in [&b"\0"[..], b"Guiyang\0", b"\xfe\xff\x8d\x35\0\0"] {
            let found = of(name).expect("a place");
            assert_eq!((found.latitude_deg, found.longitude_deg), (26.5, 106.75));
            assert_eq!(found.altitude_m, Some(1071.5));
        }
        assert_eq!(loci(b"\0\0\0\0\x15\xc7never ends"), None);
    }
}
