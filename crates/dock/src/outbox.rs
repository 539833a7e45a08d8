//! Ends of dockings that the daemon has not heard of yet. A recorder is pulled whether or not the
//! daemon is there, and the end must still arrive.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use docket_base::Micros;
use docket_base::ids::DockingId;
use docket_base::lane::Pool;
use docket_client::{Client, DockingOutcome, Error, Meaning};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::state::{StateDirectory, StateError};
use crate::station::on_pool;

/// The end of one docking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Which.
    pub docking: DockingId,
    /// When.
    pub finished_at: Micros,
    /// How.
    pub outcome: DockingOutcome,
}

/// More than this many are not kept: a station without a daemon for years.
const AT_MOST: usize = 10_000;

/// What waits to be sent.
#[derive(Debug)]
pub struct Outbox {
    state: StateDirectory,
    waiting: Mutex<Vec<Ending>>,
    added: Notify,
}

impl Outbox {
    /// Loads what an earlier process left. Blocks.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn load(state: &StateDirectory) -> Result<Self, StateError> {
        let waiting = state.load(&state.place("outbox.json"))?.unwrap_or_default();
        Ok(Self {
            state: state.clone(),
            waiting: Mutex::new(waiting),
            added: Notify::new(),
        })
    }

    /// Adds an ending; durable when it returns. Blocks.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn add(&self, ending: Ending) -> Result<(), StateError> {
        self.change(|waiting| {
            waiting.push(ending);
            let excess = waiting.len().saturating_sub(AT_MOST);
            waiting.drain(..excess);
        })?;
        self.added.notify_one();
        Ok(())
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Ending>)) -> Result<(), StateError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = waiting.clone();
        change(&mut changed);
        self.state
            .store(&self.state.place("outbox.json"), &changed)?;
        *waiting = changed;
        Ok(())
    }

    fn first(&self) -> Option<Ending> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.first().cloned()
    }

    /// Sends everything that waits now; returns at the first that cannot be sent. A crash between
    /// the answer and the removal sends an ending twice, which the daemon takes as the same.
    ///
    /// # Errors
    /// The daemon's, when trying again later makes sense.
    pub async fn flush(self: &Arc<Self>, client: &Client, pool: &Pool) -> Result<(), Error> {
        while let Some(ending) = self.first() {
            match send(client, &ending).await {
                Ok(()) => {}
                Err(error) if error.is_passing() || error.meaning() == Meaning::Unauthorised => {
                    return Err(error);
                }
                // A daemon that does not know the docking or has its end will not learn it by force.
                Err(error) => {
                    tracing::warn!(docking = %ending.docking, %error, "the daemon refuses a docking's end");
                }
            }
            let this = Arc::clone(self);
            let remove = move || this.change(|waiting| waiting.retain(|other| *other != ending));
            match on_pool(pool, remove).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the outbox cannot be written");
                    return Ok(());
                }
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Sends for ever.
    pub async fn run(self: &Arc<Self>, client: &Client, pool: &Pool) {
        loop {
            match self.flush(client, pool).await {
                Ok(()) => self.added.notified().await,
                Err(_) => tokio::time::sleep(Duration::from_secs(15)).await,
            }
        }
    }
}

/// One ending. A conflict is another change of the docking at the same moment: said again, it holds.
async fn send(client: &Client, ending: &Ending) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let sent = client
            .finish_docking(ending.docking, ending.finished_at, ending.outcome)
            .await;
        tries += 1;
        match sent {
            Err(error) if error.meaning() == Meaning::Conflict && tries < 4 => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            other => return other,
        }
    }
}
