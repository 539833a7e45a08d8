//! Finding recordings, and reading one.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::Micros;
use docket_base::ids::{CaseId, OfficerId, RecorderId, RecordingId, StationId, UnitId};
use docket_catalog::{Filter, RecordingKind, RecordingState, Scope};
use http::header::{CACHE_CONTROL, ETAG, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::permitted;
use crate::access::{Action, Principal};
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem, Result};
use crate::respond::etag::ETag;
use crate::respond::page::{Page, cursor, limit};
use crate::routes::cases::find_in_reach;
use crate::shapes::{Recording, Showing};
use crate::state::AppState;

/// What a listing is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Recorded at or after this time (created, where that is not known).
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Micros>,
    /// Recorded before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Micros>,
    /// This unit and those under it.
    #[param(value_type = Option<String>, format = "uuid")]
    unit: Option<UnitId>,
    /// This officer's.
    #[param(value_type = Option<String>, format = "uuid")]
    officer: Option<OfficerId>,
    /// Made with this recorder.
    #[param(value_type = Option<String>, format = "uuid")]
    recorder: Option<RecorderId>,
    /// That came through this station.
    #[param(value_type = Option<String>, format = "uuid")]
    station: Option<StationId>,
    /// Tied to this case: its number, or its id.
    case: Option<String>,
    /// With all of these tags (comma list).
    tag: Option<String>,
    /// With all of these marks (comma list of `key`, `unknown_recorder`, `unknown_officer`).
    mark: Option<String>,
    /// In one of these states (comma list).
    state: Option<String>,
    /// Of one of these kinds (comma list).
    kind: Option<String>,
    /// Words in file name and notes; Chinese from one character on.
    q: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows of a page, at most 200; default 100.
    limit: Option<u32>,
}

/// Recordings, newest first.
#[utoipa::path(get, path = "/v1/recordings", tag = "recordings", params(ListQuery),
    responses((status = 200, description = "A page", body = Page<Recording>),
        (status = 400, description = "A parameter can't be read", body = crate::problem::ProblemBody),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody),
        (status = 403, description = "No right to read recordings", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Recording>>> {
    let (_, reach) = app.permit_listing(&who, Action::ReadRecordings)?;
    let cursor = cursor(query.cursor.as_deref())?;
    let limit = limit(query.limit);
    let Some(filter) = filter(&app, &who, &reach, query).await? else {
        return Ok(Json(Page::whole(Vec::new())));
    };
    let page = app
        .catalog()
        .recordings(&filter, &reach, cursor.as_ref(), limit)
        .await?;
    let next = page.next.map(|next| next.to_string());
    let items = Showing::to(&who, &app).recordings(page.items).await?;
    Ok(Json(Page { items, next }))
}

/// `None` when the filter names a case that the reader doesn't see: then nothing matches.
async fn filter(
    app: &AppState,
    who: &Principal,
    reach: &Scope,
    query: ListQuery,
) -> Result<Option<Filter>> {
    let case = match query.case.as_deref() {
        None => None,
        Some(text) => match text.parse::<CaseId>() {
            Ok(id) => Some(id),
            Err(_) => match find_in_reach(app, who, reach, text).await? {
                Some(case) => Some(case.id),
                None => return Ok(None),
            },
        },
    };
    Ok(Some(Filter {
        from: query.from,
        until: query.until,
        unit: query.unit,
        officer: query.officer,
        recorder: query.recorder,
        station: query.station,
        case,
        tags: words(query.tag.as_deref())?,
        marks: words(query.mark.as_deref())?,
        states: words::<RecordingState>(query.state.as_deref())?,
        kinds: words::<RecordingKind>(query.kind.as_deref())?,
        text: query.q.filter(|text| !text.trim().is_empty()),
    }))
}

fn words<T: std::str::FromStr<Err: ToString>>(list: Option<&str>) -> Result<Vec<T>> {
    list.into_iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.parse()
                .map_err(|e: T::Err| Problem::new(Kind::BadRequest).detail(e.to_string()))
        })
        .collect()
}

/// One recording.
#[utoipa::path(get, path = "/v1/recordings/{id}", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "The recording; its ETag is its version", body = Recording),
        (status = 304, description = "The version of If-None-Match is still the present one"),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody)))]
pub async fn get(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
) -> Result<Response> {
    let (_, row) = permitted(&app, &who, Action::ReadRecordings, id).await?;
    if row.state.is_open() {
        // Whoever looks at it will ask whether it plays already.
        app.ingest().look_into(&row);
    }
    shown(&app, &who, id, &headers).await
}

/// The recording with its ETag, or 304.
pub async fn shown(
    app: &AppState,
    who: &Principal,
    id: RecordingId,
    headers: &HeaderMap,
) -> Result<Response> {
    let view = app
        .catalog()
        .recording_view(id)
        .await?
        .ok_or(Kind::NotFound)?;
    let receiving = view.recording.state.is_open();
    let etag = ETag::of_version(view.recording.version);
    let tags = [
        (ETAG, etag.value()),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache, private")),
    ];
    // While bytes arrive, `received_bytes` changes without a new version.
    if !receiving && etag.is_known(headers) {
        return Ok((StatusCode::NOT_MODIFIED, tags).into_response());
    }
    let body = Showing::to(who, app).recording(view).await?;
    Ok((tags, Json(body)).into_response())
}
