//! NMEA 0183 sentences: RMC (position, speed, date) and GGA (position, altitude) of any talker. A sentence whose
//! checksum is wrong is none; one without a checksum is taken.

use super::civil::{self, DAY_MS};
use super::novatek::{KNOT_M_PER_S, signed};
use super::{Point, Points};

/// Longest sentence looked at; the standard's are 82 characters.
const LONGEST_BYTES: usize = 256;

/// What sentences of one moment say.
#[derive(Debug, Clone, Copy, Default)]
struct Epoch {
    /// UTC, since midnight.
    time_ms: Option<i64>,
    /// Days since 1970.
    day: Option<i64>,
    position: Option<(f64, f64)>,
    altitude_m: Option<f64>,
    speed_m_per_s: Option<f64>,
    /// A sentence says that there is no fix.
    is_void: bool,
}

impl Epoch {
    fn point(&self, at_ms: i64) -> Option<Point> {
        let (latitude_deg, longitude_deg) = self.position.filter(|_| !self.is_void)?;
        let fix_at_ms = self
            .day
            .zip(self.time_ms)
            .map(|(day, time)| day * DAY_MS + time);
        Some(Point {
            at_ms,
            latitude_deg,
            longitude_deg,
            altitude_m: self.altitude_m,
            speed_m_per_s: self.speed_m_per_s,
            fix_at_ms,
        })
    }

    /// Takes what a sentence says. False where it is of another moment: then nothing is taken.
    fn take(&mut self, sentence: &Epoch) -> bool {
        if self.time_ms.is_some() && sentence.time_ms != self.time_ms {
            return false;
        }
        self.time_ms = sentence.time_ms;
        self.day = sentence.day.or(self.day);
        self.position = self.position.or(sentence.position);
        self.altitude_m = self.altitude_m.or(sentence.altitude_m);
        self.speed_m_per_s = self.speed_m_per_s.or(sentence.speed_m_per_s);
        self.is_void |= sentence.is_void;
        true
    }
}

/// Reads the sentence in a line, whatever stands before its `$`; `None` for others than RMC and GGA.
fn sentence(line: &str) -> Option<Epoch> {
    let start = line.find('$')?;
    let line = line.get(start + 1..)?.trim_end();
    if line.len() > LONGEST_BYTES {
        return None;
    }
    let body = match line.split_once('*') {
        Some((body, sum)) => {
            let told = u8::from_str_radix(sum.get(..2)?, 16).ok()?;
            let true_sum = body.bytes().fold(0, |sum, byte| sum ^ byte);
            (told == true_sum).then_some(body)?
        }
        None => line,
    };
    let fields: Vec<&str> = body.split(',').take(24).collect();
    match fields.first()?.get(2..)? {
        "RMC" => Some(rmc(&fields)),
        "GGA" => Some(gga(&fields)),
        _ => None,
    }
}

fn rmc(fields: &[&str]) -> Epoch {
    let field = |number: usize| fields.get(number).copied().unwrap_or_default();
    let position = position(field(3), field(4), field(5), field(6));
    Epoch {
        time_ms: time_ms(field(1)),
        day: day(field(9)),
        position,
        altitude_m: None,
        speed_m_per_s: plain(field(7)).map(|knots| knots * KNOT_M_PER_S),
        is_void: field(2) != "A" || position.is_none(),
    }
}

fn gga(fields: &[&str]) -> Epoch {
    let field = |number: usize| fields.get(number).copied().unwrap_or_default();
    let position = position(field(2), field(3), field(4), field(5));
    Epoch {
        time_ms: time_ms(field(1)),
        day: None,
        position,
        altitude_m: plain(field(9)).filter(|_| field(10) == "M"),
        speed_m_per_s: None,
        is_void: matches!(field(6), "" | "0") || position.is_none(),
    }
}

/// A number as people write it: no exponents, no infinities.
pub(super) fn plain(text: &str) -> Option<f64> {
    let is_plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
    text.parse().ok().filter(|_| is_plain && text.len() <= 24)
}

fn position(latitude: &str, north: &str, longitude: &str, east: &str) -> Option<(f64, f64)> {
    let side = |text: &str, plus, minus| signed(*text.as_bytes().first()?, plus, minus);
    let north = side(north, b'N', b'S')?;
    let east = side(east, b'E', b'W')?;
    Some((
        north * degrees(plain(latitude)?)?,
        east * degrees(plain(longitude)?)?,
    ))
}

/// Degrees of `dddmm.mmmm`.
pub(super) fn degrees(value: f64) -> Option<f64> {
    if !(0.0..=18_000.0).contains(&value) {
        return None;
    }
    let degrees = (value / 100.0).trunc();
    let minutes = value - degrees * 100.0;
    (minutes < 60.0).then_some(degrees + minutes / 60.0)
}

/// `hhmmss.sss`
fn time_ms(text: &str) -> Option<i64> {
    let two = |at: usize| {
        text.get(at..at + 2)
            .and_then(|t| t.parse::<u8>().ok())
            .map(i64::from)
    };
    let seconds = plain(text.get(4..)?)?;
    civil::time_ms(two(0)?, two(2)?, (seconds * 1000.0).round() as i64)
}

/// `ddmmyy`
fn day(text: &str) -> Option<i64> {
    let two = |at: usize| {
        text.get(at..at + 2)
            .and_then(|t| t.parse::<u8>().ok())
            .map(i64::from)
    };
    let year = two(4)?;
    let century = if year >= 80 { 1900 } else { 2000 };
    civil::day(century + year, two(2)?, two(0)?)
}

