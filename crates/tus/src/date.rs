//! `Upload-Expires`: IMF-fixdate (RFC 9110, section 5.6.7).

use docket_base::clock::Micros;
use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

const FORM: &[FormatItem<'static>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// The last second representable: the form has four digits for the year.
const LAST_SECOND: i64 = 253_402_300_799;

/// The form of a time, e.g. `Sun, 06 Nov 1994 08:49:37 GMT`. What is finer than a second is cut
/// off; times outside 1970 to 9999 are clamped.
pub fn imf_fixdate(at: Micros) -> String {
    let seconds = at.0.div_euclid(Micros::PER_SECOND).clamp(0, LAST_SECOND);
    (OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds))
        .format(FORM)
        // Every component of the form exists in every date: formatting cannot fail.
        .unwrap_or_default()
}

/// The time that a text of this form names; `None` for any other text, and for times that [`imf_fixdate`] doesn't write.
pub fn parse_imf_fixdate(text: &str) -> Option<Micros> {
    let at = PrimitiveDateTime::parse(text, FORM).ok()?.assume_utc();
    let seconds = Some(at.unix_timestamp()).filter(|at| (0..=LAST_SECOND).contains(at))?;
    Some(Micros(seconds * Micros::PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_rfc() {
        let at = Micros(784_111_777_999_999);
        assert_eq!(imf_fixdate(at), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(
            imf_fixdate(Micros(i64::MAX)),
            "Fri, 31 Dec 9999 23:59:59 GMT"
        );
        assert_eq!(parse_imf_fixdate("1994-11-06T08:49:37Z"), None);
        assert_eq!(parse_imf_fixdate("Sun, 06 Nov 1904 08:49:37 GMT"), None);
    }

    proptest! {
        #[test]
        fn round_trip(seconds in 0..LAST_SECOND) {
            let at = Micros(seconds * Micros::PER_SECOND);
            prop_assert_eq!(parse_imf_fixdate(&imf_fixdate(at)), Some(at));
        }
    }
}
