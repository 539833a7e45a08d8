//! Playback tokens: for players that can't sign in.

use axum::extract::State;
use docket_base::Micros;
use docket_base::ids::RecordingId;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::permitted;
use crate::access::{Action, Principal};
use crate::extract::{Json, Path};
use crate::problem::Result;
use crate::signin::playback;
use crate::state::AppState;

/// A playback token, shown once.
#[derive(Serialize, ToSchema)]
pub struct PlaybackToken {
    /// To be sent as `?token=`; the playlist passes it on to what it names.
    pub token: String,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Micros,
}

/// A short-lived token by which another player plays this recording, and no other, on one's behalf: HLS and the
/// original take it as `?token=`. It ends with its time, and with one's own right to view.
#[utoipa::path(post, path = "/v1/recordings/{id}/playback-token", tag = "playback",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 201, description = "The token", body = PlaybackToken),
        (status = 403, description = "No right to view", body = crate::problem::ProblemBody),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
) -> Result<(StatusCode, Json<PlaybackToken>)> {
    let (_, row) = permitted(&app, &who, Action::View, id).await?;
    let (token, expires_at) = playback::issue(&app, &who, row.id).await?;
    Ok((
        StatusCode::CREATED,
        Json(PlaybackToken { token, expires_at }),
    ))
}
