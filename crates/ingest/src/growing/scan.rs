//! Making the index of an upload under way.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use docket_base::Sha256Digest;
use docket_catalog::{Recording, Upload};
use docket_playback::facts::ReasonCode;
use docket_playback::{Error as PlaybackError, PlaybackIndex, Source, growth};
use docket_vault::AssemblyState;
use tokio::time::Instant;

use super::blocks::GrowingBlocks;
use super::{Known, Playing, View, reason};
use crate::event::word;
use crate::probe::derivative;
use crate::{Ingest, IngestError, Result};

/// The index that a hint made, kept so that a restart goes on with the same cuts.
const PREVIEW: &str = "preview.bin";
/// Containers whose made segments can be read from a beginning: by a table of frames, from any byte, or by
/// joining their head to a later part.
const GROW_MADE: [&str; 7] = ["mp4", "mov", "3gp", "mpegts", "mpegps", "avi", "matroska"];
/// Less says nothing about a file.
const LEAST_BYTES: u64 = 32 << 10;
/// After a look the next waits so many times as long as that one took.
const REST: u32 = 3;
const SHORTEST_REST: Duration = Duration::from_millis(500);
/// After one that failed.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(10);
/// The end of what came is not listed: sound that belongs there may follow later in the file.
const MARGIN_US: u64 = 2_000_000;

/// When to look again.
#[derive(Debug, Default)]
pub(super) struct Scanning {
    pub(super) not_before: Option<Instant>,
    scanned_bytes: u64,
}

impl Scanning {
    pub(super) fn is_due(&self, upload: &Upload) -> bool {
        let rested = self.not_before.is_none_or(|at| Instant::now() >= at);
        rested && (self.not_before.is_none() || upload.offset_bytes > self.scanned_bytes)
    }

    pub(super) fn took(&mut self, time: Duration, upload: &Upload, found: &Result<Known>) {
        let least = match found {
            Ok(_) => SHORTEST_REST,
            Err(_) => REST_AFTER_FAILURE,
        };
        self.not_before = Some(Instant::now() + (time * REST).max(least));
        self.scanned_bytes = upload.offset_bytes;
    }
}

/// Whether looking (again) could make more of the upload watchable.
pub(super) fn is_wanted(view: Option<&View>, upload: &Upload) -> bool {
    view.is_none_or(|view| {
        // By a hint everything is known; and what has yet to arrive of the settled part needs no look.
        view.hint.is_none() && !view.stopped && view.listed(upload.offset_bytes) >= view.settled
    })
}

impl Ingest {
    /// One look. What the recording is to blame for is a reason, not an error.
    pub(super) async fn scan(
        &self,
        recording: &Recording,
        upload: &Upload,
        earlier: Option<View>,
    ) -> Result<Known> {
        let none_yet = |reason: &str| {
            Ok(Known {
                view: earlier.clone(),
                reason: Some(reason.to_owned()),
            })
        };
        if upload.offset_bytes < LEAST_BYTES.min(upload.length_bytes.unwrap_or(LEAST_BYTES)) {
            return none_yet(reason::TOO_LITTLE);
        }
        if earlier.is_none()
            && let Some(view) = self.stored_view(recording).await?
        {
            return Ok(view.into());
        }
        if !self.is_readable(upload).await? {
            return none_yet(reason::NOT_READABLE);
        }
        let hint = match earlier {
            None => self.hint_bytes(recording).await?,
            Some(_) => None,
        };
        let by_hint = hint.as_ref().map(|(hint, _)| hint.sha256);
        let source =
            self.growing_source(upload, hint.map(|(hint, bytes)| (hint.from_bytes, bytes)));
        let found = match self.index_growing(recording, source).await? {
            Ok(index) => index,
            Err(code) => {
                let at_end = by_hint.is_none() && code == word(&ReasonCode::IndexMissing);
                return none_yet(if at_end { reason::INDEX_AT_END } else { &code });
            }
        };
        if found.is_made() && !GROW_MADE.contains(&found.facts().container.as_str()) {
            return none_yet(reason::MADE_LATER);
        }
        match by_hint {
            Some(hint) => self.keep_preview(recording, found, hint).await,
            None => go_on(recording, earlier, found).await,
        }
    }

    fn growing_source(&self, upload: &Upload, hint: Option<(u64, Bytes)>) -> Source {
        let size_bytes = match (&hint, upload.length_bytes) {
            (Some(_), Some(length)) => length,
            _ => upload.offset_bytes,
        };
        Source::blocks(Arc::new(GrowingBlocks {
            vault: Arc::clone(&self.vault),
            state: AssemblyState(upload.assembly_state.clone()),
            durable_bytes: upload.offset_bytes,
            size_bytes,
            hint,
        }))
    }

