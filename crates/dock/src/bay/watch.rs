//! Writes down what happens to one upload, and shows it.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use docket_base::files::Files;
use docket_base::ids::RecordingId;
use docket_base::lane::Pool;
use docket_base::{Clock, Sha256Digest};
use docket_client::upload::Watch;
use docket_client::{Error, Mark, UploadUrl};
use tokio::sync::watch;

use super::docking::{Docking, SMALL_BYTES};
use super::outcome::waiting_text;
use crate::board::BayFace;
use crate::card::OpenedFile;
use crate::journal::{Fate, FileKey, Journal, marks_path};
use crate::marks::MarkFile;
use crate::station::on_pool;

/// The watch over one upload.
pub(super) struct FileWatch {
    journal: Arc<Journal>,
    files: Arc<dyn Files>,
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    key: FileKey,
    fingerprint: Sha256Digest,
    attempt: u32,
    marks: Arc<Mutex<Option<MarkFile>>>,
    face: BayFace,
    number: usize,
    waits: AtomicBool,
    recording: watch::Sender<Option<RecordingId>>,
}

impl FileWatch {
    pub(super) fn new(
        docking: &Docking<'_>,
        number: usize,
        key: &FileKey,
        opened: &OpenedFile,
        attempt: u32,
    ) -> Self {
        let station = &docking.run.station;
        Self {
            journal: Arc::clone(&docking.journal),
            files: Arc::clone(station.state.files()),
            directory: docking.directory.clone(),
            clock: Arc::clone(&station.clock),
            key: key.clone(),
            fingerprint: opened.fingerprint,
            attempt,
            marks: Arc::default(),
            face: docking.run.face.clone(),
            number,
            waits: AtomicBool::new(false),
            recording: watch::Sender::new(None),
        }
    }

    /// The recording that the upload is, as soon as that is known.
    pub(super) fn recording(&self) -> watch::Receiver<Option<RecordingId>> {
        self.recording.subscribe()
    }

    /// The upload is this recording's.
    pub(super) fn knows(&self, recording: RecordingId) {
        self.recording.send_replace(Some(recording));
    }

    /// Takes up the marks of an upload that is gone on with. Without them everything is hashed
    /// again, so a failure is only told.
    pub(super) async fn open_marks(&self, pool: &Pool, recording: RecordingId) -> Vec<Mark> {
        let (files, path) = (
            Arc::clone(&self.files),
            marks_path(&self.directory, recording),
        );
        let opened = on_pool(pool, move || MarkFile::open(&*files, &path)).await;
        match opened.and_then(|inner| inner) {
            Ok((file, marks)) => {
                *self.marks.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
                marks
            }
            Err(error) => {
                tracing::warn!(%error, "marks cannot be read");
                Vec::new()
            }
        }
    }
}

impl Watch for FileWatch {
    fn created(&self, url: &UploadUrl) -> io::Result<()> {
        let recording = url
            .recording()
            .ok_or_else(|| io::Error::other("the daemon gave an upload address without an id"))?;
        let fate = Fate::Open {
            upload: url.to_string(),
            fingerprint: self.fingerprint,
            attempt: self.attempt,
        };
        self.journal.note(self.clock.now(), &self.key, fate)?;
        self.knows(recording);
        if self.key.size_bytes <= SMALL_BYTES {
            return Ok(());
        }
        let path = marks_path(&self.directory, recording);
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        *marks = MarkFile::open(&*self.files, &path)
            .ok()
            .map(|(file, _)| file);
        Ok(())
    }

    fn marked(&self, mark: &Mark) -> io::Result<()> {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*marks
            && let Err(error) = file.add(mark)
        {
            // Without marks a crash costs hashing again; without the upload it costs the evidence.
            tracing::warn!(%error, "marks cannot be written");
            *marks = None;
        }
        Ok(())
    }

    fn progress(&self, sent_bytes: u64) {
        self.face.moving(self.number, sent_bytes);
        if self.waits.swap(false, Ordering::Relaxed) {
            self.face.say(None);
        }
    }

    fn waiting(&self, error: &Error, wait: Duration) {
        tracing::warn!(file = self.key.path, %error, wait_ms = wait.as_millis() as u64, "waits");
        self.waits.store(true, Ordering::Relaxed);
        self.face.say(Some(waiting_text(error)));
    }
}
