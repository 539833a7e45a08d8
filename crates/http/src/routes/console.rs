//! The browser console's files, built into the daemon. Hashed names are kept by browsers for ever, the page that
//! names them is asked for every time.

use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderValue, VARY,
};
use http::{HeaderMap, Method, StatusCode, Uri};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::html::page;
use crate::layers::headers::CONSOLE_POLICY;
use crate::problem::{Kind, Problem};
use crate::respond::etag::ETag;

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Assets;

/// Paths that are never the console's.
const OTHERS: &[&str] = &["/v1/", "/files/", "/problems/", "/openapi.json", "/api/"];

/// Answers everything no route took.
pub async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if OTHERS.iter().any(|other| path.starts_with(other)) {
        return Problem::new(Kind::NotFound).into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return Problem::new(Kind::NotFound).into_response();
    }
    let name = path.trim_start_matches('/');
    if !name.is_empty() && Assets::get(name).is_some() {
        return asset(name, &headers);
    }
    // A missing file is missing; anything else is an address inside the single-page console.
    if name
        .rsplit('/')
        .next()
        .is_some_and(|leaf| leaf.contains('.'))
    {
        return Problem::new(Kind::NotFound).into_response();
    }
    match Assets::get("index.html") {
        Some(_) => asset("index.html", &headers),
        None => unbuilt(),
    }
}

fn asset(name: &str, headers: &HeaderMap) -> Response {
    let (file, encoding) = negotiated(name, headers);
    let Some(file) = file else {
        return Problem::new(Kind::NotFound).into_response();
    };
    let etag = ETag::of_text(&docket_base::Sha256Digest(file.metadata.sha256_hash()));
    let fixed = is_hashed(name);
    let mut response = if etag.is_known(headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.data.into_response()
    };
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    out.insert(ETAG, etag.value());
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let caching = if fixed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    out.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    out.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONSOLE_POLICY),
    );
    if let Some(encoding) = encoding {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn negotiated(name: &str, headers: &HeaderMap) -> (Option<EmbeddedFile>, Option<&'static str>) {
    for (encoding, end) in [("br", ".br"), ("gzip", ".gz")] {
        if accepts(headers, encoding)
            && let Some(file) = Assets::get(&format!("{name}{end}"))
        {
            return (Some(file), Some(encoding));
        }
    }
    (Assets::get(name), None)
}

/// Whether `Accept-Encoding` names it without `q=0`.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|n| n.eq_ignore_ascii_case(encoding));
            let refused = parts
                .filter_map(|p| p.strip_prefix("q="))
                .any(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
            named && !refused
        })
}

/// Vite puts a hash into every name under `assets/`.
fn is_hashed(name: &str) -> bool {
    name.starts_with("assets/")
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn unbuilt() -> Response {
    page(
        "en",
        "Docket",
        "<h1>Docket</h1><p>The daemon runs and its API works, but this build has no console. Build it with</p>\
         <pre>make console</pre><p>in the source folder, then build the daemon again.</p>\
         <p lang=\"zh-CN\">系统正在运行,接口可用,但此版本未包含控制台。请在源码目录执行 <code>make console</code> 后重新编译。</p>\
         <p><a href=\"/api\">The API</a> · <a href=\"/problems\">Problems</a></p>",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_taken_at_their_word() {
        let accepts = |line: &'static str, encoding| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(line));
            accepts(&headers, encoding)
        };
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("br;q=0.5", "br"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("br;q=0.0, gzip", "br"));
        assert!(!accepts("brotli", "br"));
    }

    #[tokio::test]
    async fn api_paths_never_get_the_page() {
        for path in ["/v1/nothing", "/files/x", "/openapi.json/x", "/favicon.png"] {
            let response = fallback(Method::GET, Uri::from_static(path), HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
        let response = fallback(
            Method::GET,
            Uri::from_static("/recordings/abc"),
            HeaderMap::new(),
        )
        .await;
        assert_eq!(response.status(), StatusCode::OK);
    }
}
