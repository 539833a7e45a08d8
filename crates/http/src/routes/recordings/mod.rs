//! `/v1/recordings` and everything under one recording.

pub mod annotate;
mod arriving;
pub mod clips;
pub mod corrections;
pub mod custody;
pub mod hint;
pub mod holds;
pub mod list;
pub mod looks;
pub mod markers;
pub mod original;
pub mod play;
pub mod receipt;
pub mod shown;
pub mod token;

use docket_base::ids::RecordingId;
use docket_catalog::Recording;

use crate::access::{Action, Permit, Principal};
use crate::problem::{Kind, Result};
use crate::state::AppState;

/// The row, if the principal may do this to it.
async fn permitted(
    app: &AppState,
    who: &Principal,
    action: Action,
    id: RecordingId,
) -> Result<(Permit, Recording)> {
    let row = app.catalog().recording(id).await?.ok_or(Kind::NotFound)?;
    let permit = app.permit(who, action, row.unit_id).await?;
    Ok((permit, row))
}
