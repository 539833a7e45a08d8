//! Entity tags and the conditions on them (RFC 9110, sections 8.8.3 and 13).

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};

use crate::problem::{Kind, Problem, Result};

/// A strong entity tag, with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// Of a version number.
    pub fn of_version(version: i64) -> Self {
        Self(format!("\"{version}\""))
    }

    /// Of a digest or other text of letters and digits.
    pub fn of_text(text: &impl std::fmt::Display) -> Self {
        Self(format!("\"{text}\""))
    }

    /// As a header value.
    pub fn value(&self) -> HeaderValue {
        // Made of digits, letters and quotes.
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("\"\""))
    }

    /// As it stands in headers.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `If-Match`: required for a change of something others change too.
    ///
    /// # Errors
    /// `if-match-required` without the header, `precondition-failed` when it names another version.
    pub fn require_match(&self, headers: &HeaderMap) -> Result<()> {
        if !headers.contains_key(IF_MATCH) {
            return Err(Kind::IfMatchRequired.into());
        }
        if self.named_in(headers, &IF_MATCH, false) {
            return Ok(());
        }
        Err(Problem::new(Kind::PreconditionFailed).member("current_etag", self.as_str()))
    }

    /// `If-None-Match`: the client has this very version.
    pub fn is_known(&self, headers: &HeaderMap) -> bool {
        self.named_in(headers, &IF_NONE_MATCH, true)
    }

    /// `If-Match` names it, or there is no `If-Match`.
    pub fn passes_if_match(&self, headers: &HeaderMap) -> bool {
        !headers.contains_key(IF_MATCH) || self.named_in(headers, &IF_MATCH, false)
    }

    fn named_in(&self, headers: &HeaderMap, name: &HeaderName, weak: bool) -> bool {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .any(|tag| {
                let tag = if weak {
                    tag.strip_prefix("W/").unwrap_or(tag)
                } else {
                    tag
                };
                tag == "*" || tag == self.0
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_need_the_present_version() {
        let tag = ETag::of_version(3);
        let kind = |value: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(IF_MATCH, value.parse().expect("ascii"));
            }
            tag.require_match(&headers).err().map(|p| p.kind())
        };
        assert_eq!(kind(None), Some(Kind::IfMatchRequired));
        assert_eq!(kind(Some("\"2\"")), Some(Kind::PreconditionFailed));
        assert_eq!(kind(Some("W/\"3\"")), Some(Kind::PreconditionFailed));
        assert_eq!(kind(Some("\"2\", \"3\"")), None);
        assert_eq!(kind(Some("*")), None);
    }
}
