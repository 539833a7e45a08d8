//! The original's exact bytes.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::ids::RecordingId;
use docket_catalog::{Recording, RecordingState};
use docket_ingest::viewing::Served;
use docket_vault::VaultKey;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use http::{HeaderMap, Method};

use super::permitted;
use crate::access::Action;
use crate::extract::Path;
use crate::layers::headers::user_bytes;
use crate::problem::{Kind, Problem, Result};
use crate::respond::etag::ETag;
use crate::respond::range::{self, Wanted};
use crate::respond::stream;
use crate::signin::playback::Watcher;
use crate::state::AppState;

/// The original, whole or by `Range`. The whole is logged as a download, ranges as one viewing.
#[utoipa::path(get, path = "/v1/recordings/{id}/original", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id"),
        ("token" = Option<String>, Query, description = "A playback token in place of a session"),
        ("Range" = Option<String>, Header, description = "One range of bytes; several are answered with the whole")),
    responses((status = 200, description = "All bytes; the ETag is the SHA-256", content_type = "application/octet-stream"),
        (status = 206, description = "The range", content_type = "application/octet-stream"),
        (status = 304, description = "The digest of If-None-Match is the present one"),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "Still arriving: see `/files/{id}`", body = crate::problem::ProblemBody),
        (status = 410, description = "It was deleted, or nothing ever came", body = crate::problem::ProblemBody),
        (status = 412, description = "If-Match names other bytes", body = crate::problem::ProblemBody),
        (status = 416, description = "No such bytes", body = crate::problem::ProblemBody)))]
pub async fn original(
    State(app): State<AppState>,
    who: Watcher,
    Path(id): Path<RecordingId>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let (permit, row) = permitted(&app, &who.principal, Action::Download, id).await?;
    let stored = stored(&row)?;
    let etag = ETag::of_text(&stored.etag);
    let wanted = range::wanted(&headers, &etag, stored.size_bytes)?;

    let mut out = HeaderMap::new();
    out.insert(ETAG, etag.value());
    out.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let media_type = row.media_type.as_deref().unwrap_or_default();
    user_bytes(&mut out, media_type, Some(&row.file_name));
    let (status, bytes) = range::head(&wanted, stored.size_bytes, &mut out);
    let Some(bytes) = bytes.filter(|_| method != Method::HEAD) else {
        return Ok((status, out).into_response());
    };
    // The event commits before the first byte goes out; a crash in between leaves one that nothing followed.
    match wanted {
        Wanted::Part(_) => {
            let served = Served::original(bytes.clone());
            app.viewings().serve(permit.actor(), &row, served).await?;
        }
        Wanted::Whole | Wanted::NotModified => {
            app.ingest()
                .downloaded(permit.actor(), &row, bytes.clone())
                .await?;
        }
    }
    if bytes.is_empty() {
        return Ok((status, out, Body::empty()).into_response());
    }
    let stream = app.vault().read(&stored.key, bytes).await?;
    Ok((status, out, stream::body(stream, id)).into_response())
}

/// Where a closed recording's bytes are.
pub struct Stored {
    /// In the vault.
    pub key: VaultKey,
    /// How many.
    pub size_bytes: u64,
    /// Their SHA-256.
    pub etag: docket_base::Sha256Digest,
}

/// The stored original of a recording.
///
/// # Errors
/// `conflict` while it is arriving, `gone` when there is none.
pub fn stored(row: &Recording) -> Result<Stored> {
    if row.state.is_open() {
        let detail = format!(
            "it is still arriving; what came so far is at /files/{}",
            row.id
        );
        return Err(Problem::new(Kind::Conflict)
            .detail(detail)
            .retry_after_seconds(5));
    }
    match (&row.vault_key, row.size_bytes, row.sha256) {
        (Some(key), Some(size_bytes), Some(etag)) if row.state != RecordingState::Deleted => {
            Ok(Stored {
                key: key.parse().map_err(Problem::internal)?,
                size_bytes,
                etag,
            })
        }
        _ => Err(Kind::Gone.into()),
    }
}
