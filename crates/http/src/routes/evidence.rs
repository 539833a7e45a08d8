//! What is tied to a case.

use axum::extract::State;
use docket_base::ids::RecordingId;
use docket_catalog::LinkOutcome;
use docket_ingest::links::{Tie, WindowWanted};
use http::StatusCode;

use super::cases::{UnitQuery, evidence, named};
use crate::access::{Action, Permit, Principal};
use crate::extract::{Json, OrDefault, Path, Query};
use crate::problem::{Kind, Problem, Result};
use crate::shapes::{Attached, Evidence, LinkInput, WindowInput};
use crate::state::AppState;

/// Ties a recording to a case. Without the right to link it becomes a proposal; by someone with the right a
/// proposal becomes a link. The same again changes nothing.
#[utoipa::path(put, path = "/v1/cases/{number}/evidence/{recording}", tag = "cases", request_body = Option<LinkInput>,
    params(("number" = String, Path, description = "The case's number, percent-encoded"),
        ("recording" = String, Path, description = "The recording's id"), UnitQuery),
    responses((status = 200, description = "It was tied, or the proposal is confirmed now", body = Evidence),
        (status = 201, description = "It is tied or proposed now", body = Evidence),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No case or recording that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "Several of your units have this number: say which", body = crate::problem::ProblemBody)))]
pub async fn put(
    State(app): State<AppState>,
    who: Principal,
    Path((number, id)): Path<(String, RecordingId)>,
    Query(query): Query<UnitQuery>,
    OrDefault(input): OrDefault<LinkInput>,
) -> Result<(StatusCode, Json<Evidence>)> {
    let case = named(&app, &who, Action::ProposeLink, &number, query.unit).await?;
    let recording = app.catalog().recording(id).await?.ok_or(Kind::NotFound)?;
    // Both ends: neither may a recording be pulled into somebody else's case, nor somebody else's recording.
    let permit = app
        .permit(&who, Action::ProposeLink, recording.unit_id)
        .await?;
    let tie = tie(&app, &who, permit, case.unit_id, input.note).await;
    let outcome = app.ingest().link(&tie, &case, &recording).await?;
    let link = app
        .catalog()
        .link(case.id, id)
        .await?
        .ok_or(Kind::NotFound)?;
    let shown = evidence(&app, &who, vec![link]).await?.pop();
    let status = match outcome {
        LinkOutcome::Created => StatusCode::CREATED,
        LinkOutcome::Confirmed | LinkOutcome::Unchanged => StatusCode::OK,
    };
    Ok((status, Json(shown.ok_or(Kind::NotFound)?)))
}

/// Unties a recording, or refuses a proposal. Not tied is fine.
#[utoipa::path(delete, path = "/v1/cases/{number}/evidence/{recording}", tag = "cases",
    params(("number" = String, Path, description = "The case's number, percent-encoded"),
        ("recording" = String, Path, description = "The recording's id"), UnitQuery),
    responses((status = 204, description = "It is not tied"),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No case or recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn delete(
    State(app): State<AppState>,
    who: Principal,
    Path((number, id)): Path<(String, RecordingId)>,
    Query(query): Query<UnitQuery>,
) -> Result<StatusCode> {
    let case = named(&app, &who, Action::Link, &number, query.unit).await?;
    let recording = app.catalog().recording(id).await?.ok_or(Kind::NotFound)?;
    let permit = app.permit(&who, Action::Link, recording.unit_id).await?;
    app.ingest()
        .unlink(permit.actor(), &case, &recording)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ties everything one officer recorded from a time until before a time.
#[utoipa::path(post, path = "/v1/cases/{number}/evidence", tag = "cases", request_body = WindowInput,
    params(("number" = String, Path, description = "The case's number, percent-encoded"), UnitQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same key, it is done once")),
    responses((status = 200, description = "The recordings of the window, tied now or before", body = Attached),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No case that you may see", body = crate::problem::ProblemBody),
        (status = 422, description = "Unknown officer, or more than 500 recordings", body = crate::problem::ProblemBody)))]
pub async fn attach(
    State(app): State<AppState>,
    who: Principal,
    Path(number): Path<String>,
    Query(query): Query<UnitQuery>,
    Json(input): Json<WindowInput>,
) -> Result<Json<Attached>> {
    let case = named(&app, &who, Action::ProposeLink, &number, query.unit).await?;
    let (permit, reach) = app.permit_listing(&who, Action::ProposeLink)?;
    if app.catalog().officer(input.officer).await?.is_none() {
        return Err(Problem::new(Kind::Invalid).detail("officer: no such officer"));
    }
    let tie = tie(&app, &who, permit, case.unit_id, input.note).await;
    let window = WindowWanted {
        officer: input.officer,
        from: input.from_at,
        until: input.until_at,
        reach,
    };
    let (found, created) = app.ingest().link_window(&tie, &case, &window).await?;
    let links = app.catalog().evidence(case.id).await?;
    let links = links
        .into_iter()
        .filter(|link| found.contains(&link.recording_id))
        .collect();
    Ok(Json(Attached {
        items: evidence(&app, &who, links).await?,
        created: created as u64,
    }))
}

async fn tie(
    app: &AppState,
    who: &Principal,
    permit: Permit,
    unit: docket_base::ids::UnitId,
    note: Option<String>,
) -> Tie {
    Tie {
        actor: permit.actor(),
        may_link: app.permit(who, Action::Link, unit).await.is_ok(),
        note: note.unwrap_or_default(),
    }
}
