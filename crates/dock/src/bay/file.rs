//! One file to the daemon, resumed where an earlier try, process or docking stopped.

use std::sync::Arc;

use docket_base::Sha256Digest;
use docket_base::ids::RecordingId;
use docket_client::upload::{Upload, UploadError, Uploaded, Watch, upload};
use docket_client::{Metadata, NewUpload, ReadFault, RecordingState, UploadUrl};

use super::docking::{Docking, SMALL_BYTES};
use super::outcome::FileFault;
use super::watch::FileWatch;
use crate::card::erase::reread;
use crate::card::kind::{kind_and_type, time_in_name};
use crate::card::{CardFile, OpenedFile};
use crate::journal::{Fate, FileKey};
use crate::station::on_pool;

/// A file whose bytes are all durable on the daemon, not yet proven.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) file: CardFile,
    pub(super) key: FileKey,
    pub(super) recording: RecordingId,
    pub(super) fingerprint: Sha256Digest,
    /// Computed here while reading.
    pub(super) sha256: Sha256Digest,
    /// Whether its receipt was checked and kept in an earlier docking.
    pub(super) is_finished: bool,
    /// Where the upload lives, for the journal; `None` for a finished one.
    pub(super) attempt: u32,
}

/// Said where the daemon found other bytes than were announced.
pub(super) const IN_QUARANTINE: &str =
    "what arrived is not what was announced; the daemon keeps it in quarantine";

/// New uploads for one file in one docking, when the daemon loses them.
const TRIES: u32 = 3;

