//! Where the samples of a track lie and when they hold (ISO/IEC 14496-12, 8.6 to 8.7).

use std::io::{self, Read, Seek};

use super::boxes::{Span, be16, be32, be64, body, child, children};

/// Samples looked at of one track: four hours of subtitles at 30 a second.
const MOST_SAMPLES: usize = 500_000;
/// Longest table.
const MOST_TABLE_BYTES: u64 = 8 << 20;

/// What the movie's header says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Movie {
    timescale: u32,
    /// As claimed.
    pub(super) duration_ms: Option<u64>,
}

/// A track.
#[derive(Debug)]
pub(super) struct Media {
    /// What it is for: `meta`, `text`.
    pub(super) handler: [u8; 4],
    /// Of its first sample description: `gpmd`, `tx3g`.
    pub(super) format: [u8; 4],
    pub(super) samples: Vec<Sample>,
}

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) offset: u64,
    pub(super) size_bytes: u32,
    /// On the movie's clock.
    pub(super) at_us: i64,
    pub(super) duration_us: u64,
}

/// The movie's clock.
pub(super) fn movie(source: &mut (impl Read + Seek), moov: &[Span]) -> io::Result<Movie> {
    let Some(header) = moov.iter().find(|one| &one.kind == b"mvhd") else {
        return Ok(Movie::default());
    };
    let bytes = body(source, header, 32)?;
    let Some((timescale, duration)) = clock(&bytes) else {
        return Ok(Movie::default());
    };
    let is_known = timescale > 0 && duration != u64::MAX && duration != u64::from(u32::MAX);
    let millis = u128::from(duration) * 1000 / u128::from(timescale.max(1));
    Ok(Movie {
        timescale,
        duration_ms: u64::try_from(millis).ok().filter(|_| is_known),
    })
}

/// Time scale and duration of `mvhd` and `mdhd`.
fn clock(bytes: &[u8]) -> Option<(u32, u64)> {
    match bytes.first()? {
        0 => Some((be32(bytes, 12)?, u64::from(be32(bytes, 16)?))),
        1 => Some((be32(bytes, 20)?, be64(bytes, 24)?)),
        _ => None,
    }
}

/// A track that carries something other than picture and sound; `None` for those, and where its tables make no sense.
pub(super) fn media(
    source: &mut (impl Read + Seek),
    track: &Span,
    movie: &Movie,
) -> io::Result<Option<Media>> {
    let inside = children(source, &track.body)?;
    let Some(mdia) = inside.iter().find(|one| &one.kind == b"mdia") else {
        return Ok(None);
    };
    let parts = children(source, &mdia.body)?;
    let part = |kind: &[u8; 4]| parts.iter().find(|one| &one.kind == kind);
    let (Some(header), Some(handler), Some(minf)) = (part(b"mdhd"), part(b"hdlr"), part(b"minf"))
    else {
        return Ok(None);
    };
    let handler = body(source, handler, 12)?;
    let Some(handler) = super::boxes::array::<4>(&handler, 8) else {
        return Ok(None);
    };
    if [*b"vide", *b"soun"].contains(&handler) {
        return Ok(None);
    }
    let timescale = clock(&body(source, header, 32)?).map_or(0, |(timescale, _)| timescale);
    let Some(table) = child(source, &minf.body, b"stbl")? else {
        return Ok(None);
    };
    if timescale == 0 {
        return Ok(None);
    }
    let edits = match inside.iter().find(|one| &one.kind == b"edts") {
        Some(edits) => child(source, &edits.body, b"elst")?,
        None => None,
    };
    let shift_us = match edits {
        Some(list) => shift_us(&body(source, &list, 4096)?, movie.timescale, timescale),
        None => 0,
    };
    let tables = Tables::load(source, &table)?;
    Ok(tables.map(|tables| Media {
        handler,
        format: tables.format,
        samples: tables.samples(timescale, shift_us),
    }))
}

/// What an edit list (8.6.6) adds to a sample's time: the pause before the first edit, less where that begins.
fn shift_us(list: &[u8], movie_timescale: u32, timescale: u32) -> i64 {
    let (is_long, count) = (list.first() == Some(&1), be32(list, 4).unwrap_or(0));
    let mut pause_us = 0_i64;
    for number in 0..count.min(64) as usize {
        let entry = match is_long {
            true => (
                be64(list, 8 + number * 20),
                be64(list, 16 + number * 20).map(|at| at as i64),
            ),
            false => (
                be32(list, 8 + number * 12).map(u64::from),
                be32(list, 12 + number * 12).map(|at| i64::from(at as i32)),
            ),
        };
        let (Some(lasts), Some(from)) = entry else {
            break;
        };
        if from >= 0 {
            return pause_us.saturating_sub(us(from, timescale));
        }
        let lasts = i64::try_from(lasts).unwrap_or(0);
        pause_us = pause_us.saturating_add(us(lasts, movie_timescale));
    }
    0
}

