//! One docking: everything on one recorder to the daemon, proven, and erased where policy says so.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use docket_client::{BayState, DockingOutcome, Error, Meaning};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::file::Sent;
use super::outcome::{FileFault, Summary, waiting_text};
use super::stay::Stay;
use super::{BayRun, Found};
use crate::card::identity::{Identity, Source, identify};
use crate::journal::Journal;
use crate::station::{Docked, Mode, on_pool};

#[derive(Debug, Default)]
struct Tally {
    done: usize,
    has_erased: bool,
    has_unreadable: bool,
    faults: Vec<String>,
}

/// A docking under way.
#[derive(Debug)]
pub(super) struct Docking<'a> {
    pub(super) run: &'a BayRun,
    pub(super) found: Found,
    pub(super) identity: Identity,
    pub(super) journal: Arc<Journal>,
    /// The recorder's directory in the station's state.
    pub(super) directory: PathBuf,
    pub(super) stay: Mutex<Stay>,
    tally: Mutex<Tally>,
    _docked: Docked,
}

/// How much goes out at once: so many small files, or one large.
pub(super) const CAPACITY: u32 = 4;
/// Files that may wait for their receipts; behind so many, sending waits too.
const AWAITING: usize = 4096;
/// What counts as small.
pub(super) const SMALL_BYTES: u64 = 1024 * 1024;

impl<'a> Docking<'a> {
    /// Identifies the recorder and takes up its journal and stay. The error is for people.
    pub(super) async fn begin(run: &'a BayRun, found: &Found) -> Result<Self, String> {
        let station = &run.station;
        let identity = {
            let (found, bay) = (found.clone(), run.bay.clone());
            let profiles = station.config.identity.clone();
            let work = move || {
                let name = found.path.file_name().unwrap_or_default().to_string_lossy();
                identify(&found.card, &bay, &name, &profiles)
            };
            let identified = on_pool(&run.pool, work).await.and_then(|inner| inner);
            identified.map_err(|error| format!("the recorder cannot be identified: {error}"))?
        };
        if identity.source == Source::Directory {
            tracing::warn!(
                bay = run.bay.name,
                serial = identity.serial,
                "the recorder does not say who it is"
            );
        }
        let docked = run.claim(&identity.serial, found).await?;
        let directory = station.state.recorder(&identity.serial);
        let (state, now, place) = (
            station.state.clone(),
            station.clock.now(),
            directory.clone(),
        );
        let opened = on_pool(&run.pool, move || {
            Journal::open(&**state.files(), &place, now)
        });
        let journal = opened
            .await
            .and_then(|inner| inner)
            .map_err(|error| format!("the station's journal cannot be used: {error}"))?;
        let stay = Stay::begin(&identity.serial, now, &*station.random, &found.listing);
        let docking = Self {
            run,
            found: found.clone(),
            identity,
            journal: Arc::new(journal),
            directory,
            stay: Mutex::new(stay),
            tally: Mutex::default(),
            _docked: docked,
        };
        docking.take_up_stay().await?;
        docking.run.face.recorder(
            &docking.identity.serial,
            docking.identity.officer.as_deref(),
            docking.found.listing.files.len() as u64,
            docking.found.listing.size_bytes(),
        );
        Ok(docking)
    }

    pub(super) fn serial(&self) -> &str {
        &self.identity.serial
    }

    /// The whole way. Dropping it stops at any point; everything durable is taken up next time.
    pub(super) async fn run(&self) -> Summary {
        let waits = (!self.run.station.is_admitted()).then(|| "waits for the daemon".to_owned());
        self.run.face.show(BayState::Reading, waits);
        self.run.station.admitted().await;
        if let Err(reason) = self.report().await {
            // Evidence comes before its list: what is on the recorder is sent all the same.
            self.fault(None, &FileFault::other(reason));
        }
        self.run.face.show(BayState::Uploading, None);
        let (sent, arrived) = mpsc::channel(AWAITING);
        tokio::join!(self.upload_all(sent), self.prove_all(arrived));
        self.run.face.show(BayState::Verified, None);
        let listing_faults = self.found.listing.faults.iter();
        for fault in listing_faults {
            self.fault(None, &FileFault::recorder(fault));
        }
        self.conclude().await
    }

    /// Repeats a call while waiting helps, saying so on the bay.
    pub(super) async fn insist<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let station = &self.run.station;
        let waits_for_token = station.mode == Mode::Endless;
        let mut backoff = docket_client::Backoff::new(station.patience());
        loop {
            let error = match call().await {
                Ok(done) => {
                    self.run.face.say(None);
                    return Ok(done);
                }
                Err(error) => error,
            };
            let helps =
                error.is_passing() || (waits_for_token && error.meaning() == Meaning::Unauthorised);
            if !helps {
                return Err(error);
            }
            let Some(wait) = backoff.next(&*station.random, error.retry_after()) else {
                return Err(error);
            };
            self.run.face.say(Some(waiting_text(&error)));
            tokio::time::sleep(wait).await;
        }
    }

    /// Several at once: each waits for a request and for fsyncs.
    async fn prove_all(&self, mut arrived: mpsc::Receiver<Sent>) {
        futures_util::stream::poll_fn(|context| arrived.poll_recv(context))
            .for_each_concurrent(CAPACITY as usize, |sent| self.prove_one(sent))
            .await;
    }

    async fn prove_one(&self, sent: Sent) {
        let name = sent.key.path.clone();
        let proven = match self.prove(sent).await {
            Ok(proven) => proven,
            Err(fault) => return self.fault(Some(&name), &fault),
        };
        tracing::info!(bay = self.run.bay.name, file = name, recording = %proven.recording, "safe");
        self.run.face.done();
        self.tally().done += 1;
        match self.erase(&proven).await {
            Ok(erased) => self.tally().has_erased |= erased,
            Err(fault) => self.fault(Some(&name), &fault),
        }
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fault(&self, file: Option<&str>, fault: &FileFault) {
        let text = match file {
            Some(file) => format!("{file}: {}", fault.reason),
            None => fault.reason.clone(),
        };
        tracing::error!(bay = self.run.bay.name, fault = text, "fault");
        let mut tally = self.tally();
        tally.has_unreadable |= fault.is_unreadable;
        tally.faults.push(text);
    }

    async fn conclude(&self) -> Summary {
        let summary = {
            let tally = self.tally();
            Summary {
                files_total: self.found.listing.files.len(),
                files_done: tally.done,
                has_erased: tally.has_erased,
                faults: tally.faults.clone(),
            }
        };
        let outcome = match (summary.faults.is_empty(), self.tally().has_unreadable) {
            (true, _) => DockingOutcome::Complete,
            (false, true) => DockingOutcome::Unreadable,
            (false, false) => DockingOutcome::Aborted,
        };
        self.end(outcome).await;
        match summary.faults.first() {
            None => {
                tracing::info!(
                    bay = self.run.bay.name,
                    recorder = self.identity.serial,
                    files = summary.files_done,
                    "MAY BE TAKEN"
                );
                self.run.face.show(BayState::MayBeTaken, None);
            }
            Some(first) => {
                let more = summary.faults.len() - 1;
                let text = match more {
                    0 => first.clone(),
                    _ => format!("{first} (and {more} more)"),
                };
                self.run.face.show(BayState::Fault, Some(text));
            }
        }
        summary
    }
}
