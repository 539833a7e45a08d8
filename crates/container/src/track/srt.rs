//! Subtitles with coordinates. DJI's newer ones name them (`[latitude: 26.5] [longitude: 106.7]`, with or without
//! the misspelling `longtitude`), its older ones don't (`GPS(106.7,26.5,16)`), and models differ on the order: those
//! are taken where it shows, because one of the two is beyond 90 degrees.

use super::nmea::{self, plain};
use super::{Point, Points};

/// The position that a subtitle gives.
pub(super) fn position(text: &str, at_ms: i64) -> Option<Point> {
    let named = || {
        let latitude_deg = after(text, "latitude")?;
        let longitude_deg = after(text, "longitude").or_else(|| after(text, "longtitude"))?;
        Some((latitude_deg, longitude_deg, after(text, "abs_alt")))
    };
    let (latitude_deg, longitude_deg, altitude_m) = named().or_else(|| pair(text))?;
    Some(Point {
        at_ms,
        latitude_deg,
        longitude_deg,
        altitude_m,
        speed_m_per_s: None,
        fix_at_ms: None,
    })
}

/// The number after a name: `[name: 1.5`, `[name : 1.5`.
fn after(text: &str, name: &str) -> Option<f64> {
    text.match_indices(name).take(8).find_map(|(at, _)| {
        let is_name = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = text[at + name.len()..]
            .trim_start()
            .strip_prefix([':', '='])?;
        number(rest.trim_start()).filter(|_| is_name)
    })
}

fn number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')));
    plain(&text[..end.unwrap_or(text.len())])
}

/// `GPS(a,b,c)`; the third is a height in some models and a number of satellites in others.
fn pair(text: &str) -> Option<(f64, f64, Option<f64>)> {
    let rest = text.split_once("GPS")?.1.trim_start();
    let inside = rest.strip_prefix('(')?.split_once(')')?.0;
    let mut numbers = inside.split(',').map(|part| plain(part.trim()));
    let (first, second) = (numbers.next()??, numbers.next()??);
    match (first.abs() > 90.0, second.abs() > 90.0) {
        (true, false) => Some((second, first, None)),
        (false, true) => Some((first, second, None)),
        _ => None,
    }
}

/// Reads an SRT file: `00:00:01,000 --> 00:00:02,000`, and text up to the next.
#[derive(Debug, Default)]
pub(super) struct Cues {
    at_ms: Option<i64>,
    text: String,
    /// Whether sentences of NMEA gave the positions.
    pub(super) is_nmea: bool,
}

/// Longest text of a cue that is looked at.
const LONGEST_CUE_BYTES: usize = 4096;

impl Cues {
    pub(super) fn line(&mut self, line: &str, into: &mut Points) {
        if let Some(at_ms) = begin_ms(line) {
            self.flush(into);
            self.at_ms = Some(at_ms);
        } else if self.text.len() + line.len() < LONGEST_CUE_BYTES {
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    pub(super) fn flush(&mut self, into: &mut Points) {
        let text = std::mem::take(&mut self.text);
        let Some(at_ms) = self.at_ms.take().filter(|at| !into.has_at(*at)) else {
            return;
        };
        let found = position(&text, at_ms);
        let sentences = found
            .is_none()
            .then(|| nmea::in_text(&text, at_ms))
            .flatten();
        self.is_nmea |= sentences.is_some();
        into.extend(found.or(sentences));
    }
}

/// When a cue begins, if the line says so.
pub(super) fn begin_ms(line: &str) -> Option<i64> {
    let (begin, _) = line.split_once("-->")?;
    let mut parts = begin.trim().split(':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    let seconds = parts.next()?.replace(',', ".");
    let whole = |text: &str| text.parse::<u16>().ok().map(i64::from);
    let seconds = plain(&seconds).filter(|s| (0.0..60.0).contains(s))?;
    let minutes = whole(minutes).filter(|m| *m < 60)?;
    Some((whole(hours)? * 60 + minutes) * 60_000 + (seconds * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_in_subtitles() {
        let of =
            |text: &str| position(text, 7).map(|p| (p.latitude_deg, p.longitude_deg, p.altitude_m));
        let newer = "<font size=\"28\">FrameCnt: 1, DiffTime: 40ms\n2026-05-27 13:14:22.911\n[iso: 200] [fnum: 1.8] \
            [latitude: 26.598194] [longitude: 106.707410] [rel_alt: 6.000 abs_alt: 1071.769] [ct: 5263] </font>";
        assert_eq!(of(newer), Some((26.598194, 106.70741, Some(1071.769))));
        let misspelt = "[latitude : 26.5] [longtitude : -106.7] [altitude: 5]";
        assert_eq!(of(misspelt), Some((26.5, -106.7, None)));
        assert_eq!(
            of("GPS(106.7,26.5,16) BAROMETER:91.2"),
            Some((26.5, 106.7, None))
        );
        assert_eq!(
            of("F/2.8, SS 206, GPS (26.5, 106.7, 15), HOME (1, 2)"),
            Some((26.5, 106.7, None))
        );
        for unclear in [
            "GPS(36.6146,-6.1120,0.0M)",
            "GPS()",
            "GPS",
            "latitude: 26.5",
            "[latitude: x] [longitude: y]",
            "HOME(106.7,26.5)",
        ] {
            assert_eq!(of(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn cues_begin_at() {
        assert_eq!(begin_ms("00:01:02,500 --> 00:01:03,500"), Some(62_500));
        assert_eq!(begin_ms("10:00:00.001-->10:00:01.000"), Some(36_000_001));
        for wrong in [
            "",
            "-->",
            "00:01 --> 00:02",
            "00:61:00,000 --> ",
            "a:b:c --> d",
            "00:00:1e3 -->",
        ] {
            assert_eq!(begin_ms(wrong), None, "{wrong}");
        }
    }
}