impl Docking<'_> {
    /// Sends one file; done at once when the journal knows it is there.
    pub(super) async fn send(&self, number: usize, file: &CardFile) -> Result<Sent, FileFault> {
        let key = FileKey::from(file);
        let opened = self.open(file).await?;
        let mut fate = self.journal.fate(&key);
        if fate.as_ref().is_some_and(|fate| !is_about(fate, &opened)) {
            tracing::warn!(
                file = key.path,
                "known by name, size and time, but has other content: sent as new"
            );
            let attempt = Fate::next_attempt(fate.as_ref());
            fate = Some(Fate::Abandoned {
                reason: "other content".into(),
                attempt,
            });
        }
        if let Some(sent) = self.already_sent(file, &key, fate.as_ref()) {
            self.run.face.settled(number, file.size_bytes);
            return Ok(sent);
        }
        for _ in 0..TRIES {
            match self
                .try_to_send(number, file, &key, &opened, fate.take())
                .await?
            {
                Try::Sent(sent) => {
                    self.run.face.settled(number, file.size_bytes);
                    return Ok(sent);
                }
                Try::Lost(abandoned) => fate = Some(abandoned),
            }
        }
        Err(FileFault::other(format!(
            "the daemon lost its upload {TRIES} times"
        )))
    }

    async fn open(&self, file: &CardFile) -> Result<OpenedFile, FileFault> {
        let (card, file) = (Arc::clone(&self.found.card), file.clone());
        on_pool(&self.run.pool, move || card.open_file(&file))
            .await
            .map_err(FileFault::other)?
            .map_err(FileFault::recorder)
    }

    fn already_sent(&self, file: &CardFile, key: &FileKey, fate: Option<&Fate>) -> Option<Sent> {
        let (recording, fingerprint, sha256, is_finished, attempt) = match fate? {
            Fate::Finished {
                recording,
                fingerprint,
                sha256,
            } => (*recording, *fingerprint, *sha256, true, 1),
            Fate::Uploaded {
                upload,
                fingerprint,
                sha256,
                attempt,
            } => {
                let recording = self.run.station.client.known_upload(upload)?.recording()?;
                (recording, *fingerprint, *sha256, false, *attempt)
            }
            _ => return None,
        };
        Some(Sent {
            file: file.clone(),
            key: key.clone(),
            recording,
            fingerprint,
            sha256,
            is_finished,
            attempt,
        })
    }

    async fn try_to_send(
        &self,
        number: usize,
        file: &CardFile,
        key: &FileKey,
        opened: &OpenedFile,
        fate: Option<Fate>,
    ) -> Result<Try, FileFault> {
        let (known, attempt) = self.known_upload(fate.as_ref());
        let watch = Arc::new(FileWatch::new(self, number, key, opened, attempt));
        let marks = match known.as_ref().and_then(UploadUrl::recording) {
            Some(recording) if file.size_bytes > SMALL_BYTES => {
                watch.open_marks(&self.run.pool, recording).await
            }
            _ => Vec::new(),
        };
        if let Some(recording) = known.as_ref().and_then(UploadUrl::recording) {
            watch.knows(recording);
        }
        let new = self.new_upload(file, key, opened, attempt).await?;
        let job = Upload {
            file: Arc::clone(&opened.file),
            new,
            known,
            marks,
        };
        let station = &self.run.station;
        let conditions = station.conditions(&self.run.readers);
        let dynamic: Arc<dyn Watch> = Arc::clone(&watch) as Arc<dyn Watch>;
        let sending = upload(&station.client, job, &conditions, dynamic);
        tokio::pin!(sending);
        let outcome = tokio::select! {
            biased;
            outcome = &mut sending => outcome,
            () = self.send_hint(file, opened, watch.recording()) => sending.await,
        };
        match outcome {
            Ok(done) => self.sent(file, key, opened, attempt, done).await,
            Err(error) => self.failed(file, key, opened, attempt, error).await,
        }
    }

    fn known_upload(&self, fate: Option<&Fate>) -> (Option<UploadUrl>, u32) {
        if let Some(Fate::Open {
            upload, attempt, ..
        }) = fate
            && let Some(url) = self.run.station.client.known_upload(upload)
        {
            return (Some(url), *attempt);
        }
        (None, Fate::next_attempt(fate))
    }

    async fn new_upload(
        &self,
        file: &CardFile,
        key: &FileKey,
        opened: &OpenedFile,
        attempt: u32,
    ) -> Result<NewUpload, FileFault> {
        let (kind, media_type) = kind_and_type(&file.path);
        let recorded_at = time_in_name(&file.path, self.run.station.config.utc_offset)
            .unwrap_or_else(|| file.modified_at());
        let metadata = Metadata::new()
            .with("filename", file.path.display_name())
            .with("filetype", media_type)
            .with("kind", kind)
            .with("recorder", self.identity.serial.clone())
            .with_some("officer", self.identity.officer.clone())
            .with("recorded_at", recorded_at.to_rfc3339())
            .with_some("docking", self.docking_of(file).map(|id| id.to_string()))
            .with("path", key.path.clone())
            .with_some("mark", file.is_key.then_some("key"))
            .with_some("sha256", self.claimed(file, opened).await?);
        Ok(NewUpload {
            size_bytes: file.size_bytes,
            metadata,
            idempotency_key: Some(idempotency_key(
                &self.identity.serial,
                key,
                &opened.fingerprint,
                attempt,
            )),
        })
    }

    /// The digest to announce. A small file is read twice, the second time from memory; a large one
    /// is read once, so its digest is only known at the end and compared with the receipt's.
    async fn claimed(
        &self,
        file: &CardFile,
        opened: &OpenedFile,
    ) -> Result<Option<String>, FileFault> {
        if file.size_bytes > SMALL_BYTES {
            return Ok(None);
        }
        let (open, size) = (Arc::clone(&opened.file), file.size_bytes);
        let digest = on_pool(&self.run.pool, move || {
            docket_client::Reading::digest_of(open, size)
        });
        let digest = digest
            .await
            .map_err(FileFault::other)?
            .map_err(FileFault::recorder)?;
        Ok(Some(digest.to_string()))
    }

    async fn sent(
        &self,
        file: &CardFile,
        key: &FileKey,
        opened: &OpenedFile,
        attempt: u32,
        done: Uploaded,
    ) -> Result<Try, FileFault> {
        let (open, listed) = (Arc::clone(&opened.file), file.clone());
        let unchanged = on_pool(&self.run.pool, move || listed.is_unchanged(&open)).await;
        if !unchanged.unwrap_or(false) {
            return Err(FileFault::recorder("was changed while it was read"));
        }
        let recording = recording_of(&done.upload)?;
        self.note(
            key,
            Fate::Uploaded {
                upload: done.upload.to_string(),
                fingerprint: opened.fingerprint,
                sha256: done.sha256,
                attempt,
            },
        )
        .await?;
        Ok(Try::Sent(Sent {
            file: file.clone(),
            key: key.clone(),
            recording,
            fingerprint: opened.fingerprint,
            sha256: done.sha256,
            is_finished: false,
            attempt,
        }))
    }

    async fn failed(
        &self,
        file: &CardFile,
        key: &FileKey,
        opened: &OpenedFile,
        attempt: u32,
        error: UploadError,
    ) -> Result<Try, FileFault> {
        let gone = match error {
            UploadError::Gone(url) => url,
            UploadError::DigestMismatch(_) => return self.quarantined(key, attempt).await,
            // The upload stays open on the daemon: the next docking goes on with it.
            UploadError::Read(ReadFault::Journal(error)) => return Err(FileFault::other(error)),
            UploadError::Read(fault) => return Err(FileFault::recorder(fault)),
            other => return Err(FileFault::other(other)),
        };
        let recording = recording_of(&gone)?;
        let state = self
            .insist(|| self.run.station.client.recording(recording))
            .await
            .map_err(FileFault::other)?
            .map(|recording| recording.state);
        match state {
            Some(RecordingState::Quarantined) => self.quarantined(key, attempt).await,
            Some(RecordingState::Sealed | RecordingState::Sealing) => {
                let (open, size) = (Arc::clone(&opened.file), file.size_bytes);
                let sha256 = on_pool(&self.run.pool, move || reread(&open, size))
                    .await
                    .map_err(FileFault::other)?
                    .map_err(FileFault::recorder)?;
                let done = Uploaded {
                    upload: gone,
                    sha256,
                };
                self.sent(file, key, opened, attempt, done).await
            }
            state => {
                let reason = match state {
                    Some(RecordingState::Incomplete) => "expired or terminated on the daemon",
                    _ => "unknown to the daemon",
                };
                tracing::warn!(file = key.path, reason, "upload lost, another one is made");
                let abandoned = Fate::Abandoned {
                    reason: reason.into(),
                    attempt,
                };
                self.note(key, abandoned.clone()).await?;
                Ok(Try::Lost(abandoned))
            }
        }
    }

    /// What arrived is not what was read. Somebody has to look; the next docking sends it anew.
    async fn quarantined(&self, key: &FileKey, attempt: u32) -> Result<Try, FileFault> {
        let abandoned = Fate::Abandoned {
            reason: IN_QUARANTINE.into(),
            attempt,
        };
        self.note(key, abandoned).await?;
        Err(FileFault::other(IN_QUARANTINE))
    }

    /// Writes down what became of a file.
    pub(super) async fn note(&self, key: &FileKey, fate: Fate) -> Result<(), FileFault> {
        let (journal, now) = (Arc::clone(&self.journal), self.run.station.clock.now());
        let key = key.clone();
        on_pool(&self.run.pool, move || journal.note(now, &key, fate))
            .await
            .and_then(|inner| inner)
            .map_err(|error| FileFault::other(format!("the journal cannot be written: {error}")))
    }
}

enum Try {
    Sent(Sent),
    Lost(Fate),
}

fn is_about(fate: &Fate, opened: &OpenedFile) -> bool {
    match fate {
        Fate::Open { fingerprint, .. }
        | Fate::Uploaded { fingerprint, .. }
        | Fate::Finished { fingerprint, .. } => *fingerprint == opened.fingerprint,
        Fate::Abandoned { .. } | Fate::Erased { .. } => true,
    }
}

fn recording_of(url: &UploadUrl) -> Result<RecordingId, FileFault> {
    url.recording()
        .ok_or_else(|| FileFault::other("the daemon gave an upload address without an id"))
}

/// The key that makes creating the same upload again the same upload.
pub(super) fn idempotency_key(
    serial: &str,
    key: &FileKey,
    fingerprint: &Sha256Digest,
    attempt: u32,
) -> String {
    let text = format!(
        "docket-dock upload\0{serial}\0{}\0{}\0{}\0{fingerprint}\0{attempt}",
        key.path, key.size_bytes, key.modified_ns
    );
    Sha256Digest::of(text.as_bytes()).to_string()
}
