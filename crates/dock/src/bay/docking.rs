//! One docking: everything on one recorder to the daemon, proven, and erased where policy says so.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use docket_base::ids::DockingId;
use docket_base::random::bytes;
use docket_client::{BayState, DockedFile, DockingOutcome, DockingReport, Error, Meaning};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::file::Sent;
use super::outcome::{FileFault, Summary, waiting_text};
use super::stay::{self, Stay};
use super::{BayRun, Found};
use crate::card::identity::{Identity, Source, clock_offset_ms, identify};
use crate::journal::{Fate, FileKey, Journal};
use crate::outbox::Ending;
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
    stay: Mutex<Stay>,
    tally: Mutex<Tally>,
    _docked: Docked,
}

/// Small files go out several at once, because each costs round trips and fsyncs; large ones one by
/// one, because a card reads fastest in sequence.
const CAPACITY: u32 = 4;
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
        let docked = station
            .dock(&identity.serial, &run.bay.name)
            .map_err(|bay| {
                format!(
                    "recorder {} is already in bay {bay}: one serial, two devices",
                    identity.serial
                )
            })?;
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
        let mut docking = Self {
            run,
            found: found.clone(),
            identity,
            journal: Arc::new(journal),
            directory,
            stay: Mutex::new(Stay {
                recorder: String::new(),
                started_at: now,
                idempotency_key: String::new(),
                docking: None,
                is_over: false,
                files: Vec::new(),
            }),
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

    /// Goes on with the stay a crash interrupted, or begins one.
    async fn take_up_stay(&mut self) -> Result<(), String> {
        let run = self.run;
        let (state, bay) = (run.station.state.clone(), run.bay.name.clone());
        let known = on_pool(&run.pool, move || stay::load(&state, &bay))
            .await
            .ok()
            .flatten()
            .filter(|stay| stay.includes(&self.identity.serial, &self.found.listing))
            .filter(|stay| !stay.is_over || self.is_all_finished());
        let stay = match known {
            Some(stay) => stay,
            None => {
                let key: [u8; 16] = bytes(&*run.station.random);
                let files = &self.found.listing.files;
                Stay {
                    recorder: self.identity.serial.clone(),
                    started_at: run.station.clock.now(),
                    idempotency_key: format!("{:032x}", u128::from_be_bytes(key)),
                    docking: None,
                    is_over: false,
                    files: files.iter().map(crate::card::CardFile::token).collect(),
                }
            }
        };
        self.keep_stay(stay).await
    }

    fn is_all_finished(&self) -> bool {
        self.found.listing.files.iter().all(|file| {
            matches!(
                self.journal.fate(&FileKey::from(file)),
                Some(Fate::Finished { .. })
            )
        })
    }

    async fn keep_stay(&self, stay: Stay) -> Result<(), String> {
        let (state, bay) = (self.run.station.state.clone(), self.run.bay.name.clone());
        let copy = stay.clone();
        let stored = on_pool(&self.run.pool, move || stay::store(&state, &bay, &copy)).await;
        *self.stay.lock().unwrap_or_else(PoisonError::into_inner) = stay;
        match stored {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn stay(&self) -> Stay {
        let stay = self.stay.lock().unwrap_or_else(PoisonError::into_inner);
        stay.clone()
    }

    /// The docking's id, once reported.
    pub(super) fn id(&self) -> Option<DockingId> {
        self.stay().docking
    }

    /// The whole way. Dropping it stops at any point; everything durable is taken up next time.
    pub(super) async fn run(&self) -> Summary {
        self.run.face.show(BayState::Reading, None);
        if let Err(reason) = self.report().await {
            // Evidence comes before its list: what is on the recorder is sent all the same.
            self.fault(None, &FileFault::other(reason));
        }
        self.run.face.show(BayState::Uploading, None);
        let (sent, arrived) = mpsc::channel(AWAITING);
        tokio::join!(self.upload_all(sent), self.prove_all(arrived));
        let listing_faults = self.found.listing.faults.iter();
        for fault in listing_faults {
            self.fault(None, &FileFault::recorder(fault));
        }
        self.conclude().await
    }

    /// Tells the daemon what is on the recorder, before any upload.
    async fn report(&self) -> Result<(), String> {
        let stay = self.stay();
        if stay.docking.is_some() || stay.is_over {
            return Ok(());
        }
        let report = DockingReport {
            bay: self.run.bay.name.clone(),
            recorder_serial: self.identity.serial.clone(),
            started_at: stay.started_at,
            recorder_clock_offset_ms: clock_offset_ms(&self.identity),
            files: self
                .found
                .listing
                .files
                .iter()
                .map(|file| DockedFile {
                    path: file.path.to_text(),
                    size_bytes: file.size_bytes,
                    modified_at: Some(file.modified_at()),
                })
                .collect(),
        };
        let id = self
            .insist(|| {
                let client = &self.run.station.client;
                client.report_docking(&report, &stay.idempotency_key)
            })
            .await
            .map_err(|error| format!("the daemon does not take the docking: {error}"))?;
        self.keep_stay(Stay {
            docking: Some(id),
            ..stay
        })
        .await
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

    async fn upload_all(&self, sent: mpsc::Sender<Sent>) {
        let mut running = FuturesUnordered::new();
        let mut weight = 0;
        let files = &self.found.listing.files;
        for (number, file) in files.iter().enumerate() {
            let own = if file.size_bytes <= SMALL_BYTES {
                1
            } else {
                CAPACITY
            };
            // Marked files are through before the first other one begins.
            let after_marked = !file.is_key && number > 0 && files[number - 1].is_key;
            let room = if after_marked { 0 } else { CAPACITY - own };
            while weight > room {
                weight -= running.next().await.unwrap_or(weight);
            }
            weight += own;
            let sent = &sent;
            running.push(async move {
                match self.send(number, file).await {
                    // The receiver lives as long as this does.
                    Ok(done) => drop(sent.send(done).await),
                    Err(fault) => {
                        self.run.face.settled(number, 0);
                        self.fault(Some(&file.path.to_text()), &fault);
                    }
                }
                own
            });
        }
        while running.next().await.is_some() {}
        self.run.face.show(BayState::Verified, None);
    }

    async fn prove_all(&self, mut arrived: mpsc::Receiver<Sent>) {
        while let Some(sent) = arrived.recv().await {
            let name = sent.key.path.clone();
            let proven = match self.prove(sent).await {
                Ok(proven) => proven,
                Err(fault) => {
                    self.fault(Some(&name), &fault);
                    continue;
                }
            };
            tracing::info!(bay = self.run.bay.name, file = name, recording = %proven.recording, "safe");
            self.run.face.done();
            self.tally().done += 1;
            match self.erase(&proven).await {
                Ok(erased) => self.tally().has_erased |= erased,
                Err(fault) => self.fault(Some(&name), &fault),
            }
        }
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, file: Option<&str>, fault: &FileFault) {
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

    /// Tells how it ended, now or when the daemon is back. Ending is written down before the stay is
    /// over: a crash in between tells it twice, never not at all.
    pub(super) async fn end(&self, outcome: DockingOutcome) {
        let stay = self.stay();
        if stay.is_over {
            return;
        }
        if let Some(docking) = stay.docking {
            let outbox = Arc::clone(&self.run.station.outbox);
            let ending = Ending {
                docking,
                finished_at: self.run.station.clock.now(),
                outcome,
            };
            let added = on_pool(&self.run.pool, move || outbox.add(ending)).await;
            if let Ok(Err(error)) = added {
                tracing::warn!(bay = self.run.bay.name, %error, "the docking's end is not kept");
            }
        }
        let over = Stay {
            is_over: true,
            ..stay
        };
        if let Err(error) = self.keep_stay(over).await {
            tracing::warn!(bay = self.run.bay.name, error, "the stay is not kept");
        }
    }
}
