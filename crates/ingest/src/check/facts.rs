//! What entries speak of must be there: rows of the catalog, register files of the vault. What a later
//! entry took away again is no finding, so these are told only when the log has been read to its end.

use std::collections::BTreeMap;

use docket_base::Sha256Digest;
use docket_base::ids::{EventId, MarkerId, OfficerId, RecorderId, RecordingId, RegisterId, UnitId};
use docket_ledger::kinds::{self, Finding, RegisterKind};
use docket_ledger::{Entry, Event, RegisterRef};

use super::{CheckParts, Found};
use crate::Result;
use crate::published_log::references;

/// So many are kept until the end; a catalog that lost a whole table needs no longer list.
const MOST: usize = 10_000;

/// What is amiss as far as the log was read, by place.
#[derive(Debug, Default)]
pub(super) struct Facts(BTreeMap<String, Found>);

impl Facts {
    pub(super) fn into_findings(self) -> impl Iterator<Item = Found> {
        self.0.into_values()
    }

    /// Compares one entry with what is there now.
    pub(super) async fn note(&mut self, on: &CheckParts<'_>, entry: &Entry) -> Result<()> {
        self.register_files(on, entry).await?;
        if let Some((place, is_right)) = row(on, entry).await? {
            let detail = || format!("the row is not what {} says", entry.event.kind());
            self.settle(place, is_right, || {
                (Finding::CatalogDiffers, detail(), None)
            });
        }
        Ok(())
    }

    async fn register_files(&mut self, on: &CheckParts<'_>, entry: &Entry) -> Result<()> {
        let mut named = Vec::new();
        references(&entry.event.body()?, &mut named);
        if let Event::RegisterErased(erased) = &entry.event {
            self.0.remove(&erased.register.path());
            return Ok(());
        }
        for reference in named {
            let expected = reference.sha256;
            let (finding, actual) = match on.vault.log_read(&reference.path()).await? {
                None => (Some(Finding::FileMissing), None),
                Some(bytes) => {
                    let actual = Sha256Digest::of(&bytes);
                    let differs = actual != expected;
                    (differs.then_some(Finding::FileChanged), Some(actual))
                }
            };
            self.settle(reference.path(), finding.is_none(), || {
                let detail = format!("the register file that {} names", entry.event.kind());
                let finding = finding.unwrap_or(Finding::FileMissing);
                (finding, detail, Some((expected, actual)))
            });
        }
        Ok(())
    }

    fn settle(
        &mut self,
        place: String,
        is_right: bool,
        wrong: impl FnOnce() -> (
            Finding,
            String,
            Option<(Sha256Digest, Option<Sha256Digest>)>,
        ),
    ) {
        if is_right {
            self.0.remove(&place);
        } else if self.0.len() < MOST {
            let (finding, detail, digests) = wrong();
            let found = Found::new(finding, place.clone(), detail);
            let found = match digests {
                Some((expected, actual)) => found.digests(expected, actual),
                None => found,
            };
            self.0.insert(place, found);
        }
    }
}

