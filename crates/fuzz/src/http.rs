//! Requests to the daemon's router: headers, paths, queries and bodies as anybody may send them.

mod world;

use std::cell::RefCell;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use docket_http::access::{Role, Scopes};
use docket_http::signin::cookie::SessionSecret;
use docket_http::signin::token::presented;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::response::Parts;
use http::{HeaderMap, Method, Request, StatusCode, Uri};

use self::world::{ORIGINAL, World};
use crate::{text, tus};

/// A world lasts so many requests: some change it.
const REQUESTS: u32 = 2_000;
/// Longest answer that is read.
const LONGEST: usize = 1 << 20;
/// Some answers go on for ever (events as they happen).
const PATIENCE: Duration = Duration::from_millis(30);

/// Cookies, bearer tokens, roles and scopes: what is recognised is given back as the same.
pub fn credentials(bytes: &[u8]) {
    let headers = tus::map(bytes);
    if let Some(secret) = SessionSecret::from_cookies(&headers) {
        let set = secret.set_cookie(true);
        let pair = set.to_str().ok().and_then(|set| set.split(';').next());
        let mut again = HeaderMap::new();
        again.insert(COOKIE, pair.expect("a pair").parse().expect("a header"));
        let again = SessionSecret::from_cookies(&again).expect("our own");
        assert_eq!(
            (again.stored(), again.csrf_token()),
            (secret.stored(), secret.csrf_token())
        );
        assert!(!secret.csrf_matches(&HeaderMap::new()) && !headers.contains_key(SET_COOKIE));
    }
    let bearers = headers.get_all(http::header::AUTHORIZATION).iter().count();
    assert_eq!(presented(&headers).is_some(), bearers > 0);
    assert!(bearers < 2 || matches!(presented(&headers), Some(None)));
    let Some(text) = text(bytes) else { return };
    if let Ok(scopes) = text.parse::<Scopes>() {
        assert_eq!(scopes.to_string().parse(), Ok(scopes));
    }
    if let Ok(role) = text.parse::<Role>() {
        assert_eq!(role.name(), text);
    }
}

thread_local! {
    static WORLD: RefCell<Option<(World, u32)>> = const { RefCell::new(None) };
}

/// A request is answered: never by a failure of ours, a refusal as a problem, bytes as many as were announced, and of
/// an original just those that were asked for.
///
/// The input is `METHOD target`, lines of headers, an empty line and the body. `{recording}` and `{upload}` in the
/// target stand for what is there.
pub fn requests(bytes: &[u8]) {
    WORLD.with_borrow_mut(|slot| {
        let (world, left) = slot.get_or_insert_with(|| (World::new(), REQUESTS));
        let Some(request) = request(world, bytes) else {
            return;
        };
        *left -= 1;
        let last = *left == 0;
        world.block_on(ask(world, request));
        if last {
            *slot = None;
        }
    });
}

fn request(world: &World, bytes: &[u8]) -> Option<Request<Vec<u8>>> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 2..]));
    let first = head.split(|byte| *byte == b'\n').next()?;
    let (method, target) = text(first)?.split_once(' ')?;
    let target = world.fill_in(target);
    let mut request = Request::new(body.to_vec());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = target
        .parse::<Uri>()
        .ok()
        .filter(|uri| uri.path().starts_with('/'))?;
    *request.headers_mut() = tus::map(&head[first.len()..]);
    // Hashing passwords is slow, and it is not what is looked for.
    if request.uri().path().starts_with("/v1/session")
        || request.uri().path().starts_with("/v1/users")
    {
        return None;
    }
    world.sign(request.headers_mut());
    Some(request)
}

async fn ask(world: &World, request: Request<Vec<u8>>) {
    let asked = format!(
        "{} {} {:?}",
        request.method(),
        request.uri(),
        request.headers()
    );
    let is_head = request.method() == Method::HEAD || tus_head(&request);
    let is_original = world.is_original(request.uri().path()) && request.method() == Method::GET;
    let (parts, body) = world.send(request.map(Body::from)).await.into_parts();
    let failed = parts.status.is_server_error() && parts.status != StatusCode::SERVICE_UNAVAILABLE;
    assert!(
        !failed || parts.status == StatusCode::NOT_IMPLEMENTED,
        "{} {asked}",
        parts.status
    );
    assert!(parts.headers.contains_key("x-request-id"), "{asked}");
    let body = tokio::time::timeout(PATIENCE, to_bytes(body, LONGEST)).await;
    let Ok(Ok(body)) = body else { return };
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if !is_head && parts.status != StatusCode::NOT_MODIFIED {
        assert!(
            announced.is_none_or(|announced| announced == body.len()),
            "{asked}"
        );
    }
    if parts.status.is_client_error() && !is_head {
        problem(&parts, &body, &asked);
    }
    if is_original {
        original(&parts, &body, &asked);
    }
}

fn tus_head(request: &Request<Vec<u8>>) -> bool {
    request
        .headers()
        .get("x-http-method-override")
        .is_some_and(|method| method.as_bytes().trim_ascii() == b"HEAD")
}

