//! One request and its answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use docket_base::random::bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::connect::{Client, chain};
use crate::error::{Error, Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The largest answer that is held in memory: a page of recordings or a receipt stays far below.
const ANSWER_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// The largest error body that is read.
const PROBLEM_LIMIT_BYTES: usize = 64 * 1024;

impl Client {
    /// A request with authorisation and a fresh request id.
    pub(crate) fn request(&self, method: Method, url: Url) -> reqwest::RequestBuilder {
        let id: [u8; 16] = bytes(&*self.random);
        let id = u128::from_be_bytes(id);
        let mut request = self
            .http
            .request(method, url)
            .header(REQUEST_ID, format!("{id:032x}"));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        request
    }

    /// Sends a request whose body is small, and reads the answer's body.
    pub(crate) async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(HeaderMap, Bytes), Error> {
        let sent = request.timeout(self.silence_timeout).send().await;
        let answer = sent.map_err(|error| unreachable(&error))?;
        let answer = refuse_errors(answer).await?;
        let headers = answer.headers().clone();
        Ok((headers, read_body(answer, ANSWER_LIMIT_BYTES).await?))
    }

    pub(crate) async fn get_json<T: DeserializeOwned>(&self, url: Url) -> Result<T, Error> {
        let (_, body) = self.exchange(self.request(Method::GET, url)).await?;
        from_json(&body)
    }

    /// Sends JSON and ignores the answer's body.
    pub(crate) async fn send_json(
        &self,
        method: Method,
        url: Url,
        body: &impl Serialize,
    ) -> Result<(), Error> {
        self.exchange(self.with_json(method, url, body)?).await?;
        Ok(())
    }

    pub(crate) fn with_json(
        &self,
        method: Method,
        url: Url,
        body: &impl Serialize,
    ) -> Result<reqwest::RequestBuilder, Error> {
        let text = serde_json::to_vec(body)
            .map_err(|error| Error::Nonsense(format!("request not sent: {error}")))?;
        Ok(self
            .request(method, url)
            .header(CONTENT_TYPE, "application/json")
            .body(text))
    }
}

pub(crate) fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Nonsense(error.to_string()))
}

pub(crate) fn unreachable(error: &reqwest::Error) -> Error {
    Error::Unreachable(chain(error))
}

/// Passes 2xx; everything else becomes an error, redirects included.
pub(crate) async fn refuse_errors(answer: Response) -> Result<Response, Error> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let status = answer.status().as_u16();
    let retry_after = answer
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse().ok())
        .map(Duration::from_secs);
    let request_id = answer
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    // A body that cannot be read must not hide the status.
    let body = read_body(answer, PROBLEM_LIMIT_BYTES)
        .await
        .unwrap_or_default();
    Err(Error::Problem(Box::new(Problem::from_answer(
        status,
        retry_after,
        request_id,
        &body,
    ))))
}

pub(crate) async fn read_body(mut answer: Response, limit_bytes: usize) -> Result<Bytes, Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(Error::Nonsense(format!(
                "answer larger than {limit_bytes} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
