//! Links: which recordings belong to which case.

use docket_base::Micros;
use docket_base::ids::{LinkId, OfficerId, RecordingId, RegisterId, UnitId};
use docket_catalog::{
    Case, Change, EventRow, Filter, Link, LinkOutcome, LinkState, Recording, Scope,
};
use docket_ledger::kinds::{self, LinkMeans, Window};
use docket_ledger::register::TextRow;
use docket_ledger::{Actor, RegisterRef, RegisterValue, Subject};

use crate::cases::PlannedCase;
use crate::event::actor_ref;
use crate::text::Limit;
use crate::{Ingest, IngestError, Result};

/// Most recordings that one window ties at once.
pub const MOST_AT_ONCE: usize = 500;

/// How firmly, by whom, and why.
#[derive(Debug, Clone)]
pub struct Tie {
    /// Who says so.
    pub actor: Actor,
    /// Whether the actor may link; else it is proposed.
    pub may_link: bool,
    /// Why, in words.
    pub note: String,
}

/// What one officer recorded from when until before when.
#[derive(Debug, Clone)]
pub struct WindowWanted {
    /// Who.
    pub officer: OfficerId,
    /// From then on.
    pub from: Micros,
    /// Before then.
    pub until: Micros,
    /// Only what the asker may tie.
    pub reach: Scope,
}

/// What is planned for an upload that names a case. Made before the transaction, because it may write to the
/// vault.
#[derive(Debug, Clone)]
pub struct PlannedLink {
    unit: UnitId,
    number: String,
    case: PlannedCase,
}

impl Ingest {
    /// Ties a recording to a case, or proposes it. Asking again changes nothing.
    ///
    /// # Errors
    /// Refused for a note that is too long; the catalog's.
    pub async fn link(&self, tie: &Tie, case: &Case, recording: &Recording) -> Result<LinkOutcome> {
        let note = Limit::NOTE.check("note", tie.note.clone())?;
        let id = LinkId::fresh(&*self.clock, &*self.random);
        let register = self.note_register(id, &note).await?;
        let mut change = self.catalog.change().await?;
        let link = self.row(id, tie, case, recording.id, note);
        let outcome = change.link(&link).await?;
        if let Some(event) = self.made(
            tie.actor,
            &link,
            recording.unit_id,
            (outcome, LinkMeans::Recording),
            None,
            register,
        )? {
            self.commit(change, &[event]).await?;
        }
        Ok(outcome)
    }

    /// Ties everything of a window; how many of the links are new or newly confirmed.
    ///
    /// # Errors
    /// Refused when it is more than [`MOST_AT_ONCE`].
    pub async fn link_window(
        &self,
        tie: &Tie,
        case: &Case,
        window: &WindowWanted,
    ) -> Result<(Vec<RecordingId>, usize)> {
        let note = Limit::NOTE.check("note", tie.note.clone())?;
        if window.until <= window.from {
            return Err(IngestError::Refused(
                "until_at is not after from_at".to_owned(),
            ));
        }
        let found = self.found(window).await?;
        let asked = Window {
            officer: window.officer,
            from_at: window.from,
            until_at: window.until,
        };
        let mut links = Vec::with_capacity(found.len());
        for recording in &found {
            let id = LinkId::fresh(&*self.clock, &*self.random);
            let known = self.catalog.link(case.id, recording.id).await?;
            // What is tied already needs no note of its own.
            let register = match known {
                Some(_) => None,
                None => self.note_register(id, &note).await?,
            };
            links.push((
                self.row(id, tie, case, recording.id, note.clone()),
                recording.unit_id,
                register,
            ));
        }
        let mut change = self.catalog.change().await?;
        let mut events = Vec::new();
        for (link, unit, register) in links {
            let outcome = change.link(&link).await?;
            let how = (outcome, LinkMeans::Window);
            events.extend(self.made(tie.actor, &link, unit, how, Some(asked.clone()), register)?);
        }
        let made = events.len();
        if made > 0 {
            self.commit(change, &events).await?;
        }
        Ok((
            found.into_iter().map(|recording| recording.id).collect(),
            made,
        ))
    }

