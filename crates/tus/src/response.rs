//! Response headers. Every response carries `Tus-Resumable`.

use docket_base::clock::Micros;
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::date::imf_fixdate;
use crate::{Concat, EXTENSIONS, Metadata, Refusal, VERSION, checksum};

/// Where an upload stands, as HEAD tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing<'a> {
    /// Durable bytes; `None` for a final upload that is not joined yet.
    pub offset_bytes: Option<u64>,
    /// The whole length; `None` while it is deferred.
    pub length_bytes: Option<u64>,
    /// The metadata as given at creation.
    pub metadata: &'a Metadata,
    /// Partial or final.
    pub concat: Option<&'a Concat>,
    /// When the upload ends if it does not go on; `None` once it is complete.
    pub expires_at: Option<Micros>,
}

/// Of OPTIONS (204).
pub fn options(max_bytes: u64) -> HeaderMap {
    let mut headers = base();
    put(&mut headers, "tus-version", VERSION);
    put(&mut headers, "tus-extension", EXTENSIONS);
    put(&mut headers, "tus-max-size", &max_bytes.to_string());
    put(&mut headers, "tus-checksum-algorithm", checksum::ALGORITHMS);
    headers
}

/// Of POST (201). `offset_bytes` where the request carried bytes.
pub fn created(location: &str, offset_bytes: Option<u64>, expires_at: Option<Micros>) -> HeaderMap {
    let mut headers = base();
    put(&mut headers, LOCATION.as_str(), location);
    put_offset(&mut headers, offset_bytes);
    put_expiry(&mut headers, expires_at);
    headers
}

/// Of HEAD (200). `base_path` is where uploads live, e.g. `/files/`.
pub fn standing(standing: &Standing<'_>, base_path: &str) -> HeaderMap {
    let mut headers = base();
    // A cached offset would make a client send bytes twice or skip some.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    put_offset(&mut headers, standing.offset_bytes);
    match standing.length_bytes {
        Some(length) => put(&mut headers, "upload-length", &length.to_string()),
        None if matches!(standing.concat, Some(Concat::Final(_))) => {}
        None => put(&mut headers, "upload-defer-length", "1"),
    }
    if !standing.metadata.is_empty() {
        put(&mut headers, "upload-metadata", &standing.metadata.encode());
    }
    if let Some(concat) = standing.concat {
        put(&mut headers, "upload-concat", &concat.encode(base_path));
    }
    put_expiry(&mut headers, standing.expires_at);
    headers
}

/// Of PATCH (204).
pub fn patched(offset_bytes: u64, expires_at: Option<Micros>) -> HeaderMap {
    let mut headers = base();
    put_offset(&mut headers, Some(offset_bytes));
    put_expiry(&mut headers, expires_at);
    headers
}

/// Of DELETE (204).
pub fn terminated() -> HeaderMap {
    base()
}

/// Of any refusal.
pub fn refused(refusal: &Refusal) -> HeaderMap {
    let mut headers = base();
    match refusal {
        Refusal::Version => put(&mut headers, "tus-version", VERSION),
        Refusal::Offset { offset_bytes } => put_offset(&mut headers, Some(*offset_bytes)),
        Refusal::Locked | Refusal::Full => put(&mut headers, "retry-after", "5"),
        _ => {}
    }
    headers
}

fn base() -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, "tus-resumable", VERSION);
    headers
}

fn put_offset(headers: &mut HeaderMap, offset_bytes: Option<u64>) {
    if let Some(offset) = offset_bytes {
        put(headers, "upload-offset", &offset.to_string());
    }
}

fn put_expiry(headers: &mut HeaderMap, expires_at: Option<Micros>) {
    if let Some(at) = expires_at {
        put(headers, "upload-expires", &imf_fixdate(at));
    }
}

/// All values put here are ASCII by construction; one that were not is left out rather than sent
/// mangled.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        headers
            .get(name)
            .map(|value| value.to_str().expect("ASCII"))
    }

    #[test]
    fn a_standing_upload() {
        let metadata = Metadata::parse("filename d29ybGQ=").expect("valid");
        let mut upload = Standing {
            offset_bytes: Some(7),
            length_bytes: None,
            metadata: &metadata,
            concat: Some(&Concat::Partial),
            expires_at: Some(Micros(784_111_777_000_000)),
        };
        let headers = standing(&upload, "/files/");
        for (name, value) in [
            ("tus-resumable", "1.0.0"),
            ("cache-control", "no-store"),
            ("upload-offset", "7"),
            ("upload-defer-length", "1"),
            ("upload-metadata", "filename d29ybGQ="),
            ("upload-concat", "partial"),
            ("upload-expires", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ] {
            assert_eq!(get(&headers, name), Some(value), "{name}");
        }
        upload.length_bytes = Some(9);
        let headers = standing(&upload, "/files/");
        assert_eq!(get(&headers, "upload-length"), Some("9"));
        assert_eq!(get(&headers, "upload-defer-length"), None);
    }

    #[test]
    fn refusals_say_what_helps() {
        assert_eq!(
            get(&refused(&Refusal::Version), "tus-version"),
            Some("1.0.0")
        );
        assert_eq!(
            get(
                &refused(&Refusal::Offset { offset_bytes: 3 }),
                "upload-offset"
            ),
            Some("3")
        );
    }
}
