//! HEAD and DELETE: where an upload stands, and its end before the last byte.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::ids::RecordingId;
use docket_catalog::{Upload, UploadKind};
use docket_ingest::upload::{StoredFacts, UploadStatus};
use docket_tus::{Concat, Metadata, Refusal, Standing};
use http::{HeaderMap, StatusCode};

use super::{BASE, TusResult, own_upload};
use crate::access::Principal;
use crate::extract::Path;
use crate::state::AppState;

/// Where an upload stands. A client that asks has lost its connection, so a request that still waits for this
/// upload's bytes saves them and stops first.
#[utoipa::path(head, path = "/files/{id}", tag = "uploads",
    params(("id" = String, Path, description = "The upload's id"),
        ("Tus-Resumable" = String, Header, description = "1.0.0")),
    responses((status = 200, description = "Upload-Offset, Upload-Length or Upload-Defer-Length, Upload-Metadata, Upload-Expires"),
        (status = 404, description = "No upload of yours"),
        (status = 410, description = "It ended without being complete"),
        (status = 423, description = "The other request can't save just now")))]
pub async fn head(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
) -> TusResult<Response> {
    docket_tus::check_version(&headers)?;
    own_upload(&app, &who, id).await?;
    let none = Metadata::default();
    let out = match app.ingest().upload_status(id).await? {
        UploadStatus::Open(upload) => open(&app, &upload).await?,
        UploadStatus::Complete { size_bytes, .. } => docket_tus::standing(
            &Standing {
                offset_bytes: Some(size_bytes),
                length_bytes: Some(size_bytes),
                metadata: &none,
                concat: None,
                expires_at: None,
            },
            BASE,
        ),
        UploadStatus::Gone(_) => return Err(Refusal::Gone.into()),
    };
    Ok((StatusCode::OK, out).into_response())
}

async fn open(app: &AppState, upload: &Upload) -> TusResult<HeaderMap> {
    let facts = StoredFacts::parse(&upload.metadata)?;
    let metadata = Metadata::parse(&facts.header)?;
    let concat = match upload.kind {
        UploadKind::Whole | UploadKind::Clip => None,
        UploadKind::Partial => Some(Concat::Partial),
        UploadKind::Final => Some(Concat::Final(app.catalog().upload_parts(upload.id).await?)),
    };
    let joining = matches!(upload.kind, UploadKind::Final | UploadKind::Clip);
    let standing = Standing {
        // Of a final upload only once it is joined (tus, concatenation).
        offset_bytes: (!joining).then_some(upload.offset_bytes),
        length_bytes: upload.length_bytes,
        metadata: &metadata,
        concat: concat.as_ref(),
        expires_at: upload.expires_at,
    };
    Ok(docket_tus::standing(&standing, BASE))
}

/// Ends an upload before its last byte (tus termination). What was acknowledged is evidence: it is sealed as
/// incomplete.
#[utoipa::path(delete, path = "/files/{id}", tag = "uploads",
    params(("id" = String, Path, description = "The upload's id"),
        ("Tus-Resumable" = String, Header, description = "1.0.0")),
    responses((status = 204, description = "It has ended"),
        (status = 404, description = "No upload of yours", body = crate::problem::ProblemBody),
        (status = 410, description = "It had ended already", body = crate::problem::ProblemBody)))]
pub async fn terminate(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
) -> TusResult<Response> {
    docket_tus::check_version(&headers)?;
    let permit = own_upload(&app, &who, id).await?;
    app.ingest().terminate_upload(id, permit.actor()).await?;
    Ok((StatusCode::NO_CONTENT, docket_tus::terminated()).into_response())
}
