//! One file to the server: create, send, resume, until every byte is durable there.

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use docket_base::Sha256Digest;
use docket_base::lane::Pool;
use tokio::sync::{mpsc, oneshot};

use crate::backoff::{Backoff, Patience};
use crate::connect::Client;
use crate::error::{Error, Meaning};
use crate::limiter::{Limiter, Turns};
use crate::reading::{Mark, OnMark, ReadFault, Reading};
use crate::tus::{NewUpload, Outgoing, UploadUrl};

/// Chunks between reader and network: with the reader's and the connection's own, about 2 MiB.
const CHUNKS_IN_FLIGHT: usize = 2;

/// Hears what happens to one upload. Calls come from several threads and must not block for long.
pub trait Watch: Send + Sync {
    /// The server knows the upload now. Return when this is durable: what is not written down is an
    /// upload nobody resumes.
    ///
    /// # Errors
    /// Ends the upload with [`UploadError::Read`].
    fn created(&self, upload: &UploadUrl) -> io::Result<()> {
        let _ = upload;
        Ok(())
    }
    /// The running digest at an offset. Losing one costs reading a few bytes again, nothing else.
    ///
    /// # Errors
    /// Ends the upload with [`UploadError::Read`].
    fn marked(&self, mark: &Mark) -> io::Result<()> {
        let _ = mark;
        Ok(())
    }
    /// So many bytes went out; goes back when some have to be sent again.
    fn progress(&self, sent_bytes: u64) {
        let _ = sent_bytes;
    }
    /// A try failed, the next follows after `wait`.
    fn waiting(&self, error: &Error, wait: Duration) {
        let _ = (error, wait);
    }
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;
impl Watch for Unwatched {}

/// What all uploads of a process share.
#[derive(Clone)]
pub struct Conditions {
    /// Threads that read; one that hangs on a dying medium occupies its thread, so give one a bay.
    pub readers: Pool,
    /// Rate limit.
    pub limiter: Option<Arc<Limiter>>,
    /// Turns at the uplink.
    pub turns: Option<Arc<Turns>>,
    /// How patiently requests without progress are repeated.
    pub patience: Patience,
    /// Whether a refused token (401) is waited out: somebody may enrol the station anew.
    pub wait_when_unauthorised: bool,
}

/// One file to send.
pub struct Upload {
    /// Open for reading.
    pub file: Arc<File>,
    /// How the upload is made where there is none yet; also says the length.
    pub new: NewUpload,
    /// The upload to go on with.
    pub known: Option<UploadUrl>,
    /// Marks of the earlier reading.
    pub marks: Vec<Mark>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("new", &self.new)
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

/// All bytes are durable on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The upload; its id is the recording's.
    pub upload: UploadUrl,
    /// The digest of what was read here. It proves nothing about what arrived: compare the receipt's.
    pub sha256: Sha256Digest,
}

/// Why an upload ended before its last byte was acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The file could not be read, or what is to be remembered could not be written. The upload
    /// stays open on the server.
    #[error(transparent)]
    Read(#[from] ReadFault),
    /// The server no longer has the upload: expired, terminated, or set aside after its last byte.
    #[error("the server no longer has the upload")]
    Gone(UploadUrl),
    /// All bytes arrived and are not the announced ones; the server keeps them in quarantine.
    #[error("what arrived is not what was announced: {0}")]
    DigestMismatch(Error),
    /// The server refused, or patience is at its end.
    #[error(transparent)]
    Server(Error),
}

/// Sends one file. Dropping the future stops; the upload stays open on the server.
///
/// # Errors
/// [`UploadError`].
pub async fn upload(
    client: &Client,
    upload: Upload,
    conditions: &Conditions,
    watch: Arc<dyn Watch>,
) -> Result<Uploaded, UploadError> {
    let sink = Arc::clone(&watch);
    let mut run = Run {
        client,
        conditions,
        on_mark: Arc::new(move |mark: &Mark| sink.marked(mark)),
        size_bytes: upload.new.size_bytes,
        backoff: Backoff::new(conditions.patience),
        watch,
    };
    let reading = Reading::new(upload.file, upload.marks);
    match upload.known {
        Some(known) => run.send_rest(known, None, reading).await,
        None => {
            let url = run.create(&upload.new).await?;
            run.send_rest(url, Some(0), reading).await
        }
    }
}

struct Run<'a> {
    client: &'a Client,
    conditions: &'a Conditions,
    on_mark: OnMark,
    size_bytes: u64,
    backoff: Backoff,
    watch: Arc<dyn Watch>,
}

