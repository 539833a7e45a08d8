//! Clips: a stretch of a recording as a recording of its own.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::ids::RecordingId;
use docket_ingest::upload::ClipWanted;
use http::StatusCode;
use http::header::LOCATION;

use super::permitted;
use super::play::watchable;
use crate::access::{Action, Principal};
use crate::extract::{Json, Path};
use crate::problem::{Kind, Result};
use crate::respond::page::Page;
use crate::shapes::{ClipInput, Recording, Showing};
use crate::state::AppState;

/// Most that are listed, the newest.
const MOST: u32 = 200;

/// The clips made of a recording, newest first, 200 at most.
#[utoipa::path(get, path = "/v1/recordings/{id}/clips", tag = "recordings",
    params(("id" = String, Path, description = "The source's id")),
    responses((status = 200, description = "Those that you may see", body = Page<Recording>),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
) -> Result<Json<Page<Recording>>> {
    permitted(&app, &who, Action::ReadRecordings, id).await?;
    let clips = app.catalog().clips_of(id, MOST).await?;
    let ids: Vec<RecordingId> = clips.iter().map(|clip| clip.id).collect();
    let mut showing = Showing::to(&who, &app);
    let mut items = Vec::new();
    for view in app.catalog().recording_views(&ids).await? {
        // A clip may have been moved to another unit since.
        if showing
            .may(Action::ReadRecordings, view.recording.unit_id)
            .await?
        {
            items.push(showing.recording(view).await?);
        }
    }
    Ok(Json(Page::whole(items)))
}

/// Makes a clip: a playable MP4 of the stretch, sealed and logged as any recording. It begins at the keyframe at
/// or before `from_ms`, so that nothing need be transcoded; the answer's `derived_from` says the exact
/// boundaries. The clip is `receiving` until it is made.
#[utoipa::path(post, path = "/v1/recordings/{id}/clips", tag = "recordings", request_body = ClipInput,
    params(("id" = String, Path, description = "The source's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, it is done once")),
    responses((status = 201, description = "The clip: a recording of kind `clip`", body = Recording),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "It is not sealed yet, or doesn't play", body = crate::problem::ProblemBody),
        (status = 422, description = "Without a reason; or nothing is between these times; or it is a clip itself", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    Json(input): Json<ClipInput>,
) -> Result<Response> {
    let (permit, row) = permitted(&app, &who, Action::MakeClips, id).await?;
    watchable(&row)?;
    let index = app.index_of(&row).await?;
    let wanted = ClipWanted {
        from_ms: input.from_ms,
        until_ms: input.until_ms,
        reason: input.reason,
    };
    let clip = app
        .ingest()
        .create_clip(permit.actor(), &row, &index, &wanted)
        .await?;
    let view = app.catalog().recording_view(clip).await?;
    let view = view.ok_or(Kind::NotFound)?;
    let body = Showing::to(&who, &app).recording(view).await?;
    let location = [(LOCATION, format!("/v1/recordings/{clip}"))];
    Ok((StatusCode::CREATED, location, Json(body)).into_response())
}
