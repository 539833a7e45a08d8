//! Cases 案件, by number. A number may hold slashes (`%2F`) and any kind of bracket.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::ids::UnitId;
use docket_catalog::{Case as Row, CaseState, Link, Scope, WithUnit};
use docket_ingest::cases::CaseWanted;
use http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_MATCH};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{Action, Principal};
use crate::extract::{Json, OrDefault, Path, Query};
use crate::problem::{Kind, Problem, Result};
use crate::respond::etag::ETag;
use crate::respond::page::{Page, SearchQuery};
use crate::shapes::{Case, CaseHead, CaseInput, Evidence, Names, Showing, UnitRef};
use crate::state::AppState;

/// Recordings of a case that are read at once.
const AT_ONCE: usize = 500;

/// In which unit a number is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UnitQuery {
    /// The case's unit. Default: the caller's; for reading, the one unit under it that has the number.
    #[param(value_type = Option<String>, format = "uuid")]
    pub unit: Option<UnitId>,
}

/// The cases of one's units, newest first.
#[utoipa::path(get, path = "/v1/cases", tag = "cases", params(SearchQuery),
    responses((status = 200, description = "A page, without evidence", body = Page<CaseHead>),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Page<CaseHead>>> {
    let (_, reach) = app.permit_listing(&who, Action::ReadCases)?;
    let page = app
        .catalog()
        .cases(
            query.text(),
            &reach,
            query.cursor()?.as_ref(),
            query.limit(),
        )
        .await?;
    Ok(Json(Page::of(page, head)))
}

/// One case with its evidence.
#[utoipa::path(get, path = "/v1/cases/{number}", tag = "cases",
    params(("number" = String, Path, description = "The case's number, percent-encoded"), UnitQuery),
    responses((status = 200, description = "The case; its ETag is its version", body = Case),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "Several of your units have this number: say which", body = crate::problem::ProblemBody)))]
pub async fn get(
    State(app): State<AppState>,
    who: Principal,
    Path(number): Path<String>,
    Query(query): Query<UnitQuery>,
) -> Result<Response> {
    let row = named(&app, &who, Action::ReadCases, &number, query.unit).await?;
    shown(&app, &who, row, StatusCode::OK).await
}

/// Creates a case, or changes what is different. The same again changes nothing.
#[utoipa::path(put, path = "/v1/cases/{number}", tag = "cases", request_body = Option<CaseInput>,
    params(("number" = String, Path, description = "The case's number, percent-encoded"), UnitQuery,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read, to change only that version")),
    responses((status = 200, description = "It was there", body = Case),
        (status = 201, description = "It is new", body = Case),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No unit that you may see", body = crate::problem::ProblemBody),
        (status = 412, description = "It has changed meanwhile", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn put(
    State(app): State<AppState>,
    who: Principal,
    Path(number): Path<String>,
    Query(query): Query<UnitQuery>,
    headers: HeaderMap,
    OrDefault(input): OrDefault<CaseInput>,
) -> Result<Response> {
    let unit = query.unit.unwrap_or(who.unit);
    let permit = app.permit(&who, Action::WriteCases, unit).await?;
    let state: Option<CaseState> = input.state.map(|state| state.parse()).transpose()?;
    let mut seen_version = None;
    if headers.contains_key(IF_MATCH) {
        let row = app.catalog().case_by_number(unit, &number).await?;
        let row = row.ok_or(Kind::PreconditionFailed)?;
        ETag::of_version(row.version).require_match(&headers)?;
        seen_version = Some(row.version);
    }
    let wanted = CaseWanted {
        title: input.title,
        state,
        seen_version,
    };
    let (row, is_new) = app
        .ingest()
        .put_case(permit.actor(), unit, &number, wanted)
        .await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    shown(&app, &who, row, status).await
}

async fn shown(app: &AppState, who: &Principal, row: Row, status: StatusCode) -> Result<Response> {
    let found = app.catalog().case(row.id).await?.ok_or(Kind::NotFound)?;
    let headers = [
        (ETAG, ETag::of_version(found.row.version).value()),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache, private")),
    ];
    let links = app.catalog().evidence(found.row.id).await?;
    let evidence = evidence(app, who, links).await?;
    let body = Case {
        head: head(found),
        evidence,
    };
    Ok((status, headers, Json(body)).into_response())
}

/// Links with their recordings, as far as the reader may see those.
pub async fn evidence(app: &AppState, who: &Principal, links: Vec<Link>) -> Result<Vec<Evidence>> {
    let (mut showing, mut names) = (Showing::to(who, app), Names::of(app));
    let mut items = Vec::with_capacity(links.len());
    for links in links.chunks(AT_ONCE) {
        evidence_of(app, links, (&mut showing, &mut names), &mut items).await?;
    }
    Ok(items)
}

async fn evidence_of(
    app: &AppState,
    links: &[Link],
    (showing, names): (&mut Showing<'_>, &mut Names<'_>),
    items: &mut Vec<Evidence>,
) -> Result<()> {
    let ids: Vec<_> = links.iter().map(|link| link.recording_id).collect();
    let mut views = app.catalog().recording_views(&ids).await?;
    for link in links {
        let place = views
            .iter()
            .position(|view| view.recording.id == link.recording_id);
        let Some(view) = place.map(|place| views.swap_remove(place)) else {
            continue;
        };
        if !showing.evidence(view.recording.unit_id).await? {
            continue;
        }
        items.push(Evidence {
            recording: showing.recording(view).await?,
            state: link.state.to_string(),
            note: link.note.clone(),
            linked_at: link.linked_at,
            by: names.actor(link.by_kind, &link.by_id).await?,
        });
    }
    Ok(())
}

fn head(found: WithUnit<Row>) -> CaseHead {
    let row = found.row;
    CaseHead {
        id: row.id,
        number: row.number,
        unit: UnitRef {
            id: row.unit_id,
            name: found.unit_name,
        },
        title: row.title,
        state: row.state.to_string(),
        version: row.version,
    }
}

/// The case of this number that the principal may do this to.
pub async fn named(
    app: &AppState,
    who: &Principal,
    action: Action,
    number: &str,
    unit: Option<UnitId>,
) -> Result<Row> {
    let row = match unit {
        Some(unit) => app.catalog().case_by_number(unit, number).await?,
        None => {
            let (_, reach) = app.permit_listing(who, action)?;
            find_in_reach(app, who, &reach, number).await?
        }
    };
    let row = row.ok_or(Kind::NotFound)?;
    app.permit(who, action, row.unit_id).await?;
    Ok(row)
}

/// The case of this number in the reader's own unit, else the only one in reach.
///
/// # Errors
/// `conflict` when several units of the reach have the number.
pub async fn find_in_reach(
    app: &AppState,
    who: &Principal,
    reach: &Scope,
    number: &str,
) -> Result<Option<Row>> {
    if let Some(row) = app.catalog().case_by_number(who.unit, number).await? {
        return Ok(Some(row));
    }
    let mut found = app.catalog().cases_by_number(number, reach).await?;
    if found.len() > 1 {
        let units: Vec<String> = found.iter().map(|row| row.unit_id.to_string()).collect();
        return Err(Problem::new(Kind::Conflict)
            .detail("several of your units have a case of this number: name one with ?unit=")
            .member("units", units));
    }
    Ok(found.pop())
}
