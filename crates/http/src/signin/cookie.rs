//! The session cookie and the CSRF token that belongs to it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use docket_base::random::bytes;
use docket_base::{Random, Sha256Digest};
use http::header::{COOKIE, HeaderValue};
use http::{HeaderMap, HeaderName};
use subtle::ConstantTimeEq;

/// The cookie's name.
pub const NAME: &str = "docket_session";
/// The header that carries the CSRF token.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-docket-csrf");

/// A session's secret as the browser holds it. Stored only as its SHA-256.
#[derive(Clone)]
pub struct SessionSecret([u8; 32]);

impl std::fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionSecret(redacted)")
    }
}

impl SessionSecret {
    /// A new one: 256 random bits.
    pub fn fresh(random: &dyn Random) -> Self {
        Self(bytes(random))
    }

    /// From the request's cookies. Two cookies of the name (one planted by a neighbour on the same host) count
    /// as none: which of them is ours can't be told.
    pub fn from_cookies(headers: &HeaderMap) -> Option<Self> {
        let mut found = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == NAME)
            .map(|(_, value)| value);
        let value = found.next()?;
        if found.next().is_some() {
            return None;
        }
        let secret = URL_SAFE_NO_PAD.decode(value).ok()?;
        Some(Self(secret.try_into().ok()?))
    }

    /// What the catalog finds the session by.
    pub fn stored(&self) -> Sha256Digest {
        Sha256Digest::of(&self.0)
    }

    /// The CSRF token: derived, so that nothing more is stored, and one-way, so that the page that holds it
    /// can't make the cookie of it.
    pub fn csrf_token(&self) -> String {
        let mut input = b"docket csrf token, version 1\0".to_vec();
        input.extend_from_slice(&self.0);
        URL_SAFE_NO_PAD.encode(Sha256Digest::of(&input).as_bytes())
    }

    /// Whether the request shows this session's CSRF token.
    pub fn csrf_matches(&self, headers: &HeaderMap) -> bool {
        let expected = self.csrf_token();
        let shown = headers.get(CSRF_HEADER).map(HeaderValue::as_bytes);
        shown.is_some_and(|shown| shown.ct_eq(expected.as_bytes()).into())
    }

    /// `Set-Cookie` for it. No `Max-Age`: it ends with the browser, and with the session on the server.
    pub fn set_cookie(&self, secure: bool) -> HeaderValue {
        header(&URL_SAFE_NO_PAD.encode(self.0), secure, "")
    }
}

/// `Set-Cookie` that takes it away.
pub fn clear(secure: bool) -> HeaderValue {
    header("", secure, "; Max-Age=0")
}

fn header(value: &str, secure: bool, end: &str) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{end}");
    // base64url and constants: always a valid header value.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_base::OsRandom;

    fn cookies(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, line.parse().expect("ascii"));
        }
        headers
    }

    #[test]
    fn the_cookie_comes_back_as_the_same_secret() {
        let secret = SessionSecret::fresh(&OsRandom);
        let set = secret.set_cookie(true);
        let set = set.to_str().expect("ascii");
        assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"));
        let pair = set.split(';').next().expect("first");
        let back = SessionSecret::from_cookies(&cookies(&["a=b", &format!("c=d; {pair}")]));
        assert_eq!(back.expect("there").stored(), secret.stored());
        let twice = SessionSecret::from_cookies(&cookies(&[&format!("{pair}; {pair}")]));
        assert!(twice.is_none());
        assert!(SessionSecret::from_cookies(&cookies(&["docket_session=short"])).is_none());
    }

    #[test]
    fn a_csrf_token_belongs_to_one_session() {
        let (one, other) = (
            SessionSecret::fresh(&OsRandom),
            SessionSecret::fresh(&OsRandom),
        );
        let mut headers = HeaderMap::new();
        assert!(!one.csrf_matches(&headers));
        headers.insert(CSRF_HEADER, one.csrf_token().parse().expect("ascii"));
        assert!(one.csrf_matches(&headers) && !other.csrf_matches(&headers));
    }
}
