//! Notes and tags.

use axum::extract::State;
use axum::response::Response;
use docket_base::ids::RecordingId;
use docket_ingest::annotations::Annotation;
use http::HeaderMap;

use super::list::shown;
use super::permitted;
use crate::access::{Action, Principal};
use crate::extract::{Json, Path};
use crate::problem::Result;
use crate::respond::etag::ETag;
use crate::shapes::{AnnotationInput, Recording};
use crate::state::AppState;

/// Writes notes and tags.
#[utoipa::path(patch, path = "/v1/recordings/{id}", tag = "recordings", request_body = AnnotationInput,
    params(("id" = String, Path, description = "The recording's id"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 200, description = "As it is now", body = Recording),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody),
        (status = 412, description = "It has changed meanwhile", body = crate::problem::ProblemBody),
        (status = 422, description = "A text is too long", body = crate::problem::ProblemBody),
        (status = 428, description = "If-Match is missing", body = crate::problem::ProblemBody)))]
pub async fn annotate(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
    Json(input): Json<AnnotationInput>,
) -> Result<Response> {
    let (permit, row) = permitted(&app, &who, Action::Annotate, id).await?;
    ETag::of_version(row.version).require_match(&headers)?;
    let wanted = Annotation {
        notes: input.notes,
        tags: input.tags,
    };
    app.ingest()
        .annotate(permit.actor(), id, row.version, wanted)
        .await?;
    shown(&app, &who, id, &HeaderMap::new()).await
}
