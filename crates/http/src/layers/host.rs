//! Which host names this daemon answers to, and whether a request comes from its own pages.
//!
//! On a plain-HTTP intranet there is no certificate that ties a name to this machine. Where the operator lists
//! the names, others are refused, which ends DNS rebinding; where not, the session cookie is still bound to the
//! name it was given under, and a change needs an `Origin` that names the very host it was sent to.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Uri};

use crate::problem::{Kind, Problem};

/// Refuses names that are not on the list; an empty list takes every name.
pub async fn layer(State(allowed): State<Arc<[String]>>, request: Request, next: Next) -> Response {
    if allowed.is_empty() {
        return next.run(request).await;
    }
    let host = authority(request.headers(), request.uri());
    let name = host.as_deref().map(without_port).unwrap_or_default();
    if allowed.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        next.run(request).await
    } else {
        Problem::new(Kind::MisdirectedRequest).into_response()
    }
}

/// The host (and port) the client addressed: `Host`, or `:authority` in HTTP/2.
pub fn authority(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    if let Some(authority) = uri.authority() {
        return Some(authority.as_str().to_ascii_lowercase());
    }
    let mut all = headers.get_all(HOST).iter();
    let host = all.next()?.to_str().ok()?.to_ascii_lowercase();
    all.next().is_none().then_some(host)
}

/// The name without the port; an IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Where a request says it comes from, compared with where it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A page of this daemon.
    Own,
    /// A page of another site, or something that hides where it is from.
    Foreign,
    /// No `Origin` at all: not a browser's cross-site request, but no proof of an own page either.
    Unsaid,
}

/// Compares `Origin` with the addressed host. The scheme may differ: a proxy may speak TLS to the browser.
pub fn source(headers: &HeaderMap, uri: &Uri) -> Source {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return Source::Unsaid;
    };
    let own = (|| {
        let origin = origin.to_str().ok()?.to_ascii_lowercase();
        let from = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"))?;
        Some(from == authority(headers, uri)?)
    })();
    match own {
        Some(true) if origins.next().is_none() => Source::Own,
        _ => Source::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: Option<&str>, host: &str) -> Source {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("header"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().expect("header"));
        }
        source(&headers, &Uri::from_static("/v1/session"))
    }

    #[test]
    fn own_pages_and_others() {
        let host = "10.1.2.3:8600";
        assert_eq!(from(Some("http://10.1.2.3:8600"), host), Source::Own);
        assert_eq!(from(Some("https://10.1.2.3:8600"), host), Source::Own);
        assert_eq!(from(Some("http://10.1.2.3"), host), Source::Foreign);
        assert_eq!(from(Some("http://10.1.2.3:8601"), host), Source::Foreign);
        assert_eq!(from(Some("null"), host), Source::Foreign);
        assert_eq!(from(Some("http://evil.example"), host), Source::Foreign);
        assert_eq!(
            from(Some("http://evil.example@10.1.2.3:8600"), host),
            Source::Foreign
        );
        assert_eq!(from(None, host), Source::Unsaid);
    }

    #[test]
    fn ports_are_cut_and_addresses_are_not() {
        assert_eq!(without_port("docket.lan:8600"), "docket.lan");
        assert_eq!(without_port("[::1]:8600"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
    }
}