fn us(ticks: i64, timescale: u32) -> i64 {
    let us = i128::from(ticks) * 1_000_000 / i128::from(timescale.max(1));
    us.clamp(i128::from(i64::MIN / 4), i128::from(i64::MAX / 4)) as i64
}

/// The tables of a track as they lie.
struct Tables {
    format: [u8; 4],
    times: Vec<u8>,
    sizes: Vec<u8>,
    runs: Vec<u8>,
    chunks: Vec<u8>,
    chunk_bytes: usize,
}

impl Tables {
    fn load(source: &mut (impl Read + Seek), table: &Span) -> io::Result<Option<Self>> {
        let parts = children(source, &table.body)?;
        let mut part =
            |kinds: &[&[u8; 4]]| match parts.iter().find(|one| kinds.contains(&&one.kind)) {
                Some(one) => body(source, one, MOST_TABLE_BYTES),
                None => Ok(Vec::new()),
            };
        let description = part(&[b"stsd"])?;
        let Some(format) = super::boxes::array(&description, 12) else {
            return Ok(None);
        };
        let is_long = parts.iter().any(|one| &one.kind == b"co64");
        Ok(Some(Self {
            format,
            times: part(&[b"stts"])?,
            sizes: part(&[b"stsz"])?,
            runs: part(&[b"stsc"])?,
            chunks: part(if is_long { &[b"co64"] } else { &[b"stco"] })?,
            chunk_bytes: if is_long { 8 } else { 4 },
        }))
    }

    fn samples(&self, timescale: u32, shift_us: i64) -> Vec<Sample> {
        let mut places = self.places();
        let (mut ticks, mut times) = (0_i64, self.durations());
        let mut all = Vec::new();
        while all.len() < MOST_SAMPLES {
            let (Some((offset, size_bytes)), Some(lasts)) = (places.next(), times.next()) else {
                break;
            };
            all.push(Sample {
                offset,
                size_bytes,
                at_us: us(ticks, timescale).saturating_add(shift_us),
                duration_us: us(i64::from(lasts), timescale).unsigned_abs(),
            });
            ticks = ticks.saturating_add(i64::from(lasts));
        }
        all
    }

    fn durations(&self) -> impl Iterator<Item = u32> {
        let count = be32(&self.times, 4).unwrap_or(0) as usize;
        let entries = (0..count).map_while(|number| {
            let at = 8 + number * 8;
            Some((be32(&self.times, at)?, be32(&self.times, at + 4)?))
        });
        // An entry of no samples costs a step, and there are as many as the table has bytes for.
        entries.flat_map(|(samples, lasts)| (0..samples).map(move |_| lasts))
    }

    fn size(&self, number: usize) -> Option<u32> {
        let (same, count) = (be32(&self.sizes, 4)?, be32(&self.sizes, 8)? as usize);
        match (number < count, same) {
            (false, _) => None,
            (true, 0) => be32(&self.sizes, 12 + number * 4),
            (true, same) => Some(same),
        }
    }

    fn chunk(&self, number: usize) -> Option<u64> {
        let at = 8 + number.checked_mul(self.chunk_bytes)?;
        let count = be32(&self.chunks, 4)? as usize;
        let offset = match self.chunk_bytes {
            8 => be64(&self.chunks, at),
            _ => be32(&self.chunks, at).map(u64::from),
        };
        offset.filter(|_| number < count)
    }

    /// Offset and size of each sample.
    fn places(&self) -> impl Iterator<Item = (u64, u32)> {
        let (mut sample, mut chunk, mut run) = (0_usize, 0_usize, 0_usize);
        let (mut in_chunk, mut offset) = (0_u32, self.chunk(0));
        std::iter::from_fn(move || {
            // How many samples the present chunk has. Each turn is another chunk, and they are as many as the table.
            loop {
                let per_chunk = self.per_chunk(chunk, &mut run)?;
                if in_chunk < per_chunk {
                    break;
                }
                chunk += 1;
                in_chunk = 0;
                offset = Some(self.chunk(chunk)?);
            }
            let size = self.size(sample)?;
            let place = (offset?, size);
            sample += 1;
            in_chunk += 1;
            offset = place.0.checked_add(u64::from(size));
            Some(place)
        })
    }

    /// Samples of a chunk; `run` is the entry of the one before.
    fn per_chunk(&self, chunk: usize, run: &mut usize) -> Option<u32> {
        let count = be32(&self.runs, 4)? as usize;
        let first = |number: usize| {
            let first = be32(&self.runs, 8 + number.checked_mul(12)?);
            first.filter(|_| number < count)
        };
        while first(*run + 1).is_some_and(|next| next as usize <= chunk + 1) {
            *run += 1;
        }
        first(*run)?;
        be32(&self.runs, 12 + *run * 12)
    }
}

/// Text of a subtitle sample: its length, then the text (3GPP TS 26.245, 5.17).
pub(super) fn timed_text(sample: &[u8]) -> &[u8] {
    let length = be16(sample, 0).map_or(0, usize::from);
    sample.get(2..2 + length).unwrap_or_default()
}