/// The row that an entry speaks of, and whether it says what it should as far as this entry goes.
/// `None`: the entry is about no row, or about a recording that was never sealed (a rebuild leaves
/// those out).
async fn row(on: &CheckParts<'_>, entry: &Entry) -> Result<Option<(String, bool)>> {
    let catalog = on.catalog;
    let place = |table: &str, id: &dyn std::fmt::Display| format!("{table}/{id}");
    Ok(match &entry.event {
        Event::RecordingSealed(_) => match entry.subject.recording {
            Some(id) => Some((place("recordings", &id), has_recording(on, id).await?)),
            None => None,
        },
        Event::CasePut(put) => {
            let there = catalog.case(put.case).await?.is_some();
            Some((place("cases", &put.case), there))
        }
        Event::LinkMade(kinds::LinkMade {
            case, recording, ..
        })
        | Event::LinkProposed(kinds::LinkProposed {
            case, recording, ..
        }) if has_recording(on, *recording).await? => {
            let there = catalog.link(*case, *recording).await?.is_some();
            Some((place("links", &format!("{case}+{recording}")), there))
        }
        Event::LinkRemoved(removed) => {
            let (case, recording) = (removed.case, removed.recording);
            let gone = catalog.link(case, recording).await?.is_none();
            Some((place("links", &format!("{case}+{recording}")), gone))
        }
        Event::HoldPlaced(kinds::HoldPlaced {
            hold,
            recording: Some(recording),
            ..
        })
        | Event::HoldLifted(kinds::HoldLifted {
            hold,
            recording: Some(recording),
            ..
        }) if has_recording(on, *recording).await? => {
            let holds = catalog.holds(*recording).await?;
            let row = holds.iter().find(|row| row.id == *hold);
            let lifted = matches!(entry.event, Event::HoldLifted(_));
            // Between placing and lifting the row says what the last entry says.
            let is_right = row.is_some_and(|row| row.lifted_at.is_some() == lifted);
            Some((place("holds", hold), is_right))
        }
        Event::ClipMade(made) if has_recording(on, made.clip).await? => {
            let row = catalog.clip(made.clip).await?;
            let is_right = row.is_some_and(|row| {
                (row.source_id, row.source_sha256) == (made.source, made.source_sha256)
                    && (row.from_us, row.until_us) == (made.from_us, made.until_us)
                    && row.transcoded == made.transcoded
            });
            Some((place("clips", &made.clip), is_right))
        }
        Event::MarkerPlaced(kinds::MarkerPlaced { marker, .. })
        | Event::MarkerWithdrawn(kinds::MarkerWithdrawn { marker }) => {
            marked(on, entry, *marker).await?
        }
        Event::RecordingCorrected(_) => corrected(on, entry).await?,
        Event::RegisterChanged(changed) => register_row(on, &changed.register).await?,
        Event::StationSeen(_) => match entry.subject.station {
            Some(id) => {
                let there = catalog.station(id).await?.is_some();
                Some((place("stations", &id), there))
            }
            None => None,
        },
        Event::DockingListed(listed) => {
            let there = catalog.docking(listed.docking).await?.is_some();
            Some((place("dockings", &listed.docking), there))
        }
        Event::UserCreated(created) => {
            let there = catalog.user(created.user).await?.is_some();
            Some((place("users", &created.user), there))
        }
        Event::TokenCreated(created) => {
            let there = catalog.token(created.token).await?.is_some();
            Some((place("tokens", &created.token), there))
        }
        _ => None,
    })
}

async fn has_recording(on: &CheckParts<'_>, id: RecordingId) -> Result<bool> {
    Ok(on.catalog.recording(id).await?.is_some())
}

async fn marked(
    on: &CheckParts<'_>,
    entry: &Entry,
    marker: MarkerId,
) -> Result<Option<(String, bool)>> {
    let Some(recording) = entry.subject.recording else {
        return Ok(None);
    };
    if !has_recording(on, recording).await? {
        return Ok(None);
    }
    let rows = on.catalog.markers(recording).await?;
    let row = rows.iter().find(|row| row.id == marker);
    let withdrawn = matches!(entry.event, Event::MarkerWithdrawn(_));
    let is_right = row.is_some_and(|row| row.withdrawn_at.is_some() == withdrawn);
    Ok(Some((format!("markers/{marker}"), is_right)))
}

async fn corrected(on: &CheckParts<'_>, entry: &Entry) -> Result<Option<(String, bool)>> {
    let Some(recording) = entry.subject.recording else {
        return Ok(None);
    };
    if !has_recording(on, recording).await? {
        return Ok(None);
    }
    let rows = on.catalog.corrections(recording).await?;
    let there = rows.iter().any(|row| event_of(row.id) == entry.id);
    Ok(Some((format!("corrections/{}", entry.id), there)))
}

/// A correction's row has its event's id.
fn event_of(id: RegisterId) -> EventId {
    EventId::from_bytes(*id.as_bytes())
}

async fn register_row(
    on: &CheckParts<'_>,
    register: &RegisterRef,
) -> Result<Option<(String, bool)>> {
    let bytes = *register.id.as_bytes();
    let there = match register.kind {
        RegisterKind::Unit => {
            let found = on.catalog.unit(UnitId::from_bytes(bytes)).await?;
            ("units", found.is_some())
        }
        RegisterKind::Officer => {
            let found = on.catalog.officer(OfficerId::from_bytes(bytes)).await?;
            ("officers", found.is_some())
        }
        RegisterKind::Recorder => {
            let found = on.catalog.recorder(RecorderId::from_bytes(bytes)).await?;
            ("recorders", found.is_some())
        }
        _ => return Ok(None),
    };
    Ok(Some((format!("{}/{}", there.0, register.id), there.1)))
}
