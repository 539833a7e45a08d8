//! Dates of the proleptic Gregorian calendar as days since 1970.

use std::ops::RangeInclusive;

/// Times that a satellite receiver can mean, in milliseconds since 1970: from 1980, when GPS time begins, to 2100.
pub(super) const IN_USE: RangeInclusive<i64> = 315_964_800_000..=4_102_444_800_000;
pub(super) const DAY_MS: i64 = 86_400_000;

/// Days since 1970-01-01; `None` where the calendar has no such day.
pub(super) fn day(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || !(1900..=2200).contains(&year) {
        return None;
    }
    // Days before the year, counted from 1 January of year 1, which is 719,162 days before 1970.
    let before = year - 1;
    let years = before * 365 + before / 4 - before / 100 + before / 400;
    let months = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_day = i64::from(is_leap && month > 2);
    Some(years + months[(month - 1) as usize] + leap_day + day - 1 - 719_162)
}

/// Milliseconds since midnight; `None` for no time of a day. A leap second is the next midnight.
pub(super) fn time_ms(hour: i64, minute: i64, millis: i64) -> Option<i64> {
    let is_time =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0..61_000).contains(&millis);
    is_time.then(|| (hour * 60 + minute) * 60_000 + millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(day(1970, 1, 1), Some(0));
        assert_eq!(day(2000, 1, 1), Some(10_957));
        assert_eq!(day(2000, 3, 1), Some(11_017));
        assert_eq!(day(2024, 2, 29), Some(19_782));
        assert_eq!(day(2026, 11, 24), Some(20_781));
        assert_eq!(
            day(1980, 1, 6).map(|day| day * DAY_MS),
            Some(*IN_USE.start())
        );
        for (year, month, date) in [
            (2023, 2, 29),
            (2024, 13, 1),
            (2024, 4, 31),
            (2024, 0, 1),
            (2024, 1, 0),
        ] {
            assert_eq!(day(year, month, date), None);
        }
        assert_eq!(time_ms(23, 59, 59_999), Some(DAY_MS - 1));
        assert_eq!(time_ms(24, 0, 0), None);
        assert_eq!(time_ms(i64::MAX, 0, 0), None);
        assert_eq!(time_ms(1, 0, i64::MAX), None);
    }
}
