//! Recorders 记录仪 and who carried them when.

use std::collections::HashMap;

use axum::extract::State;
use docket_base::Micros;
use docket_base::ids::{AssignmentId, RecorderId};
use docket_catalog::{Assignment as AssignmentRow, AssignmentView, Recorder as Row, WithUnit};
use http::StatusCode;

use crate::access::{Action, Principal};
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem, Result};
use crate::respond::page::{Page, SearchQuery};
use crate::shapes::{
    Assignment, AssignmentEnd, AssignmentInput, OfficerRef, Recorder, RecorderInput, UnitRef,
};
use crate::state::AppState;

/// The recorders of one's units.
#[utoipa::path(get, path = "/v1/recorders", tag = "registers", params(SearchQuery),
    responses((status = 200, description = "A page", body = Page<Recorder>),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Page<Recorder>>> {
    let (_, reach) = app.permit_listing(&who, Action::ReadRegisters)?;
    let page = app
        .catalog()
        .recorders(
            query.text(),
            &reach,
            query.cursor()?.as_ref(),
            query.limit(),
        )
        .await?;
    let ids: Vec<RecorderId> = page.items.iter().map(|found| found.row.id).collect();
    let mut carried: HashMap<RecorderId, Vec<AssignmentView>> = HashMap::new();
    for view in app.catalog().assignments(&ids).await? {
        carried.entry(view.recorder_id).or_default().push(view);
    }
    Ok(Json(Page::of(page, |found| {
        let assignments = carried.remove(&found.row.id).unwrap_or_default();
        shape(found, assignments)
    })))
}

/// Enters a recorder.
#[utoipa::path(post, path = "/v1/recorders", tag = "registers", request_body = RecorderInput,
    responses((status = 201, description = "The recorder", body = Recorder),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No unit that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "The serial number is in use", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Json(input): Json<RecorderInput>,
) -> Result<(StatusCode, Json<Recorder>)> {
    let unit = input.unit.unwrap_or(who.unit);
    let permit = app.permit(&who, Action::WriteRegisters, unit).await?;
    let row = Row {
        // Id and time are made where the row is entered.
        id: RecorderId::from_bytes([0; 16]),
        serial: input.serial,
        model: input.model,
        unit_id: unit,
        version: 1,
        created_at: Micros::default(),
    };
    let row = app.ingest().add_recorder(permit.actor(), row).await?;
    Ok((StatusCode::CREATED, Json(read(&app, row.id).await?)))
}

/// Changes a recorder. Moving one to another unit takes the right in both.
#[utoipa::path(put, path = "/v1/recorders/{id}", tag = "registers", request_body = RecorderInput,
    params(("id" = String, Path, description = "The recorder's id")),
    responses((status = 200, description = "As it is now", body = Recorder),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "The serial number is in use", body = crate::problem::ProblemBody),
        (status = 412, description = "It has changed meanwhile", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn change(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecorderId>,
    Json(input): Json<RecorderInput>,
) -> Result<Json<Recorder>> {
    let before = app.catalog().recorder(id).await?.ok_or(Kind::NotFound)?.row;
    let permit = app
        .permit(&who, Action::WriteRegisters, before.unit_id)
        .await?;
    let unit_id = input.unit.unwrap_or(before.unit_id);
    app.permit(&who, Action::WriteRegisters, unit_id).await?;
    let row = Row {
        serial: input.serial,
        model: input.model,
        unit_id,
        ..before.clone()
    };
    if row != before {
        app.ingest().change_recorder(permit.actor(), row).await?;
    }
    Ok(Json(read(&app, id).await?))
}

/// Gives a recorder to an officer for a time.
#[utoipa::path(post, path = "/v1/recorders/{id}/assignments", tag = "registers", request_body = AssignmentInput,
    params(("id" = String, Path, description = "The recorder's id")),
    responses((status = 201, description = "The recorder with its assignments", body = Recorder),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No recorder or officer that you may see", body = crate::problem::ProblemBody),
        (status = 422, description = "It overlaps another, or ends before it begins", body = crate::problem::ProblemBody)))]
pub async fn assign(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecorderId>,
    Json(input): Json<AssignmentInput>,
) -> Result<(StatusCode, Json<Recorder>)> {
    let recorder = app.catalog().recorder(id).await?.ok_or(Kind::NotFound)?.row;
    let permit = app
        .permit(&who, Action::WriteRegisters, recorder.unit_id)
        .await?;
    let officer = app.catalog().officer(input.officer).await?;
    let officer = officer.ok_or(Kind::NotFound)?.row;
    app.permit(&who, Action::WriteRegisters, officer.unit_id)
        .await?;
    let time = (input.from_at, input.until_at);
    app.ingest()
        .assign(permit.actor(), id, officer.id, time)
        .await?;
    Ok((StatusCode::CREATED, Json(read(&app, id).await?)))
}

/// Ends an assignment, or leaves it open again.
#[utoipa::path(put, path = "/v1/recorders/{id}/assignments/{assignment}", tag = "registers", request_body = AssignmentEnd,
    params(("id" = String, Path, description = "The recorder's id"), ("assignment" = String, Path, description = "The assignment's id")),
    responses((status = 200, description = "The recorder with its assignments", body = Recorder),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody),
        (status = 422, description = "It overlaps another, or ends before it begins", body = crate::problem::ProblemBody)))]
pub async fn end(
    State(app): State<AppState>,
    who: Principal,
    Path((id, assignment)): Path<(RecorderId, AssignmentId)>,
    Json(input): Json<AssignmentEnd>,
) -> Result<Json<Recorder>> {
    let recorder = app.catalog().recorder(id).await?.ok_or(Kind::NotFound)?.row;
    let permit = app
        .permit(&who, Action::WriteRegisters, recorder.unit_id)
        .await?;
    let all = app.catalog().assignments(&[id]).await?;
    let found = all.into_iter().find(|view| view.id == assignment);
    let view = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let row = AssignmentRow {
        id: view.id,
        recorder_id: view.recorder_id,
        officer_id: view.officer_id,
        from_at: view.from_at,
        until_at: view.until_at,
    };
    if row.until_at != input.until_at {
        app.ingest()
            .end_assignment(permit.actor(), row, input.until_at)
            .await?;
    }
    Ok(Json(read(&app, id).await?))
}

async fn read(app: &AppState, id: RecorderId) -> Result<Recorder> {
    let found = app.catalog().recorder(id).await?.ok_or(Kind::NotFound)?;
    let assignments = app.catalog().assignments(&[id]).await?;
    Ok(shape(found, assignments))
}

fn shape(found: WithUnit<Row>, assignments: Vec<AssignmentView>) -> Recorder {
    let carried = |view: AssignmentView| Assignment {
        id: view.id,
        officer: OfficerRef {
            id: view.officer_id,
            name: view.officer_name,
        },
        from_at: view.from_at,
        until_at: view.until_at,
    };
    let row = found.row;
    Recorder {
        id: row.id,
        serial: row.serial,
        model: row.model,
        unit: UnitRef {
            id: row.unit_id,
            name: found.unit_name,
        },
        assignments: assignments.into_iter().map(carried).collect(),
    }
}
