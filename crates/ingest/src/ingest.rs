//! The workflow's parts and how it starts and stops.

use std::sync::Arc;

use docket_base::ids::{RecordingId, UnitId};
use docket_base::lane::Pool;
use docket_base::{Clock, Random};
use docket_catalog::{Catalog, Change, EventRow};
use docket_ledger::{Actor, LedgerKey, Subject, kinds};
use docket_playback::Playback;
use docket_vault::Vault;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Result;
use crate::growing::Growing;
use crate::looks::Looks;
use crate::receipts::Receipts;
use crate::reserve::Room;
use crate::sequencer::{SequenceError, Sequencer};
use crate::upload::locks::UploadLocks;
use crate::upload::pump::Memory;

/// What can be set.
#[derive(Debug, Clone)]
pub struct Options {
    /// Also compute SM3.
    pub sm3: bool,
    /// An upload that is not finished this long after its creation is sealed as incomplete.
    pub expiry_days: u32,
    /// Received bytes in memory over all uploads.
    pub memory_bytes: u32,
    /// Largest accepted upload.
    pub max_upload_bytes: u64,
    /// Most bytes a second that reading back takes; 0 is unbounded.
    pub read_back_bytes_per_s: u64,
    /// Threads that hash.
    pub hash_threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sm3: false,
            expiry_days: 40,
            memory_bytes: 32 << 20,
            max_upload_bytes: 1 << 40,
            read_back_bytes_per_s: 400_000_000,
            hash_threads: std::thread::available_parallelism().map_or(2, usize::from),
        }
    }
}

/// What the workflow is made of.
#[derive(Debug)]
pub struct Parts {
    /// Facts.
    pub catalog: Catalog,
    /// Bytes.
    pub vault: Arc<dyn Vault>,
    /// Signs the log and receipts.
    pub key: LedgerKey,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Room on the disk.
    pub room: Arc<dyn Room>,
    /// The media workers; `None` where none is installed: recordings are then kept but not shown.
    pub playback: Option<Playback>,
    /// Settings.
    pub options: Options,
}

/// How far an upload is: sent to whoever watches, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The recording.
    pub recording: RecordingId,
    /// Its unit.
    pub unit: UnitId,
    /// Durable bytes.
    pub received_bytes: u64,
    /// Announced length.
    pub size_bytes: Option<u64>,
}

/// The workflow. One a daemon, shared.
#[derive(Debug)]
pub struct Ingest {
    /// Facts.
    pub catalog: Catalog,
    /// Bytes.
    pub vault: Arc<dyn Vault>,
    /// Signs the log and receipts.
    pub key: LedgerKey,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Publishes the log.
    pub sequencer: Arc<Sequencer>,
    /// Issues receipts.
    pub receipts: Receipts,
    /// The media workers; `None` where none is installed: recordings are then kept but not shown.
    pub playback: Option<Playback>,
    /// Settings.
    pub options: Options,
    /// Set when the daemon stops: requests save what they have and end.
    pub shutdown: CancellationToken,
    /// Uploads that are watched while they arrive.
    pub(crate) growing: Growing,
    /// Storyboards and waveforms in the making.
    pub(crate) looks: Looks,
    pub(crate) room: Arc<dyn Room>,
    pub(crate) locks: UploadLocks,
    pub(crate) memory: Memory,
    pub(crate) hash_pool: Pool,
    pub(crate) progress: broadcast::Sender<Progress>,
    pub(crate) read_back_wanted: Notify,
    pub(crate) probe_wanted: Notify,
    pub(crate) looks_wanted: Notify,
    pub(crate) join_wanted: Notify,
    pub(crate) clip_wanted: Notify,
    pub(crate) tasks: TaskTracker,
}

