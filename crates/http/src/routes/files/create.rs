//! POST: an upload begins.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::ids::{RecordingId, UnitId};
use docket_catalog::RecordingKind;
use docket_ingest::upload::{NewFinal, NewUpload};
use docket_tus::{Creation, Length, Plan, Refusal};
use http::{HeaderMap, StatusCode};

use super::{BASE, TusResult, appended, origin, stream};
use crate::access::{Action, Principal};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// Creates an upload, and with it the recording of the same id.
#[utoipa::path(post, path = "/files/", tag = "uploads",
    params(("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Length" = Option<u64>, Header, description = "Bytes of the whole file"),
        ("Upload-Defer-Length" = Option<u8>, Header, description = "1: the length comes later"),
        ("Upload-Metadata" = Option<String>, Header, description = "Keys and base64 values; see docs/uploads.md"),
        ("Upload-Concat" = Option<String>, Header, description = "`partial`, or `final;` and the parts' addresses"),
        ("Upload-Checksum" = Option<String>, Header, description = "Of the body, when there is one: sha1 or sha256, and base64")),
    responses((status = 201, description = "Location is the upload's address"),
        (status = 400, description = "A header is not of its form", body = crate::problem::ProblemBody),
        (status = 403, description = "No right to send for that unit", body = crate::problem::ProblemBody),
        (status = 413, description = "Larger than Tus-Max-Size", body = crate::problem::ProblemBody),
        (status = 422, description = "The body is not what `sha256` promised: kept in quarantine", body = crate::problem::ProblemBody),
        (status = 507, description = "Too little room; nothing is lost", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    headers: HeaderMap,
    body: Body,
) -> TusResult<Response> {
    let creation = docket_tus::creation(&headers, BASE, app.ingest().options.max_upload_bytes)?;
    let unit = unit_of("unit", creation.facts.unit.as_deref())?.unwrap_or(who.unit);
    let permit = app.permit(&who, Action::Upload, unit).await?;
    let case_unit = unit_of("case_unit", creation.facts.case_unit.as_deref())?;
    if let Some(case_unit) = case_unit {
        app.permit(&who, Action::ProposeLink, case_unit).await?;
    }
    if let Some(docking) = creation.facts.docking {
        // Nobody fills another station's list.
        let listed = app
            .catalog()
            .docking(docking)
            .await?
            .ok_or(Kind::NotFound)?;
        app.permit(&who, Action::Upload, listed.unit_id).await?;
    }
    let origin = origin(&app, &who, permit, case_unit.unwrap_or(unit)).await;
    let new = described(&creation, unit, case_unit);
    let upload = match &creation.plan {
        Plan::Whole(_) => app.ingest().create_upload(origin, &new).await?,
        Plan::Partial(_) => {
            app.ingest()
                .create_partial(origin, unit, new.length_bytes, &new.header)
                .await?
        }
        Plan::Final(parts) => {
            let parts = parts.clone();
            app.ingest()
                .create_final(origin, NewFinal { upload: new, parts })
                .await?
        }
    };
    let location = format!("{BASE}{}", upload.id);
    let created = |offset: Option<u64>| {
        (
            StatusCode::CREATED,
            docket_tus::created(&location, offset, upload.expires_at),
        )
            .into_response()
    };
    if !creation.has_body {
        app.ingest().finish_if_complete(&upload).await?;
        return Ok(created(None));
    }
    let done = app
        .ingest()
        .append(upload.id, 0, None, creation.checksum, stream(body))
        .await?;
    let offset = done.offset_bytes;
    appended(done, |_| created(Some(offset)))
}

/// POST at an upload's own address: the method a proxy would not let through (X-HTTP-Method-Override).
#[utoipa::path(post, path = "/files/{id}", tag = "uploads",
    params(("id" = String, Path, description = "The upload's id"),
        ("X-HTTP-Method-Override" = String, Header, description = "PATCH, DELETE or HEAD")),
    responses((status = 204, description = "As that method answers"),
        (status = 405, description = "No method was named", body = crate::problem::ProblemBody)))]
pub async fn overridden(
    State(app): State<AppState>,
    who: Principal,
    path: crate::extract::Path<RecordingId>,
    headers: HeaderMap,
    body: Body,
) -> TusResult<Response> {
    match docket_tus::effective_method(&http::Method::POST, &headers)?.as_str() {
        "PATCH" => super::patch::append(State(app), who, path, headers, body).await,
        "DELETE" => super::standing::terminate(State(app), who, path, headers).await,
        "HEAD" => super::standing::head(State(app), who, path, headers).await,
        _ => Err(Problem::new(Kind::MethodNotAllowed).into()),
    }
}

fn unit_of(key: &'static str, text: Option<&str>) -> Result<Option<UnitId>, Refusal> {
    let parse = |text: &str| {
        text.parse().map_err(|_| Refusal::Metadata {
            key: key.to_owned(),
            reason: "no unit's id",
        })
    };
    text.map(parse).transpose()
}

fn described(creation: &Creation, unit: UnitId, case_unit: Option<UnitId>) -> NewUpload {
    let facts = creation.facts.clone();
    NewUpload {
        length_bytes: match creation.plan {
            Plan::Whole(Length::Known(bytes)) | Plan::Partial(Length::Known(bytes)) => Some(bytes),
            Plan::Whole(Length::Deferred) | Plan::Partial(Length::Deferred) | Plan::Final(_) => {
                None
            }
        },
        unit,
        kind: match facts.kind {
            docket_tus::Kind::Video => RecordingKind::Video,
            docket_tus::Kind::Audio => RecordingKind::Audio,
            docket_tus::Kind::Photo => RecordingKind::Photo,
            docket_tus::Kind::Document => RecordingKind::Document,
            docket_tus::Kind::Other => RecordingKind::Other,
        },
        file_name: facts.filename.unwrap_or_default(),
        media_type: facts.filetype,
        claimed_sha256: facts.sha256,
        officer: facts.officer,
        recorder: facts.recorder,
        recorded_at: facts.recorded_at,
        docking: facts.docking,
        device_path: facts.path,
        key_mark: facts.is_key_marked,
        note: facts.note,
        case_number: facts.case,
        case_unit,
        header: creation.metadata.encode(),
    }
}
