//! Security headers. What a route sets itself stays; everything else gets the strictest.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// Data, not documents: nothing an answer of the API contains may run, load or be framed.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox";

/// The console loads only from its own origin. hls.js hands the player `blob:` addresses and starts its
/// worker from one; posters are images of the same origin.
pub const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; \
     worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// Bytes a user sent in. `sandbox` without any allowance: no script, no form, an origin of its own.
const USER_BYTES_POLICY: &str = "default-src 'none'; img-src 'self'; media-src 'self'; \
     style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// Media types that may be shown in place. Everything else is a download: an HTML, SVG, XML or PDF file from
/// a recorder must never be a document of this origin.
const SHOWN_IN_PLACE: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/bmp",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "video/mp2t",
    "audio/mp4",
    "audio/mpeg",
    "audio/aac",
    "audio/wav",
    "audio/x-wav",
    "audio/ogg",
    "audio/flac",
];

/// Adds what is missing.
pub async fn layer(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let defaults = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (CONTENT_SECURITY_POLICY, API_POLICY),
        (RESOURCE_POLICY, "same-origin"),
        (OPENER_POLICY, "same-origin"),
        (PERMISSIONS, "camera=(), microphone=(), geolocation=()"),
        (ROBOTS, "noindex, nofollow"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// How bytes a user sent in go out: type only from the list above, sandboxed, as a download otherwise.
/// `media_type` is what the sender claimed and is not believed beyond that list.
pub fn user_bytes(headers: &mut HeaderMap, media_type: &str, file_name: Option<&str>) {
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let shown = SHOWN_IN_PLACE.iter().find(|known| **known == essence);
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(shown.copied().unwrap_or("application/octet-stream")),
    );
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(USER_BYTES_POLICY),
    );
    let how = if shown.is_some() {
        "inline"
    } else {
        "attachment"
    };
    headers.insert(CONTENT_DISPOSITION, disposition(how, file_name));
}

/// `Content-Disposition` (RFC 6266): the name in RFC 8187 form only, so that every name survives and no quote
/// or line break of it reaches the header.
pub fn disposition(how: &str, file_name: Option<&str>) -> HeaderValue {
    let text = match file_name {
        None => how.to_owned(),
        Some(name) => {
            let leaf = name.rsplit(['/', '\\']).next().unwrap_or(name);
            let encoded =
                percent_encoding::utf8_percent_encode(leaf, percent_encoding::NON_ALPHANUMERIC);
            format!("{how}; filename*=UTF-8''{encoded}")
        }
    };
    // Percent-encoded text is ASCII without controls.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(media_type: &str, name: &str) -> (String, String) {
        let mut headers = HeaderMap::new();
        user_bytes(&mut headers, media_type, Some(name));
        let text = |name| headers[name].to_str().expect("ascii header").to_owned();
        assert!(text(CONTENT_SECURITY_POLICY).ends_with("sandbox"));
        (text(CONTENT_TYPE), text(CONTENT_DISPOSITION))
    }

    #[test]
    fn what_could_script_the_console_is_a_download() {
        for hostile in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "application/pdf",
            "text/javascript",
            "image/jpegx",
            "",
            "video/mp4,text/html",
        ] {
            let (kind, how) = sent(hostile, "x.html");
            assert_eq!(kind, "application/octet-stream", "{hostile}");
            assert!(how.starts_with("attachment"), "{hostile}");
        }
        let (kind, how) = sent("Video/MP4; codecs=\"avc1\"", "x.mp4");
        assert_eq!(kind, "video/mp4");
        assert!(how.starts_with("inline"));
    }

    #[test]
    fn any_file_name_makes_one_harmless_header() {
        let (_, how) = sent("video/mp4", "../执法\"\r\nSet-Cookie: a=b\u{202e}.mp4");
        assert!(how.is_ascii() && !how.contains('"') && !how.contains('\n'));
        assert!(how.contains("%E6%89%A7%E6%B3%95"), "{how}");
        assert!(!how.contains("%2F"), "only the last part: {how}");
    }
}
