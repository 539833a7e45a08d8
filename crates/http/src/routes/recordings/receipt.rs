//! A recording's receipts.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::ids::RecordingId;
use docket_catalog::RecordingState;
use docket_ledger::ReceiptLevel;
use docket_vault::VaultKey;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::permitted;
use crate::access::{Action, Principal};
use crate::extract::{Path, Query};
use crate::problem::{Kind, Problem, Result};
use crate::state::AppState;

/// Which receipt.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReceiptQuery {
    /// What it shall prove.
    #[serde(default)]
    #[param(inline)]
    level: Level,
}

/// What a receipt proves.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The original is sealed in the vault and its event is in the ledger.
    #[default]
    Stored,
    /// And the vault's copy was read back and is the same.
    Verified,
}

/// The signed receipt; once issued, always the same bytes.
#[utoipa::path(get, path = "/v1/recordings/{id}/receipt", tag = "recordings",
    params(("id" = String, Path, description = "The recording's id"), ReceiptQuery),
    responses((status = 200, description = "The receipt", content_type = "application/json", body = Object),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "Not yet: see Retry-After. Without Retry-After: never", body = crate::problem::ProblemBody)))]
pub async fn receipt(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    Query(query): Query<ReceiptQuery>,
) -> Result<Response> {
    let (_, row) = permitted(&app, &who, Action::ReadReceipt, id).await?;
    let not_yet = || Problem::new(Kind::ReceiptNotReady).retry_after_seconds(1);
    if row.state.is_open() {
        return Err(not_yet());
    }
    let never = || Problem::new(Kind::ReceiptNotReady).detail("this recording gets no receipt");
    if row.state == RecordingState::Quarantined {
        return Err(never());
    }
    let key: VaultKey = row
        .vault_key
        .ok_or_else(never)?
        .parse()
        .map_err(Problem::internal)?;
    let level = match query.level {
        Level::Stored => ReceiptLevel::Stored,
        Level::Verified => ReceiptLevel::Verified,
    };
    let bytes = app.ingest().receipts.get(id, &key, level).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    Ok((headers, bytes).into_response())
}