    /// What a worker needs for pictures and sound of what is listed: with the hint, without which it can't
    /// open some files.
    pub(crate) async fn looking_source(
        &self,
        recording: &Recording,
        playing: &Playing,
    ) -> Result<Source> {
        let upload = match playing.assembly {
            Some(_) => self.catalog.upload(recording.id).await?,
            None => None,
        };
        let Some(upload) = upload else {
            return self.playing_source(recording, playing).await;
        };
        let hint = match playing.hint {
            Some(_) => self.hint_bytes(recording).await?,
            None => None,
        };
        let hint = hint.map(|(hint, bytes)| (hint.from_bytes, bytes));
        Ok(self.growing_source(&upload, hint))
    }

    /// The index, or the code of why there is none yet.
    async fn index_growing(
        &self,
        recording: &Recording,
        source: Source,
    ) -> Result<Result<PlaybackIndex, String>> {
        let Some(playback) = &self.playback else {
            return Ok(Err(reason::NO_WORKER.to_owned()));
        };
        Ok(match playback.index(recording.id, source).await {
            Ok((_, Some(index))) => Ok(index),
            Ok((facts, None)) => {
                let code = facts
                    .verdict
                    .first_reason()
                    .map(|reason| word(&reason.code));
                Err(code.unwrap_or_else(|| reason::TOO_LITTLE.to_owned()))
            }
            // The upload was sealed under our hands, or its bytes can't be had now.
            Err(PlaybackError::Source(error)) => {
                tracing::debug!(recording = %recording.id, %error, "an upload can't be looked into");
                Err(reason::TOO_LITTLE.to_owned())
            }
            Err(error) => match error.reason() {
                Some(reason) => Err(word(&reason.code)),
                None => return Err(IngestError::Playback(error)),
            },
        })
    }

    async fn keep_preview(
        &self,
        recording: &Recording,
        index: PlaybackIndex,
        hint: Sha256Digest,
    ) -> Result<Known> {
        let (id, at) = (recording.id, recording.created_at);
        self.vault
            .put_derivative(id, at, &derivative(PREVIEW)?, &index.to_bytes())
            .await?;
        Ok(view_of(index, Some(hint)).await?.into())
    }

    /// The view that a hint made, in this run of the daemon or an earlier one.
    pub(super) async fn stored_view(&self, recording: &Recording) -> Result<Option<View>> {
        let Some(hint) = self.hint(recording).await? else {
            return Ok(None);
        };
        let stored = self
            .vault
            .get_derivative(recording.id, recording.created_at, &derivative(PREVIEW)?)
            .await?;
        // Damaged, or of another version of this program: made again.
        let index = stored.and_then(|bytes| PlaybackIndex::from_bytes(bytes.into()).ok());
        match index.filter(|index| index.facts().size_bytes == hint.size_bytes) {
            None => Ok(None),
            Some(index) => Ok(Some(view_of(index, Some(hint.sha256)).await?)),
        }
    }
}

/// The newer index of a longer beginning, if what was listed stays as it was.
async fn go_on(
    recording: &Recording,
    earlier: Option<View>,
    found: PlaybackIndex,
) -> Result<Known> {
    let Some(earlier) = earlier else {
        return Ok(view_of(found, None).await?.into());
    };
    if growth::goes_on(&earlier.index, &found, earlier.settled) {
        let settled = earlier.settled;
        let mut view = view_of(found, None).await?;
        view.settled = view.settled.max(settled);
        return Ok(view.into());
    }
    tracing::info!(recording = %recording.id, "an upload is cut otherwise the longer it gets: it goes on when sealed");
    Ok(View {
        stopped: true,
        ..earlier
    }
    .into())
}

async fn view_of(index: PlaybackIndex, hint: Option<Sha256Digest>) -> Result<View> {
    let counted = index.clone();
    // Every frame of the recording is looked at.
    let count = move || {
        let reach = growth::reach(&counted)?;
        let settled = growth::settled(&counted, MARGIN_US)?;
        Ok((reach, settled))
    };
    let (reach, settled) = tokio::task::spawn_blocking(count)
        .await
        .map_err(|_| IngestError::Died("counting an index's bytes"))?
        .map_err(IngestError::Playback)?;
    let settled = match hint {
        Some(_) => reach.len(),
        None => settled,
    };
    Ok(View {
        index,
        reach: reach.into(),
        settled,
        hint,
        stopped: false,
    })
}

impl From<View> for Known {
    fn from(view: View) -> Self {
        Self {
            view: Some(view),
            reason: None,
        }
    }
}
