//! Playback tokens: `?token=dkp_<secret>` in place of a session, for one recording and a short time. Whoever
//! shows one acts as who asked for it, with that one's rights as they are by now; the one authorisation
//! decision follows as for everybody.

use std::fmt;

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, RawPathParams};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use docket_base::ids::RecordingId;
use docket_base::random::bytes;
use docket_base::{Micros, Sha256Digest};
use docket_catalog::{ActorKind, PlaybackToken};
use http::request::Parts;

use super::identify::{principal_of, unknown};
use crate::access::{Principal, Who};
use crate::problem::{Problem, Result};
use crate::state::AppState;

const PREFIX: &str = "dkp_";
/// A token is good for so long, in seconds: long enough to watch a shift's recording with pauses.
const GOOD_FOR_S: i64 = 4 * 60 * 60;

/// Makes a token for a recording; the text is shown once.
///
/// # Errors
/// The catalog's.
pub async fn issue(
    app: &AppState,
    who: &Principal,
    recording: RecordingId,
) -> Result<(String, Micros)> {
    let secret: [u8; 32] = bytes(&**app.random());
    let (holder_kind, holder_id) = match who.who {
        Who::User(id) => (ActorKind::User, id.to_string()),
        Who::Token(id, _) => (ActorKind::Token, id.to_string()),
    };
    let row = PlaybackToken {
        secret_sha256: Sha256Digest::of(&secret),
        recording_id: recording,
        holder_kind,
        holder_id,
        expires_at: app.now().plus_seconds(GOOD_FOR_S),
    };
    app.catalog().add_playback_token(&row).await?;
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
    Ok((text, row.expires_at))
}

/// Who wants to watch or fetch a recording: signed in, or with a playback token for just this one.
#[derive(Clone)]
pub struct Watcher {
    /// Who it is.
    pub principal: Principal,
    /// The token, to be passed on in playlists.
    token: Option<String>,
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watcher({:?})", self.principal.who)
    }
}

impl FromRequestParts<AppState> for Watcher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self> {
        let Some(token) = presented(parts.uri.query().unwrap_or_default()) else {
            let principal = Principal::from_request_parts(parts, app).await?;
            return Ok(Self {
                principal,
                token: None,
            });
        };
        let secret = token.and_then(|text| Some((secret_of(text)?, text.to_owned())));
        let (secret, text) = secret.ok_or_else(unknown)?;
        let asked: Option<RecordingId> =
            parts
                .extract::<RawPathParams>()
                .await
                .ok()
                .and_then(|params| {
                    let id = params.iter().find(|(name, _)| *name == "id")?.1;
                    id.parse().ok()
                });
        let row = app.catalog().playback_token(secret, app.now()).await?;
        let row = row
            .filter(|row| Some(row.recording_id) == asked)
            .ok_or_else(unknown)?;
        let holder = match row.holder_kind {
            ActorKind::User => row.holder_id.parse().ok().map(Who::User),
            ActorKind::Token => row.holder_id.parse().ok().map(|id| Who::Token(id, None)),
            ActorKind::Station | ActorKind::System => None,
        };
        let principal = principal_of(app, holder.ok_or_else(unknown)?).await?;
        Ok(Self {
            principal,
            token: Some(text),
        })
    }
}

impl From<Principal> for Watcher {
    fn from(principal: Principal) -> Self {
        Self {
            principal,
            token: None,
        }
    }
}

impl Watcher {
    /// A playlist whose addresses carry the token: players send a query on only where they are told to.
    pub fn carried_by(&self, playlist: String) -> String {
        let Some(token) = &self.token else {
            return playlist;
        };
        let mut out = String::with_capacity(playlist.len() * 3);
        for line in playlist.lines() {
            match line.split_once("URI=\"") {
                Some((before, rest)) if line.starts_with('#') => {
                    let (uri, after) = rest.split_once('"').unwrap_or((rest, ""));
                    out.push_str(&format!("{before}URI=\"{uri}?token={token}\"{after}"));
                }
                _ if line.is_empty() || line.starts_with('#') => out.push_str(line),
                _ => out.push_str(&format!("{line}?token={token}")),
            }
            out.push('\n');
        }
        out
    }
}

/// The token of a query: `None` without one, `Some(None)` where there are several.
fn presented(query: &str) -> Option<Option<&str>> {
    let mut tokens = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("token="));
    let first = tokens.next()?;
    Some(Some(first).filter(|_| tokens.next().is_none()))
}

fn secret_of(text: &str) -> Option<Sha256Digest> {
    let secret = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    (secret.len() == 32).then(|| Sha256Digest::of(&secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Rights, Role};
    use docket_base::ids::{UnitId, UserId};

    #[test]
    fn one_token_counts() {
        assert_eq!(presented(""), None);
        assert_eq!(presented("a=token=x"), None);
        assert_eq!(presented("a=b&token=x"), Some(Some("x")));
        assert_eq!(presented("token=x&token=y"), Some(None));
        assert!(secret_of("dkp_AAAA").is_none());
        assert!(secret_of(&format!("dkp_{}", "A".repeat(43))).is_some());
    }

    #[test]
    fn playlists_pass_the_token_on() {
        let watcher = |token: Option<&str>| Watcher {
            principal: Principal {
                who: Who::User(UserId::from_bytes([1; 16])),
                unit: UnitId::from_bytes([2; 16]),
                rights: Rights::Role(Role::Auditor),
            },
            token: token.map(str::to_owned),
        };
        let text = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\",X=1\n#EXTINF:2.0,\n0.m4s\n";
        assert_eq!(watcher(None).carried_by(text.to_owned()), text);
        assert_eq!(
            watcher(Some("dkp_t")).carried_by(text.to_owned()),
            "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4?token=dkp_t\",X=1\n#EXTINF:2.0,\n0.m4s?token=dkp_t\n"
        );
        assert!(!format!("{:?}", watcher(Some("dkp_t"))).contains("dkp_t"));
    }
}
