//! What all bays of a station share.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use docket_base::lane::Pool;
use docket_base::{Clock, Random};
use docket_client::upload::Conditions;
use docket_client::{Client, Limiter, Patience, Turns, WantedFile};
use docket_ledger::VerifierKey;
use tokio::sync::{oneshot, watch};

use crate::board::Board;
use crate::config::Config;
use crate::outbox::Outbox;
use crate::schedule::rate_at;
use crate::state::{StateDirectory, StateError};

/// Whether the station goes on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `run`.
    Endless,
    /// `once`: what is there now, then the end; so many tries without progress, or for ever.
    Once(Option<u32>),
}

/// What all bays share.
#[derive(Debug)]
pub struct Station {
    /// The configuration.
    pub config: Config,
    /// The daemon.
    pub client: Client,
    /// The pinned ledger key.
    pub key: VerifierKey,
    /// The station's directory.
    pub state: StateDirectory,
    /// What the bays show.
    pub board: Arc<Board>,
    /// Ends of dockings to be told.
    pub outbox: Arc<Outbox>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub random: Arc<dyn Random>,
    /// How long to go on.
    pub mode: Mode,
    /// Disk work that belongs to no bay.
    pub pool: Pool,
    limiter: Arc<Limiter>,
    turns: Arc<Turns>,
    docked: Mutex<BTreeMap<String, String>>,
    admitted: watch::Sender<bool>,
    wanted: watch::Sender<Arc<[WantedFile]>>,
}

/// A station that cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The system gives no thread.
    #[error("no thread: {0}")]
    Thread(#[from] io::Error),
}

/// The parts a station is made from.
#[derive(Debug)]
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The daemon.
    pub client: Client,
    /// The pinned ledger key.
    pub key: VerifierKey,
    /// The station's directory.
    pub state: StateDirectory,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub random: Arc<dyn Random>,
    /// How long to go on.
    pub mode: Mode,
}

impl Station {
    /// Puts the parts together. Blocks.
    ///
    /// # Errors
    /// When the state directory cannot be read or no thread is given.
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        let names = parts.config.bay.iter().map(|bay| bay.name.clone());
        let board = Arc::new(Board::new(names));
        Ok(Self {
            outbox: Arc::new(Outbox::load(&parts.state)?),
            limiter: Arc::new(Limiter::new(None)),
            turns: Arc::new(Turns::new(parts.config.upload.at_once)),
            pool: Pool::start("station", 2)?,
            docked: Mutex::default(),
            admitted: watch::Sender::new(false),
            wanted: watch::Sender::new(Arc::default()),
            board,
            config: parts.config,
            client: parts.client,
            key: parts.key,
            state: parts.state,
            clock: parts.clock,
            random: parts.random,
            mode: parts.mode,
        })
    }

    /// How patiently the daemon is waited for.
    pub fn patience(&self) -> Patience {
        let attempts = match self.mode {
            Mode::Endless => None,
            Mode::Once(attempts) => attempts,
        };
        Patience {
            attempts,
            ..Patience::ENDLESS
        }
    }

    /// What an upload of a bay with these readers runs under.
    pub fn conditions(&self, readers: &Pool) -> Conditions {
        Conditions {
            readers: readers.clone(),
            limiter: Some(Arc::clone(&self.limiter)),
            turns: Some(Arc::clone(&self.turns)),
            patience: self.patience(),
            wait_when_unauthorised: self.mode == Mode::Endless,
        }
    }

    /// The daemon's ledger key is the pinned one: it may be spoken to.
    pub fn admit(&self) {
        self.admitted.send_replace(true);
    }

    /// The daemon says which files somebody waits for.
    pub fn want(&self, wanted: Vec<WantedFile>) {
        self.wanted.send_if_modified(|known| {
            let changed = **known != *wanted;
            if changed {
                *known = wanted.into();
            }
            changed
        });
    }

    /// The files that somebody waits for, now and as that changes.
    pub fn wanted(&self) -> watch::Receiver<Arc<[WantedFile]>> {
        self.wanted.subscribe()
    }

    /// Whether the daemon may be spoken to.
    pub fn is_admitted(&self) -> bool {
        *self.admitted.borrow()
    }

    /// Returns when the daemon may be spoken to.
    pub async fn admitted(&self) {
        let mut admitted = self.admitted.subscribe();
        // The sender lives as long as the station.
        let _ = admitted.wait_for(|admitted| *admitted).await;
    }

    /// Tells ends of dockings for ever. A run that ends tells them itself at its end: cut off in the
    /// middle, the same ending would be told twice at once.
    pub async fn tell_endings(&self) {
        if self.mode != Mode::Endless {
            std::future::pending::<()>().await;
        }
        self.admitted().await;
        self.outbox.run(&self.client, &self.pool).await;
    }

    /// Follows the bandwidth schedule for ever.
    pub async fn follow_schedule(&self) {
        loop {
            let now = self.clock.now();
            let rate = rate_at(&self.config.bandwidth, self.config.utc_offset, now);
            self.limiter.set_rate(rate);
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    }

    /// Takes a recorder for a bay. The same serial in two bays at once would share one journal: the
    /// second waits, and the name of the bay that has it is the error.
    ///
    /// # Errors
    /// The other bay's name.
    pub fn dock(self: &Arc<Self>, serial: &str, bay: &str) -> Result<Docked, String> {
        let mut docked = self.docked.lock().unwrap_or_else(PoisonError::into_inner);
        match docked.get(serial) {
            Some(other) if other != bay => Err(other.clone()),
            _ => {
                docked.insert(serial.to_owned(), bay.to_owned());
                Ok(Docked {
                    station: Arc::clone(self),
                    serial: serial.to_owned(),
                })
            }
        }
    }
}

/// Held while a recorder is in a bay.
#[derive(Debug)]
pub struct Docked {
    station: Arc<Station>,
    serial: String,
}

impl Drop for Docked {
    fn drop(&mut self) {
        let mut docked = self
            .station
            .docked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        docked.remove(&self.serial);
    }
}

/// Runs blocking work on a pool.
///
/// # Errors
/// When the work panicked.
pub async fn on_pool<T: Send + 'static>(
    pool: &Pool,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    pool.run(move || {
        // Nobody waiting any more is a bay that was given up.
        let _ = done.send(work());
    });
    result
        .await
        .map_err(|_| io::Error::other("a worker thread failed"))
}

/// Told to stop.
pub type Stop = watch::Receiver<bool>;

/// Returns when the station is told to stop.
pub async fn stopped(stop: &mut Stop) {
    // The sender lives as long as the process; without it there is nobody left to say stop.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
