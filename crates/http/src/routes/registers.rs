//! Registers from CSV.

use axum::extract::State;
use bytes::Bytes;
use docket_catalog::RegisterKind;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{Action, Principal};
use crate::extract::{Json, Query};
use crate::problem::{Kind, Problem, Result};
use crate::shapes::Imported;
use crate::state::AppState;

/// Which register.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// `units`, `officers`, `recorders` or `assignments`.
    kind: String,
}

/// Takes in a register: new rows are entered, different ones changed, none removed; all of it or nothing.
#[utoipa::path(post, path = "/v1/registers/import", tag = "registers", params(ImportQuery),
    request_body(content = String, content_type = "text/csv", description = "UTF-8 or GB18030, with headings in English or Chinese"),
    responses((status = 200, description = "What it came to", body = Imported),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 413, description = "More than 8 MiB", body = crate::problem::ProblemBody),
        (status = 415, description = "Not text/csv", body = crate::problem::ProblemBody),
        (status = 422, description = "Lines were refused: `lines` says which and why", body = crate::problem::ProblemBody)))]
pub async fn import(
    State(app): State<AppState>,
    who: Principal,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Imported>> {
    let (permit, reach) = app.permit_listing(&who, Action::WriteRegisters)?;
    let kind: RegisterKind = query.kind.parse()?;
    let csv = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("text/csv"));
    if !csv {
        return Err(Problem::new(Kind::UnsupportedMediaType).detail("text/csv"));
    }
    let counts = app
        .ingest()
        .import_register(permit.actor(), kind, &body, &reach)
        .await?;
    Ok(Json(Imported {
        created: counts.created as u64,
        changed: counts.changed as u64,
        unchanged: counts.unchanged as u64,
    }))
}
