//! GoPro's metadata (github.com/gopro/gpmf-parser): keys of four letters, a type, sizes, big-endian values. A device
//! (`DEVC`) has streams (`STRM`), and in a stream everything before the values tells how to read them.

use super::boxes::{array, be16};
use super::civil;
use super::{Point, Points};

/// Most positions of one payload; cameras write 10 to 20 a second.
const MOST_IN_PAYLOAD: usize = 1000;

struct Item<'a> {
    key: [u8; 4],
    kind: u8,
    /// Of each value.
    size: usize,
    data: &'a [u8],
}

fn items(bytes: &[u8]) -> impl Iterator<Item = Item<'_>> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        let key = array::<4>(bytes, at).filter(|key| key != &[0; 4])?;
        let [kind, size] = array(bytes, at + 4)?;
        let length = usize::from(size) * usize::from(be16(bytes, at + 6)?);
        let data = bytes.get(at + 8..at + 8 + length)?;
        // Padded to four bytes.
        at += 8 + length.next_multiple_of(4);
        let size = usize::from(size);
        Some(Item {
            key,
            kind,
            size,
            data,
        })
    })
}

/// Which values of a stream are what.
struct Columns {
    latitude: usize,
    altitude: usize,
    speed: usize,
    /// 0: no fix; 2, 3: a fix.
    fix: Option<usize>,
    /// Days since 2000, and seconds of the day.
    days: Option<usize>,
}

/// Streams of positions, the best first. The longitude comes after the latitude.
const STREAMS: [([u8; 4], Columns); 3] = [
    (
        *b"GPS9",
        Columns {
            latitude: 0,
            altitude: 2,
            speed: 3,
            fix: Some(8),
            days: Some(5),
        },
    ),
    (
        *b"GPS5",
        Columns {
            latitude: 0,
            altitude: 2,
            speed: 3,
            fix: None,
            days: None,
        },
    ),
    // The receiver of a Karma drone: a time stamp, position, altitude, three accuracies, speed, course, fix, satellites.
    (
        *b"GPRI",
        Columns {
            latitude: 1,
            altitude: 3,
            speed: 6,
            fix: Some(8),
            days: None,
        },
    ),
];

/// Adds the positions of one payload, which holds from `at_us` on.
pub(super) fn payload(bytes: &[u8], at_us: i64, duration_us: u64, into: &mut Points) {
    let mut best: Option<(usize, Vec<Point>)> = None;
    for device in items(bytes).filter(|item| &item.key == b"DEVC" && item.kind == 0) {
        for stream in items(device.data).filter(|item| &item.key == b"STRM" && item.kind == 0) {
            let Some((rank, points)) = stream_points(stream.data, at_us, duration_us) else {
                continue;
            };
            if !points.is_empty() && best.as_ref().is_none_or(|(other, _)| rank < *other) {
                best = Some((rank, points));
            }
        }
    }
    into.extend(best.into_iter().flat_map(|(_, points)| points));
}

/// What a stream says of the values that follow.
#[derive(Default)]
struct Said<'a> {
    scales: Vec<f64>,
    types: &'a [u8],
    /// The satellites' time of the payload.
    utc_ms: Option<i64>,
    has_no_fix: bool,
}

fn stream_points(bytes: &[u8], at_us: i64, duration_us: u64) -> Option<(usize, Vec<Point>)> {
    let mut said = Said::default();
    for item in items(bytes) {
        match &item.key {
            b"SCAL" => said.scales = numbers(item.data, item.kind),
            b"TYPE" => said.types = item.data,
            b"GPSU" => said.utc_ms = utc_ms(item.data),
            b"GPSF" => said.has_no_fix |= numbers(item.data, item.kind).first() == Some(&0.0),
            // Dilution of precision times 100; the most there is stands for "none".
            b"GPSP" => {
                let precision = numbers(item.data, item.kind);
                said.has_no_fix |= precision.first().is_some_and(|dop| *dop >= 9999.0);
            }
            key => {
                let rank = STREAMS.iter().position(|(stream, _)| stream == key);
                if let Some(rank) = rank {
                    let points = values(&item, &said, &STREAMS[rank].1, at_us, duration_us);
                    return Some((rank, points));
                }
            }
        }
    }
    None
}

