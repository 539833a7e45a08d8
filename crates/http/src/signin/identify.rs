//! From a request to a [`Principal`]: by bearer token, or by session cookie with CSRF token and `Origin`.

use axum::extract::FromRequestParts;
use docket_catalog::User;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;

use super::cookie::SessionSecret;
use super::token::{self, Presented};
use crate::access::{Principal, Rights, Role, Scopes, Who};
use crate::layers::host::{Source, source};
use crate::problem::{Kind, Problem, Result};
use crate::state::AppState;

/// How often the use of a session moves its end, in seconds: every request would be a write.
const EXTEND_EVERY_S: i64 = 60;

impl FromRequestParts<AppState> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let principal = match token::presented(&parts.headers) {
            Some(Some(presented)) => by_token(app, presented).await?,
            Some(None) => return Err(unknown()),
            None => by_cookie(app, parts).await?,
        };
        parts.extensions.insert(principal.clone());
        Ok(principal)
    }
}

/// 401 that says how.
pub fn unknown() -> Problem {
    Problem::new(Kind::SignInRequired).header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

async fn by_token(app: &AppState, presented: Presented) -> Result<Principal> {
    let row = app.catalog().token(presented.id).await?;
    let row = row.filter(|row| presented.matches(&row.secret_sha256));
    let row = row.ok_or_else(unknown)?;
    let principal = of_token(&row)?;
    app.catalog().token_used(&row, app.now()).await?;
    Ok(principal)
}

fn of_token(row: &docket_catalog::Token) -> Result<Principal> {
    if row.revoked_at.is_some() {
        return Err(unknown());
    }
    let scopes = row.scopes.parse::<Scopes>().map_err(Problem::internal)?;
    Ok(Principal {
        who: Who::Token(row.id, row.station_id),
        unit: row.unit_id,
        rights: Rights::Scopes(scopes),
    })
}

async fn by_cookie(app: &AppState, parts: &Parts) -> Result<Principal> {
    let secret = SessionSecret::from_cookies(&parts.headers).ok_or_else(unknown)?;
    let user = session_user(app, &secret).await?;
    if !parts.method.is_safe() {
        // Both: the token proves a page of ours that read this session; Origin stops a page of ours that was
        // framed or tricked on another name of this host.
        if source(&parts.headers, &parts.uri) != Source::Own {
            return Err(Kind::OriginMismatch.into());
        }
        if !secret.csrf_matches(&parts.headers) {
            return Err(Kind::CsrfMismatch.into());
        }
    }
    of_user(&user)
}

fn of_user(user: &User) -> Result<Principal> {
    if user.disabled {
        return Err(unknown());
    }
    let role = user
        .role
        .as_str()
        .parse::<Role>()
        .map_err(Problem::internal)?;
    Ok(Principal {
        who: Who::User(user.id),
        unit: user.unit_id,
        rights: Rights::Role(role),
    })
}

/// Whose session it is. An ended one is nobody's; a living one lives on.
pub async fn session_user(app: &AppState, secret: &SessionSecret) -> Result<User> {
    let now = app.now();
    let stored = secret.stored();
    let session = app.catalog().session(stored, now).await?;
    let session = session.ok_or_else(unknown)?;
    let limits = app.settings();
    let longest = session.created_at.plus_seconds(limits.session_longest_s);
    let idle = now.plus_seconds(limits.session_idle_s);
    let wanted = idle.min(longest);
    if wanted > session.expires_at.plus_seconds(EXTEND_EVERY_S) {
        app.catalog().extend_session(stored, wanted).await?;
    }
    let user = app.catalog().user(session.user_id).await?;
    let user = user.map(|user| user.row);
    user.filter(|user| !user.disabled).ok_or_else(unknown)
}

/// A known user or token as it is by now, however it came to ask.
///
/// # Errors
/// `sign-in-required` for whoever may no longer.
pub(super) async fn principal_of(app: &AppState, who: Who) -> Result<Principal> {
    match who {
        Who::Token(id, _) => of_token(&app.catalog().token(id).await?.ok_or_else(unknown)?),
        Who::User(id) => of_user(&app.catalog().user(id).await?.ok_or_else(unknown)?.row),
    }
}

impl AppState {
    /// The principal as it is by now: rights may have changed, and whoever may no longer sign in is nobody.
    ///
    /// # Errors
    /// `sign-in-required`.
    pub(crate) async fn still_valid(
        &self,
        who: &Principal,
        session: Option<&SessionSecret>,
    ) -> Result<Principal> {
        if let (Who::User(_), Some(session)) = (who.who, session) {
            let living = self.catalog().session(session.stored(), self.now()).await?;
            living.ok_or_else(unknown)?;
        }
        principal_of(self, who.who).await
    }
}
