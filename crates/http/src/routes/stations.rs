//! Stations 采集站.

use axum::extract::State;
use docket_base::Micros;
use docket_base::ids::StationId;
use docket_catalog::{Station as Row, WithUnit};
use docket_ingest::stations::StationReport as Report;

use crate::access::{Action, Principal, Who};
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem, Result};
use crate::respond::page::{Page, PageQuery};
use crate::shapes::{Bay, Station, StationAnswer, StationReport, UnitRef, WantedFile};
use crate::state::{AppState, StationNews};

/// A station that was silent for longer is off-line, in seconds.
const ONLINE_S: i64 = 60;
/// Bays of the largest station, and room.
const MOST_BAYS: usize = 256;
/// Wanted files told in one answer; the next tells the next.
const MOST_WANTED: u32 = 64;

/// The stations of one's units.
#[utoipa::path(get, path = "/v1/stations", tag = "stations", params(PageQuery),
    responses((status = 200, description = "A page", body = Page<Station>),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Station>>> {
    let (_, reach) = app.permit_listing(&who, Action::ReadStations)?;
    let page = app
        .catalog()
        .stations(&reach, query.cursor()?.as_ref(), query.limit())
        .await?;
    let now = app.now();
    Ok(Json(Page::of(page, |found| shape(found, now))))
}

/// One station.
#[utoipa::path(get, path = "/v1/stations/{id}", tag = "stations",
    params(("id" = String, Path, description = "The station's id")),
    responses((status = 200, description = "The station", body = Station),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody)))]
pub async fn get(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<StationId>,
) -> Result<Json<Station>> {
    let found = app.catalog().station(id).await?.ok_or(Kind::NotFound)?;
    app.permit(&who, Action::ReadStations, found.row.unit_id)
        .await?;
    Ok(Json(shape(found, app.now())))
}

/// A station's heartbeat. The first one with a token makes the token's station. The answer names the files that
/// somebody wants now.
#[utoipa::path(put, path = "/v1/stations/self", tag = "stations", request_body = StationReport,
    responses((status = 200, description = "The station as it is shown, and what is wanted now", body = StationAnswer),
        (status = 401, description = "Without a token", body = crate::problem::ProblemBody),
        (status = 403, description = "The token has no scope upload", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn report(
    State(app): State<AppState>,
    who: Principal,
    Json(input): Json<StationReport>,
) -> Result<Json<StationAnswer>> {
    app.permit(&who, Action::ReportStation, who.unit).await?;
    let Who::Token(token, _) = who.who else {
        return Err(Kind::Forbidden.into());
    };
    if input.bays.len() > MOST_BAYS {
        let detail = format!("bays: at most {MOST_BAYS}");
        return Err(Problem::new(Kind::Invalid).detail(detail));
    }
    let report = Report {
        name: input.name,
        software_version: input.version,
        status: serde_json::to_string(&input.bays).map_err(Problem::internal)?,
    };
    let row = app
        .ingest()
        .station_reports(token, who.unit, report)
        .await?;
    app.station_reported(StationNews {
        station: row.id,
        unit: row.unit_id,
    });
    let found = app.catalog().station(row.id).await?.ok_or(Kind::NotFound)?;
    let wanted = app.catalog().wanted_first(row.id, MOST_WANTED).await?;
    let wanted = wanted.into_iter().map(|file| WantedFile {
        docking: file.docking_id,
        path: file.path,
    });
    Ok(Json(StationAnswer {
        station: shape(found, app.now()),
        first: wanted.collect(),
    }))
}

fn shape(found: WithUnit<Row>, now: Micros) -> Station {
    let row = found.row;
    let online = row
        .last_seen_at
        .is_some_and(|seen| now <= seen.plus_seconds(ONLINE_S));
    Station {
        id: row.id,
        name: row.name,
        unit: UnitRef {
            id: row.unit_id,
            name: found.unit_name,
        },
        online,
        last_seen_at: row.last_seen_at,
        version: row.software_version,
        // Written by `report` above; of an older program what can't be read is not shown.
        bays: serde_json::from_str::<Vec<Bay>>(&row.status).unwrap_or_default(),
    }
}
