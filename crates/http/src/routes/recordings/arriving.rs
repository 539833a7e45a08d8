//! Watching what is still arriving: the same addresses as for what is sealed, over what is there so far.

use axum::response::Response;
use bytes::Bytes;
use docket_catalog::Recording;
use docket_ingest::growing::{Arrival, Playing};
use docket_ingest::viewing::Served;
use docket_playback::growth;
use http::Method;

use super::play::{MP4, PLAYLIST, media, number, serve};
use crate::access::Permit;
use crate::problem::{Kind, Problem, Result};
use crate::signin::playback::Watcher;
use crate::state::AppState;

/// What is asked for.
pub(super) enum Piece<'a> {
    Playlist(&'a Watcher),
    Init,
    Segment(&'a str),
}

/// What of the recording can be watched before its own index is made; `None` when that is there, or never
/// comes.
///
/// # Errors
/// `not-yet-playable` with the reason.
pub(super) async fn playing(app: &AppState, row: &Recording) -> Result<Option<Playing>> {
    if !row.state.is_open() {
        return Ok(app.ingest().just_arrived(row).await?);
    }
    match app.ingest().arriving(row).await? {
        Arrival::Plays(playing) => Ok(Some(*playing)),
        Arrival::NotYet(reason) => Err(Problem::new(Kind::NotYetPlayable)
            .detail(format!(
                "it is still arriving: {}",
                reason.replace('_', " ")
            ))
            .member("reason", reason)
            .retry_after_seconds(2)),
    }
}

/// Answers with what is there.
pub(super) async fn answer(
    app: &AppState,
    permit: Permit,
    row: &Recording,
    method: &Method,
    playing: &Playing,
    piece: Piece<'_>,
) -> Result<Response> {
    let (kind, bytes) = match piece {
        Piece::Segment(name) => return segment(app, permit, row, method, playing, name).await,
        Piece::Init => (MP4, playing.index.init()),
        Piece::Playlist(who) => {
            let text = growth::playlist(playing.index.segments(), playing.listed);
            let text = who.carried_by(text);
            (PLAYLIST, Bytes::from(text))
        }
    };
    let served = Served::playlist(bytes.len() as u64).by_hint(playing.hint);
    serve(app, permit, row, method, served).await?;
    Ok(media(kind, bytes))
}

async fn segment(
    app: &AppState,
    permit: Permit,
    row: &Recording,
    method: &Method,
    playing: &Playing,
    name: &str,
) -> Result<Response> {
    let number = number(name).ok_or(Kind::NotFound)?;
    if number >= playing.listed {
        return Err(Kind::NotFound.into());
    }
    let place = playing.index.segments()[number]; // below `listed`
    let until_us = place.start_us.saturating_add(place.duration_us);
    let plan = playing.index.plan(number)?;
    let served = Served::segment(plan.size_bytes, place.start_us / 1_000..until_us / 1_000);
    serve(app, permit, row, method, served.by_hint(playing.hint)).await?;
    if *method == Method::HEAD {
        return Ok(media(MP4, Bytes::new()));
    }
    let _place = app.segment_place(plan.size_bytes).await?;
    let source = app.ingest().playing_source(row, playing).await?;
    match plan.fetch(&source).await {
        Ok(bytes) => Ok(media(MP4, bytes)),
        // Sealed between two reads: the same bytes have another place now, and the player asks again.
        Err(error) if row.state.is_open() => {
            tracing::debug!(recording = %row.id, %error, "a segment of an upload that was just sealed");
            Err(Problem::new(Kind::NotYetPlayable).retry_after_seconds(1))
        }
        Err(error) => Err(error.into()),
    }
}
