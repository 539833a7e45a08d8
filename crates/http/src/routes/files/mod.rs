//! `/files/`: tus 1.0.0. The protocol itself is docket_tus, the work is docket_ingest; here they meet
//! requests.

pub mod bytes;
pub mod create;
pub mod patch;
pub mod standing;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use docket_base::ids::{RecordingId, UnitId};
use docket_ingest::IngestError;
use docket_ingest::upload::{AppendOutcome, Appended, Finished, Origin, StoredFacts};
use docket_tus::Refusal;
use futures_util::TryStreamExt;
use http::{HeaderMap, StatusCode};

use crate::access::{Action, Permit, Principal, Who};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// Where uploads are.
pub const BASE: &str = "/files/";

/// A tus answer that is none of the good ones: tus's status and headers, with a problem as body.
#[derive(Debug)]
pub struct Failure {
    problem: Problem,
    headers: Box<HeaderMap>,
}

/// What the handlers here return.
pub type TusResult<T> = Result<T, Failure>;

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let kind = match &refusal {
            Refusal::Version => Kind::TusVersion,
            Refusal::Header { .. } | Refusal::Metadata { .. } | Refusal::Part { .. } => {
                Kind::BadRequest
            }
            Refusal::ChecksumAlgorithm => Kind::BadRequest,
            Refusal::ContentType => Kind::UnsupportedMediaType,
            Refusal::TooLarge { .. } => Kind::TooLarge,
            Refusal::Offset { .. } => Kind::OffsetMismatch,
            Refusal::NotFound => Kind::NotFound,
            Refusal::Gone => Kind::Gone,
            Refusal::Forbidden | Refusal::Final => Kind::Forbidden,
            Refusal::Locked => Kind::Locked,
            Refusal::ChecksumMismatch => Kind::ChecksumMismatch,
            Refusal::DigestMismatch => Kind::DigestMismatch,
            Refusal::Full => Kind::InsufficientStorage,
        };
        let headers = Box::new(docket_tus::refused(&refusal));
        Self {
            problem: Problem::new(kind).detail(refusal.to_string()),
            headers,
        }
    }
}

impl From<Failure> for Problem {
    /// For routes that are no tus.
    fn from(failure: Failure) -> Self {
        failure.problem
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            headers: Box::new(docket_tus::terminated()),
        }
    }
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Problem::from(kind).into()
    }
}

impl From<docket_catalog::Error> for Failure {
    fn from(error: docket_catalog::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        match error {
            error if error.is_full() => Refusal::Full.into(),
            IngestError::NotFound { .. } => Refusal::NotFound.into(),
            IngestError::WrongState(_) => Refusal::Gone.into(),
            IngestError::StillHeld(_) => Refusal::Locked.into(),
            // tus has 400 for what a client must say otherwise.
            IngestError::Refused(reason) => Problem::new(Kind::BadRequest).detail(reason).into(),
            other => Problem::from(other).into(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        response.headers_mut().extend(*self.headers);
        response
    }
}

/// An upload that this caller may go on with: its sender, by the token or the session it began with.
pub(crate) async fn own_upload(
    app: &AppState,
    who: &Principal,
    id: RecordingId,
) -> TusResult<Permit> {
    let upload = app.catalog().upload(id).await?;
    let (unit, owner, token) = match &upload {
        Some(upload) => {
            let token = StoredFacts::parse(&upload.metadata)
                .ok()
                .and_then(|facts| facts.sender_token);
            (upload.unit_id, upload.owner(), token)
        }
        None => {
            let recording = app
                .catalog()
                .recording(id)
                .await?
                .ok_or(Refusal::NotFound)?;
            (recording.unit_id, recording.created_by(), None)
        }
    };
    let permit = app.permit(who, Action::Upload, unit).await?;
    let same_token = matches!(who.who, Who::Token(mine, _) if Some(mine) == token);
    if !same_token && owner != docket_ingest::actor_ref(permit.actor()) {
        return Err(Refusal::NotFound.into());
    }
    Ok(permit)
}

/// Who sends, for the recording's facts.
async fn origin(app: &AppState, who: &Principal, permit: Permit, unit: UnitId) -> Origin {
    let may_link = app.permit(who, Action::Link, unit).await.is_ok();
    let (token, station) = match who.who {
        Who::User(_) => (None, None),
        Who::Token(token, station) => (Some(token), station),
    };
    Origin {
        actor: permit.actor(),
        station,
        token,
        may_link,
    }
}

/// A request's body as the workflow takes it.
fn stream(body: Body) -> docket_ingest::upload::Body<'static> {
    Box::pin(body.into_data_stream().map_err(std::io::Error::other))
}

/// The answer to bytes that were sent, by PATCH or with a creation.
fn appended(done: Appended, good: impl FnOnce(&Appended) -> Response) -> TusResult<Response> {
    match &done.outcome {
        AppendOutcome::Taken | AppendOutcome::Finished(Finished::Sealed { .. }) => Ok(good(&done)),
        AppendOutcome::Finished(Finished::Quarantined { expected, actual }) => {
            let failure = Failure::from(Refusal::DigestMismatch);
            let problem = failure
                .problem
                .member("expected_sha256", expected.to_string())
                .member("actual_sha256", actual.to_string());
            Err(Failure {
                problem,
                headers: failure.headers,
            })
        }
        AppendOutcome::HandedOver => Err(Refusal::Locked.into()),
        AppendOutcome::TooLong => Err(Refusal::TooLarge {
            limit_bytes: done.length_bytes.unwrap_or(done.offset_bytes),
        }
        .into()),
        AppendOutcome::Full => Err(Refusal::Full.into()),
        AppendOutcome::Shutdown => Err(Problem::new(Kind::Unavailable)
            .retry_after_seconds(5)
            .into()),
        AppendOutcome::ChecksumMismatch => Err(Refusal::ChecksumMismatch.into()),
    }
}

/// What the server can do (OPTIONS). Needs no sign-in: it tells nothing about anyone.
#[utoipa::path(options, path = "/files/", tag = "uploads", security(()),
    responses((status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm")))]
pub async fn options(axum::extract::State(app): axum::extract::State<AppState>) -> Response {
    (
        StatusCode::NO_CONTENT,
        docket_tus::options(app.ingest().options.max_upload_bytes),
    )
        .into_response()
}

/// As OPTIONS of `/files/`.
#[utoipa::path(options, path = "/files/{id}", tag = "uploads", security(()),
    params(("id" = String, Path, description = "The upload's id")),
    responses((status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm")))]
pub async fn options_of(app: axum::extract::State<AppState>) -> Response {
    options(app).await
}
