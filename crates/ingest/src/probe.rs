//! After sealing: what is it, does it play, how is it cut, what does it look like.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use docket_catalog::{PlaybackState, Recording};
use docket_playback::{BlockSource, PlaybackIndex, Prepared, Source, StreamKind, Verdict};
use docket_vault::{DerivativeName, Vault, VaultKey};
use futures_util::StreamExt;

use crate::event::word;
use crate::read_back::sealed_facts;
use crate::{Ingest, Result};

/// The kind of job.
pub const PROBE: &str = "probe";
const IDLE: Duration = Duration::from_secs(60);
const ATTEMPTS: u32 = 8;
pub(crate) const POSTER_WIDTH: u32 = 640;

/// What the worker found out, JSON.
pub const FACTS: &str = "facts.json";
/// How it is cut into segments.
pub const INDEX: &str = "index.bin";
/// A picture of it.
pub const POSTER: &str = "poster.jpg";

/// The derivative of that name.
///
/// # Errors
/// Never for the names of this file.
pub fn derivative(name: &str) -> Result<DerivativeName> {
    name.parse()
        .map_err(|_| crate::IngestError::WrongState(format!("derivative {name:?}")))
}

impl Ingest {
    pub(crate) async fn probe_loop(&self) {
        // Claims of a process that died: this one has just started, so none is its own.
        if let Err(error) = self.catalog.release_jobs(self.clock.now()).await {
            tracing::warn!(%error, "releasing jobs");
        }
        loop {
            let more = match self.probe_next().await {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(%error, "examining recordings");
                    false
                }
            };
            if more && !self.shutdown.is_cancelled() {
                continue;
            }
            tokio::select! {
                () = self.probe_wanted.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
                () = self.shutdown.cancelled() => return,
            }
        }
    }

    /// Does the next waiting job; whether there was one.
    async fn probe_next(&self) -> Result<bool> {
        if self.playback.is_none() {
            return Ok(false);
        }
        let Some(job) = self.catalog.claim_job(&[PROBE], self.clock.now()).await? else {
            return Ok(false);
        };
        let Some(recording) = self.catalog.recording(job.recording_id).await? else {
            self.catalog.complete_job(job.id).await?;
            return Ok(true);
        };
        match self.probe(&recording).await {
            Ok(()) => self.catalog.complete_job(job.id).await?,
            Err(error) => {
                tracing::warn!(recording = %recording.id, %error, "not examined; trying again");
                let again = self.clock.now().plus_seconds(60 << job.attempts.min(6));
                let again = (job.attempts < ATTEMPTS).then_some(again);
                self.catalog
                    .fail_job(job.id, &error.to_string(), again)
                    .await?;
            }
        }
        Ok(true)
    }

    /// Examines one closed recording and keeps what was found.
    ///
    /// # Errors
    /// When trying again may help; what the recording itself is to blame for is a finding.
    pub async fn probe(&self, recording: &Recording) -> Result<()> {
        let Some(playback) = &self.playback else {
            return Ok(());
        };
        let (key, _) = sealed_facts(recording)?;
        let size_bytes = recording.size_bytes.unwrap_or_default();
        self.compare_hint(recording, &key, size_bytes).await?;
        let source = self.source(&key, size_bytes).await?;
        let prepared = match playback.prepare(recording.id, source, POSTER_WIDTH).await {
            Ok(prepared) => prepared,
            Err(error) => return Err(crate::IngestError::Playback(error)),
        };
        self.keep(recording, &prepared).await
    }

    /// How a playable recording is cut. A derivative: where it was thrown away it is made again; `None` when
    /// it could not be made now.
    ///
    /// # Errors
    /// The vault's, the media pool's.
    pub async fn index_of(&self, recording: &Recording) -> Result<Option<PlaybackIndex>> {
        if let Some(index) = self.stored_index(recording).await? {
            return Ok(Some(index));
        }
        self.probe(recording).await?;
        self.stored_index(recording).await
    }

    pub(crate) async fn stored_index(
        &self,
        recording: &Recording,
    ) -> Result<Option<PlaybackIndex>> {
        let (id, at) = (recording.id, recording.created_at);
        let bytes = self
            .vault
            .get_derivative(id, at, &derivative(INDEX)?)
            .await?;
        let index = bytes.map(|bytes| PlaybackIndex::from_bytes(Bytes::from(bytes)));
        // Damaged, or of an older version of this program: made again.
        Ok(index.and_then(|index| {
            index
                .inspect_err(|error| tracing::warn!(recording = %id, %error, "playback index"))
                .ok()
        }))
    }

    async fn keep(&self, recording: &Recording, prepared: &Prepared) -> Result<()> {
        let (id, at) = (recording.id, recording.created_at);
        let facts = serde_json::to_vec(&prepared.facts).unwrap_or_default();
        self.vault
            .put_derivative(id, at, &derivative(FACTS)?, &facts)
            .await?;
        if let Some(index) = &prepared.index {
            self.vault
                .put_derivative(id, at, &derivative(INDEX)?, &index.to_bytes())
                .await?;
        }
        if let Some(poster) = &prepared.poster {
            self.vault
                .put_derivative(id, at, &derivative(POSTER)?, poster)
                .await?;
        }
        // Derivatives first: a crash here leaves them unused, and they are made again.
        let size = prepared.facts.shown_size();
        let playable = prepared.index.is_some() && prepared.facts.verdict.is_playable();
        let reason = match &prepared.facts.verdict {
            Verdict::Playable { notes } => notes.first(),
            Verdict::NotPlayable { reason } => Some(reason),
        };
        let transcoded = |kind| {
            let index = prepared.index.as_ref()?;
            index.transcoded(kind).map(str::to_owned)
        };
        let playback = docket_catalog::Playback {
            state: if playable {
                PlaybackState::Ready
            } else {
                PlaybackState::Impossible
            },
            reason: reason.map(|reason| word(&reason.code)),
            duration_ms: prepared.facts.duration_ms,
            width: size.map(|(width, _)| width),
            height: size.map(|(_, height)| height),
            made_video: transcoded(StreamKind::Video),
            made_audio: transcoded(StreamKind::Audio),
        };
        self.catalog.set_playback(id, &playback).await?;
        self.growing.forget(id);
        if playable {
            self.want_looks(id).await?;
            return self.want_track(id).await;
        }
        // It may be a log of positions that was kept beside a film. A crash before this does the probing again.
        self.came_beside(recording).await
    }

    /// A sealed original as the media worker reads it: a descriptor where there is one, else blocks.
    ///
    /// # Errors
    /// The vault's.
    pub async fn source(&self, key: &VaultKey, size_bytes: u64) -> Result<Source> {
        if let Some(descriptor) = self.vault.descriptor(key).await? {
            return Source::descriptor(descriptor)
                .map_err(|error| docket_vault::VaultError::from(error).into());
        }
        let vault = Arc::clone(&self.vault);
        Ok(Source::blocks(Arc::new(VaultBlocks {
            vault,
            key: key.clone(),
            size_bytes,
        })))
    }
}

/// Blocks of an original, fetched from the vault.
#[derive(Debug)]
struct VaultBlocks {
    vault: Arc<dyn Vault>,
    key: VaultKey,
    size_bytes: u64,
}

#[async_trait]
impl BlockSource for VaultBlocks {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let mut stream = self
            .vault
            .read(&self.key, range)
            .await
            .map_err(io::Error::other)?;
        let mut out = BytesMut::new();
        while let Some(block) = stream.next().await {
            out.extend_from_slice(&block.map_err(io::Error::other)?);
        }
        Ok(out.freeze())
    }
}
