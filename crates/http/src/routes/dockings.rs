//! Dockings: what was on a recorder, and what of it arrived.

use axum::extract::State;
use docket_base::ids::{DockingId, StationId};
use docket_catalog::Docking as Row;
use docket_ingest::dockings::{DockingReport, outcome};
use docket_ledger::register::DockedFile;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{Action, Principal, Who};
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem, Result};
use crate::respond::page::{Page, cursor, limit};
use crate::shapes::{
    Docking, DockingCreated, DockingFile, DockingFinish, DockingFirst, DockingHead, DockingInput,
    UnitRef,
};
use crate::state::AppState;

/// Which dockings.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Of this station.
    #[param(value_type = Option<String>, format = "uuid")]
    station: Option<StationId>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows of a page, at most 200; default 100.
    limit: Option<u32>,
}

/// Dockings, newest first.
#[utoipa::path(get, path = "/v1/dockings", tag = "stations", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<DockingHead>),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<DockingHead>>> {
    let (_, reach) = app.permit_listing(&who, Action::ReadStations)?;
    let cursor = cursor(query.cursor.as_deref())?;
    let page = app
        .catalog()
        .dockings(query.station, &reach, cursor.as_ref(), limit(query.limit))
        .await?;
    let next = page.next.map(|next| next.to_string());
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(head(&app, row).await?);
    }
    Ok(Json(Page { items, next }))
}

/// One docking with its list; a file without a recording never arrived.
#[utoipa::path(get, path = "/v1/dockings/{id}", tag = "stations",
    params(("id" = String, Path, description = "The docking's id")),
    responses((status = 200, description = "The docking", body = Docking),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody)))]
pub async fn get(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<DockingId>,
) -> Result<Json<Docking>> {
    let row = app.catalog().docking(id).await?.ok_or(Kind::NotFound)?;
    app.permit(&who, Action::ReadStations, row.unit_id).await?;
    let files = app.catalog().docking_files(id).await?;
    let files = files.into_iter().map(|file| DockingFile {
        path: file.path,
        size_bytes: file.size_bytes,
        modified_at: file.modified_at,
        recording: file.recording_id,
    });
    Ok(Json(Docking {
        files: files.collect(),
        head: head(&app, row).await?,
    }))
}

/// Reports a docking, before any upload of it.
#[utoipa::path(post, path = "/v1/dockings", tag = "stations", request_body = DockingInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, it is done once")),
    responses((status = 201, description = "Its id", body = DockingCreated),
        (status = 403, description = "The token has no scope upload", body = crate::problem::ProblemBody),
        (status = 409, description = "The key is in use", body = crate::problem::ProblemBody),
        (status = 422, description = "The list is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Json(input): Json<DockingInput>,
) -> Result<(StatusCode, Json<DockingCreated>)> {
    app.permit(&who, Action::ReportStation, who.unit).await?;
    let Who::Token(token, _) = who.who else {
        return Err(Kind::Forbidden.into());
    };
    let station = app.ingest().station_of(token, who.unit).await?;
    let files = input.files.into_iter().map(|file| DockedFile {
        path: file.path,
        size_bytes: file.size_bytes,
        modified_at: file.modified_at,
    });
    let report = DockingReport {
        bay: input.bay,
        recorder_serial: input.recorder_serial,
        started_at: input.started_at,
        recorder_clock_offset_ms: input.recorder_clock_offset_ms,
        files: files.collect(),
    };
    let id = app.ingest().docking_listed(&station, report).await?;
    Ok((StatusCode::CREATED, Json(DockingCreated { id })))
}

/// Ends a docking; only the station that reported it does. Ending it again changes nothing.
#[utoipa::path(post, path = "/v1/dockings/{id}/finish", tag = "stations", request_body = DockingFinish,
    params(("id" = String, Path, description = "The docking's id")),
    responses((status = 204, description = "It has ended"),
        (status = 403, description = "Another station's, or no scope upload", body = crate::problem::ProblemBody),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody),
        (status = 422, description = "Unknown outcome", body = crate::problem::ProblemBody)))]
pub async fn finish(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<DockingId>,
    Json(input): Json<DockingFinish>,
) -> Result<StatusCode> {
    let row = app.catalog().docking(id).await?.ok_or(Kind::NotFound)?;
    app.permit(&who, Action::ReportStation, row.unit_id).await?;
    if !matches!(who.who, Who::Token(_, Some(station)) if station == row.station_id) {
        return Err(Problem::new(Kind::Forbidden).detail("another station reported it"));
    }
    let outcome = outcome(&input.outcome).ok_or_else(|| {
        Problem::new(Kind::Invalid)
            .detail("outcome: complete, recorder_lost, unreadable or aborted")
    })?;
    app.ingest()
        .docking_finished(id, input.finished_at, outcome)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Wants a listed file now: its station sends it before others (files with the key mark go first anyway).
#[utoipa::path(post, path = "/v1/dockings/{id}/first", tag = "stations", request_body = DockingFirst,
    params(("id" = String, Path, description = "The docking's id")),
    responses((status = 204, description = "The station is told with its next heartbeat"),
        (status = 403, description = "No right to view", body = crate::problem::ProblemBody),
        (status = 404, description = "No such docking that you may see, or it lists no such file", body = crate::problem::ProblemBody),
        (status = 409, description = "The docking is over", body = crate::problem::ProblemBody)))]
pub async fn first(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<DockingId>,
    Json(input): Json<DockingFirst>,
) -> Result<StatusCode> {
    let row = app.catalog().docking(id).await?.ok_or(Kind::NotFound)?;
    app.permit(&who, Action::View, row.unit_id).await?;
    if row.finished_at.is_some() {
        return Err(Problem::new(Kind::Conflict).detail("the docking is over"));
    }
    let found = app.catalog().want_first(id, &input.path, app.now()).await?;
    if !found {
        return Err(Problem::new(Kind::NotFound).detail("the docking lists no such file"));
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn head(app: &AppState, row: Row) -> Result<DockingHead> {
    let unit = app.catalog().unit(row.unit_id).await?;
    Ok(DockingHead {
        id: row.id,
        station_id: row.station_id,
        unit: UnitRef {
            id: row.unit_id,
            name: unit.map(|unit| unit.name).unwrap_or_default(),
        },
        bay: row.bay,
        recorder_serial: row.recorder_serial,
        recorder_clock_offset_ms: row.recorder_clock_offset_ms,
        started_at: row.started_at,
        finished_at: row.finished_at,
        outcome: row.outcome,
    })
}
