//! Requests, parsed and checked as far as headers alone allow.

use http::{HeaderMap, Method};

use crate::header::{bad, is_upload_type, single, size, text};
use crate::{Checksum, Concat, Facts, Metadata, Refusal, VERSION};

/// Whether the length of an upload is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// `Upload-Length`, in bytes.
    Known(u64),
    /// `Upload-Defer-Length: 1`: a later PATCH says it.
    Deferred,
}

/// What a POST asks to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// A recording.
    Whole(Length),
    /// A part of a later final upload: no recording.
    Partial(Length),
    /// A recording made of parts; its length is theirs together.
    Final(Vec<docket_base::ids::RecordingId>),
}

/// A creation (POST to the collection).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// What to create.
    pub plan: Plan,
    /// The metadata as given, to repeat in HEAD.
    pub metadata: Metadata,
    /// What Docket read from it.
    pub facts: Facts,
    /// Whether the body carries the first bytes (creation-with-upload).
    pub has_body: bool,
    /// What that body must have.
    pub checksum: Option<Checksum>,
}

/// An append (PATCH to an upload).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Where the client believes the upload to stand, in bytes.
    pub offset_bytes: u64,
    /// The whole length, where it was deferred and is told now.
    pub length_bytes: Option<u64>,
    /// The body's own length where it is announced.
    pub body_bytes: Option<u64>,
    /// What the body must have.
    pub checksum: Option<Checksum>,
}

/// The method a request means: `X-HTTP-Method-Override` counts on POST alone, so that no link or
/// picture (GET) can be made to delete. Authorise what this returns.
///
/// # Errors
/// [`Refusal::Header`] for an override that is no tus method.
pub fn effective_method(method: &Method, headers: &HeaderMap) -> Result<Method, Refusal> {
    const NAME: &str = "x-http-method-override";
    if method != Method::POST {
        return Ok(method.clone());
    }
    match text(headers, NAME)? {
        None => Ok(Method::POST),
        Some("POST") => Ok(Method::POST),
        Some("PATCH") => Ok(Method::PATCH),
        Some("DELETE") => Ok(Method::DELETE),
        Some("HEAD") => Ok(Method::HEAD),
        Some("OPTIONS") => Ok(Method::OPTIONS),
        Some(_) => Err(bad(NAME, "not a method of tus")),
    }
}

/// Checks `Tus-Resumable`, which every request but OPTIONS carries.
///
/// # Errors
/// [`Refusal::Version`]; answer it with [`crate::refused`], which names the version spoken.
pub fn check_version(headers: &HeaderMap) -> Result<(), Refusal> {
    match single(headers, "tus-resumable") {
        Ok(Some(version)) if version == VERSION.as_bytes() => Ok(()),
        _ => Err(Refusal::Version),
    }
}

/// Parses a creation. `base_path` is where uploads live, e.g. `/files/`; `max_bytes` what the
/// server takes. The version is checked too.
///
/// # Errors
/// The first thing wrong with the headers.
pub fn creation(headers: &HeaderMap, base_path: &str, max_bytes: u64) -> Result<Creation, Refusal> {
    check_version(headers)?;
    let metadata = Metadata::from_headers(headers)?;
    let facts = Facts::read(&metadata)?;
    let plan = match Concat::from_headers(headers, base_path)? {
        None => Plan::Whole(length(headers, max_bytes)?),
        Some(Concat::Partial) => Plan::Partial(length(headers, max_bytes)?),
        Some(Concat::Final(parts)) => {
            if single(headers, "upload-length")?.is_some() {
                return Err(bad("upload-length", "a final upload's is its parts'"));
            }
            Plan::Final(parts)
        }
    };
    let announced = size(headers, "content-length")?;
    let has_body = match is_upload_type(headers)? {
        Some(true) => announced != Some(0),
        // Clients and proxies set a Content-Type on empty POSTs; only bytes make it matter.
        Some(false) | None if announced.unwrap_or(0) == 0 => false,
        Some(false) | None => return Err(Refusal::ContentType),
    };
    if has_body && matches!(plan, Plan::Final(_)) {
        return Err(Refusal::Final);
    }
    if let (Plan::Whole(Length::Known(limit)) | Plan::Partial(Length::Known(limit)), Some(body)) =
        (&plan, announced)
        && body > *limit
    {
        return Err(Refusal::TooLarge {
            limit_bytes: *limit,
        });
    }
    Ok(Creation {
        plan,
        metadata,
        facts,
        has_body,
        checksum: Checksum::from_headers(headers)?,
    })
}

/// Parses a PATCH. The version is checked too.
///
/// # Errors
/// The first thing wrong with the headers.
pub fn patch(headers: &HeaderMap, max_bytes: u64) -> Result<Patch, Refusal> {
    check_version(headers)?;
    if is_upload_type(headers)? != Some(true) {
        return Err(Refusal::ContentType);
    }
    let offset_bytes = size(headers, "upload-offset")?.ok_or(bad("upload-offset", "missing"))?;
    Ok(Patch {
        offset_bytes,
        length_bytes: bounded(size(headers, "upload-length")?, max_bytes)?,
        body_bytes: size(headers, "content-length")?,
        checksum: Checksum::from_headers(headers)?,
    })
}

fn length(headers: &HeaderMap, max_bytes: u64) -> Result<Length, Refusal> {
    let known = bounded(size(headers, "upload-length")?, max_bytes)?;
    match (known, text(headers, "upload-defer-length")?) {
        (Some(bytes), None) => Ok(Length::Known(bytes)),
        (None, Some("1")) => Ok(Length::Deferred),
        (None, None) => Err(bad("upload-length", "missing")),
        (Some(_), Some(_)) => Err(bad("upload-defer-length", "not beside Upload-Length")),
        (None, Some(_)) => Err(bad("upload-defer-length", "must be 1")),
    }
}

fn bounded(bytes: Option<u64>, max_bytes: u64) -> Result<Option<u64>, Refusal> {
    match bytes {
        Some(bytes) if bytes > max_bytes => Err(Refusal::TooLarge {
            limit_bytes: max_bytes,
        }),
        other => Ok(other),
    }
}
