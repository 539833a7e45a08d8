//! A client that hides nothing: every status and header is the test's to look at.

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Body, Client, Method, RequestBuilder, Response};
use serde_json::Value;

use super::{Content, until};

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    async fn of(response: Response) -> reqwest::Result<Self> {
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?,
        })
    }

    /// Itself, after checking the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Upload-Offset`.
    pub fn offset(&self) -> Option<u64> {
        self.header("upload-offset")?.parse().ok()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// A client with its right to ask.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    url: String,
    /// What it sends as `Authorization`.
    pub bearer: Option<String>,
    session: Option<Session>,
}

/// A browser's session.
#[derive(Debug, Clone)]
struct Session {
    cookie: String,
    csrf: String,
}

impl Api {
    /// Without any right.
    pub fn anonymous(url: &str) -> Self {
        // Another test of this process may have installed it: either is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            client: Client::builder().no_proxy().build().expect("a client"),
            url: url.to_owned(),
            bearer: None,
            session: None,
        }
    }

    /// With a bearer token.
    pub fn with_token(url: &str, token: &str) -> Self {
        Self {
            bearer: Some(token.to_owned()),
            ..Self::anonymous(url)
        }
    }

    /// As a user, signed in like a browser.
    pub async fn signed_in(url: &str, name: &str, password: &str) -> Self {
        let nobody = Self::anonymous(url);
        let body = serde_json::json!({"name": name, "password": password});
        let answer = nobody.put("POST", "/v1/session", &body).await.expect(200);
        let cookie = answer.header("set-cookie").expect("a cookie");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        let csrf = answer.json()["csrf_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        Self {
            session: Some(Session { cookie, csrf }),
            ..nobody
        }
    }

    /// A request to build on. `path` may be a whole URL.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}{path}", self.url),
        };
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.client.request(method, url);
        match (&self.bearer, &self.session) {
            (Some(token), _) => request.bearer_auth(token),
            (None, Some(session)) => request
                .header("cookie", &session.cookie)
                .header("x-docket-csrf", &session.csrf)
                .header("origin", &self.url),
            (None, None) => request,
        }
    }

    /// Sends a request; an answer that never came is `None`.
    pub async fn try_send(&self, request: RequestBuilder) -> Option<Answer> {
        Answer::of(request.send().await.ok()?).await.ok()
    }

    /// Sends a request that must be answered.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        Answer::of(response).await.expect("a whole answer")
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// GET of JSON that must be there.
    pub async fn json(&self, path: &str) -> Value {
        self.get(path).await.expect(200).json()
    }

    /// A request with a JSON body.
    pub async fn put(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(self.request(method, path).json(body)).await
    }

    /// A tus request with these headers.
    pub fn tus(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> RequestBuilder {
        let mut map = HeaderMap::new();
        map.insert("tus-resumable", HeaderValue::from_static("1.0.0"));
        for (name, value) in headers {
            let name: reqwest::header::HeaderName = name.parse().expect("a name");
            map.insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        self.request(method, path).headers(map)
    }

    /// Creates an upload; its path.
    pub async fn create(&self, size_bytes: u64, metadata: &[(&str, &str)]) -> String {
        let size = size_bytes.to_string();
        let encoded = encode(metadata);
        let headers = [
            ("upload-length", size.as_str()),
            ("upload-metadata", &encoded),
        ];
        let answer = self.send(self.tus("POST", "/files/", &headers)).await;
        path_of(&answer.expect(201))
    }

    /// HEAD.
    pub async fn head(&self, path: &str) -> Answer {
        self.send(self.tus("HEAD", path, &[])).await
    }

    /// PATCH with these bytes.
    pub async fn patch(&self, path: &str, offset: u64, bytes: impl Into<Body>) -> Answer {
        self.send(self.patch_request(path, offset, &[], bytes))
            .await
    }

    /// A PATCH to send later.
    pub fn patch_request(
        &self,
        path: &str,
        offset: u64,
        more: &[(&str, &str)],
        bytes: impl Into<Body>,
    ) -> RequestBuilder {
        let offset = offset.to_string();
        let mut headers = vec![
            ("upload-offset", offset.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        headers.extend_from_slice(more);
        self.tus("PATCH", path, &headers).body(bytes)
    }

    /// Uploads the whole content in one PATCH; the recording's id.
    pub async fn upload(&self, content: Content, metadata: &[(&str, &str)]) -> String {
        let path = self.create(content.size_bytes, metadata).await;
        if content.size_bytes > 0 {
            let answer = self.patch(&path, 0, content.whole()).await.expect(204);
            assert_eq!(answer.offset(), Some(content.size_bytes));
        }
        id_of(&path)
    }

    /// A recording's facts.
    pub async fn recording(&self, id: &str) -> Value {
        self.json(&format!("/v1/recordings/{id}")).await
    }

    /// Waits until a recording is in this state.
    pub async fn await_state(&self, id: &str, state: &str) -> Value {
        until(&format!("{id} is {state}"), || async {
            let recording = self.recording(id).await;
            (recording["state"] == state).then_some(recording)
        })
        .await
    }

    /// Waits for a receipt of this level.
    pub async fn receipt(&self, id: &str, level: &str) -> Answer {
        let path = format!("/v1/recordings/{id}/receipt?level={level}");
        until(&format!("{id} has its {level} receipt"), || async {
            let answer = self.get(&path).await;
            assert!(matches!(answer.status, 200 | 409), "{}", answer.text());
            (answer.status == 200).then_some(answer)
        })
        .await
    }

    /// The kinds of a recording's custody events, oldest first.
    pub async fn custody(&self, id: &str) -> Vec<String> {
        let page = self
            .json(&format!("/v1/recordings/{id}/custody?limit=200"))
            .await;
        let items = page["items"].as_array().expect("items").iter();
        items
            .map(|event| event["kind"].as_str().expect("a kind").to_owned())
            .collect()
    }
}

/// `Upload-Metadata` of these pairs.
pub fn encode(metadata: &[(&str, &str)]) -> String {
    use base64::Engine as _;
    let pairs = metadata.iter().map(|(key, value)| {
        let value = base64::engine::general_purpose::STANDARD.encode(value);
        format!("{key} {value}")
    });
    pairs.collect::<Vec<_>>().join(",")
}

/// The path in a creation's `Location`.
pub fn path_of(created: &Answer) -> String {
    let location = created.header("location").expect("a Location");
    match location.split_once("://") {
        Some((_, rest)) => rest[rest.find('/').expect("a path")..].to_owned(),
        None => location.to_owned(),
    }
}

/// The id at the end of an upload's path.
pub fn id_of(path: &str) -> String {
    path.rsplit('/').next().expect("a segment").to_owned()
}
