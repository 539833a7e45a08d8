//! PATCH: bytes arrive.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::ids::RecordingId;
use docket_ingest::IngestError;
use docket_ingest::upload::UploadStatus;
use docket_tus::Refusal;
use http::{HeaderMap, StatusCode};

use super::{Failure, TusResult, appended, own_upload, stream};
use crate::access::Principal;
use crate::extract::Path;
use crate::state::AppState;

/// Appends bytes at the upload's offset. When the last one came, the recording is sealed before the answer.
#[utoipa::path(patch, path = "/files/{id}", tag = "uploads",
    params(("id" = String, Path, description = "The upload's id"),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Offset" = u64, Header, description = "The offset that HEAD tells"),
        ("Upload-Length" = Option<u64>, Header, description = "For an upload that deferred it"),
        ("Upload-Checksum" = Option<String>, Header, description = "Of this body: sha1 or sha256, and base64")),
    request_body(content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "All of it is durable; Upload-Offset is the new offset"),
        (status = 404, description = "No upload of yours", body = crate::problem::ProblemBody),
        (status = 409, description = "It stands at another offset", body = crate::problem::ProblemBody),
        (status = 410, description = "It has ended", body = crate::problem::ProblemBody),
        (status = 413, description = "More than its length; the excess was not taken", body = crate::problem::ProblemBody),
        (status = 415, description = "Another Content-Type", body = crate::problem::ProblemBody),
        (status = 422, description = "Not the promised SHA-256: kept in quarantine", body = crate::problem::ProblemBody),
        (status = 423, description = "A newer request took over", body = crate::problem::ProblemBody),
        (status = 460, description = "Not the announced checksum: nothing of it was kept", body = crate::problem::ProblemBody),
        (status = 507, description = "Too little room; nothing told is lost", body = crate::problem::ProblemBody)))]
pub async fn append(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
    body: Body,
) -> TusResult<Response> {
    let patch = docket_tus::patch(&headers, app.ingest().options.max_upload_bytes)?;
    own_upload(&app, &who, id).await?;
    let done = app
        .ingest()
        .append(
            id,
            patch.offset_bytes,
            patch.length_bytes,
            patch.checksum,
            stream(body),
        )
        .await;
    match done {
        Ok(done) => appended(done, |done| {
            (
                StatusCode::NO_CONTENT,
                docket_tus::patched(done.offset_bytes, done.expires_at),
            )
                .into_response()
        }),
        Err(IngestError::Catalog(docket_catalog::Error::Stale { what: "upload", .. })) => {
            Err(at(&app, id).await)
        }
        Err(error) => Err(error.into()),
    }
}

/// Another offset, and which.
async fn at(app: &AppState, id: RecordingId) -> Failure {
    match app.ingest().upload_status(id).await {
        Ok(UploadStatus::Open(upload)) => Refusal::Offset {
            offset_bytes: upload.offset_bytes,
        }
        .into(),
        Ok(UploadStatus::Complete { size_bytes, .. }) => Refusal::Offset {
            offset_bytes: size_bytes,
        }
        .into(),
        Ok(UploadStatus::Gone(_)) => Refusal::Gone.into(),
        Err(error) => error.into(),
    }
}