fn problem(parts: &Parts, body: &[u8], asked: &str) {
    let kind = parts.headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes());
    if kind == Some(b"application/problem+json") {
        let said: serde_json::Value = serde_json::from_slice(body).expect("a problem");
        assert_eq!(said["status"], parts.status.as_u16(), "{asked}");
        assert!(
            said["type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("/problems/")),
            "{asked}"
        );
    }
}

fn original(parts: &Parts, body: &[u8], asked: &str) {
    match parts.status {
        StatusCode::OK => assert_eq!(body, ORIGINAL, "{asked}"),
        StatusCode::PARTIAL_CONTENT => {
            let range = parts
                .headers
                .get(CONTENT_RANGE)
                .and_then(|range| range.to_str().ok())
                .expect("a range");
            let range = range
                .strip_prefix("bytes ")
                .and_then(|range| range.strip_suffix("/16"))
                .expect(asked);
            let (first, last) = range.split_once('-').expect(asked);
            let (first, last): (usize, usize) =
                (first.parse().expect(asked), last.parse().expect(asked));
            assert_eq!(body, &ORIGINAL[first..=last], "{asked}");
        }
        _ => {}
    }
}

/// To begin with.
pub mod seeds {
    /// Headers with credentials, and words.
    pub fn credentials() -> Vec<Vec<u8>> {
        crate::texts(&[
            "cookie: a=b; docket_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; c=d\n",
            "authorization: Bearer dkt_07070707070707070707070707070707_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
            "upload,read,link,admin,audit",
            "case_handler",
        ])
    }

    /// Requests of all sorts.
    pub fn requests() -> Vec<Vec<u8>> {
        crate::texts(&[
            "GET /v1/recordings/{recording}/original\nrange: bytes=3-7\nif-range: \"abc\"\n",
            "GET /v1/recordings/{recording}/original\nrange: bytes=-5\nif-none-match: W/\"a\", *\n",
            "GET /v1/recordings/{recording}/original\nrange: bytes=10-\nif-match: \"x\"\n",
            "GET /v1/recordings?q=%E7%8E%B0%E5%9C%BA%20VID&limit=2&cursor=8000000000000007\n",
            "GET /v1/recordings?from=2026-01-01T00:00:00Z&until=2027-01-01T00:00:00%2B08:00&state=sealed&kind=video&tag=a\n",
            "GET /v1/recordings?unit=0190163d-8694-739a-aea6-966b6d7bd9a9&officer=x&recorder=y&linked=true&sort=size\n",
            "GET /v1/recordings/{recording}/hls/index.m3u8?token=dkp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
            "GET /v1/recordings/{recording}/custody?cursor=8000000000000001&limit=0\n",
            "GET /v1/events?after=3&limit=5\naccept: text/event-stream\nlast-event-id: 3\n",
            "GET /v1/ledger/tile/0/x001/x234/067\nif-none-match: \"a\"\n",
            "GET /v1/ledger/tile/entries/000.p/1\n",
            "GET /v1/cases/%E8%B4%B5%E3%80%942026%E3%80%9512%E5%8F%B7?unit=0190163d-8694-739a-aea6-966b6d7bd9a9\n",
            "PUT /v1/cases/1%2F2\ncontent-type: application/json\nif-match: \"1\"\n\n{\"title\":\"a\"}",
            "PUT /v1/recordings/{upload}/hint\ncontent-range: bytes 2-4/10\n\nabc",
            "POST /files/\ntus-resumable: 1.0.0\nupload-length: 3\nupload-metadata: filename d29ybGQ=\n\n",
            "POST /files/{upload}\ntus-resumable: 1.0.0\nx-http-method-override: HEAD\n",
            "HEAD /files/{upload}\ntus-resumable: 1.0.0\n",
            "PATCH /files/{upload}\ntus-resumable: 1.0.0\nupload-offset: 1\ncontent-type: application/offset+octet-stream\n\nabc",
            "POST /v1/registers/import?kind=units\ncontent-type: text/csv\nidempotency-key: k1\n\ncode,name,parent_code\nB,b,A\n",
            "POST /v1/recordings/{recording}/markers\ncontent-type: application/json\n\n{\"at_ms\":5,\"text\":\"\\u0000\"}",
            "POST /v1/recordings/{recording}/clips\ncontent-type: application/json\n\n{\"from_ms\":0,\"until_ms\":9,\"reason\":\"r\"}",
            "PATCH /v1/recordings/{recording}\ncontent-type: application/json\nif-match: *\n\n{\"notes\":\"n\",\"tags\":[\"a\"]}",
            "POST /v1/dockings\ncontent-type: application/json\n\n{\"recorder\":\"R1\",\"bay\":\"1\",\"files\":[{\"path\":\"a\",\"size_bytes\":1}]}",
            "GET /healthz\nx-request-id: a-1_B.c\nx-forwarded-for: 10.0.0.1, ::1\norigin: http://docket.test\n",
            "GET /api\naccept-encoding: gzip\n",
            "OPTIONS /files/\n",
        ])
    }
}
