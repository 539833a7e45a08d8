//! The bounded set of worker processes behind a pool: who works, who rests, who must go.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use docket_base::ids::RecordingId;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::protocol::{FromWorker, Hello, Request};
use crate::source::Source;
use crate::worker::{Limits, Worker};

/// A worker is retired after so many requests, so that what FFmpeg leaks or a file corrupts ends.
const REQUESTS_A_WORKER: u32 = 64;

/// How a set of workers behaves.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// The worker's binary.
    pub worker: PathBuf,
    /// Further arguments to it.
    pub arguments: Vec<String>,
    /// Most processes at one time, idle ones included. At least 1.
    pub most: usize,
    /// A worker that nobody asked anything for so long is ended.
    pub idle_timeout: Duration,
    /// What a worker may allocate beyond its code.
    pub memory_bytes: u64,
    /// Wall-clock time for a request about a small recording.
    pub request_timeout: Duration,
    /// CPU seconds of one worker on a small recording.
    pub cpu_seconds: u64,
}

/// Workers and their rules. All clones are one set.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    rules: Rules,
    /// One permit for each worker that is at work.
    busy: Semaphore,
    idle: Mutex<Vec<Idle>>,
    closing: watch::Sender<bool>,
    /// Requests under way or waiting for a worker.
    asking: watch::Sender<usize>,
}

/// Counts one request for as long as it lives; requests are dropped at any point.
struct Asking<'a>(&'a watch::Sender<usize>);

impl<'a> Asking<'a> {
    fn begin(asking: &'a watch::Sender<usize>) -> Self {
        asking.send_modify(|count| *count += 1);
        Self(asking)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// A worker at rest. The last of the list is the one used last.
#[derive(Debug)]
struct Idle {
    id: RecordingId,
    worker: Worker,
    until: Instant,
}

impl Workers {
    /// A set; no process is started yet.
    pub fn new(rules: Rules) -> Self {
        let busy = Semaphore::new(rules.most.max(1));
        let (closing, _) = watch::channel(false);
        Self {
            shared: Arc::new(Shared {
                rules,
                busy,
                idle: Mutex::default(),
                closing,
                asking: watch::Sender::new(0),
            }),
        }
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

    /// Any request.
    pub async fn ask(
        &self,
        id: RecordingId,
        source: Source,
        request: Request,
        payload: &[u8],
    ) -> Result<(FromWorker, Vec<u8>)> {
        let _asking = Asking::begin(&self.shared.asking);
        let _permit = self.permit().await?;
        let size_bytes = source.size_bytes().map_err(Error::Source)?;
        let within =
            self.shared.rules.request_timeout + Duration::from_secs(size_bytes / 20_000_000);
        let mut closing = self.shared.closing.subscribe();
        let work = async {
            let mut worker = match self.take_idle(id, source.clone()) {
                Some(worker) => worker,
                None => {
                    self.make_room().await;
                    self.start(id, source).await?
                }
            };
            let answer = worker.ask(request, payload, within).await;
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

    /// Waits until nobody asks for anything.
    pub async fn nobody_asks(&self) {
        let mut asking = self.shared.asking.subscribe();
        // The sender lives as long as this.
        let _ = asking.wait_for(|count| *count == 0).await;
    }

    /// How many workers rest at the moment.
    pub fn resting(&self) -> usize {
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
        let rules = &self.shared.rules;
        let size_bytes = source.size_bytes().map_err(Error::Source)?;
        let limits = Limits {
            memory_bytes: rules.memory_bytes,
            cpu_seconds: rules.cpu_seconds + size_bytes / 50_000_000,
        };
        Worker::start(&rules.worker, &rules.arguments, limits, id, source).await
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
            let busy = self.shared.rules.most.max(1) - self.shared.busy.available_permits();
            let oldest = {
                let mut idle = self.idle();
                let full = idle.len() + busy > self.shared.rules.most.max(1);
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
        let timeout = self.shared.rules.idle_timeout;
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
                Self { shared }.idle().retain(|idle| idle.until > until);
            }
        });
    }
}
