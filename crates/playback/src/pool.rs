//! The bounded pool of workers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use docket_base::ids::RecordingId;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::facts::{Facts, Verdict};
use crate::index::PlaybackIndex;
use crate::protocol::{FromWorker, Hello, Request};
use crate::source::Source;
use crate::worker::{Limits, Worker};

/// A worker is retired after so many requests, so that what FFmpeg leaks or a file corrupts ends.
const REQUESTS_A_WORKER: u32 = 64;

/// How the pool behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// The worker's binary; `None`: `docket-media` beside the running executable.
    pub worker: Option<PathBuf>,
    /// Most worker processes at one time, idle ones included. At least 1.
    pub max_workers: usize,
    /// A worker that nobody asked anything for so long is ended.
    pub idle_timeout: Duration,
    /// What a worker may allocate beyond its code.
    pub memory_limit_bytes: u64,
    /// Wall-clock time for one request about a small recording; large ones get a second more for each
    /// 20 MB.
    pub request_timeout: Duration,
    /// CPU seconds of one worker on a small recording; large ones get one more for each 50 MB.
    pub cpu_limit_seconds: u64,
    /// Further arguments to the worker; for tests.
    pub worker_arguments: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            worker: None,
            max_workers: 4,
            idle_timeout: Duration::from_secs(30),
            memory_limit_bytes: 768 << 20,
            request_timeout: Duration::from_secs(60),
            cpu_limit_seconds: 60,
            worker_arguments: Vec::new(),
        }
    }
}

/// Everything about one recording that is worth keeping.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What it is, and whether it plays.
    pub facts: Facts,
    /// How to play it, when it does.
    pub index: Option<PlaybackIndex>,
    /// A picture of it (JPEG), when one could be had.
    pub poster: Option<Vec<u8>>,
}

/// The pool. Cheap to clone; all clones are one pool.
///
/// Requests wait for a free worker in the order they came. A request whose future is dropped ends its
/// worker. Whatever a recording does to its worker is an error of that request alone.
#[derive(Debug, Clone)]
pub struct Playback {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    worker: PathBuf,
    /// One permit for each worker that is at work.
    busy: Semaphore,
    idle: Mutex<Vec<Idle>>,
    closing: watch::Sender<bool>,
}

/// A worker at rest. The last of the list is the one used last.
#[derive(Debug)]
struct Idle {
    id: RecordingId,
    worker: Worker,
    until: Instant,
}

