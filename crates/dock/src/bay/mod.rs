//! One bay, from empty to "may be taken" and back.

mod docking;
mod erasing;
mod file;
mod hint;
mod outcome;
mod proof;
mod queue;
mod reporting;
mod stay;
mod watch;

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use docket_base::lane::Pool;
use docket_client::{BayState, DockingOutcome};

use crate::board::BayFace;
use crate::card::{Card, CardFile, Listing, listing};
use crate::config::Bay;
use crate::station::{Docked, Mode, Station, Stop, on_pool, stopped};

use docking::{CAPACITY, Docking};
pub use outcome::Summary;

/// Threads of one bay besides its readers: one may hang in a dying medium while the other notices.
const THREADS: usize = 2;

/// A bay and what it works with. Its threads are its own, so that no medium holds another bay up.
#[derive(Debug)]
pub struct BayRun {
    pub(crate) station: Arc<Station>,
    pub(crate) bay: Bay,
    pub(crate) face: BayFace,
    pub(crate) pool: Pool,
    /// A reader waits on its thread while the network takes what it read.
    pub(crate) readers: Pool,
}

/// A card that is there, with its list.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) card: Arc<Card>,
    pub(crate) path: PathBuf,
    pub(crate) listing: Arc<Listing>,
}

impl BayRun {
    /// The bay with this number in the configuration.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(station: &Arc<Station>, index: usize) -> io::Result<Self> {
        Ok(Self {
            station: Arc::clone(station),
            bay: station.config.bay[index].clone(),
            face: station.board.bay(index),
            pool: Pool::start(&format!("bay-{index}"), THREADS)?,
            readers: Pool::start(&format!("read-{index}"), CAPACITY as usize)?,
        })
    }

    /// Runs until told to stop, or through what is there now. `None` when there was nothing.
    pub async fn run(self, mut stop: Stop) -> Option<Summary> {
        let stopped = stopped(&mut stop);
        tokio::pin!(stopped);
        tokio::select! {
            () = &mut stopped => None,
            summary = self.stays() => summary,
        }
    }

    async fn stays(&self) -> Option<Summary> {
        loop {
            match self.look().await {
                Err(error) => {
                    self.face
                        .show(BayState::Fault, Some(format!("cannot be read: {error}")));
                    if self.station.mode != Mode::Endless {
                        return Some(Summary::unreadable(&error));
                    }
                }
                Ok(None) => {
                    self.face.clear();
                    if self.station.mode != Mode::Endless {
                        return None;
                    }
                }
                Ok(Some(found)) if self.station.mode != Mode::Endless => {
                    return Some(self.dock(&found).await);
                }
                Ok(Some(found)) => {
                    if let Some(found) = self.settled(found).await {
                        let summary = self.dock(&found).await;
                        self.until_changed(&found, &summary).await;
                        continue;
                    }
                }
            }
            self.pause().await;
        }
    }

    /// One docking, watched: a recorder that goes ends it.
    async fn dock(&self, found: &Found) -> Summary {
        let docking = match Docking::begin(self, found).await {
            Ok(docking) => docking,
            Err(reason) => {
                tracing::error!(bay = self.bay.name, reason, "recorder not taken");
                self.face.show(BayState::Fault, Some(reason.clone()));
                return Summary::refused(reason);
            }
        };
        tokio::select! {
            // Asked in this order: what is finished is finished, even if the recorder goes now.
            biased;
            summary = docking.run() => summary,
            () = self.until_gone(found) => {
                tracing::warn!(bay = self.bay.name, recorder = docking.serial(), "recorder taken early");
                docking.end(DockingOutcome::RecorderLost).await;
                Summary::lost()
            }
        }
    }

    /// The serial is one bay's at a time. Perhaps it is the same recorder, put in here before its going was seen
    /// there; perhaps a second device. Both are taken in once the other bay has let go.
    async fn claim(&self, serial: &str, found: &Found) -> Result<Docked, String> {
        let mut is_told = false;
        loop {
            let other = match self.station.dock(serial, &self.bay.name) {
                Ok(docked) => return Ok(docked),
                Err(other) => other,
            };
            let reason =
                format!("recorder {serial} is already in bay {other}: one serial, two devices");
            if self.station.mode != Mode::Endless {
                return Err(reason);
            }
            if !is_told {
                tracing::warn!(bay = self.bay.name, reason, "waits for the other bay");
                self.face.show(BayState::Fault, Some(reason.clone()));
                is_told = true;
            }
            self.pause().await;
            if !self.is_there(found).await {
                return Err(reason);
            }
        }
    }

    /// The list once it stays the same for the configured time. A recorder wrote its files before it was
    /// docked: where nothing is newer than that time, a supervisor need not wait for it again.
    async fn settled(&self, found: Found) -> Option<Found> {
        self.face.show(BayState::Reading, None);
        let settle_ms = self.station.config.watch.settle_ms;
        if found
            .listing
            .rests_since_ms(self.station.clock.now(), settle_ms)
        {
            return Some(found);
        }
        tokio::time::sleep(Duration::from_millis(settle_ms)).await;
        let again = self.look().await.ok()??;
        (again.listing.files == found.listing.files).then_some(again)
    }

    /// Waits until the recorder is gone or holds something that was not looked at.
    async fn until_changed(&self, found: &Found, summary: &Summary) {
        let mut pauses = 1;
        let known: HashSet<&CardFile> = found.listing.files.iter().collect();
        loop {
            for _ in 0..pauses {
                self.pause().await;
                if !self.is_there(found).await {
                    stay::forget(self).await;
                    self.face.clear();
                    return;
                }
            }
            let started = tokio::time::Instant::now();
            match self.look().await {
                Ok(None) => {
                    // Everything erased is no recorder gone: it may be taken, and says so.
                    if !summary.has_erased {
                        stay::forget(self).await;
                        self.face.clear();
                        return;
                    }
                }
                Ok(Some(now)) => {
                    if now.listing.files.iter().any(|file| !known.contains(file)) {
                        return;
                    }
                }
                Err(_) => {}
            }
            // Listing 100,000 files must not become what the station does all day.
            let poll = self.station.config.watch.poll_ms.max(1);
            let cost = started.elapsed().as_millis() as u64;
            pauses = 1 + (cost * 20 / poll).min(120);
        }
    }

    async fn until_gone(&self, found: &Found) {
        loop {
            self.pause().await;
            if !self.is_there(found).await {
                return;
            }
        }
    }

    async fn is_there(&self, found: &Found) -> bool {
        let (card, path) = (Arc::clone(&found.card), found.path.clone());
        on_pool(&self.pool, move || card.is_still_at(&path))
            .await
            .unwrap_or(false)
    }

    async fn pause(&self) {
        let poll = Duration::from_millis(self.station.config.watch.poll_ms);
        tokio::time::sleep(poll).await;
    }

    /// What is in the bay; `None` without any file.
    async fn look(&self) -> io::Result<Option<Found>> {
        let station = Arc::clone(&self.station);
        let bay = self.bay.clone();
        on_pool(&self.pool, move || look(&station, &bay)).await?
    }
}

fn look(station: &Station, bay: &Bay) -> io::Result<Option<Found>> {
    let Some(path) = place_of(bay)? else {
        return Ok(None);
    };
    let Some(card) = Card::open(&path, bay.mounted)? else {
        return Ok(None);
    };
    let identity_files: Vec<String> = station
        .config
        .identity
        .iter()
        .map(|profile| profile.file.clone())
        .collect();
    let listing = listing::list(&card, &station.config.files, &identity_files)?;
    if listing.files.is_empty() && listing.faults.is_empty() {
        return Ok(None);
    }
    Ok(Some(Found {
        card: Arc::new(card),
        path,
        listing: Arc::new(listing),
    }))
}

/// The bay's path; of one ending in `/*`, the first directory in it.
fn place_of(bay: &Bay) -> io::Result<Option<PathBuf>> {
    if bay.path.file_name().is_none_or(|name| name != "*") {
        return Ok(Some(bay.path.clone()));
    }
    let Some(above) = bay.path.parent() else {
        return Ok(None);
    };
    let entries = match std::fs::read_dir(above) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut directories = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            directories.push(entry.path());
        }
    }
    directories.sort();
    Ok(directories.into_iter().next())
}
