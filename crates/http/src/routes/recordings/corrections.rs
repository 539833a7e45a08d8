//! Corrections of facts.

use axum::extract::State;
use docket_base::ids::{RecordingId, UnitId};
use docket_catalog::{Correction as Row, CorrectionField};
use docket_ingest::corrections::Wanted;
use http::StatusCode;

use super::permitted;
use crate::access::{Action, Principal};
use crate::extract::{Json, Path};
use crate::problem::{Kind, Problem, Result};
use crate::respond::page::Page;
use crate::shapes::{Correction, CorrectionInput, Names};
use crate::state::AppState;

/// What was corrected, oldest first.
#[utoipa::path(get, path = "/v1/recordings/{id}/corrections", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "All of them", body = Page<Correction>),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
) -> Result<Json<Page<Correction>>> {
    permitted(&app, &who, Action::ReadRecordings, id).await?;
    let mut names = Names::of(&app);
    let mut items = Vec::new();
    for row in app.catalog().corrections(id).await? {
        items.push(shape(row, &mut names).await?);
    }
    Ok(Json(Page::whole(items)))
}

/// Appends a correction. Moving a recording to another unit takes the right in both.
#[utoipa::path(post, path = "/v1/recordings/{id}/corrections", tag = "recordings", request_body = CorrectionInput,
    params(("id" = String, Path, description = "The recording's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, it is done once")),
    responses((status = 201, description = "The correction", body = Correction),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 422, description = "The value is none, or names nothing", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    Json(input): Json<CorrectionInput>,
) -> Result<(StatusCode, Json<Correction>)> {
    let (permit, _) = permitted(&app, &who, Action::Correct, id).await?;
    let field: CorrectionField = input.field.parse()?;
    if field == CorrectionField::Unit {
        let unit: Option<UnitId> = input.value.as_deref().and_then(|value| value.parse().ok());
        let unit =
            unit.ok_or_else(|| Problem::new(Kind::Invalid).detail("unit: an id is needed"))?;
        app.permit(&who, Action::Correct, unit).await?;
    }
    let wanted = Wanted {
        field,
        value: input.value,
        reason: input.reason,
    };
    let row = app.ingest().correct(permit.actor(), id, wanted).await?;
    let body = shape(row, &mut Names::of(&app)).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

async fn shape(row: Row, names: &mut Names<'_>) -> Result<Correction> {
    Ok(Correction {
        field: row.field.to_string(),
        old_value: row.old_value,
        new_value: row.new_value,
        reason: row.reason,
        at: row.at,
        by: names.actor(row.by_kind, &row.by_id).await?,
    })
}
