//! Sign-in, sign-out, one's own password.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_base::Sha256Digest;
use docket_catalog::{User, name_key};
use docket_ingest::sessions::SessionHashes;
use docket_ledger::kinds::RefusedReason;
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Action, Principal};
use crate::extract::Json;
use crate::layers::host::{Source, source};
use crate::peer::Peer;
use crate::problem::{Kind, Problem, Result};
use crate::shapes::UnitRef;
use crate::signin::cookie::{self, SessionSecret};
use crate::signin::identify::{session_user, unknown};
use crate::signin::password::acceptable;
use crate::signin::throttle::{PER_NAME, Refused};
use crate::state::AppState;

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    name: String,
    password: String,
}

/// Old and new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    old: String,
    /// At least 10 characters.
    new: String,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub struct Session {
    user: SessionUser,
    /// Send it as `X-Docket-CSRF` with every change.
    csrf_token: String,
}

/// The user of a session.
#[derive(Serialize, ToSchema)]
pub struct SessionUser {
    #[schema(value_type = String, format = "uuid")]
    id: docket_base::ids::UserId,
    name: String,
    /// `administrator`, `supervisor`, `case_handler` or `auditor`.
    role: String,
    unit: UnitRef,
}

/// Signs in: sets the cookie `docket_session`.
#[utoipa::path(post, path = "/v1/session", tag = "session", security(()), request_body = SignIn,
    responses((status = 200, description = "Signed in", body = Session),
        (status = 401, description = "Name or password is wrong", body = crate::problem::ProblemBody),
        (status = 403, description = "The page that asks is another site's", body = crate::problem::ProblemBody),
        (status = 429, description = "Too many tries: see Retry-After", body = crate::problem::ProblemBody)))]
pub async fn sign_in(
    State(app): State<AppState>,
    peer: Peer,
    uri: Uri,
    headers: HeaderMap,
    Json(input): Json<SignIn>,
) -> Result<Response> {
    // Another site must not sign a browser in as somebody of its choice.
    if source(&headers, &uri) == Source::Foreign {
        return Err(Kind::OriginMismatch.into());
    }
    let user = check(&app, peer, &input.name, input.password).await?;
    let secret = SessionSecret::fresh(app.random().as_ref());
    let expires_at = app.now().plus_seconds(app.settings().session_idle_s);
    app.ingest()
        .open_session(&user, hashes(&secret), expires_at)
        .await?;
    let body = shape(&app, &user, &secret).await?;
    let cookie = secret.set_cookie(app.settings().tls);
    Ok(([(SET_COOKIE, cookie)], Json(body)).into_response())
}

/// Who is signed in here.
#[utoipa::path(get, path = "/v1/session", tag = "session",
    responses((status = 200, description = "You", body = Session),
        (status = 401, description = "Nobody", body = crate::problem::ProblemBody)))]
pub async fn read(State(app): State<AppState>, headers: HeaderMap) -> Result<Json<Session>> {
    let (secret, user) = own(&app, &headers).await?;
    Ok(Json(shape(&app, &user, &secret).await?))
}

/// Signs out.
#[utoipa::path(delete, path = "/v1/session", tag = "session",
    responses((status = 204, description = "Signed out"),
        (status = 401, description = "Nobody was signed in", body = crate::problem::ProblemBody),
        (status = 403, description = "Without the CSRF token", body = crate::problem::ProblemBody)))]
pub async fn sign_out(
    State(app): State<AppState>,
    who: Principal,
    headers: HeaderMap,
) -> Result<Response> {
    app.permit(&who, Action::OwnSession, who.unit).await?;
    let (secret, user) = own(&app, &headers).await?;
    app.ingest().close_session(&user, secret.stored()).await?;
    let cookie = cookie::clear(app.settings().tls);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Changes one's own password. All other sessions of the user end.
#[utoipa::path(post, path = "/v1/session/password", tag = "session", request_body = PasswordChange,
    responses((status = 204, description = "Changed"),
        (status = 401, description = "The old password is wrong", body = crate::problem::ProblemBody),
        (status = 422, description = "The new one is too short", body = crate::problem::ProblemBody),
        (status = 429, description = "Too many tries", body = crate::problem::ProblemBody)))]
