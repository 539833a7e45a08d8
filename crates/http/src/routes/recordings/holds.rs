//! Holds: nobody deletes while one stands.

use axum::extract::State;
use docket_base::ids::{HoldId, RecordingId};
use docket_catalog::Hold as Row;
use http::StatusCode;

use super::permitted;
use crate::access::{Action, Principal};
use crate::extract::{Json, OrDefault, Path};
use crate::problem::Result;
use crate::respond::page::Page;
use crate::shapes::{Hold, HoldInput, HoldLift, Names};
use crate::state::AppState;

/// A recording's holds, lifted ones too, oldest first.
#[utoipa::path(get, path = "/v1/recordings/{id}/holds", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "All of them", body = Page<Hold>),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
) -> Result<Json<Page<Hold>>> {
    permitted(&app, &who, Action::ReadRecordings, id).await?;
    let mut names = Names::of(&app);
    let mut items = Vec::new();
    for row in app.catalog().holds(id).await? {
        items.push(shape(row, &mut names).await?);
    }
    Ok(Json(Page::whole(items)))
}

/// Places a hold.
#[utoipa::path(post, path = "/v1/recordings/{id}/holds", tag = "recordings", request_body = HoldInput,
    params(("id" = String, Path, description = "The recording's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, it is done once")),
    responses((status = 201, description = "The hold", body = Hold),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 422, description = "Without a reason", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    Json(input): Json<HoldInput>,
) -> Result<(StatusCode, Json<Hold>)> {
    let (permit, _) = permitted(&app, &who, Action::Hold, id).await?;
    let row = app
        .ingest()
        .place_hold(permit.actor(), id, &input.reason)
        .await?;
    let body = shape(row, &mut Names::of(&app)).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// Lifts a hold. Lifting it again changes nothing.
#[utoipa::path(delete, path = "/v1/recordings/{id}/holds/{hold}", tag = "recordings", request_body = Option<HoldLift>,
    params(("id" = String, Path, description = "The recording's id"), ("hold" = String, Path, description = "The hold's id")),
    responses((status = 204, description = "It stands no more"),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No recording that you may see, or no such hold on it", body = crate::problem::ProblemBody)))]
pub async fn lift(
    State(app): State<AppState>,
    who: Principal,
    Path((id, hold)): Path<(RecordingId, HoldId)>,
    OrDefault(input): OrDefault<HoldLift>,
) -> Result<StatusCode> {
    let (permit, _) = permitted(&app, &who, Action::Hold, id).await?;
    app.ingest()
        .lift_hold(permit.actor(), id, hold, input.reason.as_deref())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn shape(row: Row, names: &mut Names<'_>) -> Result<Hold> {
    let lifted_by = match (row.lifted_by_kind, &row.lifted_by_id) {
        (Some(kind), Some(id)) => Some(names.actor(kind, id).await?),
        _ => None,
    };
    Ok(Hold {
        id: row.id,
        reason: row.reason,
        placed_at: row.placed_at,
        placed_by: names.actor(row.placed_by_kind, &row.placed_by_id).await?,
        lifted_at: row.lifted_at,
        lifted_by,
    })
}
