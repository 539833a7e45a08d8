//! What can go wrong, and what it means for the caller.

use std::time::Duration;

use serde::Deserialize;

/// Why a call did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No answer: refused, reset, timed out, or the TLS peer is not the expected one.
    #[error("no answer from the server: {0}")]
    Unreachable(String),
    /// The server answered with an error.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The answer does not follow the protocol.
    #[error("the server's answer makes no sense: {0}")]
    Nonsense(String),
}

/// An error answer: RFC 9457 problem details where the server sent them, else made from the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable type such as `/problems/digest-mismatch`; `about:blank` where none was sent.
    pub kind: String,
    /// What happened, for people.
    pub title: String,
    /// What happened this time.
    pub detail: Option<String>,
    /// What the server asks to wait.
    pub retry_after: Option<Duration>,
    /// What the server logged the request as.
    pub request_id: Option<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.title)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

/// What an [`Error`] means for who made the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Nobody there, overloaded or restarting: try again.
    TryAgain,
    /// 507: the server's disk is full. Try again later; nothing is lost.
    NoRoom,
    /// 409 or 412: the offset or version is not what the caller believed. Ask, then go on.
    Conflict,
    /// 404 or 410: it does not exist (any more), at least not for the caller.
    Gone,
    /// 423: another request holds the upload. Try again soon.
    Locked,
    /// 460: the bytes were damaged on the way. Send them again.
    ChecksumMismatch,
    /// 422 `digest-mismatch`: all bytes arrived, and they are not the announced ones.
    DigestMismatch,
    /// 401: the token is not (no longer) accepted.
    Unauthorised,
    /// Repeating it will not help.
    Refused,
}

impl Error {
    /// What to do about it.
    pub fn meaning(&self) -> Meaning {
        let problem = match self {
            Self::Unreachable(_) => return Meaning::TryAgain,
            Self::Nonsense(_) => return Meaning::Refused,
            Self::Problem(problem) => problem,
        };
        match problem.status {
            507 => Meaning::NoRoom,
            408 | 425 | 429 | 500 | 502..=504 => Meaning::TryAgain,
            409 | 412 => Meaning::Conflict,
            404 | 410 => Meaning::Gone,
            423 => Meaning::Locked,
            460 => Meaning::ChecksumMismatch,
            422 if problem.kind.ends_with("digest-mismatch") => Meaning::DigestMismatch,
            401 => Meaning::Unauthorised,
            _ => Meaning::Refused,
        }
    }

    /// What the server asks to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem(problem) => problem.retry_after,
            _ => None,
        }
    }

    /// The problem, where the server answered.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether repeating the same call may succeed without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(
            self.meaning(),
            Meaning::TryAgain | Meaning::NoRoom | Meaning::Locked
        )
    }
}

/// The members of RFC 9457 that are used; all others are ignored.
#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    detail: Option<String>,
}

/// Longest text taken from a problem: it ends in logs and on screens.
const TEXT_LIMIT: usize = 500;

impl Problem {
    /// From status, headers' values and body; the body may be anything.
    pub(crate) fn from_answer(
        status: u16,
        retry_after: Option<Duration>,
        request_id: Option<String>,
        body: &[u8],
    ) -> Self {
        let wire = serde_json::from_slice::<Wire>(body).ok();
        let (kind, title, detail) = match wire {
            Some(wire) => (wire.kind, wire.title, wire.detail),
            // tus answers carry plain text.
            None => (None, None, Some(String::from_utf8_lossy(body).into_owned())),
        };
        let short = |text: String| -> String {
            let visible = text.chars().filter(|c| !c.is_control());
            visible.take(TEXT_LIMIT).collect()
        };
        Self {
            status,
            kind: short(kind.unwrap_or_else(|| "about:blank".into())),
            title: title.map_or_else(|| default_title(status), short),
            detail: detail.map(short).filter(|text| !text.trim().is_empty()),
            retry_after,
            request_id: request_id.map(short),
        }
    }
}

fn default_title(status: u16) -> String {
    reqwest::StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("error")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Error {
        Error::Problem(Box::new(Problem::from_answer(
            status,
            None,
            None,
            body.as_bytes(),
        )))
    }

    #[test]
    fn statuses_have_distinct_meanings() {
        let expected = [
            (409, Meaning::Conflict),
            (412, Meaning::Conflict),
            (404, Meaning::Gone),
            (410, Meaning::Gone),
            (423, Meaning::Locked),
            (460, Meaning::ChecksumMismatch),
            (507, Meaning::NoRoom),
            (503, Meaning::TryAgain),
            (429, Meaning::TryAgain),
            (401, Meaning::Unauthorised),
            (403, Meaning::Refused),
            (413, Meaning::Refused),
            (422, Meaning::Refused),
            (501, Meaning::Refused),
        ];
        for (status, meaning) in expected {
            assert_eq!(answer(status, "").meaning(), meaning, "{status}");
        }
        let mismatch = answer(
            422,
            r#"{"type":"/problems/digest-mismatch","title":"Digest mismatch","extra":1}"#,
        );
        assert_eq!(mismatch.meaning(), Meaning::DigestMismatch);
        assert_eq!(mismatch.to_string(), "422 Digest mismatch");
    }

    #[test]
    fn hostile_bodies_end_short_and_on_one_line() {
        let body = format!("\u{1b}[31m{}\n", "x".repeat(10_000));
        let error = answer(400, &body).to_string();
        assert!(error.len() < 600 && !error.contains('\u{1b}'), "{error}");
    }
}
