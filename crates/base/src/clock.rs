//! Time as a value. Nothing outside this file asks the machine what time it is.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

/// Microseconds since 1970-01-01T00:00:00Z, UTC. The unit of every time in the catalog.
///
/// As text (JSON, ledger entries, receipts) it is RFC 3339 in UTC with six decimals, so that equal
/// times are equal bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub i64);

/// The times that the text form can say: years 1 to 9999.
const WRITABLE: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

impl Micros {
    /// Microseconds in a second.
    pub const PER_SECOND: i64 = 1_000_000;

    /// Parses RFC 3339 with any offset; what is finer than a microsecond is cut off.
    ///
    /// # Errors
    /// [`BadTime`] when the text is not RFC 3339, or the time lies outside years 1 to 9999 UTC: it would be written
    /// as another one.
    pub fn parse_rfc3339(text: &str) -> Result<Self, BadTime> {
        let bad = || BadTime(text.to_owned());
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| bad())?;
        let micros = at.unix_timestamp_nanos().div_euclid(1_000);
        let micros = i64::try_from(micros)
            .ok()
            .filter(|at| WRITABLE.contains(at));
        micros.map(Self).ok_or_else(bad)
    }

    /// RFC 3339 in UTC with six decimals, e.g. `2026-11-23T17:45:00.000000Z`.
    pub fn to_rfc3339(self) -> String {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
        );
        self.to_offset()
            .format(&format)
            .unwrap_or_else(|_| "0000-01-01T00:00:00.000000Z".to_owned())
    }

    /// The UTC calendar day as (year, month, day): the vault's folders are named by it.
    pub fn utc_day(self) -> (i32, u8, u8) {
        let at = self.to_offset();
        (at.year(), u8::from(at.month()), at.day())
    }

    /// This time moved by whole seconds, saturating.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(
            self.0
                .saturating_add(seconds.saturating_mul(Self::PER_SECOND)),
        )
    }

    /// Milliseconds since 1970, as UUIDv7 wants them; negative times count as 0.
    pub fn unix_millis(self) -> u64 {
        u64::try_from(self.0 / 1_000).unwrap_or(0)
    }

    fn to_offset(self) -> OffsetDateTime {
        let clamped = self.0.clamp(*WRITABLE.start(), *WRITABLE.end());
        (OffsetDateTime::UNIX_EPOCH + Duration::microseconds(clamped)).to_offset(UtcOffset::UTC)
    }
}

impl fmt::Debug for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).map_err(serde::de::Error::custom)
    }
}

/// A text that is no RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an RFC 3339 time such as 2026-11-23T09:30:00+08:00")]
pub struct BadTime(pub String);

/// Where the present comes from. Passed in everywhere, so that tests own time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now, by this clock.
    fn now(&self) -> Micros;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place
    fn now(&self) -> Micros {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
            Err(before) => {
                Micros(-i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX))
            }
        }
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock standing at `start`.
    pub fn at(start: Micros) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock by whole seconds.
    pub fn advance_seconds(&self, seconds: i64) {
        self.0
            .fetch_add(seconds * Micros::PER_SECOND, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Micros {
        Micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_utc_with_six_decimals() {
        let at = Micros::parse_rfc3339("2026-11-23T09:30:00.5+08:00").expect("valid");
        assert_eq!(at.to_rfc3339(), "2026-11-23T01:30:00.500000Z");
        assert_eq!(at.utc_day(), (2026, 11, 23));
        assert!(Micros::parse_rfc3339("23.11.2026").is_err());
    }

    #[test]
    fn what_is_read_is_written_as_the_same_time() {
        let read = |text: &str| Micros::parse_rfc3339(text).map(Micros::to_rfc3339);
        // Cut off, not rounded up, also before 1970.
        let before = read("1969-12-31T23:59:59.9999999Z");
        assert_eq!(before.as_deref(), Ok("1969-12-31T23:59:59.999999Z"));
        assert!(read("0001-01-01T00:00:00Z").is_ok());
        for other in [
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert!(read(other).is_err(), "{other}");
        }
    }

    #[test]
    fn extreme_values_do_not_panic() {
        let _ = Micros(i64::MIN).to_rfc3339();
        let _ = Micros(i64::MAX).to_rfc3339();
    }
}