/// The position that the sentences of one moment give together.
pub(super) fn in_text(text: &str, at_ms: i64) -> Option<Point> {
    let mut epoch = Epoch::default();
    for one in text.split(['\n', '\r', '\0']).take(64).filter_map(sentence) {
        if !epoch.take(&one) {
            break;
        }
    }
    epoch.point(at_ms)
}

/// As [`in_text`], among other bytes.
pub(super) fn in_bytes(bytes: &[u8]) -> Option<Point> {
    let starts = bytes
        .windows(6)
        .enumerate()
        .filter(|(_, window)| window[0] == b'$' && matches!(&window[3..], b"RMC" | b"GGA"));
    let mut epoch = Epoch::default();
    for (start, _) in starts.take(8) {
        let rest = &bytes[start..];
        let end = rest.iter().position(|b| !(b' '..=b'~').contains(b));
        let line = std::str::from_utf8(&rest[..end.unwrap_or(rest.len())]).ok();
        if let Some(one) = line.and_then(sentence) {
            epoch.take(&one);
        }
    }
    epoch.point(0)
}

/// A log of sentences. Its first is taken for the beginning of the film: recorders open both together.
#[derive(Debug, Default)]
pub(super) struct Log {
    epoch: Epoch,
    /// The time of day before, and midnights since the first.
    last_ms: Option<i64>,
    midnights: i64,
    /// The last date told, and how many midnights ago.
    day: Option<(i64, i64)>,
    /// When the film began, on the log's clock.
    begin_ms: Option<i64>,
    /// Seconds before the receiver knew the time: each gave an RMC without one.
    untimed_s: i64,
}

impl Log {
    pub(super) fn line(&mut self, line: &str, into: &mut Points) {
        let Some(one) = sentence(line) else { return };
        if one.time_ms.is_none() {
            let is_second = line.contains("RMC,") && self.begin_ms.is_none();
            self.untimed_s += i64::from(is_second);
            return;
        }
        if !self.epoch.take(&one) {
            self.flush(into);
            self.epoch.take(&one);
        }
    }

    /// What was collected of a moment is all.
    pub(super) fn flush(&mut self, into: &mut Points) {
        let mut epoch = std::mem::take(&mut self.epoch);
        let Some(time_ms) = epoch.time_ms else { return };
        // Half a day back is midnight; less is a receiver that corrects itself.
        if self.last_ms.is_some_and(|last| time_ms < last - DAY_MS / 2) {
            self.midnights += 1;
        }
        self.last_ms = Some(time_ms);
        if let Some(day) = epoch.day {
            self.day = Some((day, self.midnights));
        }
        epoch.day = self.day.map(|(day, at)| day + self.midnights - at);
        let now_ms = self.midnights * DAY_MS + time_ms;
        let begin_ms = *self.begin_ms.get_or_insert(now_ms - self.untimed_s * 1000);
        into.extend(epoch.point(now_ms - begin_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_the_standard() {
        let rmc = sentence("$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A")
            .expect("RMC");
        let (latitude, longitude) = rmc.position.expect("a position");
        assert!((latitude - 48.1173).abs() < 1e-9 && (longitude - 11.516_666_666).abs() < 1e-8);
        assert!((rmc.speed_m_per_s.expect("a speed") - 11.523_555).abs() < 1e-5);
        assert_eq!(rmc.time_ms, Some(45_319_000));
        assert_eq!(rmc.day, civil::day(1994, 3, 23));
        let gga = sentence(
            "[1555957502837]$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47",
        );
        assert_eq!(gga.expect("GGA").altitude_m, Some(545.4));
        let void = sentence("$GNRMC,,V,,,,,,,,,,N*4D").expect("RMC");
        assert!(void.is_void && void.time_ms.is_none());
        for wrong in [
            "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6B",
            "$GPGSV,1,1,00*79",
            "$",
            "GPRMC",
            "$é*",
        ] {
            assert!(sentence(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_log_begins_with_the_film_and_passes_midnight() {
        let (mut log, mut into) = (Log::default(), Points::default());
        for line in [
            "$GPRMC,,V,,,,,,,,,,N",
            "$GPGGA,,,,,,0,,,,,,,,",
            "$GPRMC,,V,,,,,,,,,,N",
            "$GPRMC,235958.00,A,2630.0000,N,10642.0000,E,10.0,,311225,,,A",
            "$GPGGA,235958.00,2630.0000,N,10642.0000,E,1,08,0.9,1071.5,M,,M,,",
            "$GPRMC,235959.00,V,,,,,,,311225,,,N",
            "$GPRMC,000000.00,A,2630.0100,N,10642.0000,E,0.0,,010126,,,A",
            "$GPRMC,000001.00,A,2630.0200,N,10642.0000,E,0.0,,,,,A",
        ] {
            log.line(line, &mut into);
        }
        log.flush(&mut into);
        let new_year = civil::day(2026, 1, 1).expect("a day") * DAY_MS;
        let times: Vec<_> = into.kept.iter().map(|p| (p.at_ms, p.fix_at_ms)).collect();
        assert_eq!(
            times,
            [
                (2000, Some(new_year - 2000)),
                (4000, Some(new_year)),
                (5000, Some(new_year + 1000)),
            ]
        );
        assert_eq!(
            (into.kept[0].latitude_deg, into.kept[0].longitude_deg),
            (26.5, 106.7)
        );
        assert_eq!(into.kept[0].altitude_m, Some(1071.5));
        assert_eq!(into.kept[0].speed_m_per_s, Some(5.144));
    }
}
