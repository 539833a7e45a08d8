//! Watching: HLS cut on demand from the original, and the poster.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use docket_base::ids::RecordingId;
use docket_catalog::{PlaybackState, Recording};
use docket_ingest::probe::{POSTER, derivative};
use docket_ingest::viewing::Served;
use docket_playback::{PlaybackIndex, Variant};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use super::arriving::{self, Piece};
use super::original::stored;
use super::permitted;
use crate::access::{Action, Permit, Principal};
use crate::extract::Path;
use crate::problem::{Kind, Problem, Result};
use crate::respond::etag::ETag;
use crate::signin::playback::Watcher;
use crate::state::AppState;

pub(super) const PLAYLIST: &str = "application/vnd.apple.mpegurl";
pub(super) const MP4: &str = "video/mp4";

/// The playlist. Asking for it opens a viewing. Of a recording that is still arriving it is an EVENT playlist that
/// grows; numbers and times of its segments stay what they are, and it has its end once the recording is sealed.
#[utoipa::path(get, path = "/v1/recordings/{id}/hls/index.m3u8", tag = "playback",
    params(("id" = String, Path, description = "The recording's id"),
        ("token" = Option<String>, Query, description = "A playback token in place of a session")),
    responses((status = 200, description = "HLS media playlist", content_type = "application/vnd.apple.mpegurl", body = String),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "Not yet (see Retry-After), or not at all (the detail says why)", body = crate::problem::ProblemBody)))]
pub async fn playlist(
    State(app): State<AppState>,
    who: Watcher,
    Path(id): Path<RecordingId>,
    method: Method,
) -> Result<Response> {
    let (permit, row) = permitted(&app, &who.principal, Action::View, id).await?;
    if let Some(playing) = arriving::playing(&app, &row).await? {
        return arriving::answer(&app, permit, &row, &method, &playing, Piece::Playlist(&who))
            .await;
    }
    watchable(&row)?;
    let index = app.index_of(&row).await?;
    let text = who.carried_by(index.playlist());
    serve(
        &app,
        permit,
        &row,
        &method,
        Served::playlist(text.len() as u64),
    )
    .await?;
    Ok(media(PLAYLIST, Bytes::from(text)))
}

