//! Where a recording was made: the positions that recorders keep in MP4 and MOV files, or in a text file beside
//! them.
//!
//! Coordinates are those that were recorded, in degrees; nothing is shifted from one datum to another. What has no
//! fix, lies nowhere on earth or goes back in time is left out; of every second of the film the first position
//! stays, so that a track is small whatever a file holds.
//!
//! Pure Rust. Everything in a file is hostile: tables, samples and texts are read up to stated bounds, and what makes
//! no sense is no position.

mod boxes;
mod camm;
mod civil;
mod gpmf;
mod location;
mod nmea;
mod novatek;
mod samples;
mod srt;
mod text;

use std::io::{self, Read, Seek, SeekFrom};

use self::samples::Media;

/// Most positions of a track: 27 hours at one a second. A longer one has one in two seconds, or in four.
pub const MOST_POINTS: usize = 100_000;
/// Most bytes of metadata samples that are read of one recording.
const MOST_SAMPLE_BYTES: u64 = 1 << 30;
/// Longest sample that is looked at.
const LONGEST_SAMPLE_BYTES: u32 = 4 << 20;

/// How the positions were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// GoPro's metadata track, `gpmd`.
    Gpmf,
    /// `freeGPS ` blocks, listed in a box `gps ` of the `moov`.
    Novatek,
    /// The camera motion metadata track, `camm`.
    Camm,
    /// NMEA 0183 sentences.
    Nmea,
    /// Subtitles with coordinates, as DJI writes them.
    Srt,
    /// One place for the whole recording.
    Location,
}

/// A position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When, on the file's clock.
    pub at_ms: i64,
    /// North is positive.
    pub latitude_deg: f64,
    /// East is positive.
    pub longitude_deg: f64,
    /// As the recorder counts it: above the sea or the ellipsoid.
    pub altitude_m: Option<f64>,
    /// Over ground.
    pub speed_m_per_s: Option<f64>,
    /// The satellites' time, in milliseconds since 1970 UTC, where the format says that it is UTC.
    pub fix_at_ms: Option<i64>,
}

/// The positions of one recording, in the order of their times.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// How they were kept.
    pub source: Source,
    /// At least one.
    pub points: Vec<Point>,
}

/// Finds the positions in a recording, or in a file that was kept beside one.
///
/// # Errors
/// What the source says. A file without positions is no error.
pub fn read(source: &mut (impl Read + Seek)) -> io::Result<Option<Track>> {
    let size_bytes = source.seek(SeekFrom::End(0))?;
    match boxes::moov(source, size_bytes)? {
        Some(moov) => of_moov(source, &moov),
        None => text::side_file(source, size_bytes),
    }
}

