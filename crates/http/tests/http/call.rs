//! Requests to the router, and what comes back.

use axum::body::{Body, to_bytes};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::world::World;

/// The address that requests go to.
pub const HOST_NAME: &str = "docket.test:8600";

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("no {name} in {:?}", self.headers));
        value.to_str().expect("ascii")
    }

    /// The answer itself, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// The slug of the problem.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        let slug = problem["type"].as_str().expect("type");
        slug.strip_prefix("/problems/").expect("ours").to_owned()
    }
}

/// A browser's session.
#[derive(Debug, Clone)]
pub struct Session {
    pub cookie: String,
    pub csrf: String,
}

impl Session {
    pub async fn open(world: &World, name: &str, password: &str) -> Self {
        let answer = world
            .anonymous()
            .post("/v1/session", json!({"name": name, "password": password}))
            .await
            .expect(200);
        let set = answer.headers[SET_COOKIE].to_str().expect("ascii");
        Self {
            cookie: set.split(';').next().expect("pair").to_owned(),
            csrf: answer.json()["csrf_token"]
                .as_str()
                .expect("token")
                .to_owned(),
        }
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Caller<'a> {
    world: &'a World,
    headers: Vec<(String, String)>,
}

impl<'a> Caller<'a> {
    pub fn anonymous(world: &'a World) -> Self {
        Self {
            world,
            headers: vec![(HOST.to_string(), HOST_NAME.to_owned())],
        }
    }

    pub fn bearer(world: &'a World, token: String) -> Self {
        Self::anonymous(world).with(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    pub fn session(world: &'a World, session: Session) -> Self {
        Self::anonymous(world)
            .with(COOKIE.as_str(), &session.cookie)
            .with("x-docket-csrf", &session.csrf)
            .with(ORIGIN.as_str(), &format!("http://{HOST_NAME}"))
    }

    /// The same with one more header, or another value of it.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut more = self.without(name);
        more.headers.push((name.to_owned(), value.to_owned()));
        more
    }

    pub fn without(&self, name: &str) -> Self {
        let mut less = self.clone();
        less.headers.retain(|(known, _)| known != name);
        less
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| ("application/json".to_owned(), body.to_string()));
        self.send_body(method, path, body).await
    }

    pub async fn send_body(
        &self,
        method: &str,
        path: &str,
        body: Option<(String, String)>,
    ) -> Answer {
        let response = self.open(method, path, body).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 64 << 20).await.expect("body").to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// The answer with its body unread: for streams.
    pub async fn open(
        &self,
        method: &str,
        path: &str,
        body: Option<(String, String)>,
    ) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = match body {
            None => request.body(Body::empty()),
            Some((kind, text)) => request.header(CONTENT_TYPE, kind).body(Body::from(text)),
        };
        let router = self.world.router.clone();
        router
            .oneshot(request.expect("request"))
            .await
            .expect("infallible")
    }
}