/// The init segment.
#[utoipa::path(get, path = "/v1/recordings/{id}/hls/init.mp4", tag = "playback",
    params(("id" = String, Path, description = "The recording's id"),
        ("token" = Option<String>, Query, description = "A playback token in place of a session")),
    responses((status = 200, description = "fMP4 init segment", content_type = "video/mp4"),
        (status = 404, description = "No recording that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "As for the playlist", body = crate::problem::ProblemBody)))]
pub async fn init(
    State(app): State<AppState>,
    who: Watcher,
    Path(id): Path<RecordingId>,
    method: Method,
) -> Result<Response> {
    let (permit, row) = permitted(&app, &who.principal, Action::View, id).await?;
    if let Some(playing) = arriving::playing(&app, &row).await? {
        return arriving::answer(&app, permit, &row, &method, &playing, Piece::Init).await;
    }
    watchable(&row)?;
    let bytes = app.index_of(&row).await?.init();
    serve(
        &app,
        permit,
        &row,
        &method,
        Served::playlist(bytes.len() as u64),
    )
    .await?;
    Ok(media(MP4, bytes))
}

/// A media segment, from 0; and what a second variant has: `low.m3u8`, `full.m3u8`, `full-init.mp4`,
/// `full-{n}.m4s`.
#[utoipa::path(get, path = "/v1/recordings/{id}/hls/{segment}", tag = "playback",
    params(("id" = String, Path, description = "The recording's id"),
        ("segment" = String, Path, description = "`{n}.m4s`, or a name from the multivariant playlist"),
        ("token" = Option<String>, Query, description = "A playback token in place of a session")),
    responses((status = 200, description = "fMP4 media segment", content_type = "video/mp4"),
        (status = 404, description = "No such segment, or no recording that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "As for the playlist", body = crate::problem::ProblemBody)))]
pub async fn segment(
    State(app): State<AppState>,
    who: Watcher,
    Path((id, segment)): Path<(RecordingId, String)>,
    method: Method,
) -> Result<Response> {
    let (permit, row) = permitted(&app, &who.principal, Action::View, id).await?;
    if let Some(playing) = arriving::playing(&app, &row).await? {
        let piece = Piece::Named(&segment, &who);
        return arriving::answer(&app, permit, &row, &method, &playing, piece).await;
    }
    watchable(&row)?;
    let file = File::named(&segment).ok_or(Kind::NotFound)?;
    let index = app.index_of(&row).await?;
    let number = match file {
        File::Playlist(variant) => {
            let text = index.playlist_of(variant).ok_or(Kind::NotFound)?;
            let served = Served::playlist(text.len() as u64);
            serve(&app, permit, &row, &method, served).await?;
            return Ok(media(PLAYLIST, Bytes::from(who.carried_by(text))));
        }
        File::Init(variant) => {
            let bytes = index.init_of(variant).ok_or(Kind::NotFound)?;
            let served = Served::playlist(bytes.len() as u64);
            serve(&app, permit, &row, &method, served).await?;
            return Ok(media(MP4, bytes));
        }
        File::Segment(variant, number) if index.is_made() => {
            return made(&app, permit, &row, &method, &index, (variant, number)).await;
        }
        File::Segment(Variant::Full, _) => return Err(Kind::NotFound.into()),
        File::Segment(Variant::First, number) => number,
    };
    let plan = index.plan(number)?;
    let served = Served::segment(plan.size_bytes, stretch(&index, number)?);
    serve(&app, permit, &row, &method, served).await?;
    if method == Method::HEAD {
        return Ok(media(MP4, Bytes::new()));
    }
    let stored = stored(&row)?;
    let _place = app.segment_place(plan.size_bytes).await?;
    let source = app.ingest().source(&stored.key, stored.size_bytes).await?;
    Ok(media(MP4, plan.fetch(&source).await?))
}

/// A segment that the worker makes. Made before the viewing is told of it: its size is part of what is told.
async fn made(
    app: &AppState,
    permit: Permit,
    row: &Recording,
    method: &Method,
    index: &PlaybackIndex,
    (variant, number): (Variant, usize),
) -> Result<Response> {
    let stretch = stretch(index, number)?;
    index.init_of(variant).ok_or(Kind::NotFound)?;
    if method == Method::HEAD {
        return Ok(media(MP4, Bytes::new()));
    }
    let bytes = app.made_segment(row, index, number, variant).await?;
    let served = Served::segment(bytes.len() as u64, stretch);
    serve(app, permit, row, method, served).await?;
    Ok(media(MP4, bytes))
}

/// The milliseconds a segment shows.
pub(super) fn stretch(index: &PlaybackIndex, number: usize) -> Result<std::ops::Range<u64>> {
    let place = index.segments().get(number).ok_or(Kind::NotFound)?;
    Ok(place.start_us / 1_000..place.end_us() / 1_000)
}

/// A picture of the recording. Lists show it, so it opens no viewing.
#[utoipa::path(get, path = "/v1/recordings/{id}/poster.jpg", tag = "playback",
    params(("id" = String, Path, description = "The recording's id")),
    responses((status = 200, description = "A JPEG", content_type = "image/jpeg"),
        (status = 304, description = "The one of If-None-Match is still the present one"),
        (status = 404, description = "There is none, or no recording that you may see", body = crate::problem::ProblemBody)))]
pub async fn poster(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
) -> Result<Response> {
    let (_, row) = permitted(&app, &who, Action::View, id).await?;
    let jpeg = match row.state.is_open() {
        true => app.ingest().early_poster(&row).await?,
        false => {
            stored(&row).map_err(|_| Kind::NotFound)?;
            let name = derivative(POSTER)?;
            let vault = app.vault();
            vault.get_derivative(id, row.created_at, &name).await?
        }
    };
    let jpeg = Bytes::from(jpeg.ok_or(Kind::NotFound)?);
    // A better one takes its place when the recording is sealed.
    let keep = match row.state.is_open() {
        true => CHANGES,
        false => STAYS,
    };
    Ok(looked(&headers, "image/jpeg", keep, jpeg))
}

/// For what is made once.
pub(super) const STAYS: &str = "private, max-age=300";
/// For what is still added to.
pub(super) const CHANGES: &str = "private, no-cache";

/// A derivative that lists and the player show, or that the client has it already.
pub(super) fn looked(
    headers: &HeaderMap,
    kind: &'static str,
    keep: &'static str,
    bytes: Bytes,
) -> Response {
    let etag = ETag::of_text(&docket_base::Sha256Digest::of(&bytes));
    let tags = [
        (ETAG, etag.value()),
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static(keep)),
    ];
    if etag.is_known(headers) {
        return (StatusCode::NOT_MODIFIED, tags).into_response();
    }
    (tags, bytes).into_response()
}

/// Whether a closed recording plays.
pub(super) fn watchable(row: &Recording) -> Result<()> {
    let later = || Problem::new(Kind::NotYetPlayable).retry_after_seconds(2);
    stored(row)?;
    match row.playback_state {
        PlaybackState::Ready => Ok(()),
        PlaybackState::Pending => Err(later().detail("it is being looked at")),
        PlaybackState::Impossible => {
            let reason = row.playback_reason.clone().unwrap_or_default();
            Err(Problem::new(Kind::NotPlayable)
                .detail(reason.replace('_', " "))
                .member("reason", reason))
        }
    }
}

pub(super) async fn serve(
    app: &AppState,
    permit: Permit,
    row: &Recording,
    method: &Method,
    served: Served,
) -> Result<()> {
    if *method != Method::HEAD {
        app.viewings().serve(permit.actor(), row, served).await?;
    }
    Ok(())
}

/// Not kept by the browser: every look goes through the decision and the viewing's record.
pub(super) fn media(kind: &'static str, bytes: Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    (headers, bytes).into_response()
}

/// What a name beside the playlist stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Playlist(Variant),
    Init(Variant),
    Segment(Variant, usize),
}

