//! Watching what is still arriving: the same addresses as for what is sealed, over what is there so far.

use axum::response::Response;
use bytes::Bytes;
use docket_catalog::Recording;
use docket_ingest::growing::{Arrival, Playing};
use docket_ingest::viewing::Served;
use docket_playback::{Variant, growth};
use http::Method;

use super::play::{File, MP4, PLAYLIST, media, serve, stretch};
use crate::access::Permit;
use crate::problem::{Kind, Problem, Result};
use crate::signin::playback::Watcher;
use crate::state::AppState;

/// What is asked for.
pub(super) enum Piece<'a> {
    Playlist(&'a Watcher),
    Init,
    Named(&'a str, &'a Watcher),
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
    let index = &playing.index;
    let media_playlist = |variant| growth::playlist(index.segments(), playing.listed, variant);
    let (kind, bytes) = match piece {
        Piece::Init => (MP4, index.init()),
        Piece::Playlist(who) => {
            let text = index.multivariant();
            let text = text.unwrap_or_else(|| media_playlist(Variant::First));
            (PLAYLIST, Bytes::from(who.carried_by(text)))
        }
        Piece::Named(name, who) => {
            let file = File::named(name).ok_or(Kind::NotFound)?;
            let init = index.init_of(file.variant()).ok_or(Kind::NotFound)?;
            match file {
                File::Segment(variant, number) => {
                    return segment(app, permit, row, method, playing, (variant, number)).await;
                }
                File::Init(_) => (MP4, init),
                File::Playlist(variant) => {
                    let text = who.carried_by(media_playlist(variant));
                    (PLAYLIST, Bytes::from(text))
                }
            }
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
    (variant, number): (Variant, usize),
) -> Result<Response> {
    if number >= playing.listed {
        return Err(Kind::NotFound.into());
    }
    let shown = stretch(&playing.index, number)?;
    if playing.index.is_made() {
        return made(app, permit, row, method, playing, (variant, number), shown).await;
    }
    let plan = playing.index.plan(number)?;
    let served = Served::segment(plan.size_bytes, shown);
    serve(app, permit, row, method, served.by_hint(playing.hint)).await?;
    if *method == Method::HEAD {
        return Ok(media(MP4, Bytes::new()));
    }
    let _place = app.segment_place(plan.size_bytes).await?;
    let source = app.ingest().playing_source(row, playing).await?;
    match plan.fetch(&source).await {
        Ok(bytes) => Ok(media(MP4, bytes)),
        Err(error) if row.state.is_open() => Err(once_more(row, &error)),
        Err(error) => Err(error.into()),
    }
}

/// A segment that the worker makes from what is there. As with what is sealed, its size is part of what is told.
async fn made(
    app: &AppState,
    permit: Permit,
    row: &Recording,
    method: &Method,
    playing: &Playing,
    (variant, number): (Variant, usize),
    shown: std::ops::Range<u64>,
) -> Result<Response> {
    if *method == Method::HEAD {
        return Ok(media(MP4, Bytes::new()));
    }
    let bytes = match app.arriving_segment(row, playing, number, variant).await {
        Ok(bytes) => bytes,
        Err(problem) if row.state.is_open() => return Err(once_more(row, &problem)),
        Err(problem) => return Err(problem),
    };
    let served = Served::segment(bytes.len() as u64, shown);
    serve(app, permit, row, method, served.by_hint(playing.hint)).await?;
    Ok(media(MP4, bytes))
}

/// Sealed between two reads: the same bytes have another place now, and the player asks again.
fn once_more(row: &Recording, error: &dyn std::fmt::Debug) -> Problem {
    tracing::debug!(recording = %row.id, ?error, "a segment of an upload that was just sealed");
    Problem::new(Kind::NotYetPlayable).retry_after_seconds(1)
}
