//! Reading one header at a time, each at most once.

use http::HeaderMap;

use crate::Refusal;

pub(crate) const fn bad(header: &'static str, reason: &'static str) -> Refusal {
    Refusal::Header { header, reason }
}

/// The header's bytes without surrounding blanks; refused when it is there twice.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a [u8]>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(bad(name, "given twice"));
    }
    Ok(Some(value.as_bytes().trim_ascii()))
}

/// A header that must be visible ASCII.
pub(crate) fn text<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, Refusal> {
    let Some(bytes) = single(headers, name)? else {
        return Ok(None);
    };
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Ok(Some(text)),
        _ => Err(bad(name, "not ASCII")),
    }
}

/// A non-negative number of bytes in decimal digits: no sign, no blanks within, no overflow.
pub(crate) fn size(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>, Refusal> {
    let Some(text) = text(headers, name)? else {
        return Ok(None);
    };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad(name, "not a number of bytes"));
    }
    match text.parse::<u64>() {
        Ok(size) if size <= crate::limits::UPLOAD_BYTES => Ok(Some(size)),
        _ => Err(Refusal::TooLarge {
            limit_bytes: crate::limits::UPLOAD_BYTES,
        }),
    }
}

/// Whether the body is announced as upload bytes. `None` without a `Content-Type`.
pub(crate) fn is_upload_type(headers: &HeaderMap) -> Result<Option<bool>, Refusal> {
    let Some(text) = single(headers, "content-type")? else {
        return Ok(None);
    };
    let essence = text.split(|byte| *byte == b';').next().unwrap_or_default();
    Ok(Some(
        essence
            .trim_ascii()
            .eq_ignore_ascii_case(crate::CONTENT_TYPE.as_bytes()),
    ))
}
