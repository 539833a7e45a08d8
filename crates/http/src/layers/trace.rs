//! One span and one line a request, and the request metrics. The query is never logged: search terms name people.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::request_id;

/// Methods that are counted by name.
const KNOWN: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Wraps the request in its span; logs and counts when the answer's head is ready.
pub async fn layer(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(none)", MatchedPath::as_str)
        .to_owned();
    let request_id = request_id::current().unwrap_or_default();
    let span = tracing::info_span!("request", %request_id, %method, %route);
    let began = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let took = began.elapsed();
    let status = response.status().as_u16();
    let _inside = span.enter();
    if status >= 500 {
        tracing::warn!(status, took_ms = took.as_millis() as u64, "answered");
    } else {
        tracing::debug!(status, took_ms = took.as_millis() as u64, "answered");
    }
    // Anybody can make up a method; each would be a series of its own.
    let known = KNOWN.iter().find(|known| **known == method.as_str());
    let labels = [
        ("method", (*known.unwrap_or(&"other")).to_owned()),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::counter!("docket_http_requests_total", &labels).increment(1);
    metrics::histogram!("docket_http_request_seconds", &labels[..2]).record(took.as_secs_f64());
    response
}
