//! Whether the daemon lives and works, and its metrics.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Action, Principal};
use crate::extract::Json;
use crate::peer::Peer;
use crate::problem::{Kind, Problem, Result};
use crate::state::AppState;

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "about", security(()),
    responses((status = 200, description = "`ok`", content_type = "text/plain", body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// What `/readyz` found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// The database answers.
    catalog: bool,
    /// The store answers.
    vault: bool,
}

/// The parts it needs answer too.
#[utoipa::path(get, path = "/readyz", tag = "about", security(()),
    responses((status = 200, description = "Ready", body = Readiness), (status = 503, description = "A part doesn't answer", body = Readiness)))]
pub async fn readyz(State(app): State<AppState>) -> Response {
    let catalog = app.catalog().tree_head().await.map_err(log).is_ok();
    let checkpoint = docket_ledger::checkpoint::CHECKPOINT_PATH;
    let vault = app.vault().log_read(checkpoint).await.map_err(log).is_ok();
    let status = if catalog && vault {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { catalog, vault })).into_response()
}

fn log(cause: impl std::fmt::Display) {
    tracing::warn!(%cause, "not ready");
}

/// The daemon's metrics in Prometheus' text format: from this machine, or with a token of scope `admin`.
#[utoipa::path(get, path = "/metrics", tag = "about",
    responses((status = 200, description = "Prometheus text", content_type = "text/plain", body = String),
        (status = 401, description = "From elsewhere without a token", body = crate::problem::ProblemBody),
        (status = 403, description = "No right to it", body = crate::problem::ProblemBody)))]
pub async fn metrics(
    State(app): State<AppState>,
    peer: Peer,
    who: Result<Principal, Problem>,
) -> Result<Response> {
    if !peer.is_this_machine {
        app.permit_whole(&who?, Action::ReadMetrics).await?;
    }
    let handle = app.metrics().ok_or(Kind::NotFound)?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], handle.render()).into_response())
}
