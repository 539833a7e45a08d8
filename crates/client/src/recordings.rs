//! `/v1/recordings`.

use std::time::Duration;

use bytes::Bytes;
use docket_base::Micros;
use docket_base::ids::RecordingId;
use reqwest::Method;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE};

use crate::connect::Client;
use crate::error::{Error, Meaning};
use crate::request::{refuse_errors, unreachable};
use crate::types::{Page, Recording};

/// 32 MiB over a slow line.
const HINT_TIMEOUT: Duration = Duration::from_secs(300);

/// What to list; everything `None` lists everything one may see, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingQuery {
    /// Recorded at or after.
    pub from: Option<Micros>,
    /// Recorded before.
    pub until: Option<Micros>,
    /// Unit id, subtree included.
    pub unit: Option<String>,
    /// Officer id.
    pub officer: Option<String>,
    /// Recorder id.
    pub recorder: Option<String>,
    /// Case number.
    pub case: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// A state.
    pub state: Option<String>,
    /// A kind.
    pub kind: Option<String>,
    /// Words in file name and notes.
    pub text: Option<String>,
    /// Cursor of a page.
    pub cursor: Option<String>,
    /// Items a page.
    pub limit: Option<u32>,
}

impl Client {
    /// One recording; `None` where it does not exist for the caller.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn recording(&self, id: RecordingId) -> Result<Option<Recording>, Error> {
        let url = self.server.join(["v1", "recordings", &id.to_string()]);
        match self.get_json(url).await {
            Ok(recording) => Ok(Some(recording)),
            Err(error) if error.meaning() == Meaning::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a stretch of a file ahead of its upload, so that it plays while it arrives. The same
    /// one again changes nothing.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn put_hint(
        &self,
        id: RecordingId,
        from_bytes: u64,
        size_bytes: u64,
        hint: Bytes,
    ) -> Result<(), Error> {
        let url = self
            .server
            .join(["v1", "recordings", &id.to_string(), "hint"]);
        let last = (from_bytes + hint.len() as u64).saturating_sub(1);
        let sent = self
            .request(Method::PUT, url)
            .header(
                CONTENT_RANGE,
                format!("bytes {from_bytes}-{last}/{size_bytes}"),
            )
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(hint)
            .timeout(HINT_TIMEOUT)
            .send()
            .await
            .map_err(|error| unreachable(&error))?;
        refuse_errors(sent).await.map(drop)
    }

    /// One page of recordings.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn recordings(&self, query: &RecordingQuery) -> Result<Page<Recording>, Error> {
        let mut url = self.server.join(["v1", "recordings"]);
        let time = |at: Option<Micros>| at.map(Micros::to_rfc3339);
        let pairs = [
            ("from", time(query.from)),
            ("until", time(query.until)),
            ("unit", query.unit.clone()),
            ("officer", query.officer.clone()),
            ("recorder", query.recorder.clone()),
            ("case", query.case.clone()),
            ("tag", query.tag.clone()),
            ("state", query.state.clone()),
            ("kind", query.kind.clone()),
            ("q", query.text.clone()),
            ("cursor", query.cursor.clone()),
            ("limit", query.limit.map(|limit| limit.to_string())),
        ];
        for (key, value) in pairs {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(key, &value);
            }
        }
        self.get_json(url).await
    }
}
