//! The text of a bearer token: `dkt_<id>_<secret>`. The id finds the row; the secret, 256 random bits, is
//! stored only as its SHA-256 (nothing to stretch: it can't be guessed).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use docket_base::ids::{TokenId, UnitId};
use docket_base::random::bytes;
use docket_base::{Random, Sha256Digest};
use docket_catalog::Token;
use docket_ingest::{Ingest, IngestError};
use docket_ledger::Actor;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

const PREFIX: &str = "dkt_";

/// A secret just made, to be shown once.
#[derive(Clone)]
pub struct NewToken {
    /// The whole text a client sends.
    pub text: String,
    /// What is stored of it.
    pub secret_sha256: Sha256Digest,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewToken(redacted)")
    }
}

/// Makes the text for a token of this id.
pub fn mint(id: TokenId, random: &dyn Random) -> NewToken {
    let secret: [u8; 32] = bytes(random);
    NewToken {
        text: format!(
            "{PREFIX}{}_{}",
            hex(id.as_bytes()),
            URL_SAFE_NO_PAD.encode(secret)
        ),
        secret_sha256: Sha256Digest::of(&secret),
    }
}

/// A token that somebody wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What people call it.
    pub name: String,
    /// What it may do: words with commas between.
    pub scopes: String,
    /// Where: this unit and all below.
    pub unit: UnitId,
}

/// Makes and enters a token; the text is shown once.
///
/// # Errors
/// Refused without a name, or for an unknown scope.
pub async fn issue(
    ingest: &Ingest,
    actor: Actor,
    wanted: Wanted,
) -> Result<(Token, String), IngestError> {
    let id = TokenId::fresh(&*ingest.clock, &*ingest.random);
    let minted = mint(id, &*ingest.random);
    let new = docket_ingest::tokens::NewToken {
        id,
        secret_sha256: minted.secret_sha256,
        name: wanted.name,
        scopes: wanted.scopes,
        unit: wanted.unit,
    };
    let token = ingest.add_token(actor, new).await?;
    Ok((token, minted.text))
}

/// A token as a client presented it.
#[derive(Clone, Copy)]
pub struct Presented {
    /// Which token it claims to be.
    pub id: TokenId,
    secret_sha256: Sha256Digest,
}

impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Presented({})", self.id)
    }
}

impl Presented {
    /// Reads a token's text; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?;
        (secret.len() == 32).then_some(Self {
            id: TokenId::from_bytes(unhex(id)?),
            secret_sha256: Sha256Digest::of(&secret),
        })
    }

    /// Whether the secret is the stored one.
    pub fn matches(&self, stored: &Sha256Digest) -> bool {
        self.secret_sha256
            .as_bytes()
            .ct_eq(stored.as_bytes())
            .into()
    }
}

/// The bearer token of a request: `None` without an `Authorization` header, `Some(None)` with one that is no
/// token of ours.
pub fn presented(headers: &HeaderMap) -> Option<Option<Presented>> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let value = all.next()?;
    let parsed = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| Presented::parse(token.trim()))?
    });
    Some(parsed.filter(|_| all.next().is_none()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some(u128::from_str_radix(text, 16).ok()?.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_base::OsRandom;

    #[test]
    fn a_token_is_recognised_and_its_neighbours_are_not() {
        let id = TokenId::from_bytes([7; 16]);
        let new = mint(id, &OsRandom);
        let presented = Presented::parse(&new.text).expect("our own");
        assert_eq!(presented.id, id);
        assert!(presented.matches(&new.secret_sha256));
        assert!(!presented.matches(&mint(id, &OsRandom).secret_sha256));
        for wrong in [
            "",
            "dkt_",
            "dkt__",
            &new.text[1..],
            &new.text[..new.text.len() - 1],
            &format!("{}A", new.text),
            "dkt_+0000000000000000000000000000000_AAAA",
        ] {
            assert!(Presented::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn only_one_bearer_header_counts() {
        let text = mint(TokenId::from_bytes([7; 16]), &OsRandom).text;
        let header = |value: String| value.parse().expect("ascii");
        let mut headers = HeaderMap::new();
        assert!(presented(&headers).is_none());
        headers.append(AUTHORIZATION, header(format!("bearer {text}")));
        assert!(matches!(presented(&headers), Some(Some(_))));
        headers.append(AUTHORIZATION, header(format!("Bearer {text}")));
        assert!(matches!(presented(&headers), Some(None)));
        headers.insert(AUTHORIZATION, header("Basic abc".to_owned()));
        assert!(matches!(presented(&headers), Some(None)));
    }
}
