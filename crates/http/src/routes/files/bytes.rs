//! GET: the bytes so far.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::ids::RecordingId;
use docket_catalog::UploadKind;
use docket_vault::AssemblyState;
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use crate::access::{Action, Principal};
use crate::extract::Path;
use crate::layers::headers::user_bytes;
use crate::problem::{Kind, Result};
use crate::respond::range::{self, single_spec};
use crate::respond::stream;
use crate::routes::recordings::original;
use crate::state::AppState;

/// The bytes so far: those that are durable. Once sealed it is the original, and the ETag its digest.
#[utoipa::path(get, path = "/files/{id}", tag = "uploads",
    params(("id" = String, Path, description = "The recording's id"),
        ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses((status = 200, description = "All durable bytes; without an ETag while they grow", content_type = "application/octet-stream"),
        (status = 206, description = "The range; `Content-Range: bytes a-b/*` while it grows", content_type = "application/octet-stream"),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 416, description = "No such bytes yet", body = crate::problem::ProblemBody)))]
pub async fn read(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let row = app.catalog().recording(id).await?.ok_or(Kind::NotFound)?;
    let permit = app.permit(&who, Action::Download, row.unit_id).await?;
    let upload = app
        .catalog()
        .upload(id)
        .await?
        .filter(|upload| upload.kind == UploadKind::Whole);
    let Some(upload) = upload.filter(|_| row.state.is_open()) else {
        return original::original(State(app), who.into(), Path(id), method, headers).await;
    };
    let size = upload.offset_bytes;
    let mut out = HeaderMap::new();
    out.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    user_bytes(
        &mut out,
        row.media_type.as_deref().unwrap_or_default(),
        Some(&row.file_name),
    );
    let (status, bytes) = match single_spec(&headers) {
        None => (StatusCode::OK, 0..size),
        Some(spec) => {
            let bytes = spec
                .resolve(size)
                .ok_or_else(|| range::unsatisfiable(size))?;
            let text = format!("bytes {}-{}/*", bytes.start, bytes.end - 1);
            // Digits and ASCII signs.
            if let Ok(value) = HeaderValue::from_str(&text) {
                out.insert(CONTENT_RANGE, value);
            }
            (StatusCode::PARTIAL_CONTENT, bytes)
        }
    };
    out.insert(CONTENT_LENGTH, HeaderValue::from(bytes.end - bytes.start));
    if bytes.is_empty() {
        return Ok((status, out, Body::empty()).into_response());
    }
    // The event commits before the first byte goes out.
    app.ingest()
        .downloaded(permit.actor(), &row, bytes.clone())
        .await?;
    let stream = app
        .vault()
        .read_assembly(&AssemblyState(upload.assembly_state), bytes)
        .await?;
    Ok((status, out, stream::body(stream, id)).into_response())
}
