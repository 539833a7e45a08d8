//! Playback hints: what a sender sends ahead of an upload so that it plays from its first bytes on.

use std::ops::Range;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use docket_base::Sha256Digest;
use docket_base::ids::RecordingId;
use docket_ingest::growing::MOST_HINT_BYTES;
use http::HeaderMap;
use http::header::CONTENT_RANGE;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Principal;
use crate::extract::{Json, Path};
use crate::problem::{Kind, Problem, Result};
use crate::routes::files::own_upload;
use crate::state::AppState;

/// A hint's body may take so long: 32 MiB over a line of 1 Mbit/s.
const LONGEST: Duration = Duration::from_secs(300);

/// A hint as it was taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Hint {
    /// Where in the file it begins.
    pub from_bytes: u64,
    /// Where it ends (exclusive).
    pub until_bytes: u64,
    /// The file's length.
    pub size_bytes: u64,
    /// Of the hint's bytes; viewings name it until the recording is sealed.
    #[schema(value_type = String)]
    pub sha256: Sha256Digest,
}

/// A stretch of the file ahead of its upload: of an MP4 or MOV whose index is at the end, its whole `moov` box.
/// The recording then plays while it arrives, as a preview. Once; the same again changes nothing. When the
/// recording is sealed the hint is compared with what came; a difference is a custody event.
#[utoipa::path(put, path = "/v1/recordings/{id}/hint", tag = "uploads",
    request_body(content_type = "application/octet-stream", description = "Those bytes of the file, at most 32 MiB"),
    params(("id" = String, Path, description = "The upload's id"),
        ("Content-Range" = String, Header, description = "`bytes a-b/size`, both included; size is the upload's length")),
    responses((status = 200, description = "It is durable", body = Hint),
        (status = 400, description = "Content-Range is missing or can't be read", body = crate::problem::ProblemBody),
        (status = 404, description = "No upload of yours", body = crate::problem::ProblemBody),
        (status = 409, description = "It is no longer arriving, or another hint was taken", body = crate::problem::ProblemBody),
        (status = 413, description = "More than 32 MiB", body = crate::problem::ProblemBody),
        (status = 422, description = "Not a stretch of this upload, or the body is not as long as it", body = crate::problem::ProblemBody),
        (status = 503, description = "Too many hints at once; see Retry-After", body = crate::problem::ProblemBody)))]
pub async fn put(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<RecordingId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Hint>> {
    own_upload(&app, &who, id).await.map_err(Problem::from)?;
    let (range, size_bytes) = content_range(&headers).ok_or_else(|| {
        Problem::new(Kind::BadRequest).detail("Content-Range: bytes first-last/size is needed")
    })?;
    let length = range.end - range.start;
    if length > MOST_HINT_BYTES {
        return Err(Problem::new(Kind::TooLarge).detail("a hint has at most 32 MiB"));
    }
    let _place = app
        .hint_place()
        .ok_or_else(|| Problem::new(Kind::Busy).retry_after_seconds(2))?;
    // One byte more, to tell a body that is too long from one that is not; both are small.
    let most = usize::try_from(length + 1).map_err(Problem::internal)?;
    let bytes = tokio::time::timeout(LONGEST, to_bytes(body, most)).await;
    let bytes = bytes
        .map_err(|_| Problem::new(Kind::BadRequest).detail("the body took too long"))?
        .map_err(|_| Problem::new(Kind::Invalid).detail("the body is not as long as its range"))?;
    let taken = app.ingest().put_hint(id, range, size_bytes, bytes).await?;
    Ok(Json(Hint {
        from_bytes: taken.from_bytes,
        until_bytes: taken.until_bytes,
        size_bytes: taken.size_bytes,
        sha256: taken.sha256,
    }))
}

/// `bytes first-last/size` (RFC 9110, 14.4), exactly one.
fn content_range(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let mut all = headers.get_all(CONTENT_RANGE).iter();
    let text = all.next()?.to_str().ok()?;
    if all.next().is_some() {
        return None;
    }
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        text.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())?
    };
    let (first, last) = (number(first)?, number(last)?);
    let end = last.checked_add(1).filter(|end| *end > first)?;
    Some((first..end, number(size)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stretch_of_known_size() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, text.parse().expect("ascii"));
            content_range(&headers)
        };
        assert_eq!(read("bytes 5-9/100"), Some((5..10, 100)));
        assert_eq!(read("bytes 0-0/1"), Some((0..1, 1)));
        for wrong in [
            "bytes 9-5/100",
            "bytes 5-9/*",
            "bytes */100",
            "5-9/100",
            "bytes -9/100",
            "bytes +5-9/100",
            "bytes 0-18446744073709551615/1",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(content_range(&HeaderMap::new()), None);
    }
}
