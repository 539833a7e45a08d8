//! tus 1.0.0, one function a request. [`crate::upload`] puts them together.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use docket_base::ids::RecordingId;
use http_body::{Body, Frame, SizeHint};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Method, RequestBuilder};
use tokio::sync::mpsc;
use url::Url;

use crate::connect::Client;
use crate::error::Error;
use crate::metadata::Metadata;
use crate::request::{IDEMPOTENCY_KEY, refuse_errors, unreachable};

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const VERSION: &str = "1.0.0";

/// Where an upload lives. Kept as text in a journal, and only used on the server it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadUrl(Url);

impl UploadUrl {
    /// The recording this upload becomes: the address's last segment.
    pub fn recording(&self) -> Option<RecordingId> {
        self.0.path_segments()?.next_back()?.parse().ok()
    }
}

impl fmt::Display for UploadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for UploadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An upload to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// Length of the whole file in bytes.
    pub size_bytes: u64,
    /// What is known about it.
    pub metadata: Metadata,
    /// The same key again must create nothing new: who asks may have lost the first answer.
    pub idempotency_key: Option<String>,
}

/// What HEAD says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadStatus {
    /// Bytes that are durable on the server.
    pub offset_bytes: u64,
    /// Length of the whole file, where it was declared.
    pub size_bytes: Option<u64>,
}

/// The bytes of one PATCH: exactly `length_bytes`, as they come through the channel.
#[derive(Debug)]
pub struct Outgoing {
    chunks: mpsc::Receiver<Bytes>,
    left_bytes: u64,
}

impl Outgoing {
    /// A body that takes its bytes from `chunks`. When these end early, so does the request.
    pub fn new(chunks: mpsc::Receiver<Bytes>, length_bytes: u64) -> Self {
        Self {
            chunks,
            left_bytes: length_bytes,
        }
    }
}

/// The sender has gone: the source failed or the upload was given up.
#[derive(Debug, thiserror::Error)]
#[error("the source ended early")]
pub struct EndedEarly;

impl Body for Outgoing {
    type Data = Bytes;
    type Error = EndedEarly;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EndedEarly>>> {
        if self.left_bytes == 0 {
            return Poll::Ready(None);
        }
        let next = match self.chunks.poll_recv(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(next) => next,
        };
        Poll::Ready(Some(match next {
            Some(mut bytes) => {
                let left = usize::try_from(self.left_bytes).unwrap_or(usize::MAX);
                bytes.truncate(left);
                self.left_bytes -= bytes.len() as u64;
                Ok(Frame::data(bytes))
            }
            None => Err(EndedEarly),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}

impl Client {
    /// Takes up an upload address from a journal; `None` when it belongs to another server.
    pub fn known_upload(&self, text: &str) -> Option<UploadUrl> {
        self.server.resolve(text).map(UploadUrl)
    }

    /// Creates an upload.
    ///
    /// # Errors
    /// [`Error`]; metadata that no header can carry is [`Error::Nonsense`].
    pub async fn create_upload(&self, new: &NewUpload) -> Result<UploadUrl, Error> {
        let metadata = new
            .metadata
            .encode()
            .map_err(|error| Error::Nonsense(error.to_string()))?;
        let mut request = self
            .tus(Method::POST, self.server.join(["files", ""]))
            .header(UPLOAD_LENGTH, new.size_bytes)
            .header(UPLOAD_METADATA, metadata);
        if let Some(key) = &new.idempotency_key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let (headers, _) = self.exchange(request).await?;
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        location
            .and_then(|text| self.server.resolve(text))
            .map(UploadUrl)
            .ok_or_else(|| Error::Nonsense("upload created without a usable Location".into()))
    }

    /// Asks how much of an upload is durable.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn upload_status(&self, upload: &UploadUrl) -> Result<UploadStatus, Error> {
        let request = self.tus(Method::HEAD, upload.0.clone());
        let (headers, _) = self.exchange(request).await?;
        let offset_bytes = number(&headers, &UPLOAD_OFFSET)
            .ok_or_else(|| Error::Nonsense("HEAD without Upload-Offset".into()))?;
        let size_bytes = number(&headers, &UPLOAD_LENGTH);
        Ok(UploadStatus {
            offset_bytes,
            size_bytes,
        })
    }

    /// Sends bytes from `offset_bytes` on and returns the new durable offset. There is no time limit
    /// here but the caller's: see [`crate::upload`].
    ///
    /// # Errors
    /// [`Error`]; after any of them only [`Client::upload_status`] knows the offset.
    pub async fn send_bytes(
        &self,
        upload: &UploadUrl,
        offset_bytes: u64,
        body: Outgoing,
    ) -> Result<u64, Error> {
        let sent = self
            .tus(Method::PATCH, upload.0.clone())
            .header(UPLOAD_OFFSET, offset_bytes)
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .body(reqwest::Body::wrap(body))
            .send()
            .await
            .map_err(|error| unreachable(&error))?;
        let answer = refuse_errors(sent).await?;
        number(answer.headers(), &UPLOAD_OFFSET)
            .ok_or_else(|| Error::Nonsense("PATCH answered without Upload-Offset".into()))
    }

    /// Ends an upload for good; what arrived stays with the server as `incomplete`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn terminate_upload(&self, upload: &UploadUrl) -> Result<(), Error> {
        let request = self.tus(Method::DELETE, upload.0.clone());
        self.exchange(request).await.map(|_| ())
    }

    fn tus(&self, method: Method, url: Url) -> RequestBuilder {
        self.request(method, url).header(RESUMABLE, VERSION)
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
