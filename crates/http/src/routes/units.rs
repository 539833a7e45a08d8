//! Units: the tree that every right hangs on.

use axum::extract::State;
use docket_base::Micros;
use docket_base::ids::UnitId;
use docket_catalog::Unit as Row;
use http::StatusCode;

use crate::access::{Action, Principal};
use crate::extract::{Json, Path};
use crate::problem::{Kind, Problem, Result};
use crate::respond::page::Page;
use crate::shapes::{Unit, UnitInput};
use crate::state::AppState;

/// One's unit and all under it, parents before children.
#[utoipa::path(get, path = "/v1/units", tag = "registers",
    responses((status = 200, description = "All of them, in one page", body = Page<Unit>),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody)))]
pub async fn list(State(app): State<AppState>, who: Principal) -> Result<Json<Page<Unit>>> {
    let (_, reach) = app.permit_listing(&who, Action::ReadRegisters)?;
    let rows = app.catalog().units(&reach).await?;
    Ok(Json(Page::whole(rows.into_iter().map(shape).collect())))
}

/// Enters a unit under another.
#[utoipa::path(post, path = "/v1/units", tag = "registers", request_body = UnitInput,
    responses((status = 201, description = "The unit", body = Unit),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No parent that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "The code is in use", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Json(input): Json<UnitInput>,
) -> Result<(StatusCode, Json<Unit>)> {
    // There is one root: whoever enters a unit enters it under one of theirs.
    let parent = input.parent_id.unwrap_or(who.unit);
    let permit = app.permit(&who, Action::WriteRegisters, parent).await?;
    let row = Row {
        id: parent,
        parent_id: Some(parent),
        code: input.code,
        name: input.name,
        version: 1,
        created_at: Micros::default(),
    };
    let row = app.ingest().add_unit(permit.actor(), row).await?;
    Ok((StatusCode::CREATED, Json(shape(row))))
}

/// Changes a unit's name, code or place. Moving it takes the right at both places.
#[utoipa::path(put, path = "/v1/units/{id}", tag = "registers", request_body = UnitInput,
    params(("id" = String, Path, description = "The unit's id")),
    responses((status = 200, description = "As it is now", body = Unit),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "The code is in use", body = crate::problem::ProblemBody),
        (status = 412, description = "It has changed meanwhile", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn change(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<UnitId>,
    Json(input): Json<UnitInput>,
) -> Result<Json<Unit>> {
    let permit = app.permit(&who, Action::WriteRegisters, id).await?;
    let before = app.catalog().unit(id).await?.ok_or(Kind::NotFound)?;
    let parent_id = input.parent_id.or(before.parent_id);
    if let (true, Some(parent)) = (parent_id != before.parent_id, parent_id) {
        if id == who.unit {
            return Err(Problem::new(Kind::Forbidden).detail("one's own unit is moved from above"));
        }
        app.permit(&who, Action::WriteRegisters, parent).await?;
    }
    let row = Row {
        parent_id,
        code: input.code,
        name: input.name,
        ..before.clone()
    };
    if row == before {
        return Ok(Json(shape(row)));
    }
    let row = app.ingest().change_unit(permit.actor(), row).await?;
    Ok(Json(shape(row)))
}

fn shape(row: Row) -> Unit {
    Unit {
        id: row.id,
        name: row.name,
        code: row.code,
        parent_id: row.parent_id,
    }
}
