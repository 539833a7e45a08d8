//! Playback hints: a stretch of a file (of an MP4 its `moov`) that its sender sends ahead of the upload,
//! so that what is still arriving plays.
//!
//! A hint is a claim until the recording is sealed: the bytes are then compared with the original's,
//! and a difference is evidence.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use docket_base::ids::RecordingId;
use docket_base::{Micros, Sha256Digest};
use docket_catalog::{Recording, UploadKind};
use docket_ledger::{Actor, Subject, kinds};
use docket_vault::VaultKey;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::probe::derivative;
use crate::{Ingest, IngestError, Result};

/// Most bytes of a hint.
pub const MOST_HINT_BYTES: u64 = 32 << 20;
/// The hint's bytes.
const BYTES: &str = "hint.bin";
/// What they are, JSON. A hint counts from when this is written.
const FACTS: &str = "hint.json";
/// The event of a difference.
const DIFFERED: &str = "recording.hint_differed";

/// A hint that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Where in the file it begins.
    pub from_bytes: u64,
    /// Where it ends (exclusive).
    pub until_bytes: u64,
    /// The file's length.
    pub size_bytes: u64,
    /// SHA-256 of the hint.
    pub sha256: Sha256Digest,
    /// When it came.
    pub received_at: Micros,
    /// What comparing it with the original's bytes said.
    #[serde(default)]
    pub compared: Option<Compared>,
}

/// A hint beside the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// The same bytes.
    Same,
    /// Others: logged.
    Different,
    /// The original ends before it.
    NeverCame,
}

impl Hint {
    /// The stretch.
    pub fn range(&self) -> Range<u64> {
        self.from_bytes..self.until_bytes
    }
}

impl Ingest {
    /// Takes a hint: `bytes` are those of `range` in a file of `size_bytes`. The same one again is fine.
    /// It survives a crash when this returns; a crash before leaves bytes that nothing names.
    ///
    /// # Errors
    /// Not found; [`IngestError::WrongState`] when the upload is over or another hint stands;
    /// [`IngestError::Refused`] when the range is not within the announced length.
    pub async fn put_hint(
        &self,
        id: RecordingId,
        range: Range<u64>,
        size_bytes: u64,
        bytes: Bytes,
    ) -> Result<Hint> {
        let Some(upload) = self.catalog.upload(id).await? else {
            return Err(match self.catalog.recording(id).await? {
                None => IngestError::not_found("upload", id),
                Some(_) => IngestError::WrongState("it is no longer arriving".to_owned()),
            });
        };
        let Some(recording) = self.catalog.recording(id).await? else {
            return Err(refused("a part of a concatenation takes no hint"));
        };
        if upload.kind != UploadKind::Whole {
            return Err(refused("an upload of parts takes no hint"));
        }
        if upload.length_bytes != Some(size_bytes) {
            return Err(refused("Content-Range's size is not the upload's length"));
        }
        let length = range.end.saturating_sub(range.start);
        if range.is_empty() || range.end > size_bytes || length > MOST_HINT_BYTES {
            return Err(refused("the range is empty, too long or beyond the end"));
        }
        if bytes.len() as u64 != length {
            return Err(refused("the body is not as long as its range"));
        }
        if !self.room.has_room() {
            return Err(IngestError::Full);
        }
        let hint = Hint {
            from_bytes: range.start,
            until_bytes: range.end,
            size_bytes,
            sha256: self.hash_of(bytes.clone()).await?,
            received_at: self.clock.now(),
            compared: None,
        };
        // Two at once must not leave the facts of one beside the bytes of the other.
        let _turn = self.growing.hinting.lock().await;
        if let Some(known) = self.hint(&recording).await? {
            let same = known.range() == range && known.sha256 == hint.sha256;
            return match same {
                true => Ok(known),
                // Viewings name the hint they were made by, and cuts must stay what they are.
                false => Err(IngestError::WrongState(
                    "another hint was taken before".to_owned(),
                )),
            };
        }
        let at = recording.created_at;
        self.vault
            .put_derivative(id, at, &derivative(BYTES)?, &bytes)
            .await?;
        self.keep_hint(&recording, &hint).await?;
        tracing::info!(recording = %id, bytes = length, sha256 = %hint.sha256, "playback hint taken");
        self.growing.look_again(id).await;
        Ok(hint)
    }

