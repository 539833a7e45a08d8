//! Any bytes: reading ends, and what it finds lies on earth and goes forward in time.
#![no_main]

use std::io::Cursor;

use docket_container::track::{MOST_POINTS, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(found) = read(&mut Cursor::new(bytes)).expect("memory reads") else {
        return;
    };
    assert!((1..=MOST_POINTS).contains(&found.points.len()));
    assert!(found.points.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms));
    for point in &found.points {
        assert!(point.latitude_deg.abs() <= 90.0 && point.longitude_deg.abs() <= 180.0);
        assert!(point.altitude_m.is_none_or(f64::is_finite));
        assert!(point.speed_m_per_s.is_none_or(|speed| speed >= 0.0));
    }
});