impl Run<'_> {
    async fn create(&mut self, new: &NewUpload) -> Result<UploadUrl, UploadError> {
        loop {
            match self.client.create_upload(new).await {
                Ok(url) => {
                    self.note_created(&url).await?;
                    self.backoff.reset();
                    return Ok(url);
                }
                // A conflict here is about the idempotency key in flight: the first answer is due.
                Err(error) if error.meaning() == Meaning::Conflict => self.wait(error).await?,
                Err(error) => self.wait_if_passing(error).await?,
            }
        }
    }

    /// On a reader's thread, because it waits for a disk.
    async fn note_created(&self, url: &UploadUrl) -> Result<(), UploadError> {
        let (done, noted) = oneshot::channel();
        let (watch, url) = (Arc::clone(&self.watch), url.clone());
        self.conditions.readers.run(move || {
            let _ = done.send(watch.created(&url));
        });
        let noted = noted.await.map_err(|_| lost_reader())?;
        Ok(noted.map_err(ReadFault::Journal)?)
    }

    /// `offset` where the server's is known; each failed try forgets it and asks.
    async fn send_rest(
        &mut self,
        url: UploadUrl,
        mut offset: Option<u64>,
        mut reading: Reading,
    ) -> Result<Uploaded, UploadError> {
        let mut reached = 0;
        loop {
            let from = match offset {
                Some(from) => from,
                None => self.ask(&url).await?,
            };
            self.watch.progress(from);
            if from > reached {
                reached = from;
                self.backoff.reset();
            }
            if from >= self.size_bytes {
                return self.complete(url, reading).await;
            }
            let (back, outcome) = self.turn(&url, from, reading).await?;
            reading = back;
            offset = match outcome {
                Ok(next) if next <= from => {
                    let stuck = Error::Nonsense(format!("offset {next} after sending at {from}"));
                    return Err(UploadError::Server(stuck));
                }
                Ok(next) => {
                    reading.forget_before(next);
                    Some(next)
                }
                Err(error) => {
                    self.after_failed_send(&url, error).await?;
                    None
                }
            };
        }
    }

    async fn ask(&mut self, url: &UploadUrl) -> Result<u64, UploadError> {
        loop {
            let error = match self.client.upload_status(url).await {
                Ok(status) if status.offset_bytes <= self.size_bytes => {
                    return Ok(status.offset_bytes);
                }
                Ok(status) => {
                    let text = format!("offset {} beyond the file", status.offset_bytes);
                    return Err(UploadError::Server(Error::Nonsense(text)));
                }
                Err(error) => error,
            };
            self.after_failed_send(url, error).await?;
        }
    }

    /// Waits where waiting helps; what ends the upload is returned as an error.
    async fn after_failed_send(
        &mut self,
        url: &UploadUrl,
        error: Error,
    ) -> Result<(), UploadError> {
        match error.meaning() {
            Meaning::Gone => Err(UploadError::Gone(url.clone())),
            Meaning::DigestMismatch => Err(UploadError::DigestMismatch(error)),
            Meaning::Conflict | Meaning::ChecksumMismatch => self.wait(error).await,
            _ => self.wait_if_passing(error).await,
        }
    }

    async fn wait_if_passing(&mut self, error: Error) -> Result<(), UploadError> {
        let waits = error.is_passing()
            || (error.meaning() == Meaning::Unauthorised && self.conditions.wait_when_unauthorised);
        if waits {
            return self.wait(error).await;
        }
        Err(UploadError::Server(error))
    }

    async fn wait(&mut self, error: Error) -> Result<(), UploadError> {
        let asked = error.retry_after();
        let Some(wait) = self.backoff.next(&*self.client.random, asked) else {
            return Err(UploadError::Server(error));
        };
        self.watch.waiting(&error, wait);
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// One PATCH. The outer error ends the upload, the inner one is the request's.
    async fn turn(
        &self,
        url: &UploadUrl,
        from: u64,
        reading: Reading,
    ) -> Result<(Reading, Result<u64, Error>), UploadError> {
        let (_permit, turn_bytes) = match &self.conditions.turns {
            Some(turns) => turns.take().await,
            None => (None, Turns::alone()),
        };
        let until = self.size_bytes.min(from + turn_bytes);
        let (mut chunks, finished) = self.start_reading(reading, from, until);
        let (sender, receiver) = mpsc::channel(1);
        let silence = self.client.silence_timeout;
        let request = self
            .client
            .send_bytes(url, from, Outgoing::new(receiver, until - from));
        tokio::pin!(request);
        let outcome = tokio::select! {
            // The pump is asked first: that it is stuck must not be missed while the request is polled.
            biased;
            stalled = self.pump(&mut chunks, sender, from, silence) => match stalled {
                Pumped::Stalled => Err(Error::Unreachable(format!("took no bytes for {} s", silence.as_secs()))),
                Pumped::Over => match tokio::time::timeout(silence, &mut request).await {
                    Ok(outcome) => outcome,
                    Err(_) => Err(Error::Unreachable(format!("silent for {} s after the last byte", silence.as_secs()))),
                },
            },
            outcome = &mut request => outcome,
        };
        // The reader sees its channel closed and gives the reading back; if it hangs in a dying
        // medium, this bay waits with it, and only this one.
        drop(chunks);
        let (reading, read) = finished.await.map_err(|_| lost_reader())?;
        read?;
        Ok((reading, outcome))
    }

    /// Hands chunks from the reader to the connection at the permitted rate.
    async fn pump(
        &self,
        chunks: &mut mpsc::Receiver<Bytes>,
        sender: mpsc::Sender<Bytes>,
        from: u64,
        silence: Duration,
    ) -> Pumped {
        let mut sent = from;
        while let Some(chunk) = chunks.recv().await {
            if let Some(limiter) = &self.conditions.limiter {
                limiter.pass(chunk.len()).await;
            }
            let length = chunk.len() as u64;
            match tokio::time::timeout(silence, sender.send(chunk)).await {
                Ok(Ok(())) => {}
                // The request is over, its own branch knows why.
                Ok(Err(_)) => return Pumped::Over,
                Err(_) => return Pumped::Stalled,
            }
            sent += length;
            self.watch.progress(sent);
        }
        Pumped::Over
    }

    fn start_reading(
        &self,
        mut reading: Reading,
        from: u64,
        until: u64,
    ) -> (mpsc::Receiver<Bytes>, oneshot::Receiver<ReadEnd>) {
        let (sender, chunks) = mpsc::channel(CHUNKS_IN_FLIGHT);
        let (done, finished) = oneshot::channel();
        let on_mark = Arc::clone(&self.on_mark);
        self.conditions.readers.run(move || {
            let outcome = reading.stream(from, until, &sender, &on_mark);
            // The channel closes only after the reading is on its way back.
            let _ = done.send((reading, outcome));
        });
        (chunks, finished)
    }

    /// Everything is on the server: brings the digest to the end, which costs nothing unless the
    /// reader was restarted after the last byte.
    async fn complete(
        &self,
        upload: UploadUrl,
        mut reading: Reading,
    ) -> Result<Uploaded, UploadError> {
        let (done, finished) = oneshot::channel();
        let (on_mark, end) = (Arc::clone(&self.on_mark), self.size_bytes);
        self.conditions.readers.run(move || {
            let outcome = reading
                .go_to(end, &on_mark)
                .and_then(|()| reading.mark(&on_mark));
            let _ = done.send(outcome.map(|()| reading.sha256()));
        });
        let sha256 = finished.await.map_err(|_| lost_reader())??;
        Ok(Uploaded { upload, sha256 })
    }
}

type ReadEnd = (Reading, Result<(), ReadFault>);

enum Pumped {
    Over,
    Stalled,
}

/// The reader's job was dropped: only a panic in it does that.
fn lost_reader() -> UploadError {
    ReadFault::Journal(io::Error::other("the reader thread failed")).into()
}