fn of_moov(source: &mut (impl Read + Seek), moov: &boxes::Span) -> io::Result<Option<Track>> {
    let inside = boxes::children(source, &moov.body)?;
    let movie = samples::movie(source, &inside)?;
    let mut tracks = Vec::new();
    for one in inside.iter().filter(|one| &one.kind == b"trak") {
        tracks.extend(samples::media(source, one, &movie)?);
    }
    for media in tracks.iter().filter(|media| &media.format == b"gpmd") {
        let found = sampled(source, media, Source::Gpmf, |bytes, sample, into| {
            gpmf::payload(bytes, sample.at_us, sample.duration_us, into);
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    if let Some(list) = inside.iter().find(|one| &one.kind == b"gps ") {
        let found = novatek::blocks(source, list, movie.duration_ms)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    for media in tracks.iter().filter(|media| &media.format == b"camm") {
        let found = sampled(source, media, Source::Camm, |bytes, sample, into| {
            into.extend(camm::packet(bytes, sample.at_us));
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    for media in tracks.iter().filter(|media| text::is_text(media)) {
        let found = text::subtitles(source, media)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let place = location::of_moov(source, &inside)?;
    Ok(place.and_then(|point| {
        let mut into = Points::default();
        into.extend([point]);
        into.track(Source::Location)
    }))
}

/// Reads the samples of a track, one after another.
fn sampled(
    source: &mut (impl Read + Seek),
    media: &Media,
    kind: Source,
    mut look: impl FnMut(&[u8], &samples::Sample, &mut Points),
) -> io::Result<Option<Track>> {
    let mut into = Points::default();
    let mut left = MOST_SAMPLE_BYTES;
    for sample in &media.samples {
        // A position of this second is there already: nothing is read for another.
        if into.has_at(sample.at_us.div_euclid(1000)) && sample.duration_us < 500_000 {
            continue;
        }
        if let Some(bytes) = sample_bytes(source, sample, &mut left)? {
            look(&bytes, sample, &mut into);
        }
    }
    Ok(into.track(kind))
}

fn sample_bytes(
    source: &mut (impl Read + Seek),
    sample: &samples::Sample,
    left: &mut u64,
) -> io::Result<Option<Vec<u8>>> {
    let size = u64::from(sample.size_bytes);
    if sample.size_bytes > LONGEST_SAMPLE_BYTES || size > *left {
        return Ok(None);
    }
    *left -= size;
    boxes::bytes(source, sample.offset, size)
}

/// Positions as they are found: sane, in the order of time, one of each second.
#[derive(Debug)]
struct Points {
    kept: Vec<Point>,
    /// One of so many seconds is kept.
    step_s: i64,
}

impl Default for Points {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            step_s: 1,
        }
    }
}

impl Points {
    fn step(&self, at_ms: i64) -> i64 {
        at_ms.div_euclid(1000 * self.step_s)
    }

    /// Whether there is one of this second, or of a later one.
    fn has_at(&self, at_ms: i64) -> bool {
        let last = self.kept.last();
        last.is_some_and(|last| self.step(at_ms) <= self.step(last.at_ms))
    }

    fn push(&mut self, point: Point) {
        let Some(point) = sane(point) else { return };
        if self.has_at(point.at_ms) {
            return;
        }
        if self.kept.len() >= MOST_POINTS {
            self.step_s = self.step_s.saturating_mul(2);
            let step_ms = 1000 * self.step_s;
            self.kept
                .dedup_by_key(|point| point.at_ms.div_euclid(step_ms));
            if self.has_at(point.at_ms) || self.kept.len() >= MOST_POINTS {
                return;
            }
        }
        self.kept.push(point);
    }

    fn extend(&mut self, points: impl IntoIterator<Item = Point>) {
        points.into_iter().for_each(|point| self.push(point));
    }

    fn track(self, source: Source) -> Option<Track> {
        (!self.kept.is_empty()).then_some(Track {
            source,
            points: self.kept,
        })
    }
}

/// Longest film, on either side of 0.
const MOST_MS: i64 = 400 * 3_600_000;

/// The position, if it is one; without what of it can't be.
fn sane(point: Point) -> Option<Point> {
    let Point {
        latitude_deg: latitude,
        longitude_deg: longitude,
        ..
    } = point;
    let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    // Receivers without a fix say 0/0, off the coast of Africa.
    let is_null = latitude.abs() < 1e-5 && longitude.abs() < 1e-5;
    if !on_earth || is_null || !(-MOST_MS..=MOST_MS).contains(&point.at_ms) {
        return None;
    }
    Some(Point {
        latitude_deg: rounded(latitude, 1e9),
        longitude_deg: rounded(longitude, 1e9),
        altitude_m: within(point.altitude_m, -12_000.0, 100_000.0),
        speed_m_per_s: within(point.speed_m_per_s, 0.0, 2_000.0),
        fix_at_ms: point.fix_at_ms.filter(|at| civil::IN_USE.contains(at)),
        ..point
    })
}

fn within(value: Option<f64>, least: f64, most: f64) -> Option<f64> {
    let value = value.filter(|value| (least..=most).contains(value))?;
    Some(rounded(value, 1e3))
}

/// To a fraction far below what any receiver knows: sums of binary fractions don't print well.
fn rounded(value: f64, parts: f64) -> f64 {
    let value = (value * parts).round() / parts;
    // Not -0.
    value + 0.0
}

#[cfg(test)]
mod tests;
