//! The pool of workers, and what can be asked of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use docket_base::ids::RecordingId;

use crate::error::{Error, Result};
use crate::facts::{Facts, Reason, ReasonCode, Verdict};
use crate::index::PlaybackIndex;
use crate::made::Variant;
use crate::protocol::{FromWorker, Hello, Request};
use crate::source::Source;
use crate::workers::{Rules, Workers};

/// Transcoding a segment takes seconds of CPU, at the lowest priority: on a busy machine it takes its
/// time, and a worker makes many.
const TRANSCODING_CPU_SECONDS: u64 = 3600;
const TRANSCODING_TIMEOUT: Duration = Duration::from_secs(120);
/// Nobody waits for a storyboard or a waveform, and everybody else goes first: on a busy machine it may
/// take long. What it may cost is bounded by CPU seconds.
const LOOKING_TIMEOUT: Duration = Duration::from_secs(300);

/// How the pool behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// The worker's binary; `None`: `docket-media` beside the running executable.
    pub worker: Option<PathBuf>,
    /// Most worker processes at one time, idle ones included. At least 1.
    pub max_workers: usize,
    /// Most worker processes that transcode, beside those: at the lowest priority, so that they never
    /// keep the others waiting. At least 1.
    pub max_transcoders: usize,
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
            max_transcoders: std::thread::available_parallelism().map_or(1, usize::from),
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
    /// Those that examine and copy.
    workers: Workers,
    /// Those that transcode.
    transcoders: Workers,
    /// The one that makes storyboards and waveforms, after all others.
    pub(crate) looker: Workers,
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
        let rules = Rules {
            worker,
            arguments: config.worker_arguments,
            most: config.max_workers,
            idle_timeout: config.idle_timeout,
            memory_bytes: config.memory_limit_bytes,
            request_timeout: config.request_timeout,
            cpu_seconds: config.cpu_limit_seconds,
        };
        let mut transcoding = rules.clone();
        transcoding.arguments.push("--nice=19".to_owned());
        transcoding.most = config.max_transcoders;
        transcoding.request_timeout = rules.request_timeout.max(TRANSCODING_TIMEOUT);
        transcoding.cpu_seconds = TRANSCODING_CPU_SECONDS;
        let looking = Rules {
            most: 1,
            request_timeout: rules.request_timeout.max(LOOKING_TIMEOUT),
            // Sound is decoded whole: an hour takes about ten seconds.
            cpu_seconds: TRANSCODING_CPU_SECONDS,
            ..transcoding.clone()
        };
        Ok(Self {
            workers: Workers::new(rules),
            transcoders: Workers::new(transcoding),
            looker: Workers::new(looking),
        })
    }

    /// Starts a worker on nothing and says how it is restricted, to be logged at start: kernels differ.
    ///
    /// # Errors
    /// When no worker can be started.
    pub async fn check(&self) -> Result<Hello> {
        self.workers.check().await
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
        self.indexed(id, source, Request::Index).await
    }

    /// The same, where that finds no index in an MP4 or MOV that is closed: what a search through all of
    /// it finds. A worker that fails on that has found nothing.
    async fn index_or_rescue(
        &self,
        id: RecordingId,
        source: Source,
    ) -> Result<(Facts, Option<PlaybackIndex>)> {
        let (facts, index) = self.index(id, source.clone()).await?;
        let missing = |reason: &Reason| reason.code == ReasonCode::IndexMissing;
        if index.is_some() || !facts.verdict.first_reason().is_some_and(missing) {
            return Ok((facts, index));
        }
        match self.indexed(id, source, Request::Rescue).await {
            Err(error) if error.reason().is_some() => Ok((facts, None)),
            done => done,
        }
    }

    async fn indexed(
        &self,
        id: RecordingId,
        source: Source,
        request: Request,
    ) -> Result<(Facts, Option<PlaybackIndex>)> {
        match self.ask(id, source, request).await? {
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
        let (facts, index) = match self.index_or_rescue(id, source.clone()).await {
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

    /// Media segment `number` of a recording whose index says that its segments are made.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn segment(
        &self,
        id: RecordingId,
        source: Source,
        index: &PlaybackIndex,
        number: usize,
        variant: Variant,
    ) -> Result<Bytes> {
        let feed = index.feed(number)?;
        let request = Request::Segment {
            number: u32::try_from(number).map_err(|_| Error::NoSegment(number))?,
            variant,
            tracks: index.tracks().to_vec(),
        };
        let workers = match index.is_transcoded() {
            true => &self.transcoders,
            false => &self.workers,
        };
        match workers.ask(id, source, request, &feed).await? {
            (FromWorker::Segment, bytes) => Ok(bytes.into()),
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// Any request; for tests of misbehaviour.
    #[doc(hidden)]
    pub async fn ask(
        &self,
        id: RecordingId,
        source: Source,
        request: Request,
    ) -> Result<(FromWorker, Vec<u8>)> {
        self.workers.ask(id, source, request, &[]).await
    }

    /// Ends all workers; running and waiting requests end with [`Error::ShuttingDown`].
    pub async fn shutdown(&self) {
        tokio::join!(
            self.workers.shutdown(),
            self.transcoders.shutdown(),
            self.looker.shutdown()
        );
    }

    /// How many workers rest at the moment.
    pub fn idle_workers(&self) -> usize {
        self.workers.resting() + self.transcoders.resting() + self.looker.resting()
    }

    /// Waits until no viewer waits for a segment that is being transcoded: both are of the lowest
    /// priority, so looking would take half of what transcoding needs.
    pub(crate) async fn nobody_waits(&self) {
        self.transcoders.nobody_asks().await;
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

pub(crate) fn unexpected(answer: &FromWorker) -> Error {
    let name = match answer {
        FromWorker::Hello(_) => "hello",
        FromWorker::NeedBlock { .. } => "need_block",
        FromWorker::Facts(_) => "facts",
        FromWorker::Poster => "poster",
        FromWorker::Segment => "segment",
        FromWorker::Sheet { .. } => "sheet",
        FromWorker::Peaks => "peaks",
        FromWorker::Positions => "positions",
        FromWorker::Failed(_) => "failed",
    };
    Error::Protocol(format!("an answer to another question: {name}"))
}
