//! Camera motion metadata (developers.google.com/streetview/publish/camm-spec): one packet a sample, little-endian.

use super::Point;
use super::boxes::array;

/// The position in a packet, if it is one that holds a position.
pub(super) fn packet(bytes: &[u8], at_us: i64) -> Option<Point> {
    let f64_at = |at| array(bytes, at).map(f64::from_le_bytes);
    let f32_at = |at| array(bytes, at).map(f32::from_le_bytes).map(f64::from);
    let at_ms = at_us.div_euclid(1000);
    match u16::from_le_bytes(array(bytes, 2)?) {
        5 => Some(Point {
            at_ms,
            latitude_deg: f64_at(4)?,
            longitude_deg: f64_at(12)?,
            altitude_m: f64_at(20),
            speed_m_per_s: None,
            fix_at_ms: None,
        }),
        // Time, kind of fix, position, altitude, two accuracies, speed to east, north and up, its accuracy.
        6 if i32::from_le_bytes(array(bytes, 12)?) >= 2 => Some(Point {
            at_ms,
            latitude_deg: f64_at(16)?,
            longitude_deg: f64_at(24)?,
            altitude_m: f32_at(32),
            speed_m_per_s: f32_at(44)
                .zip(f32_at(48))
                .map(|(east, north)| east.hypot(north)),
            // Writers differ on whether its time counts from 1980 or from 1970.
            fix_at_ms: None,
        }),
        _ => None,
    }
}