fn values(
    item: &Item<'_>,
    said: &Said<'_>,
    columns: &Columns,
    at_us: i64,
    duration_us: u64,
) -> Vec<Point> {
    if item.size == 0 || said.has_no_fix {
        return Vec::new();
    }
    let rows = item.data.chunks_exact(item.size).take(MOST_IN_PAYLOAD);
    let count = rows.len().max(1) as u64;
    let mut points = Vec::with_capacity(rows.len());
    for (number, row) in rows.enumerate() {
        let into_us = (u128::from(duration_us) * number as u128 / u128::from(count)) as i64;
        let at_ms = at_us.saturating_add(into_us).div_euclid(1000);
        let row = match item.kind {
            b'?' => structure(row, said.types),
            kind => Some(numbers(row, kind)),
        };
        let Some(row) = row else { break };
        points.extend(point(&row, said, columns, at_ms, into_us / 1000));
    }
    points
}

fn point(
    row: &[f64],
    said: &Said<'_>,
    columns: &Columns,
    at_ms: i64,
    into_ms: i64,
) -> Option<Point> {
    let value = |column: usize| {
        let scale = match said.scales.len() {
            0 => 1.0,
            1 => said.scales[0],
            _ => *said.scales.get(column)?,
        };
        let value = row.get(column)? / scale;
        value.is_finite().then_some(value)
    };
    if columns
        .fix
        .is_some_and(|column| value(column).is_none_or(|fix| fix < 2.0))
    {
        return None;
    }
    let fix_at_ms = match columns.days {
        Some(days) => {
            let (days, seconds) = (value(days)?, value(days + 1)?);
            let is_time = (0.0..100_000.0).contains(&days) && (0.0..86_401.0).contains(&seconds);
            let millis = (seconds * 1000.0).round() as i64;
            is_time.then_some((10_957 + days as i64) * civil::DAY_MS + millis)
        }
        None => said.utc_ms.map(|utc| utc.saturating_add(into_ms)),
    };
    Some(Point {
        at_ms,
        latitude_deg: value(columns.latitude)?,
        longitude_deg: value(columns.latitude + 1)?,
        altitude_m: value(columns.altitude),
        speed_m_per_s: value(columns.speed),
        fix_at_ms,
    })
}

/// Values of one type.
fn numbers(data: &[u8], kind: u8) -> Vec<f64> {
    let Some(width) = width(kind) else {
        return Vec::new();
    };
    let values = data.chunks_exact(width).take(256);
    values.filter_map(|bytes| number(bytes, kind)).collect()
}

/// Values of a structure whose types are named one by one.
fn structure(data: &[u8], types: &[u8]) -> Option<Vec<f64>> {
    let mut rest = data;
    let mut values = Vec::with_capacity(types.len().min(256));
    for kind in types.iter().take_while(|kind| **kind != 0).take(256) {
        let (bytes, after) = rest.split_at_checked(width(*kind)?)?;
        values.push(number(bytes, *kind)?);
        rest = after;
    }
    (!values.is_empty()).then_some(values)
}

fn width(kind: u8) -> Option<usize> {
    Some(match kind {
        b'b' | b'B' => 1,
        b's' | b'S' => 2,
        b'l' | b'L' | b'f' => 4,
        b'j' | b'J' | b'd' => 8,
        _ => return None,
    })
}

fn number(bytes: &[u8], kind: u8) -> Option<f64> {
    Some(match kind {
        b'b' => f64::from(i8::from_be_bytes(array(bytes, 0)?)),
        b'B' => f64::from(*bytes.first()?),
        b's' => f64::from(i16::from_be_bytes(array(bytes, 0)?)),
        b'S' => f64::from(u16::from_be_bytes(array(bytes, 0)?)),
        b'l' => f64::from(i32::from_be_bytes(array(bytes, 0)?)),
        b'L' => f64::from(u32::from_be_bytes(array(bytes, 0)?)),
        b'f' => f64::from(f32::from_be_bytes(array(bytes, 0)?)),
        b'd' => f64::from_be_bytes(array(bytes, 0)?),
        b'j' => i64::from_be_bytes(array(bytes, 0)?) as f64,
        b'J' => u64::from_be_bytes(array(bytes, 0)?) as f64,
        _ => return None,
    })
}

/// `yymmddhhmmss.sss`
fn utc_ms(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text.get(..16)?).ok()?;
    let two = |at: usize| text.get(at..at + 2)?.parse::<u8>().ok().map(i64::from);
    let seconds: f64 = text.get(10..16)?.parse().ok()?;
    let day = civil::day(2000 + two(0)?, two(2)?, two(4)?)?;
    let time = civil::time_ms(two(6)?, two(8)?, (seconds * 1000.0).round() as i64)?;
    Some(day * civil::DAY_MS + time)
}
