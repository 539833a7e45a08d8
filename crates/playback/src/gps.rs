//! Where a recording was made: positions as a worker found them in it, or in a file that was kept beside it.

use docket_base::Micros;
use docket_base::ids::RecordingId;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::pool::{Playback, unexpected};
use crate::protocol::{FromWorker, Request};
use crate::source::Source;

/// Most positions of a track.
pub const MOST_POINTS: usize = 100_000;

/// How positions were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GpsSource {
    /// GoPro's metadata track.
    Gpmf,
    /// Novatek's blocks.
    Novatek,
    /// Camera motion metadata.
    Camm,
    /// NMEA 0183 sentences.
    Nmea,
    /// Subtitles with coordinates.
    Srt,
    /// One place for the whole recording.
    Location,
}

impl GpsSource {
    /// Times are those of the file, not of what is played of it.
    pub fn is_on_file_clock(self) -> bool {
        !matches!(self, Self::Novatek | Self::Location)
    }
}

/// A position.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GpsPoint {
    /// When, on the clock of the file or, once the playback index is known, of what is played.
    pub at_ms: i64,
    /// North is positive.
    pub latitude_deg: f64,
    /// East is positive.
    pub longitude_deg: f64,
    /// As the recorder counts it.
    pub altitude_m: Option<f64>,
    /// Over ground.
    pub speed_m_per_s: Option<f64>,
    /// The satellites' time.
    pub fix_at: Option<Micros>,
}

/// Positions in the order of their times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GpsTrack {
    /// How they were kept.
    pub source: GpsSource,
    /// At least one.
    pub points: Vec<GpsPoint>,
}

impl GpsTrack {
    /// Reads what a worker sent, which a hostile file may have taken over.
    ///
    /// # Errors
    /// [`Error::Protocol`] when it is no track, or one that leads nowhere on earth or back in time.
    pub fn from_worker(json: &[u8]) -> Result<Self> {
        let wrong = |what: &str| Error::Protocol(format!("positions: {what}"));
        let mut track: Self = serde_json::from_slice(json).map_err(|_| wrong("no JSON"))?;
        if !(1..=MOST_POINTS).contains(&track.points.len()) {
            return Err(wrong("none, or too many"));
        }
        let forward = track
            .points
            .windows(2)
            .all(|pair| pair[0].at_ms < pair[1].at_ms);
        let on_earth = track.points.iter().all(|point| {
            (-90.0..=90.0).contains(&point.latitude_deg)
                && (-180.0..=180.0).contains(&point.longitude_deg)
        });
        if !forward || !on_earth {
            return Err(wrong("nowhere on earth, or back in time"));
        }
        for point in &mut track.points {
            // Reading a decimal fraction may miss by the last bit, and would then be printed with 17 digits.
            let rounded = |degrees: f64| (degrees * 1e9).round() / 1e9;
            point.latitude_deg = rounded(point.latitude_deg);
            point.longitude_deg = rounded(point.longitude_deg);
        }
        Ok(track)
    }

    /// As a player counts time: 0 is `origin_us` of the file, and nothing comes after the end.
    #[must_use]
    pub fn played(mut self, origin_us: i64, duration_ms: Option<u64>) -> Option<Self> {
        let shift_ms = match self.source.is_on_file_clock() {
            true => origin_us.div_euclid(1000),
            false => 0,
        };
        let end_ms = duration_ms.map_or(i64::MAX, |lasts| i64::try_from(lasts).unwrap_or(i64::MAX));
        for point in &mut self.points {
            // The first may lie some milliseconds before the first frame.
            point.at_ms = point.at_ms.saturating_sub(shift_ms).max(0);
        }
        self.points.dedup_by_key(|point| point.at_ms);
        self.points.retain(|point| point.at_ms <= end_ms);
        (!self.points.is_empty()).then_some(self)
    }
}

impl Playback {
    /// The positions in a recording, or in a file beside one; `None` where there are none.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn positions(&self, id: RecordingId, source: Source) -> Result<Option<GpsTrack>> {
        self.nobody_waits().await;
        match self.looker.ask(id, source, Request::Positions, &[]).await? {
            (FromWorker::Positions, json) if json.is_empty() => Ok(None),
            (FromWorker::Positions, json) => Ok(Some(GpsTrack::from_worker(&json)?)),
            (other, _) => Err(unexpected(&other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at_ms: i64, latitude_deg: f64) -> GpsPoint {
        GpsPoint {
            at_ms,
            latitude_deg,
            longitude_deg: 106.7,
            altitude_m: None,
            speed_m_per_s: None,
            fix_at: None,
        }
    }

    fn track(source: GpsSource, times: &[i64]) -> GpsTrack {
        let points = times.iter().map(|at| point(*at, 26.5)).collect();
        GpsTrack { source, points }
    }

    fn times(track: Option<GpsTrack>) -> Vec<i64> {
        let points = track.map(|track| track.points).unwrap_or_default();
        points.iter().map(|point| point.at_ms).collect()
    }

    #[test]
    fn a_player_begins_at_the_origin_and_ends_at_the_end() {
        let on_file = || track(GpsSource::Gpmf, &[-300, -20, 980, 1980, 9000]);
        assert_eq!(
            times(on_file().played(-21_000, Some(2001))),
            [0, 1, 1001, 2001]
        );
        assert_eq!(times(on_file().played(500_000, None)), [0, 480, 1480, 8500]);
        assert_eq!(
            times(track(GpsSource::Novatek, &[0, 1000]).played(500_000, Some(1000))),
            [0, 1000]
        );
        assert_eq!(track(GpsSource::Srt, &[5000]).played(0, Some(4000)), None);
    }

    #[test]
    fn a_worker_is_not_believed() {
        let read = |track: &GpsTrack| {
            let json = serde_json::to_vec(track).expect("serialises");
            GpsTrack::from_worker(&json)
        };
        let sound = track(GpsSource::Nmea, &[0, 1000]);
        assert_eq!(read(&sound).expect("sound"), sound);
        assert!(read(&track(GpsSource::Nmea, &[])).is_err());
        assert!(read(&track(GpsSource::Nmea, &[1000, 1000])).is_err());
        let mut nowhere = sound;
        nowhere.points[1].latitude_deg = 90.1;
        assert!(read(&nowhere).is_err());
        assert!(GpsTrack::from_worker(b"[]").is_err());
    }
}