pub async fn password(
    State(app): State<AppState>,
    who: Principal,
    peer: Peer,
    headers: HeaderMap,
    Json(input): Json<PasswordChange>,
) -> Result<StatusCode> {
    app.permit(&who, Action::OwnSession, who.unit).await?;
    let (secret, user) = own(&app, &headers).await?;
    acceptable(&input.new)?;
    let user = check(&app, peer, &user.name, input.old).await?;
    let hash = app.passwords().hash(input.new).await?;
    let ingest = app.ingest();
    // Ends every session, this one too; a crash before it is kept signs the user out.
    ingest.set_password(who.actor(), user.id, &hash).await?;
    let expires_at = app.now().plus_seconds(app.settings().session_idle_s);
    ingest
        .keep_session(&user, hashes(&secret), expires_at)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn hashes(secret: &SessionSecret) -> SessionHashes {
    SessionHashes {
        secret: secret.stored(),
        csrf: Sha256Digest::of(secret.csrf_token().as_bytes()),
    }
}

async fn own(app: &AppState, headers: &HeaderMap) -> Result<(SessionSecret, User)> {
    let secret = SessionSecret::from_cookies(headers).ok_or_else(unknown)?;
    let user = session_user(app, &secret).await?;
    Ok((secret, user))
}

/// The user with this name and password. Takes the same time and says the same for names that don't exist.
async fn check(app: &AppState, peer: Peer, name: &str, password: String) -> Result<User> {
    let key = name_key(name);
    let now = app.now();
    if let Err(refused) = app.throttle().try_begins(&key, peer.address, now) {
        return Err(match refused {
            Refused::Name(seconds) => Problem::new(Kind::LockedOut).retry_after_seconds(seconds),
            Refused::Address(seconds) => {
                Problem::new(Kind::TooManyRequests).retry_after_seconds(seconds)
            }
        });
    }
    let user = app.catalog().user_by_name(&key).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = app.passwords().verify(password, hash).await?;
    // The lock of a user who exists outlives a restart; the throttle in memory does not.
    let until = user.as_ref().and_then(|user| user.locked_until);
    if let Some(left) = until.map(|until| until.0 - now.0).filter(|left| *left > 0) {
        let seconds = left.unsigned_abs() / 1_000_000 + 1;
        return Err(Problem::new(Kind::LockedOut).retry_after_seconds(seconds));
    }
    match user {
        Some(user) if right && !user.disabled => {
            app.throttle().succeeded(&key, peer.address);
            app.catalog().password_succeeded(user.id).await?;
            Ok(user)
        }
        Some(user) => {
            let reason = if right {
                RefusedReason::Disabled
            } else {
                RefusedReason::Password
            };
            let locked = app.throttle().locked_until(&key, now);
            let until = locked.unwrap_or(now.plus_seconds(PER_NAME.first_wait_s));
            let wrong = app
                .catalog()
                .password_failed(user.id, PER_NAME.free, until)
                .await?;
            app.ingest()
                .refuse_session(&user, reason, wrong, locked)
                .await?;
            Err(Kind::WrongPassword.into())
        }
        // No event: anybody could fill the ledger with names that don't exist.
        None => Err(Kind::WrongPassword.into()),
    }
}

async fn shape(app: &AppState, user: &User, secret: &SessionSecret) -> Result<Session> {
    let unit = app.catalog().unit(user.unit_id).await?;
    Ok(Session {
        user: SessionUser {
            id: user.id,
            name: user.name.clone(),
            role: user.role.to_string(),
            unit: UnitRef {
                id: user.unit_id,
                name: unit.map(|unit| unit.name).unwrap_or_default(),
            },
        },
        csrf_token: secret.csrf_token(),
    })
}