/// Why the workflow can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log can't go on.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// No threads to hash on.
    #[error("starting hash threads: {0}")]
    Threads(#[from] std::io::Error),
    /// The first event could not be stored.
    #[error(transparent)]
    First(#[from] crate::IngestError),
}

impl Ingest {
    /// Puts the parts together. The log is compared with the catalog; nothing runs yet.
    ///
    /// # Errors
    /// [`StartError`]; the daemon must not start then.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, StartError> {
        let sequencer = Sequencer::open(
            parts.catalog.clone(),
            Arc::clone(&parts.vault),
            parts.key.clone(),
        )
        .await?;
        let receipts = Receipts {
            catalog: parts.catalog.clone(),
            vault: Arc::clone(&parts.vault),
            key: parts.key.clone(),
            clock: Arc::clone(&parts.clock),
            published: sequencer.published(),
        };
        let ingest = Self {
            memory: Memory::new(parts.options.memory_bytes),
            hash_pool: Pool::start("hash", parts.options.hash_threads)?,
            catalog: parts.catalog,
            vault: parts.vault,
            key: parts.key,
            clock: parts.clock,
            random: parts.random,
            sequencer: Arc::new(sequencer),
            receipts,
            playback: parts.playback,
            options: parts.options,
            shutdown: CancellationToken::new(),
            growing: Growing::default(),
            looks: Looks::default(),
            room: parts.room,
            locks: UploadLocks::default(),
            progress: broadcast::Sender::new(1_024),
            read_back_wanted: Notify::new(),
            probe_wanted: Notify::new(),
            looks_wanted: Notify::new(),
            join_wanted: Notify::new(),
            clip_wanted: Notify::new(),
            tasks: TaskTracker::new(),
        };
        ingest.begin_log().await?;
        Ok(Arc::new(ingest))
    }

    /// The first entry of a new log names its key.
    async fn begin_log(&self) -> Result<()> {
        let empty = self.catalog.tree_head().await?.sequenced_size == 0
            && !self.catalog.has_waiting_events().await?;
        if !empty {
            return Ok(());
        }
        let created = kinds::LedgerCreated {
            key: self.key.verifier().clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let event = self.event(Actor::System, None, Subject::default(), created)?;
        Ok(self.catalog.change().await?.commit(&[event]).await?)
    }

    /// Starts the background work: publishing, reading back, probing, joining, clips, expiring.
    pub fn start(self: &Arc<Self>) {
        let sequencer = Arc::clone(&self.sequencer);
        let shutdown = self.shutdown.clone();
        self.tasks
            .spawn(async move { sequencer.run(shutdown).await });
        for task in [
            Task::Receipts,
            Task::ReadBack,
            Task::Probe,
            Task::Looks,
            Task::Join,
            Task::Clips,
            Task::Expire,
        ] {
            let ingest = Arc::clone(self);
            self.tasks.spawn(async move { ingest.run(task).await });
        }
        self.tasks.close();
    }

    async fn run(self: Arc<Self>, task: Task) {
        match task {
            Task::Receipts => self.issue_receipts().await,
            Task::ReadBack => self.read_back_loop().await,
            Task::Probe => self.probe_loop().await,
            Task::Looks => self.looks_loop().await,
            Task::Join => self.join_loop().await,
            Task::Clips => self.clip_loop().await,
            Task::Expire => self.expire_loop().await,
        }
    }

    /// Asks everything to stop and waits until it has.
    pub async fn stop(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Commits a change with its events and wakes who publishes them.
    ///
    /// # Errors
    /// The catalog's; nothing is changed then.
    pub async fn commit(&self, change: Change, events: &[EventRow]) -> Result<()> {
        change.commit(events).await?;
        self.sequencer.wake();
        Ok(())
    }

    /// Progress of uploads as it happens.
    pub fn progress(&self) -> broadcast::Receiver<Progress> {
        self.progress.subscribe()
    }
}

#[derive(Debug, Clone, Copy)]
enum Task {
    Receipts,
    ReadBack,
    Probe,
    Looks,
    Join,
    Clips,
    Expire,
}
