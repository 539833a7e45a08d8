//! `Upload-Concat`: partial uploads and the final one made of them.

use docket_base::ids::RecordingId;
use http::HeaderMap;

use crate::header::{bad, text};
use crate::{Refusal, limits};

const NAME: &str = "upload-concat";

/// What an upload is in a concatenation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concat {
    /// A part: no recording of its own.
    Partial,
    /// The upload made of these parts, in order.
    Final(Vec<RecordingId>),
}

impl Concat {
    /// Reads the header of a creation.
    ///
    /// # Errors
    /// [`Refusal::Header`] for another form; [`Refusal::Part`] for a part whose URL is not one of
    /// this server's uploads.
    pub fn from_headers(headers: &HeaderMap, base_path: &str) -> Result<Option<Self>, Refusal> {
        text(headers, NAME)?
            .map(|value| Self::parse(value, base_path))
            .transpose()
    }

    /// Parses the header's value. `base_path` is where uploads live, e.g. `/files/`; part URLs are
    /// absolute or relative. The authority of an absolute one is not looked at: behind proxies a
    /// server does not know all its names, and an id that is not ours is found nowhere.
    ///
    /// # Errors
    /// As [`Concat::from_headers`].
    pub fn parse(value: &str, base_path: &str) -> Result<Self, Refusal> {
        if value.len() > limits::CONCAT_BYTES {
            return Err(bad(NAME, "too long"));
        }
        if value == "partial" {
            return Ok(Self::Partial);
        }
        let urls = value
            .strip_prefix("final;")
            .ok_or_else(|| bad(NAME, "neither partial nor final"))?;
        let mut parts = Vec::new();
        for (index, url) in urls.split_ascii_whitespace().enumerate() {
            if index == limits::PARTS {
                return Err(bad(NAME, "too many parts"));
            }
            parts.push(part(url, base_path).ok_or(Refusal::Part { index })?);
        }
        if parts.is_empty() {
            return Err(bad(NAME, "no parts"));
        }
        Ok(Self::Final(parts))
    }

    /// The header's value, as HEAD repeats it.
    pub fn encode(&self, base_path: &str) -> String {
        match self {
            Self::Partial => "partial".to_owned(),
            Self::Final(parts) => {
                let urls: Vec<String> = parts.iter().map(|id| format!("{base_path}{id}")).collect();
                format!("final;{}", urls.join(" "))
            }
        }
    }
}

fn part(url: &str, base_path: &str) -> Option<RecordingId> {
    let path = match url.split_once("://") {
        Some((scheme, rest)) => {
            if !matches!(scheme, "http" | "https") {
                return None;
            }
            &rest[rest.find('/')?..]
        }
        None => url,
    };
    // A reference that is the id alone is relative to the collection it was posted to.
    let id = path.strip_prefix(base_path).unwrap_or(path);
    id.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: &str = "0190163d-8694-739a-aea6-966b6d7bd9a9";
    const B: &str = "0190163d-8694-739a-aea6-966b6d7bd9aa";

    #[test]
    fn urls_of_every_form() {
        let value = format!("final;/files/{A} https://docket.example:8600/files/{B} {A}");
        let parsed = Concat::parse(&value, "/files/").expect("valid");
        let ids = [A, B, A].map(|id| id.parse().expect("id"));
        assert_eq!(parsed, Concat::Final(ids.to_vec()));
        assert_eq!(
            parsed.encode("/files/"),
            format!("final;/files/{A} /files/{B} /files/{A}")
        );
        assert_eq!(Concat::parse("partial", "/files/"), Ok(Concat::Partial));
    }

    #[test]
    fn what_is_refused() {
        for value in ["", "final", "final;", "final; ", "Partial", "partial;"] {
            assert!(Concat::parse(value, "/files/").is_err(), "{value}");
        }
        for url in [
            "/files/../x",
            "ftp://h/files/0190163d-8694-739a-aea6-966b6d7bd9a9",
            "http://host",
        ] {
            assert_eq!(
                Concat::parse(&format!("final;/files/{A} {url}"), "/files/"),
                Err(Refusal::Part { index: 1 })
            );
        }
        let many = vec![A; limits::PARTS + 1].join(" ");
        assert!(Concat::parse(&format!("final;{many}"), "/files/").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(value in "(final;)?.{0,200}") {
            let _ = Concat::parse(&value, "/files/");
        }
    }
}
