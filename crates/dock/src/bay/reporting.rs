//! Telling the daemon what is on the recorder, before any upload, and how the docking ended.

use std::sync::{Arc, PoisonError};

use docket_base::ids::DockingId;
use docket_client::{DockedFile, DockingOutcome, DockingReport, Meaning};

use super::docking::Docking;
use super::stay::{self, Stay};
use crate::card::identity::clock_offset_ms;
use crate::card::{CardFile, Listing};
use crate::journal::{Fate, FileKey};
use crate::outbox::Ending;
use crate::station::on_pool;

/// How often a key that the daemon finds in use is tried again before another one is taken. A key of
/// a lost answer stays in use for minutes; evidence does not wait for that, and one docking more is
/// reported instead.
const PATIENCE_WITH_KEY: u32 = 3;

impl Docking<'_> {
    /// Goes on with the stay a crash interrupted, if this still is that stay.
    pub(super) async fn take_up_stay(&self) -> Result<(), String> {
        let run = self.run;
        let (state, bay) = (run.station.state.clone(), run.bay.name.clone());
        let known = on_pool(&run.pool, move || stay::load(&state, &bay))
            .await
            .ok()
            .flatten()
            .filter(|stay| stay.includes(&self.identity.serial, &self.found.listing))
            .filter(|stay| !stay.is_over || self.is_all_finished());
        self.keep_stay(known.unwrap_or_else(|| self.stay())).await
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

    /// The docking in whose list a file stands, once reported.
    pub(super) fn docking_of(&self, file: &CardFile) -> Option<DockingId> {
        let stay = self.stay.lock().unwrap_or_else(PoisonError::into_inner);
        stay.part_of(file.token())?.docking
    }

    /// Reports what is not reported yet. The error is for people.
    pub(super) async fn report(&self) -> Result<(), String> {
        let stay = self.stay();
        if stay.is_over {
            return Ok(());
        }
        for (index, part) in stay.parts.iter().enumerate() {
            if part.docking.is_none() {
                self.report_part(index).await?;
            }
        }
        Ok(())
    }

    async fn report_part(&self, index: usize) -> Result<(), String> {
        let report = self.report_of(index);
        let mut tries = 0;
        loop {
            let mut stay = self.stay();
            let key = stay.parts[index].idempotency_key.clone();
            let client = &self.run.station.client;
            let error = match self.insist(|| client.report_docking(&report, &key)).await {
                Ok(id) => {
                    stay.parts[index].docking = Some(id);
                    return self.keep_stay(stay).await;
                }
                Err(error) => error,
            };
            tries += 1;
            if error.meaning() != Meaning::Conflict || tries > 2 * PATIENCE_WITH_KEY {
                return Err(format!("the daemon does not take the docking: {error}"));
            }
            match error.retry_after() {
                Some(wait) if tries <= PATIENCE_WITH_KEY => tokio::time::sleep(wait).await,
                // Sent before with another list (files were erased since), or lost on the way.
                _ => {
                    stay.parts[index].idempotency_key = stay::fresh_key(&*self.run.station.random);
                    self.keep_stay(stay).await?;
                }
            }
        }
    }

    fn report_of(&self, index: usize) -> DockingReport {
        let stay = self.stay();
        let listing: &Listing = &self.found.listing;
        DockingReport {
            bay: self.run.bay.name.clone(),
            recorder_serial: self.identity.serial.clone(),
            started_at: stay.started_at,
            recorder_clock_offset_ms: clock_offset_ms(&self.identity),
            files: listing
                .files
                .iter()
                .filter(|file| stay.parts[index].holds(file.token()))
                .map(|file| DockedFile {
                    path: file.path.to_text(),
                    size_bytes: file.size_bytes,
                    modified_at: Some(file.modified_at()),
                })
                .collect(),
        }
    }

    /// Tells how it ended, now or when the daemon is back. Ending is written down before the stay is
    /// over: a crash in between tells it twice, never not at all.
    pub(super) async fn end(&self, outcome: DockingOutcome) {
        let mut stay = self.stay();
        if stay.is_over {
            return;
        }
        let finished_at = self.run.station.clock.now();
        for docking in stay.parts.iter().filter_map(|part| part.docking) {
            let outbox = Arc::clone(&self.run.station.outbox);
            let ending = Ending {
                docking,
                finished_at,
                outcome,
            };
            let added = on_pool(&self.run.pool, move || outbox.add(ending)).await;
            if let Ok(Err(error)) = added {
                tracing::warn!(bay = self.run.bay.name, %error, "the docking's end is not kept");
            }
        }
        stay.is_over = true;
        if let Err(error) = self.keep_stay(stay).await {
            tracing::warn!(bay = self.run.bay.name, error, "the stay is not kept");
        }
    }
}