    async fn found(&self, window: &WindowWanted) -> Result<Vec<Recording>> {
        let filter = Filter {
            officer: Some(window.officer),
            from: Some(window.from),
            until: Some(window.until),
            ..Filter::default()
        };
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = self
                .catalog
                .recordings(
                    &filter,
                    &window.reach,
                    cursor.as_ref(),
                    docket_catalog::MAX_PAGE,
                )
                .await?;
            found.extend(page.items.into_iter().map(|view| view.recording));
            if found.len() > MOST_AT_ONCE {
                return Err(IngestError::Refused(format!(
                    "more than {MOST_AT_ONCE} recordings: take a shorter time"
                )));
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// Unties a recording, or refuses a proposal. False when there was nothing to untie.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn unlink(&self, actor: Actor, case: &Case, recording: &Recording) -> Result<bool> {
        let mut change = self.catalog.change().await?;
        let Some(link) = change.unlink(case.id, recording.id).await? else {
            return Ok(false);
        };
        let body = kinds::LinkRemoved {
            link: link.id,
            recording: link.recording_id,
            case: link.case_id,
            reason: None,
        };
        let event = self.event(actor, Some(recording.unit_id), subject(&link), body)?;
        self.commit(change, &[event]).await?;
        Ok(true)
    }

    /// What an upload that names a case needs before its transaction.
    ///
    /// # Errors
    /// Refused for a number that is empty or too long; the vault's.
    pub async fn plan_link_at_upload(&self, unit: UnitId, number: &str) -> Result<PlannedLink> {
        let case = self.plan_case(unit, number, "").await?;
        Ok(PlannedLink {
            unit,
            number: number.to_owned(),
            case,
        })
    }

    /// Ties an upload's recording to the case it names, in the change that creates the recording. A case that
    /// isn't there yet is entered.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn link_at_upload(
        &self,
        change: &mut Change,
        (actor, may_link): (Actor, bool),
        planned: &PlannedLink,
        (recording, recording_unit): (RecordingId, UnitId),
    ) -> Result<Vec<EventRow>> {
        let (case, mut events) = match change.case_by_number(planned.unit, &planned.number).await? {
            Some(case) => (case, Vec::new()),
            None => self.enter_case(change, actor, &planned.case).await?,
        };
        let tie = Tie {
            actor,
            may_link,
            note: String::new(),
        };
        let id = LinkId::fresh(&*self.clock, &*self.random);
        let link = self.row(id, &tie, &case, recording, String::new());
        let outcome = change.link(&link).await?;
        events.extend(self.made(
            actor,
            &link,
            recording_unit,
            (outcome, LinkMeans::Upload),
            None,
            None,
        )?);
        Ok(events)
    }

    fn row(
        &self,
        id: LinkId,
        tie: &Tie,
        case: &Case,
        recording_id: RecordingId,
        note: String,
    ) -> Link {
        let by = actor_ref(tie.actor);
        Link {
            id,
            case_id: case.id,
            recording_id,
            state: if tie.may_link {
                LinkState::Linked
            } else {
                LinkState::Proposed
            },
            note,
            linked_at: self.clock.now(),
            by_kind: by.kind,
            by_id: by.id,
        }
    }

    async fn note_register(&self, link: LinkId, note: &str) -> Result<Option<RegisterRef>> {
        if note.is_empty() {
            return Ok(None);
        }
        let value = RegisterValue::LinkNote(TextRow {
            text: note.to_owned(),
        });
        Ok(Some(
            self.put_register(RegisterId::from_bytes(*link.as_bytes()), 1, value)
                .await?,
        ))
    }

    /// The event of a link that was made; `None` where nothing changed.
    fn made(
        &self,
        actor: Actor,
        link: &Link,
        unit: UnitId,
        (outcome, means): (LinkOutcome, LinkMeans),
        window: Option<Window>,
        note: Option<RegisterRef>,
    ) -> Result<Option<EventRow>> {
        let means = match outcome {
            LinkOutcome::Unchanged => return Ok(None),
            LinkOutcome::Confirmed => LinkMeans::Proposal,
            LinkOutcome::Created => means,
        };
        let (recording, case) = (link.recording_id, link.case_id);
        let event = match link.state {
            LinkState::Linked => self.event(
                actor,
                Some(unit),
                subject(link),
                kinds::LinkMade {
                    link: link.id,
                    recording,
                    case,
                    means,
                    window,
                    note,
                },
            )?,
            LinkState::Proposed => self.event(
                actor,
                Some(unit),
                subject(link),
                kinds::LinkProposed {
                    link: link.id,
                    recording,
                    case,
                    means,
                    note,
                },
            )?,
        };
        Ok(Some(event))
    }
}

fn subject(link: &Link) -> Subject {
    Subject {
        recording: Some(link.recording_id),
        case: Some(link.case_id),
        link: Some(link.id),
        ..Subject::default()
    }
}
