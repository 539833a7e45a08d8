//! Markers: times in a recording that people marked.

use axum::extract::State;
use docket_base::ids::{MarkerId, RecordingId};
use docket_catalog::Marker as Row;
use docket_ingest::markers::MarkerWanted;
use http::StatusCode;

use super::permitted;
use crate::access::{Action, Principal};
use crate::extract::{Json, Path};
use crate::problem::Result;
use crate::respond::page::Page;
use crate::shapes::{Marker, MarkerInput, Names};
use crate::state::AppState;

/// A recording's markers by their times, withdrawn ones too.
#[utoipa::path(get, path = "/v1/recordings/{id}/markers", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "All of them", body = Page<Marker>),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
) -> Result<Json<Page<Marker>>> {
    permitted(&app, &who, Action::ReadRecordings, id).await?;
    let mut names = Names::of(&app);
    let mut items = Vec::new();
    for row in app.catalog().markers(id).await? {
        items.push(shape(row, &mut names).await?);
    }
    Ok(Json(Page::whole(items)))
}

/// Places a marker, also on what is still arriving.
#[utoipa::path(post, path = "/v1/recordings/{id}/markers", tag = "recordings", request_body = MarkerInput,
    params(("id" = String, Path, description = "The recording's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, it is done once")),
    responses((status = 201, description = "The marker", body = Marker),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 422, description = "Without a text, beyond the recording's end, or over 1,000 markers", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    Json(input): Json<MarkerInput>,
) -> Result<(StatusCode, Json<Marker>)> {
    let (permit, _) = permitted(&app, &who, Action::Mark, id).await?;
    let wanted = MarkerWanted {
        at_ms: input.at_ms,
        until_ms: input.until_ms,
        text: input.text,
    };
    let row = app
        .ingest()
        .place_marker(permit.actor(), id, wanted)
        .await?;
    let body = shape(row, &mut Names::of(&app)).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// Withdraws a marker; its history stays. Withdrawing it again changes nothing.
#[utoipa::path(delete, path = "/v1/recordings/{id}/markers/{marker}", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id"), ("marker" = String, Path, description = "The marker's id")),
    responses((status = 204, description = "It stands no more"),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No recording that you may see, or no such marker on it", body = crate::problem::ProblemBody)))]
pub async fn withdraw(
    State(app): State<AppState>,
    who: Principal,
    Path((id, marker)): Path<(RecordingId, MarkerId)>,
) -> Result<StatusCode> {
    let (permit, _) = permitted(&app, &who, Action::Mark, id).await?;
    app.ingest()
        .withdraw_marker(permit.actor(), id, marker)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn shape(row: Row, names: &mut Names<'_>) -> Result<Marker> {
    let withdrawn_by = match (row.withdrawn_by_kind, &row.withdrawn_by_id) {
        (Some(kind), Some(id)) => Some(names.actor(kind, id).await?),
        _ => None,
    };
    Ok(Marker {
        id: row.id,
        at_ms: row.at_ms,
        until_ms: row.until_ms,
        text: row.text,
        placed_at: row.placed_at,
        placed_by: names.actor(row.placed_by_kind, &row.placed_by_id).await?,
        withdrawn_at: row.withdrawn_at,
        withdrawn_by,
    })
}