impl Playback {
    /// A pool; no process is started yet.
    ///
    /// # Errors
    /// [`Error::WorkerMissing`] when there is no binary.
    pub fn new(config: Config) -> Result<Self> {
        let worker = match &config.worker {
            Some(path) => path.clone(),
            None => beside_this_executable()?,
        };
        if !worker.is_file() {
            return Err(Error::WorkerMissing(worker));
        }
        let busy = Semaphore::new(config.max_workers.max(1));
        let (closing, _) = watch::channel(false);
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                worker,
                busy,
                idle: Mutex::default(),
                closing,
            }),
        })
    }

    /// Starts a worker on nothing and says how it is restricted, to be logged at start: kernels differ.
    ///
    /// # Errors
    /// When no worker can be started.
    pub async fn check(&self) -> Result<Hello> {
        let nothing = std::fs::File::open("/dev/null").map_err(Error::Start)?;
        let source = Source::descriptor(nothing.into()).map_err(Error::Start)?;
        let _permit = self.permit().await?;
        self.make_room().await;
        let worker = self.start(RecordingId::from_bytes([0; 16]), source).await?;
        let hello = worker.hello.clone();
        worker.kill().await;
        Ok(hello)
    }

    /// What is this recording? Reads little; whether every frame is there is only known to
    /// [`Self::index`].
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn probe(&self, id: RecordingId, source: Source) -> Result<Facts> {
        match self.ask(id, source, Request::Probe).await? {
            (FromWorker::Facts(facts), _) => Ok(*facts),
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// What is this recording, and where is every frame of it? The index is absent when the facts'
    /// verdict is that it doesn't play.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn index(
        &self,
        id: RecordingId,
        source: Source,
    ) -> Result<(Facts, Option<PlaybackIndex>)> {
        match self.ask(id, source, Request::Index).await? {
            (FromWorker::Facts(facts), bytes) if bytes.is_empty() => Ok((*facts, None)),
            (FromWorker::Facts(facts), bytes) => {
                let index = PlaybackIndex::from_bytes(bytes.into())?;
                Ok((*facts, Some(index)))
            }
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// One picture as JPEG, at most `max_width` wide, turned as it should be seen: the one shown at
    /// `at_ms` or before it, else the first that isn't dark.
    ///
    /// # Errors
    /// [`Error::Media`] when there is no picture to be had; else see [`Error`].
    pub async fn poster(
        &self,
        id: RecordingId,
        source: Source,
        at_ms: Option<u64>,
        max_width: u32,
    ) -> Result<Vec<u8>> {
        match self
            .ask(id, source, Request::Poster { at_ms, max_width })
            .await?
        {
            (FromWorker::Poster, jpeg) => Ok(jpeg),
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// Facts, index and poster in one go: what is done once for every sealed recording. A recording
    /// that its worker fails on is one that doesn't play, with that as its reason.
    ///
    /// # Errors
    /// What trying again may help against: the source, the installation, shutdown.
    pub async fn prepare(
        &self,
        id: RecordingId,
        source: Source,
        poster_width: u32,
    ) -> Result<Prepared> {
        let (facts, index) = match self.index(id, source.clone()).await {
            Ok(done) => done,
            Err(error) => {
                let reason = error.reason().ok_or(error)?;
                let size_bytes = source.size_bytes().map_err(Error::Source)?;
                let facts = Facts {
                    container: "unknown".into(),
                    size_bytes,
                    claimed_duration_ms: None,
                    duration_ms: None,
                    creation_claimed_at: None,
                    streams: Vec::new(),
                    verdict: Verdict::NotPlayable { reason },
                };
                return Ok(Prepared {
                    facts,
                    index: None,
                    poster: None,
                });
            }
        };
        let poster = match self.poster(id, source, None, poster_width).await {
            Ok(jpeg) => Some(jpeg),
            Err(error) if error.reason().is_some() => None,
            Err(error) => return Err(error),
        };
        Ok(Prepared {
            facts,
            index,
            poster,
        })
    }

    /// Any request; for tests of misbehaviour.
    #[doc(hidden)]
    pub async fn ask(
        &self,
        id: RecordingId,
        source: Source,
        request: Request,
    ) -> Result<(FromWorker, Vec<u8>)> {
        let _permit = self.permit().await?;
        let size_bytes = source.size_bytes().map_err(Error::Source)?;
        let within =
            self.shared.config.request_timeout + Duration::from_secs(size_bytes / 20_000_000);
        let mut closing = self.shared.closing.subscribe();
        let work = async {
            let mut worker = match self.take_idle(id, source.clone()) {
                Some(worker) => worker,
                None => {
                    self.make_room().await;
                    self.start(id, source).await?
                }
            };
            let answer = worker.ask(request, within).await;
            match &answer {
                Ok(_) | Err(Error::Media(_)) => self.put_idle(id, worker),
                Err(_) => worker.kill().await,
            }
            answer
        };
        tokio::select! {
            answer = work => answer,
            _ = closing.wait_for(|closing| *closing) => Err(Error::ShuttingDown),
        }
    }

    /// Ends all workers; running and waiting requests end with [`Error::ShuttingDown`].
    pub async fn shutdown(&self) {
        self.shared.closing.send_replace(true);
        self.shared.busy.close();
        let idle = std::mem::take(&mut *self.idle());
        for idle in idle {
            idle.worker.kill().await;
        }
    }

    /// How many workers rest at the moment.
    pub fn idle_workers(&self) -> usize {
        self.idle().len()
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>> {
        self.shared
            .busy
            .acquire()
            .await
            .map_err(|_| Error::ShuttingDown)
    }

    async fn start(&self, id: RecordingId, source: Source) -> Result<Worker> {
        let config = &self.shared.config;
        let size_bytes = source.size_bytes().map_err(Error::Source)?;
        let limits = Limits {
            memory_bytes: config.memory_limit_bytes,
            cpu_seconds: config.cpu_limit_seconds + size_bytes / 50_000_000,
        };
        Worker::start(
            &self.shared.worker,
            &config.worker_arguments,
            limits,
            id,
            source,
        )
        .await
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        // The list is consistent between its one-line changes.
        self.shared
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn take_idle(&self, id: RecordingId, source: Source) -> Option<Worker> {
        let mut idle = self.idle();
        let at = idle.iter().rposition(|idle| idle.id == id)?;
        let mut worker = idle.remove(at).worker;
        worker.resume(source).then_some(worker)
    }

    /// Before a start: idle workers beyond the bound are ended, the one used longest ago first. Whoever
    /// calls holds a permit, so the busy ones leave room.
    async fn make_room(&self) {
        loop {
            let busy = self.shared.config.max_workers.max(1) - self.shared.busy.available_permits();
            let oldest = {
                let mut idle = self.idle();
                let full = idle.len() + busy > self.shared.config.max_workers.max(1);
                if full && !idle.is_empty() {
                    Some(idle.remove(0))
                } else {
                    None
                }
            };
            match oldest {
                Some(oldest) => oldest.worker.kill().await,
                None => return,
            }
        }
    }

    fn put_idle(&self, id: RecordingId, worker: Worker) {
        let timeout = self.shared.config.idle_timeout;
        if worker.requests >= REQUESTS_A_WORKER
            || timeout.is_zero()
            || *self.shared.closing.borrow()
        {
            return; // dropped, and thereby killed
        }
        let until = Instant::now() + timeout;
        self.idle().push(Idle { id, worker, until });
        // The pool may be gone by then; its workers died with it.
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            tokio::time::sleep_until(until).await;
            if let Some(shared) = shared.upgrade() {
                Playback { shared }.idle().retain(|idle| idle.until > until);
            }
        });
    }
}

fn beside_this_executable() -> Result<PathBuf> {
    let executable = std::env::current_exe().map_err(Error::Start)?;
    let folder = executable.parent().unwrap_or(Path::new("/"));
    let beside = folder.join("docket-media");
    // Test executables lie in a folder below the binaries.
    let above = folder.parent().map(|above| above.join("docket-media"));
    match above {
        Some(above) if !beside.is_file() && folder.ends_with("deps") => Ok(above),
        _ => Ok(beside),
    }
}

fn unexpected(answer: &FromWorker) -> Error {
    let name = match answer {
        FromWorker::Hello(_) => "hello",
        FromWorker::NeedBlock { .. } => "need_block",
        FromWorker::Facts(_) => "facts",
        FromWorker::Poster => "poster",
        FromWorker::Failed(_) => "failed",
    };
    Error::Protocol(format!("an answer to another question: {name}"))
}
