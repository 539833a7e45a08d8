//! Read-back: after sealing, the original is read from where it is kept, past the page cache, and its
//! digest compared. Only then does a station get the receipt that lets it erase.

use std::collections::HashMap;
use std::time::Duration;

use docket_base::Digests;
use docket_base::ids::RecordingId;
use docket_catalog::{Recording, RecordingState};
use docket_ledger::kinds::{self, SealedState, VerifyFailure};
use docket_ledger::{Actor, Entry, Event, ReceiptLevel, Subject};
use docket_vault::{VaultError, VaultKey};
use tokio::time::Instant;

use crate::receipts::ReceiptError;
use crate::{Ingest, IngestError, Result};

const BATCH: u32 = 64;
/// After a failed read-back the same recording is tried again after this.
const AGAIN: Duration = Duration::from_secs(3_600);
const IDLE: Duration = Duration::from_secs(60);

/// What reading back showed.
enum Found {
    Same(Digests),
    Different {
        failure: VerifyFailure,
        digests: Option<Digests>,
        size_bytes: Option<u64>,
    },
}

impl Ingest {
    pub(crate) async fn read_back_loop(&self) {
        let mut failed: HashMap<RecordingId, Instant> = HashMap::new();
        loop {
            match self.read_back_round(&mut failed).await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::error!(%error, "reading back"),
            }
            tokio::select! {
                () = self.read_back_wanted.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
                () = self.shutdown.cancelled() => return,
            }
        }
    }

    async fn read_back_round(&self, failed: &mut HashMap<RecordingId, Instant>) -> Result<usize> {
        let mut done = 0;
        let mut after = None;
        loop {
            let waiting = self.catalog.unverified(after, BATCH).await?;
            let Some(last) = waiting.last() else {
                return Ok(done);
            };
            after = Some(last.id);
            for recording in waiting {
                if self.shutdown.is_cancelled() {
                    return Ok(0);
                }
                if failed
                    .get(&recording.id)
                    .is_some_and(|until| *until > Instant::now())
                {
                    continue;
                }
                match self.verify(&recording).await {
                    Ok(true) => done += 1,
                    Ok(false) => drop(failed.insert(recording.id, Instant::now() + AGAIN)),
                    Err(error) => {
                        tracing::warn!(recording = %recording.id, %error, "not read back; trying again");
                        failed.insert(recording.id, Instant::now() + IDLE);
                    }
                }
            }
        }
    }

    /// Reads one sealed recording back and logs what was found; whether it is the same.
    ///
    /// # Errors
    /// When it could not be found out: store away, catalog failing. Nothing is logged then.
    pub async fn verify(&self, recording: &Recording) -> Result<bool> {
        let (key, expected) = sealed_facts(recording)?;
        let found = self.compare(recording, &key, &expected).await?;
        let subject = Subject::recording(recording.id);
        let unit = Some(recording.unit_id);
        match found {
            Found::Same(digests) => {
                let verified = kinds::RecordingVerified {
                    state: sealed_state(recording.state)?,
                    size_bytes: recording.size_bytes.unwrap_or_default(),
                    sha256: digests.sha256,
                    sm3: digests.sm3,
                    vault_key: key.to_string(),
                    sealed_by: self.sealing_event(recording.id).await?,
                };
                let event = self.event(Actor::System, unit, subject, verified)?;
                let mut change = self.catalog.change().await?;
                change.set_verified(recording.id, event.at).await?;
                self.commit(change, &[event]).await?;
                if recording.duplicate_of.is_some() {
                    // A crash or an error before this leaves them to the next start.
                    if let Err(error) = self.discard_duplicate_bytes(recording.id).await {
                        tracing::warn!(recording = %recording.id, %error, "a duplicate's own bytes are still there");
                    }
                }
                Ok(true)
            }
            Found::Different {
                failure,
                digests,
                size_bytes,
            } => {
                tracing::error!(recording = %recording.id, ?failure, %key, "READ-BACK FAILED: the stored original is not what was sealed");
                metrics::counter!("docket_read_back_failures_total").increment(1);
                let failed = kinds::RecordingVerifyFailed {
                    failure,
                    vault_key: key.to_string(),
                    expected_sha256: expected.sha256,
                    actual_sha256: digests.map(|digests| digests.sha256),
                    actual_size_bytes: size_bytes,
                };
                let event = self.event(Actor::System, unit, subject, failed)?;
                self.commit(self.catalog.change().await?, &[event]).await?;
                Ok(false)
            }
        }
    }

    async fn compare(
        &self,
        recording: &Recording,
        key: &VaultKey,
        expected: &Digests,
    ) -> Result<Found> {
        let size = recording.size_bytes.unwrap_or_default();
        let (digests, size_bytes) = match self.digest_of(key, expected.sm3.is_some()).await {
            Ok(read) => read,
            Err(IngestError::Vault(error)) => {
                let failure = match error {
                    VaultError::NotFound(_) => VerifyFailure::Missing,
                    VaultError::Corrupt { .. } => VerifyFailure::SizeMismatch,
                    VaultError::Io(_) => VerifyFailure::Unreadable,
                    passing => return Err(passing.into()),
                };
                return Ok(Found::Different {
                    failure,
                    digests: None,
                    size_bytes: None,
                });
            }
            Err(error) => return Err(error),
        };
        Ok(if size_bytes != size {
            let failure = VerifyFailure::SizeMismatch;
            Found::Different {
                failure,
                digests: Some(digests),
                size_bytes: Some(size_bytes),
            }
        } else if digests != *expected {
            let failure = VerifyFailure::DigestMismatch;
            Found::Different {
                failure,
                digests: Some(digests),
                size_bytes: Some(size_bytes),
            }
        } else {
            Found::Same(digests)
        })
    }

    /// Digests and length of a sealed original as it is stored, at the configured rate.
    ///
    /// # Errors
    /// The vault's.
    pub async fn digest_of(&self, key: &VaultKey, with_sm3: bool) -> Result<(Digests, u64)> {
        let rate = self.options.read_back_bytes_per_s;
        crate::original::digest(&*self.vault, &self.hash_pool, key, with_sm3, rate).await
    }

    async fn sealing_event(&self, id: RecordingId) -> Result<docket_base::ids::EventId> {
        let event = self.catalog.recording_event(id, "recording.sealed").await?;
        Ok(event
            .ok_or_else(|| IngestError::not_found("seal of recording", id))?
            .id)
    }

    /// A duplicate's own bytes go only now, when the object it shares was read back once more.
    async fn discard_duplicate_bytes(&self, id: RecordingId) -> Result<()> {
        for leftover in self.vault.leftovers(usize::MAX).await? {
            if leftover.id == id {
                self.vault.discard(&leftover.state).await?;
            }
        }
        Ok(())
    }

    /// Issues receipts as their events are published, so that stations need not wait for their own
    /// asking. One that is missed here (a crash) is issued when it is asked for.
    pub(crate) async fn issue_receipts(&self) {
        let mut events = self.sequencer.events();
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = self.shutdown.cancelled() => return,
            };
            let Ok(event) = event else { continue };
            let issued = match Entry::parse(&event.entry).map(|entry| entry.event) {
                Ok(Event::RecordingSealed(body)) if body.state != SealedState::Quarantined => {
                    self.issue(event.recording_id, &body.vault_key, ReceiptLevel::Stored)
                        .await
                }
                Ok(Event::RecordingVerified(body)) if body.state != SealedState::Quarantined => {
                    self.issue(event.recording_id, &body.vault_key, ReceiptLevel::Verified)
                        .await
                }
                _ => continue,
            };
            if let Err(error) = issued {
                tracing::warn!(recording = ?event.recording_id, %error, "receipt not issued yet");
            }
        }
    }

    async fn issue(
        &self,
        id: Option<RecordingId>,
        key: &str,
        level: ReceiptLevel,
    ) -> Result<(), ReceiptError> {
        let (Some(id), Ok(key)) = (id, key.parse::<VaultKey>()) else {
            return Err(ReceiptError::Never);
        };
        self.receipts.get(id, &key, level).await.map(drop)
    }
}

/// Where a closed recording lies and what its digests are.
///
/// # Errors
/// [`IngestError::WrongState`] when it is not closed.
pub fn sealed_facts(recording: &Recording) -> Result<(VaultKey, Digests)> {
    let open = || IngestError::WrongState(format!("recording {} has no original", recording.id));
    let key = recording.vault_key.as_deref().ok_or_else(open)?;
    let key = key
        .parse()
        .map_err(|_| IngestError::WrongState(format!("vault key {key:?}")))?;
    let sha256 = recording.sha256.ok_or_else(open)?;
    Ok((
        key,
        Digests {
            sha256,
            sm3: recording.sm3,
        },
    ))
}

fn sealed_state(state: RecordingState) -> Result<SealedState> {
    match state {
        RecordingState::Sealed => Ok(SealedState::Sealed),
        RecordingState::Incomplete => Ok(SealedState::Incomplete),
        RecordingState::Quarantined => Ok(SealedState::Quarantined),
        other => Err(IngestError::WrongState(format!("the recording is {other}"))),
    }
}
