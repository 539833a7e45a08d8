//! Where a recording was made. FFmpeg has no part in it: the parsers are `docket-container`'s, and run here because
//! everything in a file is hostile.

use docket_base::Micros;
use docket_container::track::{self, Point, Source};
use docket_playback::gps::{GpsPoint, GpsSource, GpsTrack};

use crate::fault::{Fault, Result};
use crate::recording::Recording;

/// The positions as JSON; empty where there are none.
///
/// # Errors
/// [`Fault::Source`] when the bytes could not be had.
pub fn positions(recording: &Recording) -> Result<Vec<u8>> {
    let found = track::read(&mut recording.reader());
    let found = found.map_err(|error| Fault::Source(error.to_string()))?;
    let Some(found) = found else {
        return Ok(Vec::new());
    };
    let track = GpsTrack {
        source: source(found.source),
        points: found.points.iter().map(point).collect(),
    };
    serde_json::to_vec(&track).map_err(|error| Fault::Source(error.to_string()))
}

fn source(source: Source) -> GpsSource {
    match source {
        Source::Gpmf => GpsSource::Gpmf,
        Source::Novatek => GpsSource::Novatek,
        Source::Camm => GpsSource::Camm,
        Source::Nmea => GpsSource::Nmea,
        Source::Srt => GpsSource::Srt,
        Source::Location => GpsSource::Location,
    }
}

fn point(point: &Point) -> GpsPoint {
    GpsPoint {
        at_ms: point.at_ms,
        latitude_deg: point.latitude_deg,
        longitude_deg: point.longitude_deg,
        altitude_m: point.altitude_m,
        speed_m_per_s: point.speed_m_per_s,
        fix_at: point.fix_at_ms.map(|ms| Micros(ms.saturating_mul(1000))),
    }
}
