//! A recording's chain of custody.

use axum::extract::State;
use docket_base::ids::RecordingId;

use super::permitted;
use crate::access::{Action, Principal};
use crate::extract::{Json, Path, Query};
use crate::problem::Result;
use crate::respond::page::{Page, PageQuery};
use crate::shapes::{CustodyEvent, Names};
use crate::state::AppState;

/// What happened to a recording, oldest first.
#[utoipa::path(get, path = "/v1/recordings/{id}/custody", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id"), PageQuery),
    responses((status = 200, description = "A page", body = Page<CustodyEvent>),
        (status = 401, description = "Sign in first", body = crate::problem::ProblemBody),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn custody(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<CustodyEvent>>> {
    permitted(&app, &who, Action::ReadCustody, id).await?;
    let page = app
        .catalog()
        .custody(id, query.cursor()?.as_ref(), query.limit())
        .await?;
    let next = page.next.map(|next| next.to_string());
    let mut names = Names::of(&app);
    let mut items = Vec::with_capacity(page.items.len());
    for event in page.items {
        items.push(names.event(event).await?);
    }
    Ok(Json(Page { items, next }))
}
