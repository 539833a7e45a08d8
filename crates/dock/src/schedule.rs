//! Bandwidth by time of day, in the station's local time.

use std::str::FromStr;

use docket_base::Micros;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text of another form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct BadForm(&'static str);

/// Local time as a fixed offset from UTC. China has one zone and no summer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcOffset {
    minutes: i32,
}

impl UtcOffset {
    /// Whole hours east of Greenwich.
    pub const fn hours(hours: i32) -> Self {
        Self {
            minutes: hours * 60,
        }
    }
}

impl FromStr for UtcOffset {
    type Err = BadForm;
    fn from_str(text: &str) -> Result<Self, BadForm> {
        let bad = BadForm("an offset such as +08:00");
        if text == "Z" {
            return Ok(Self { minutes: 0 });
        }
        let sign = match text.as_bytes().first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Err(bad),
        };
        let minutes = clock_minutes(&text[1..]).ok_or(bad)?;
        if minutes > 14 * 60 {
            return Err(bad);
        }
        Ok(Self {
            minutes: sign * minutes,
        })
    }
}

impl std::fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let minutes = self.minutes.abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// A time of day in minutes after midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(i32);

impl FromStr for TimeOfDay {
    type Err = BadForm;
    fn from_str(text: &str) -> Result<Self, BadForm> {
        let minutes = clock_minutes(text).filter(|minutes| *minutes <= 24 * 60);
        minutes.map(Self).ok_or(BadForm("a time such as 08:00"))
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// `hh:mm` as minutes.
fn clock_minutes(text: &str) -> Option<i32> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| -> Option<i32> {
        let is_two_digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        is_two_digits.then(|| part.parse().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60 && hours <= 24).then_some(hours * 60 + minutes)
}

macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
as_text! { UtcOffset TimeOfDay }

/// A window of the day with its limit; `until` before `from` goes over midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    /// First minute.
    pub from: TimeOfDay,
    /// First minute after.
    pub until: TimeOfDay,
    /// Megabits (10^6) a second.
    pub limit_mbit_per_s: std::num::NonZeroU32,
}

impl Bandwidth {
    fn holds_at(&self, minute: i32) -> bool {
        if self.from.0 <= self.until.0 {
            (self.from.0..self.until.0).contains(&minute)
        } else {
            minute >= self.from.0 || minute < self.until.0
        }
    }
}

/// The rate at `now` in bytes a second: the lowest of all windows it lies in, `None` without limit.
pub fn rate_at(windows: &[Bandwidth], offset: UtcOffset, now: Micros) -> Option<u64> {
    let minutes = now.0.div_euclid(60 * Micros::PER_SECOND) + i64::from(offset.minutes);
    let minute = minutes.rem_euclid(24 * 60) as i32;
    windows
        .iter()
        .filter(|window| window.holds_at(minute))
        .map(|window| u64::from(window.limit_mbit_per_s.get()) * 125_000)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: &str, until: &str, limit: u32) -> Bandwidth {
        Bandwidth {
            from: from.parse().expect("from"),
            until: until.parse().expect("until"),
            limit_mbit_per_s: limit.try_into().expect("not zero"),
        }
    }

    #[test]
    fn the_lowest_window_of_local_time_holds() {
        let windows = [
            window("08:00", "18:00", 20),
            window("12:00", "13:00", 8),
            window("22:00", "06:00", 100),
        ];
        let offset: UtcOffset = "+08:00".parse().expect("offset");
        let at = |text: &str| rate_at(&windows, offset, Micros::parse_rfc3339(text).expect("time"));
        assert_eq!(at("2026-11-23T08:00:00+08:00"), Some(2_500_000));
        assert_eq!(at("2026-11-23T12:30:00+08:00"), Some(1_000_000));
        assert_eq!(at("2026-11-23T18:00:00+08:00"), None);
        assert_eq!(at("2026-11-23T23:59:00+08:00"), Some(12_500_000));
        assert_eq!(at("2026-11-24T05:59:59+08:00"), Some(12_500_000));
        assert_eq!(at("2026-11-24T06:00:00+08:00"), None);
    }

    #[test]
    fn forms() {
        for text in ["8:00", "24:01", "08:60", "", "+8", "ab:cd"] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
        assert_eq!(
            "-03:30".parse::<UtcOffset>().map(|o| o.to_string()),
            Ok("-03:30".into())
        );
        assert!("+15:00".parse::<UtcOffset>().is_err());
        assert!("é08:00".parse::<UtcOffset>().is_err());
    }
}
