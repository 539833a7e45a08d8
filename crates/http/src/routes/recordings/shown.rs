//! What a player says it showed.

use axum::extract::State;
use docket_base::ids::RecordingId;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::permitted;
use crate::access::{Action, Principal};
use crate::extract::{Json, Path};
use crate::problem::{Kind, Problem, Result};
use crate::state::AppState;

/// More in one request is nobody's watching.
const MOST_STRETCHES: usize = 64;
/// No recording is longer: 30 days.
const LONGEST_MS: u64 = 30 * 24 * 3_600_000;

/// Stretches of a recording that were on the screen.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownInput {
    /// At most 64; what overlaps counts once.
    pub stretches: Vec<ShownStretch>,
}

/// From when until when in the recording.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownStretch {
    /// Milliseconds.
    pub from_ms: u64,
    /// Milliseconds, later than `from_ms`.
    pub until_ms: u64,
}

/// Notes what a player showed since it last said so. It is a claim of the browser and logged as one, beside
/// the daemon's own record of what it sent, when the viewing closes.
#[utoipa::path(post, path = "/v1/recordings/{id}/shown", tag = "playback", request_body = ShownInput,
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 204, description = "Noted"),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "You have no viewing of it open", body = crate::problem::ProblemBody),
        (status = 422, description = "Too many stretches, or one that ends before it begins", body = crate::problem::ProblemBody)))]
pub async fn shown(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    Json(input): Json<ShownInput>,
) -> Result<StatusCode> {
    let (permit, _) = permitted(&app, &who, Action::View, id).await?;
    let fits = |s: &ShownStretch| s.from_ms < s.until_ms && s.until_ms <= LONGEST_MS;
    if input.stretches.len() > MOST_STRETCHES || !input.stretches.iter().all(fits) {
        return Err(Problem::new(Kind::Invalid)
            .detail("at most 64 stretches, each with from_ms before until_ms"));
    }
    let stretches: Vec<(u64, u64)> = input
        .stretches
        .iter()
        .map(|s| (s.from_ms, s.until_ms))
        .collect();
    let noted = app
        .ingest()
        .claim_shown(permit.actor(), id, &stretches)
        .await?;
    if noted {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::new(Kind::Conflict).detail("you have no viewing of this recording open"))
    }
}
