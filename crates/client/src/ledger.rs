//! Receipts and the ledger's key. Nothing here is believed: who calls checks the receipt.

use std::time::Duration;

use bytes::Bytes;
use docket_base::ids::RecordingId;
use reqwest::Method;

use crate::connect::Client;
use crate::error::{Error, Meaning};

/// What a receipt says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Sealed and in the ledger.
    Stored,
    /// Read back from the vault as well. Only this one allows erasing.
    Verified,
}

impl Level {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Verified => "verified",
        }
    }
}

/// What asking for a receipt gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptAnswer {
    /// The receipt's bytes as issued.
    Ready(Bytes),
    /// Not issued yet: ask again after so long.
    NotYet(Duration),
}

/// How long to wait where the server does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);
/// No receipt is waited for longer at a time, whatever the server says.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Client {
    /// Asks for a receipt once. "Not yet" is a 409 with `Retry-After`; a 409 without is a final no
    /// (an incomplete or quarantined recording gets none) and comes as an error.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn receipt(&self, id: RecordingId, level: Level) -> Result<ReceiptAnswer, Error> {
        let mut url = self
            .server
            .join(["v1", "recordings", &id.to_string(), "receipt"]);
        url.query_pairs_mut().append_pair("level", level.as_str());
        match self.exchange(self.request(Method::GET, url)).await {
            Ok((_, body)) => Ok(ReceiptAnswer::Ready(body)),
            Err(error) if error.meaning() == Meaning::Conflict => match error.retry_after() {
                Some(wait) => Ok(ReceiptAnswer::NotYet(if wait.is_zero() {
                    DEFAULT_WAIT
                } else {
                    wait.min(LONGEST_WAIT)
                })),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Asks until the receipt is there.
    ///
    /// # Errors
    /// [`Error`] that does not pass.
    pub async fn wait_for_receipt(&self, id: RecordingId, level: Level) -> Result<Bytes, Error> {
        loop {
            match self.receipt(id, level).await? {
                ReceiptAnswer::Ready(bytes) => return Ok(bytes),
                ReceiptAnswer::NotYet(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// The ledger's verifier key as signed-note text.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ledger_key(&self) -> Result<String, Error> {
        self.small_text(["v1", "ledger", "key"]).await
    }

    /// The ledger's newest checkpoint.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ledger_checkpoint(&self) -> Result<String, Error> {
        self.small_text(["v1", "ledger", "checkpoint"]).await
    }

    async fn small_text<const N: usize>(&self, path: [&str; N]) -> Result<String, Error> {
        let url = self.server.join(path);
        let (_, body) = self.exchange(self.request(Method::GET, url)).await?;
        let text = std::str::from_utf8(&body)
            .ok()
            .filter(|text| text.len() <= 8192);
        text.map(str::to_owned)
            .ok_or_else(|| Error::Nonsense("expected a short text".into()))
    }
}
