//! What a recording looks and sounds like at a glance: storyboard and waveform.

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use docket_base::ids::RecordingId;
use docket_catalog::RecordingState;
use docket_ingest::looks::Look;
use http::HeaderMap;

use super::permitted;
use super::play::{CHANGES, STAYS, looked};
use crate::access::{Action, Principal};
use crate::extract::Path;
use crate::problem::{Kind, Result};
use crate::state::AppState;

/// The storyboard: small pictures of the recording and when they hold, as WebVTT whose cues name a stretch of a sheet
/// (`storyboard-0.jpg#xywh=160,0,160,90`). While the recording arrives it grows; pictures keep their place. It
/// opens no viewing.
#[utoipa::path(get, path = "/v1/recordings/{id}/storyboard.vtt", tag = "playback",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "WebVTT", content_type = "text/vtt", body = String),
        (status = 304, description = "The one of If-None-Match is still the present one"),
        (status = 404, description = "There is none (yet), or no recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn storyboard(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
) -> Result<Response> {
    let (_, row) = permitted(&app, &who, Action::View, id).await?;
    shows(row.state)?;
    let found = app.ingest().storyboard(&row).await?.ok_or(Kind::NotFound)?;
    let keep = keep(&found);
    let text = Bytes::from(found.what);
    Ok(looked(&headers, "text/vtt; charset=utf-8", keep, text))
}

/// A sheet of the storyboard, `storyboard-{n}.jpg`. A query (`?pictures=7`) is not looked at: a player that shows a
/// growing sheet uses it to fetch the sheet again.
#[utoipa::path(get, path = "/v1/recordings/{id}/{sheet}", tag = "playback",
    params(("id" = String, Path, description = "The recording's id"),
        ("sheet" = String, Path, description = "`storyboard-{n}.jpg`, as the storyboard names it")),
    responses((status = 200, description = "A JPEG", content_type = "image/jpeg"),
        (status = 304, description = "The one of If-None-Match is still the present one"),
        (status = 404, description = "No such sheet, or no recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn sheet(
    State(app): State<AppState>,
    who: Principal,
    Path((id, sheet)): Path<(RecordingId, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    let (_, row) = permitted(&app, &who, Action::View, id).await?;
    shows(row.state)?;
    let number = number(&sheet).ok_or(Kind::NotFound)?;
    let found = app.ingest().storyboard_sheet(&row, number).await?;
    let found = found.ok_or(Kind::NotFound)?;
    let keep = keep(&found);
    Ok(looked(&headers, "image/jpeg", keep, found.what))
}

/// The waveform of the first sound track: so many peaks a second, 0 to 255 each. The longer a recording, the fewer a
/// second. It opens no viewing.
#[utoipa::path(get, path = "/v1/recordings/{id}/waveform.json", tag = "playback",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "The peaks so far", body = Waveform),
        (status = 304, description = "The one of If-None-Match is still the present one"),
        (status = 404, description = "There is none (yet), or no recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn waveform(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
) -> Result<Response> {
    let (_, row) = permitted(&app, &who, Action::View, id).await?;
    shows(row.state)?;
    let found = app.ingest().waveform(&row).await?.ok_or(Kind::NotFound)?;
    let keep = keep(&found);
    Ok(looked(&headers, "application/json", keep, found.what))
}

/// Where the recording was made: at most one position a second, from the recording itself or from a file that its
/// recorder kept beside it. Coordinates are those that were recorded. It opens no viewing.
#[utoipa::path(get, path = "/v1/recordings/{id}/track.json", tag = "playback",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "The positions", body = Track),
        (status = 304, description = "The one of If-None-Match is still the present one"),
        (status = 404, description = "There is none (yet), or no recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn track(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
) -> Result<Response> {
    let (_, row) = permitted(&app, &who, Action::View, id).await?;
    shows(row.state)?;
    let found = app.ingest().track(&row).await?.ok_or(Kind::NotFound)?;
    let keep = keep(&found);
    Ok(looked(&headers, "application/json", keep, found.what))
}

/// Where a recording was made.
#[derive(Debug, utoipa::ToSchema)]
#[allow(dead_code)] // sent as it was kept
pub struct Track {
    /// How the positions were kept: `gpmf`, `novatek`, `camm`, `nmea`, `srt`, or `location`, one place for all of it.
    source: String,
    /// The recording that is the file beside it, where the positions are from there.
    from_recording: Option<String>,
    /// In the order of their times; at least one.
    points: Vec<TrackPoint>,
}

/// A position.
#[derive(Debug, utoipa::ToSchema)]
#[allow(dead_code)] // sent as it was kept
pub struct TrackPoint {
    /// When, from the beginning of what is played.
    at_ms: u64,
    /// North is positive.
    latitude_deg: f64,
    /// East is positive.
    longitude_deg: f64,
    /// As the recorder counts it: above the sea or above the ellipsoid.
    altitude_m: Option<f64>,
    /// Over ground.
    speed_m_per_s: Option<f64>,
    /// The satellites' time, where the format says that it is UTC (RFC 3339).
    fix_at: Option<String>,
}

/// How loud a recording is.
#[derive(Debug, utoipa::ToSchema)]
#[allow(dead_code)] // sent as it was kept
pub struct Waveform {
    /// Peaks a second.
    peaks_per_s: f64,
    /// The loudest sample of each, 0 to 255.
    peaks: Vec<u8>,
}

/// What was deleted or set aside is not shown, whatever derivatives are left of it.
fn shows(state: RecordingState) -> Result<()> {
    match state.is_open() || matches!(state, RecordingState::Sealed | RecordingState::Incomplete) {
        true => Ok(()),
        false => Err(Kind::NotFound.into()),
    }
}

fn keep<T>(look: &Look<T>) -> &'static str {
    match look.whole {
        true => STAYS,
        false => CHANGES,
    }
}

fn number(name: &str) -> Option<usize> {
    let digits = name.strip_prefix("storyboard-")?.strip_suffix(".jpg")?;
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| plain)?;
    // One name a sheet.
    (format!("{number}") == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_are_numbers() {
        assert_eq!(number("storyboard-0.jpg"), Some(0));
        assert_eq!(number("storyboard-47.jpg"), Some(47));
        for wrong in [
            "storyboard.vtt",
            "storyboard-.jpg",
            "storyboard-01.jpg",
            "storyboard-+1.jpg",
            "storyboard-12345.jpg",
            "poster.jpg",
            "custody",
        ] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
