//! The job that makes storyboard and waveform of a sealed recording.

use std::time::Duration;

use docket_catalog::{PlaybackState, Recording};
use docket_playback::Error as PlaybackError;
use docket_playback::looks::waveform;

use super::making::Reach;
use super::{TRACK, WAVEFORM, lock};
use crate::probe::derivative;
use crate::read_back::sealed_facts;
use crate::{Ingest, IngestError, Result};

/// The kind of job.
pub const LOOKS: &str = "looks";
const IDLE: Duration = Duration::from_secs(60);
const ATTEMPTS: u32 = 6;
/// Taking too long may be the machine's fault, not the recording's: tried so often.
const ATTEMPTS_IN_TIME: u32 = 2;

impl IngestError {
    /// The recording makes its worker fail: trying again is of no use.
    pub(super) fn is_of_the_recording(&self) -> bool {
        match self {
            Self::Playback(PlaybackError::TimedOut(_)) => false,
            Self::Playback(error @ PlaybackError::BadIndex(_)) => {
                tracing::debug!(%error, "an index that can't be looked at");
                true
            }
            Self::Playback(error) => error.reason().is_some(),
            _ => false,
        }
    }
}

impl Ingest {
    pub(crate) async fn looks_loop(&self) {
        loop {
            let more = match self.looks_next().await {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(%error, "looking at recordings");
                    false
                }
            };
            if more && !self.shutdown.is_cancelled() {
                continue;
            }
            tokio::select! {
                () = self.looks_wanted.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
                () = self.shutdown.cancelled() => return,
            }
        }
    }

    /// Does the next waiting job; whether there was one.
    async fn looks_next(&self) -> Result<bool> {
        if self.playback.is_none() {
            return Ok(false);
        }
        let Some(job) = self
            .catalog
            .claim_job(&[LOOKS, TRACK], self.clock.now())
            .await?
        else {
            return Ok(false);
        };
        let row = self.catalog.recording(job.recording_id).await?;
        let Some(recording) = row.filter(|row| row.playback_state == PlaybackState::Ready) else {
            self.catalog.complete_job(job.id).await?;
            return Ok(true);
        };
        let last_in_time = job.attempts >= ATTEMPTS_IN_TIME;
        let done = match job.kind.as_str() {
            TRACK => self.find_track(&recording, last_in_time).await,
            _ => self.look(&recording, last_in_time).await,
        };
        match done {
            Ok(()) => self.catalog.complete_job(job.id).await?,
            Err(error) => {
                tracing::warn!(recording = %recording.id, %error, "not looked at; trying again");
                let again = self.clock.now().plus_seconds(60 << job.attempts.min(6));
                let again = (job.attempts < ATTEMPTS).then_some(again);
                self.catalog
                    .fail_job(job.id, &error.to_string(), again)
                    .await?;
            }
        }
        Ok(true)
    }

    /// Makes storyboard and waveform of a sealed recording and keeps them, whatever of them can be made.
    async fn look(&self, recording: &Recording, last_in_time: bool) -> Result<()> {
        let (id, at) = (recording.id, recording.created_at);
        // Without one it is made again when it is watched, and this job is asked for then.
        let Some(index) = self.stored_index(recording).await? else {
            return Ok(());
        };
        let (key, _) = sealed_facts(recording)?;
        let size_bytes = recording.size_bytes.unwrap_or_default();
        let reach = Reach {
            listed: index.segments().len(),
            index,
            source: self.source(&key, size_bytes).await?,
            whole: true,
        };
        let entry = self.looks.entry(id);
        // A round that began while it arrived ends first.
        let _turn = entry.making.lock().await;
        let given_up = |error: IngestError| {
            let late = matches!(error, IngestError::Playback(PlaybackError::TimedOut(_)));
            let is_final = error.is_of_the_recording() || (late && last_in_time);
            if !is_final {
                return Err(error);
            }
            tracing::info!(recording = %id, %error, "the recording has no (whole) storyboard or waveform");
            Ok(())
        };
        let done = self.draw(recording, &entry, &reach).await;
        done.or_else(given_up)?;
        let (last, mut board) = {
            let made = lock(&entry.made);
            (made.last.clone(), made.board.clone())
        };
        if let Some((jpeg, _)) = last {
            let number = board.sheets.len().saturating_sub(1);
            let name = super::sheet_name(number)?;
            self.vault.put_derivative(id, at, &name, &jpeg).await?;
        }
        // Also where there is none: so that nobody asks again.
        board.whole = true;
        self.keep_storyboard(recording, &board).await?;
        self.listen(recording, &entry, &reach)
            .await
            .or_else(given_up)?;
        let peaks = lock(&entry.made).peaks.clone();
        // Empty says that there is none.
        let json = match waveform::track(&reach.index).is_some() && !peaks.is_empty() {
            true => waveform::json(&peaks),
            false => String::new(),
        };
        self.vault
            .put_derivative(id, at, &derivative(WAVEFORM)?, json.as_bytes())
            .await?;
        self.looks.forget(id);
        Ok(())
    }
}
