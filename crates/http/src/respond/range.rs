//! Which bytes a request wants (RFC 9110, section 14). One range or the whole: several ranges in one request
//! are answered with the whole, which the standard allows and no player minds.

use std::ops::Range;

use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, HeaderValue, IF_RANGE, RANGE};
use http::{HeaderMap, StatusCode};

use super::etag::ETag;
use crate::problem::{Kind, Problem, Result};

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Everything: 200.
    Whole,
    /// These bytes: 206.
    Part(Range<u64>),
    /// The client has it already: 304.
    NotModified,
}

/// Reads the conditions and the range, in the order of RFC 9110, section 13.2.2.
///
/// # Errors
/// `precondition-failed`, or `range-not-satisfiable` with the size.
pub fn wanted(headers: &HeaderMap, etag: &ETag, size_bytes: u64) -> Result<Wanted> {
    if !etag.passes_if_match(headers) {
        return Err(Kind::PreconditionFailed.into());
    }
    if etag.is_known(headers) {
        return Ok(Wanted::NotModified);
    }
    let if_range = headers.get(IF_RANGE).map(HeaderValue::as_bytes);
    if if_range.is_some_and(|tag| tag != etag.as_str().as_bytes()) {
        return Ok(Wanted::Whole);
    }
    let Some(spec) = single_spec(headers) else {
        return Ok(Wanted::Whole);
    };
    match spec.resolve(size_bytes) {
        Some(range) => Ok(Wanted::Part(range)),
        None => Err(unsatisfiable(size_bytes)),
    }
}

/// Status and headers for what goes out; the range of bytes to read, `None` where none are sent.
pub fn head(
    wanted: &Wanted,
    size_bytes: u64,
    headers: &mut HeaderMap,
) -> (StatusCode, Option<Range<u64>>) {
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let (status, range) = match wanted {
        Wanted::NotModified => return (StatusCode::NOT_MODIFIED, None),
        Wanted::Whole => (StatusCode::OK, 0..size_bytes),
        Wanted::Part(range) => {
            let text = format!("bytes {}-{}/{size_bytes}", range.start, range.end - 1);
            // Digits and ASCII signs.
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(CONTENT_RANGE, value);
            }
            (StatusCode::PARTIAL_CONTENT, range.clone())
        }
    };
    headers.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    (status, Some(range))
}

/// 416 with the size there is.
pub fn unsatisfiable(size_bytes: u64) -> Problem {
    let problem = Problem::new(Kind::RangeNotSatisfiable);
    match HeaderValue::from_str(&format!("bytes */{size_bytes}")) {
        Ok(value) => problem.header(CONTENT_RANGE, value),
        Err(_) => problem,
    }
}

/// One `bytes` range as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spec {
    /// From here to there, both included; to the end without a second number.
    From(u64, Option<u64>),
    /// The last so many.
    Last(u64),
}

impl Spec {
    /// The bytes it means of so many; `None` when there are none.
    pub fn resolve(self, size_bytes: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, last) => {
                let end = last.map_or(size_bytes, |last| last.saturating_add(1).min(size_bytes));
                first..end
            }
            Self::Last(count) => size_bytes.saturating_sub(count)..size_bytes,
        };
        (!range.is_empty()).then_some(range)
    }

    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.trim().split_once('-')?;
        let digits = |text: &str| -> Option<u64> {
            let all = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            // Numbers beyond u64 mean "beyond the end".
            all.then(|| text.parse().unwrap_or(u64::MAX))
        };
        match (first, last) {
            ("", last) => Some(Self::Last(digits(last)?)),
            (first, "") => Some(Self::From(digits(first)?, None)),
            (first, last) => {
                let (first, last) = (digits(first)?, digits(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }
}

/// The one range of the request; `None` for none, several, another unit, or what can't be read: all of these
/// mean the whole.
pub fn single_spec(headers: &HeaderMap) -> Option<Spec> {
    let mut all = headers.get_all(RANGE).iter();
    let text = all.next()?.to_str().ok()?;
    if all.next().is_some() {
        return None;
    }
    let (unit, set) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    Spec::parse(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(pairs: &[(&'static str, &str)], size: u64) -> Result<Wanted, Kind> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("ascii"));
        }
        wanted(&headers, &ETag::of_text(&"abc"), size).map_err(|p| p.kind())
    }

    #[test]
    fn ranges_of_rfc_9110() {
        let range = |text| ask(&[("range", text)], 100);
        assert_eq!(range("bytes=0-9"), Ok(Wanted::Part(0..10)));
        assert_eq!(range("bytes=90-"), Ok(Wanted::Part(90..100)));
        assert_eq!(range("bytes=-7"), Ok(Wanted::Part(93..100)));
        assert_eq!(range("bytes=-700"), Ok(Wanted::Part(0..100)));
        assert_eq!(range("bytes=99-9999"), Ok(Wanted::Part(99..100)));
        assert_eq!(
            range("bytes=0-99999999999999999999999"),
            Ok(Wanted::Part(0..100))
        );
        for whole in [
            "bytes=0-1,5-6",
            "items=0-1",
            "bytes=5-1",
            "bytes",
            "bytes=-",
            "bytes=+1-2",
        ] {
            assert_eq!(range(whole), Ok(Wanted::Whole), "{whole}");
        }
        for none in [
            "bytes=100-",
            "bytes=-0",
            "bytes=100-200",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(range(none), Err(Kind::RangeNotSatisfiable), "{none}");
        }
        assert_eq!(
            ask(&[("range", "bytes=0-")], 0),
            Err(Kind::RangeNotSatisfiable)
        );
    }

    #[test]
    fn conditions_come_first() {
        let part = ("range", "bytes=0-9");
        assert_eq!(
            ask(&[part, ("if-range", "\"abc\"")], 100),
            Ok(Wanted::Part(0..10))
        );
        assert_eq!(
            ask(&[part, ("if-range", "\"old\"")], 100),
            Ok(Wanted::Whole)
        );
        assert_eq!(
            ask(&[part, ("if-range", "W/\"abc\"")], 100),
            Ok(Wanted::Whole)
        );
        assert_eq!(
            ask(&[part, ("if-none-match", "W/\"abc\"")], 100),
            Ok(Wanted::NotModified)
        );
        assert_eq!(
            ask(&[part, ("if-match", "\"old\"")], 100),
            Err(Kind::PreconditionFailed)
        );
    }

    proptest! {
        #[test]
        fn never_outside_and_never_empty(text in "bytes=[0-9]{0,22}-[0-9]{0,22}", size in 0u64..2000) {
            if let Ok(Wanted::Part(range)) = ask(&[("range", &text)], size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
