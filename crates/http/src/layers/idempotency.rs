//! `Idempotency-Key` on POST: the same request sent again is done once and answered the same.
//!
//! The key belongs to who sent it. Its first use is noted before the work and its answer after; a crash in
//! between leaves a key without an answer: it is refused for ten minutes, because nobody knows whether the work
//! was done, and then free again.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use docket_base::Sha256Digest;
use docket_catalog::Idempotency;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::access::{Principal, Who};
use crate::layers::request_id;
use crate::problem::{Kind, Problem, Result};
use crate::state::AppState;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, in bytes.
const LONGEST_KEY: usize = 200;
/// Longest body of a request with a key: a register import.
const LONGEST_REQUEST: usize = 8 << 20;
/// A request that has no answer after so long was lost with its daemon, in seconds.
const ABANDONED_AFTER_S: i64 = 600;
/// Longest answer that is kept.
const LONGEST_ANSWER: usize = 1 << 20;

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    content_type: Option<String>,
    location: Option<String>,
    etag: Option<String>,
    body: String,
}

/// Around every route; touches only POSTs of the API that carry a key.
pub async fn layer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Sign-in answers hold secrets that must not be kept; uploads have their own way to go on.
    let concerned = request.method() == Method::POST
        && path.starts_with("/v1/")
        && !path.starts_with("/v1/session")
        && !path.starts_with("/v1/tokens")
        && !path.ends_with("/playback-token");
    if !concerned || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    // On its own: a client that goes away must not leave a key without an answer.
    let work = tokio::spawn(request_id::carry(once(app, request, next)));
    match work.await {
        Ok(answer) => answer.unwrap_or_else(IntoResponse::into_response),
        Err(error) => Problem::internal(error).into_response(),
    }
}

async fn once(app: AppState, request: Request, next: Next) -> Result<Response> {
    let key = key(request.headers())?;
    let (mut parts, body) = request.into_parts();
    let who = Principal::from_request_parts(&mut parts, &app).await?;
    let body = to_bytes(body, LONGEST_REQUEST)
        .await
        .map_err(|_| Kind::TooLarge)?;
    let actor = match who.who {
        Who::User(id) => format!("user {id}"),
        // Not the station: a token becomes one by its first report.
        Who::Token(id, _) => format!("token {id}"),
    };
    let print = fingerprint(&parts, &body);
    let catalog = app.catalog();
    let now = app.now();
    let times = (now, now.plus_seconds(-ABANDONED_AFTER_S));
    match catalog.begin_request(&actor, &key, print, times).await? {
        Idempotency::First => {}
        Idempotency::Again { status, response } => return replay(status, &response),
        Idempotency::Busy => {
            return Err(Problem::new(Kind::IdempotencyConflict).retry_after_seconds(1));
        }
        Idempotency::Different => {
            return Err(Problem::new(Kind::IdempotencyConflict)
                .detail("the key was sent with another request"));
        }
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(&app, &actor, &key, response).await
}

fn key(headers: &HeaderMap) -> Result<String> {
    let text = headers.get(HEADER).and_then(|value| value.to_str().ok());
    let text = text.filter(|text| !text.is_empty() && text.len() <= LONGEST_KEY);
    let bad = || {
        Problem::new(Kind::BadRequest).detail("Idempotency-Key: 1 to 200 visible ASCII characters")
    };
    text.map(str::to_owned).ok_or_else(bad)
}

fn fingerprint(parts: &http::request::Parts, body: &[u8]) -> Sha256Digest {
    let target = parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str());
    let mut print = Vec::with_capacity(target.len() + body.len() + 1);
    print.extend_from_slice(target.as_bytes());
    print.push(0);
    print.extend_from_slice(body);
    Sha256Digest::of(&print)
}

/// Keeps what is final; after a failure of ours the same key may be tried again.
async fn keep(app: &AppState, actor: &str, key: &str, response: Response) -> Result<Response> {
    let catalog = app.catalog();
    let (parts, body) = response.into_parts();
    let final_answer =
        parts.status.is_success() || parts.status == StatusCode::UNPROCESSABLE_ENTITY;
    let body = to_bytes(body, LONGEST_ANSWER).await;
    let body = match body {
        Ok(body) if final_answer => body,
        Ok(body) => {
            catalog.forget_request(actor, key).await?;
            return Ok(Response::from_parts(parts, Body::from(body)));
        }
        Err(error) => return Err(Problem::internal(error)),
    };
    let text = |name: &HeaderName| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
    let kept = Kept {
        content_type: text(&CONTENT_TYPE),
        location: text(&LOCATION),
        etag: text(&ETAG),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let bytes = serde_json::to_vec(&kept).map_err(Problem::internal)?;
    catalog
        .answer_request(actor, key, u32::from(parts.status.as_u16()), &bytes)
        .await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replay(status: u32, response: &[u8]) -> Result<Response> {
    let kept: Kept = serde_json::from_slice(response).map_err(Problem::internal)?;
    let status = u16::try_from(status).map_err(Problem::internal)?;
    let status = StatusCode::from_u16(status).map_err(Problem::internal)?;
    let mut out = (status, Bytes::from(kept.body)).into_response();
    let headers = out.headers_mut();
    headers.remove(CONTENT_TYPE);
    for (name, value) in [
        (CONTENT_TYPE, kept.content_type),
        (LOCATION, kept.location),
        (ETAG, kept.etag),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(out)
}