impl File {
    pub(super) fn variant(self) -> Variant {
        match self {
            Self::Playlist(variant) | Self::Init(variant) | Self::Segment(variant, _) => variant,
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let (variant, rest) = match name.strip_prefix("full-") {
            Some(rest) => (Variant::Full, rest),
            None => (Variant::First, name),
        };
        match rest {
            "low.m3u8" if variant == Variant::First => Some(Self::Playlist(Variant::First)),
            "full.m3u8" if variant == Variant::First => Some(Self::Playlist(Variant::Full)),
            "init.mp4" => Some(Self::Init(variant)),
            segment => number(segment).map(|number| Self::Segment(variant, number)),
        }
    }
}

fn number(segment: &str) -> Option<usize> {
    let digits = segment.strip_suffix(".m4s")?;
    let plain =
        !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside_the_playlist() {
        use Variant::{First, Full};
        let named = File::named;
        assert_eq!(named("3.m4s"), Some(File::Segment(First, 3)));
        assert_eq!(named("full-3.m4s"), Some(File::Segment(Full, 3)));
        assert_eq!(named("full-init.mp4"), Some(File::Init(Full)));
        assert_eq!(named("full.m3u8"), Some(File::Playlist(Full)));
        assert_eq!(named("low.m3u8"), Some(File::Playlist(First)));
        for wrong in ["full-full.m3u8", "full-full-3.m4s", "full-", "other.m3u8"] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn segments_are_numbers() {
        assert_eq!(number("0.m4s"), Some(0));
        assert_eq!(number("120.m4s"), Some(120));
        for wrong in ["", ".m4s", "+1.m4s", "1.mp4", "9999999999.m4s", "../1.m4s"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