    /// What is known of a recording's hint.
    ///
    /// # Errors
    /// The vault's.
    pub async fn hint(&self, recording: &Recording) -> Result<Option<Hint>> {
        let name = derivative(FACTS)?;
        let stored = self
            .vault
            .get_derivative(recording.id, recording.created_at, &name)
            .await?;
        Ok(stored.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    /// The hint with its bytes; `None` also when they are damaged: it is a help, not evidence.
    pub(super) async fn hint_bytes(&self, recording: &Recording) -> Result<Option<(Hint, Bytes)>> {
        let Some(hint) = self.hint(recording).await? else {
            return Ok(None);
        };
        let (id, at) = (recording.id, recording.created_at);
        let stored = self
            .vault
            .get_derivative(id, at, &derivative(BYTES)?)
            .await?;
        let Some(bytes) = stored.map(Bytes::from) else {
            return Ok(None);
        };
        let whole = hint.range().end - hint.range().start == bytes.len() as u64
            && self.hash_of(bytes.clone()).await? == hint.sha256;
        if !whole {
            tracing::warn!(recording = %id, "the playback hint is damaged and not used");
        }
        Ok(whole.then_some((hint, bytes)))
    }

    /// Compares the hint with what came. A difference is logged, once: a crash between the event and
    /// the note beside the recording finds the event again.
    pub(crate) async fn compare_hint(
        &self,
        recording: &Recording,
        key: &VaultKey,
        size_bytes: u64,
    ) -> Result<()> {
        let Some(mut hint) = self.hint(recording).await? else {
            return Ok(());
        };
        if hint.compared.is_some() {
            return Ok(());
        }
        let compared = if hint.until_bytes > size_bytes {
            Compared::NeverCame
        } else {
            let actual = self.read_range(key, hint.range()).await?;
            let actual = self.hash_of(actual).await?;
            if actual == hint.sha256 {
                Compared::Same
            } else {
                self.log_difference(recording, &hint, actual).await?;
                Compared::Different
            }
        };
        hint.compared = Some(compared);
        self.keep_hint(recording, &hint).await?;
        if compared == Compared::Same {
            // The original has these bytes: kept twice they would only take room.
            let (id, at) = (recording.id, recording.created_at);
            self.vault
                .put_derivative(id, at, &derivative(BYTES)?, &[])
                .await?;
        }
        Ok(())
    }

    async fn log_difference(
        &self,
        recording: &Recording,
        hint: &Hint,
        actual_sha256: Sha256Digest,
    ) -> Result<()> {
        let known = self.catalog.recording_event(recording.id, DIFFERED).await?;
        if known.is_some() {
            return Ok(());
        }
        tracing::warn!(recording = %recording.id, "the playback hint was not what came");
        let body = kinds::RecordingHintDiffered {
            hint_sha256: hint.sha256,
            from_bytes: hint.from_bytes,
            until_bytes: hint.until_bytes,
            actual_sha256,
        };
        let subject = Subject::recording(recording.id);
        let event = self.event(Actor::System, Some(recording.unit_id), subject, body)?;
        self.commit(self.catalog.change().await?, &[event]).await
    }

    async fn keep_hint(&self, recording: &Recording, hint: &Hint) -> Result<()> {
        // A struct of numbers and texts always has JSON.
        let json = serde_json::to_vec(hint).unwrap_or_default();
        Ok(self
            .vault
            .put_derivative(
                recording.id,
                recording.created_at,
                &derivative(FACTS)?,
                &json,
            )
            .await?)
    }

    /// At most [`MOST_HINT_BYTES`], which is what a hint's range was held to.
    async fn read_range(&self, key: &VaultKey, range: Range<u64>) -> Result<Bytes> {
        let mut stream = self.vault.read(key, range).await?;
        let mut out = BytesMut::new();
        while let Some(block) = stream.next().await {
            out.extend_from_slice(&block?);
        }
        Ok(out.freeze())
    }

    async fn hash_of(&self, bytes: Bytes) -> Result<Sha256Digest> {
        let (answer, wait) = oneshot::channel();
        self.hash_pool.run(move || {
            // Nobody waiting is a request that was given up.
            let _ = answer.send(Sha256Digest::of(&bytes));
        });
        wait.await.map_err(|_| IngestError::Died("a hash thread"))
    }
}

fn refused(reason: &str) -> IngestError {
    IngestError::Refused(reason.to_owned())
}
