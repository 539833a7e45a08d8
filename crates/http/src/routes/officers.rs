//! Officers 执法人员.

use axum::extract::State;
use docket_base::Micros;
use docket_base::ids::OfficerId;
use docket_catalog::{Officer as Row, WithUnit};
use http::StatusCode;

use crate::access::{Action, Principal};
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Result};
use crate::respond::page::{Page, SearchQuery};
use crate::shapes::{Officer, OfficerInput, UnitRef};
use crate::state::AppState;

/// The officers of one's units.
#[utoipa::path(get, path = "/v1/officers", tag = "registers", params(SearchQuery),
    responses((status = 200, description = "A page", body = Page<Officer>),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Page<Officer>>> {
    let (_, reach) = app.permit_listing(&who, Action::ReadRegisters)?;
    let page = app
        .catalog()
        .officers(
            query.text(),
            &reach,
            query.cursor()?.as_ref(),
            query.limit(),
        )
        .await?;
    Ok(Json(Page::of(page, shape)))
}

/// Enters an officer.
#[utoipa::path(post, path = "/v1/officers", tag = "registers", request_body = OfficerInput,
    responses((status = 201, description = "The officer", body = Officer),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No unit that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "The certificate number is in use", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Json(input): Json<OfficerInput>,
) -> Result<(StatusCode, Json<Officer>)> {
    let unit = input.unit.unwrap_or(who.unit);
    let permit = app.permit(&who, Action::WriteRegisters, unit).await?;
    let row = Row {
        // Id and time are made where the row is entered.
        id: OfficerId::from_bytes([0; 16]),
        name: input.name,
        certificate_number: input.certificate_number,
        unit_id: unit,
        category: input.category,
        area: input.area,
        version: 1,
        created_at: Micros::default(),
    };
    let row = app.ingest().add_officer(permit.actor(), row).await?;
    Ok((StatusCode::CREATED, Json(read(&app, row.id).await?)))
}

/// Changes an officer. Moving one to another unit takes the right in both.
#[utoipa::path(put, path = "/v1/officers/{id}", tag = "registers", request_body = OfficerInput,
    params(("id" = String, Path, description = "The officer's id")),
    responses((status = 200, description = "As it is now", body = Officer),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "The certificate number is in use", body = crate::problem::ProblemBody),
        (status = 412, description = "It has changed meanwhile", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn change(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<OfficerId>,
    Json(input): Json<OfficerInput>,
) -> Result<Json<Officer>> {
    let before = app.catalog().officer(id).await?.ok_or(Kind::NotFound)?.row;
    let permit = app
        .permit(&who, Action::WriteRegisters, before.unit_id)
        .await?;
    let unit_id = input.unit.unwrap_or(before.unit_id);
    app.permit(&who, Action::WriteRegisters, unit_id).await?;
    let row = Row {
        name: input.name,
        certificate_number: input.certificate_number,
        unit_id,
        category: input.category,
        area: input.area,
        ..before.clone()
    };
    if row != before {
        app.ingest().change_officer(permit.actor(), row).await?;
    }
    Ok(Json(read(&app, id).await?))
}

async fn read(app: &AppState, id: OfficerId) -> Result<Officer> {
    let found = app.catalog().officer(id).await?.ok_or(Kind::NotFound)?;
    Ok(shape(found))
}

fn shape(found: WithUnit<Row>) -> Officer {
    let row = found.row;
    Officer {
        id: row.id,
        name: row.name,
        certificate_number: row.certificate_number,
        unit: UnitRef {
            id: row.unit_id,
            name: found.unit_name,
        },
        category: row.category,
        area: row.area,
    }
}
