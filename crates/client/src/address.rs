//! Where the daemon is, and whether a token may be sent there.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

/// An address that is not used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Not a URL of the expected shape.
    #[error("{0:?} is no server address: expected https://host[:port]")]
    Shape(String),
    /// Plain HTTP to another machine shows token and evidence to everybody on the way.
    #[error(
        "{0} is plain HTTP to another machine: use https, or set allow_plain_http = true where the network itself is protected"
    )]
    PlainHttp(String),
}

/// The base address of a daemon: scheme, host, port and an optional path prefix.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAddress(Url);

impl ServerAddress {
    /// Parses, refusing plain HTTP beyond loopback unless `allow_plain_http`.
    ///
    /// # Errors
    /// [`BadAddress`].
    pub fn parse(text: &str, allow_plain_http: bool) -> Result<Self, BadAddress> {
        let shape = || BadAddress::Shape(text.chars().take(200).collect());
        let mut url = Url::parse(text.trim()).map_err(|_| shape())?;
        let host_is_given = url.host().is_some();
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !host_is_given || !is_bare {
            return Err(shape());
        }
        match url.scheme() {
            "https" => {}
            "http" if allow_plain_http || is_loopback(&url) => {}
            "http" => return Err(BadAddress::PlainHttp(url.to_string())),
            _ => return Err(shape()),
        }
        // One slash at the end: this address and the one that is written down are the same.
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of a path below the base; `segments` are percent-encoded one by one.
    pub(crate) fn join<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Resolves what a `Location` header says, refusing another origin: the token goes nowhere else; and a name before
    /// the host, which would be sent in the token's place.
    pub(crate) fn resolve(&self, location: &str) -> Option<Url> {
        let url = self.0.join(location).ok()?;
        let is_bare = url.username().is_empty() && url.password().is_none();
        (is_bare && url.origin() == self.0.origin()).then_some(url)
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ServerAddress {
    type Err = BadAddress;
    /// As [`ServerAddress::parse`] without plain HTTP beyond loopback.
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        Self::parse(text, false)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        // RFC 6761: resolvers must answer loopback for it.
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for fine in [
            "http://127.0.0.1:8600",
            "http://[::1]:8600/",
            "http://localhost",
            "https://a.example/docket",
        ] {
            assert!(fine.parse::<ServerAddress>().is_ok(), "{fine}");
        }
        for refused in [
            "http://10.0.0.7:8600",
            "http://localhost.example",
            "http://127.0.0.1.example",
        ] {
            assert!(
                matches!(
                    refused.parse::<ServerAddress>(),
                    Err(BadAddress::PlainHttp(_))
                ),
                "{refused}"
            );
            assert!(ServerAddress::parse(refused, true).is_ok(), "{refused}");
        }
        for shapeless in [
            "",
            "ftp://a",
            "https://u:p@a",
            "https://a/?q",
            "127.0.0.1:8600",
        ] {
            assert!(
                matches!(
                    shapeless.parse::<ServerAddress>(),
                    Err(BadAddress::Shape(_))
                ),
                "{shapeless}"
            );
        }
    }

    #[test]
    fn what_is_written_down_is_read_as_the_same() {
        for text in [
            "https://a.example//",
            "https://a.example/docket//",
            "http://[::1]:8600",
        ] {
            let address: ServerAddress = text.parse().expect("valid");
            assert_eq!(address.to_string().parse(), Ok(address), "{text}");
        }
    }

    #[test]
    fn segments_cannot_leave_their_place() {
        let server: ServerAddress = "http://127.0.0.1:1/base".parse().expect("valid");
        let url = server.join(["v1", "cases", "贵卫医罚〔2026〕12号/../x"]);
        assert!(url.path().starts_with("/base/v1/cases/%E8%B4%B5"), "{url}");
        assert!(url.path().ends_with("%2F..%2Fx"), "{url}");
        assert!(server.resolve("http://evil.example/files/1").is_none());
        assert!(server.resolve("http://evil@127.0.0.1:1/files/1").is_none());
        assert_eq!(
            server.resolve("/files/1").map(|url| url.to_string()),
            Some("http://127.0.0.1:1/files/1".into())
        );
    }
}
