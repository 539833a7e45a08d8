//! `docketd check`: catalog, vault and ledger against each other. Nothing is repaired. Whatever is
//! read, it is read in pages: memory does not grow with the installation.

mod facts;
mod log;
mod recording;
mod report;
mod stray;

use docket_base::ids::EventId;
use docket_base::lane::Pool;
use docket_base::{Clock, Micros, Random};
use docket_catalog::{Catalog, EventRow};
use docket_ledger::kinds::{self, Finding};
use docket_ledger::{Actor, Entry, Salt, Subject, VerifierKey};
use docket_vault::{Vault, VaultError};

pub use report::{CheckLine, Checked, Found, Outcome, RecordingVerdict};

use crate::event::event_row;
use crate::{Ingest, IngestError, Result};

/// So many findings become events; more than that is told in the lines and the count alone.
const MOST_EVENTS: usize = 1_000;
/// Events in one transaction.
const EVENTS_AT_ONCE: usize = 200;

/// How thoroughly.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckOptions {
    /// Leaves the bytes of originals unread: only their presence and length are checked.
    pub quick: bool,
}

/// What is checked. An [`Ingest`] checks itself ([`Ingest::check`]); where the log is so damaged that
/// no [`Ingest`] opens, this is what is left.
#[derive(Debug, Clone, Copy)]
pub struct CheckParts<'a> {
    /// Facts.
    pub catalog: &'a Catalog,
    /// Bytes.
    pub vault: &'a dyn Vault,
    /// The log's own key.
    pub key: &'a VerifierKey,
    /// Time of the events.
    pub clock: &'a dyn Clock,
    /// Randomness of the events.
    pub random: &'a dyn Random,
    /// Most bytes a second that are read from originals; 0 is unbounded.
    pub read_bytes_per_s: u64,
}

/// A check under way.
struct Run<'a> {
    parts: CheckParts<'a>,
    options: CheckOptions,
    report: &'a mut (dyn FnMut(&CheckLine) + Send + Sync),
    hash_pool: Pool,
    sum: Checked,
    kept: Vec<Found>,
}

impl Ingest {
    /// Checks everything; `report` is told every recording's verdict and every finding as it is made.
    /// Events that wait are published first, so that the log says what the catalog says. In the end
    /// the check is logged.
    ///
    /// # Errors
    /// When it could not go to its end: the catalog's, or a store that is away.
    pub async fn check(
        &self,
        options: CheckOptions,
        report: &mut (dyn FnMut(&CheckLine) + Send + Sync),
    ) -> Result<Checked> {
        // A log that can't be continued is what the check then finds.
        while matches!(self.sequencer.round().await, Ok(published) if published > 0) {}
        let parts = CheckParts {
            catalog: &self.catalog,
            vault: &*self.vault,
            key: self.key.verifier(),
            clock: &*self.clock,
            random: &*self.random,
            read_bytes_per_s: self.options.read_back_bytes_per_s,
        };
        let checked = check(parts, options, report).await;
        self.sequencer.wake();
        checked
    }
}

/// As [`Ingest::check`], on bare parts and publishing nothing.
///
/// # Errors
/// As there.
pub async fn check(
    parts: CheckParts<'_>,
    options: CheckOptions,
    report: &mut (dyn FnMut(&CheckLine) + Send + Sync),
) -> Result<Checked> {
    let started_at = parts.clock.now();
    let mut run = Run {
        parts,
        options,
        report,
        hash_pool: Pool::start("check", 1).map_err(VaultError::from)?,
        sum: Checked::default(),
        kept: Vec::new(),
    };
    let ended = run.everything().await;
    if run.sum.outcome() != Outcome::NothingChecked {
        match run.log_outcome(started_at, ended.is_ok()).await {
            Ok(()) => run.sum.logged = true,
            // What was found is told all the same.
            Err(error) => tracing::warn!(%error, "the check could not be logged"),
        }
    }
    ended.map(|()| run.sum)
}

impl Run<'_> {
    async fn everything(&mut self) -> Result<()> {
        self.published_log().await?;
        self.recordings().await?;
        self.strays().await
    }

    /// Notes a finding that is no recording's.
    fn found(&mut self, found: Found) {
        self.keep(&found);
        (self.report)(&CheckLine::Found(found));
    }

    fn keep(&mut self, found: &Found) {
        self.sum.findings_count += 1;
        if self.kept.len() < MOST_EVENTS {
            self.kept.push(found.clone());
        }
    }

    /// A crash in here leaves findings without the end of their check: the check was cut short.
    async fn log_outcome(&self, started_at: Micros, complete: bool) -> Result<()> {
        let (clock, random) = (self.parts.clock, self.parts.random);
        let check = EventId::fresh(clock, random);
        for some in self.kept.chunks(EVENTS_AT_ONCE) {
            let events: Vec<EventRow> = some
                .iter()
                .map(|found| self.found_event(check, found))
                .collect::<Result<_>>()?;
            self.parts.catalog.change().await?.commit(&events).await?;
        }
        let finished = kinds::CheckFinished {
            started_at,
            recordings_count: self.sum.recordings_count,
            read_bytes: self.sum.read_bytes,
            findings_count: self.sum.findings_count,
            complete,
        };
        let entry = Entry {
            id: check,
            at: clock.now(),
            actor: Actor::System,
            unit: None,
            subject: Subject::default(),
            event: finished.into(),
            salt: Salt::fresh(random),
        };
        let event = event_row(&entry)?;
        Ok(self.parts.catalog.change().await?.commit(&[event]).await?)
    }

    fn found_event(&self, check: EventId, found: &Found) -> Result<EventRow> {
        let body = kinds::CheckFound {
            check,
            finding: found.finding,
            place: found.place.clone(),
            expected_sha256: found.expected_sha256,
            actual_sha256: found.actual_sha256,
        };
        let (subject, unit) = match found.recording {
            Some((id, unit)) => (Subject::recording(id), Some(unit)),
            None => (Subject::default(), None),
        };
        let (clock, random) = (self.parts.clock, self.parts.random);
        event_row(&Entry::new(
            clock,
            random,
            Actor::System,
            unit,
            subject,
            body,
        ))
    }
}

/// What a failed read of an original is as a finding; `Err` when the store is merely away.
fn original_failure(error: IngestError) -> Result<Finding> {
    match error {
        IngestError::Vault(VaultError::NotFound(_)) => Ok(Finding::OriginalMissing),
        IngestError::Vault(VaultError::Corrupt { .. }) => Ok(Finding::OriginalChanged),
        IngestError::Vault(VaultError::Io(_)) => Ok(Finding::OriginalUnreadable),
        passing => Err(passing),
    }
}
