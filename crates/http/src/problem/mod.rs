//! RFC 9457 problems: the one shape in which this daemon says no.
//!
//! A problem's `type` is `/problems/<slug>`, stable for ever; the page behind it explains it. A 5xx
//! carries the request id and nothing of what happened inside: that is in the log under the same id.

mod errors;
mod kinds;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use kinds::{KINDS, Kind};

use crate::layers::request_id;

/// What a handler returns.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// A refusal or a failure on its way to the client.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// How a [`Problem`] looks on the wire (`application/problem+json`). Some types add members of their own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Stable address of this type of problem, e.g. `/problems/digest-mismatch`.
    #[serde(rename = "type")]
    #[schema(example = "/problems/not-found")]
    kind: String,
    /// What this type of problem is, in a few words.
    title: &'static str,
    /// The HTTP status, again.
    status: u16,
    /// What was wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Quote this when you ask for help: the daemon's log has it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    members: Map<String, Value>,
}

impl Problem {
    /// A problem of this kind, without detail.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            detail: None,
            members: Map::new(),
            headers: Vec::new(),
        }
    }

    /// Something broke inside. `cause` goes to the log, never to the client.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal failure");
        Self::new(Kind::Internal)
    }

    /// Says what was wrong this time. Not for 5xx: their detail is dropped when sent.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds a member of this problem type.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Tells the client when trying again makes sense.
    #[must_use]
    pub fn retry_after_seconds(self, seconds: u64) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The status it will be sent with.
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    fn body(self) -> (StatusCode, Vec<(HeaderName, HeaderValue)>, ProblemBody) {
        let status = self.kind.status();
        let body = ProblemBody {
            kind: format!("/problems/{}", self.kind.slug()),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: self.detail.filter(|_| !self.kind.is_internal()),
            request_id: request_id::current(),
            members: self.members,
        };
        (status, self.headers, body)
    }
}

impl From<Kind> for Problem {
    fn from(kind: Kind) -> Self {
        Self::new(kind)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, headers, body) = self.body();
        // A map of strings and numbers always serialises.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (status, json).into_response();
        let own = response.headers_mut();
        own.extend(headers);
        own.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        own.entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_unique_and_address_safe() {
        let mut seen = std::collections::HashSet::new();
        for kind in KINDS {
            let slug = kind.slug();
            assert!(seen.insert(slug), "{slug} twice");
            assert!(
                slug.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{slug}"
            );
            assert_eq!(Kind::by_slug(slug), Some(*kind));
        }
    }

    #[test]
    fn a_server_failure_shows_no_detail() {
        let (status, _, body) = Problem::internal("table users is corrupt")
            .detail("table users")
            .body();
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body.detail, None);
    }

    #[test]
    fn members_stand_beside_the_standard_ones() {
        let (_, _, body) = Problem::new(Kind::DigestMismatch)
            .member("expected_sha256", "00")
            .body();
        let json = serde_json::to_value(&body).expect("serialises");
        assert_eq!(json["type"], "/problems/digest-mismatch");
        assert_eq!(json["expected_sha256"], "00");
        assert_eq!(json["status"], 422);
    }
}
