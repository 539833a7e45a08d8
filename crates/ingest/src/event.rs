//! Custody events: from what happened to the row that is committed with the change.

use docket_base::ids::{RegisterId, UnitId};
use docket_catalog::{ActorKind, ActorRef, EventRow};
use docket_ledger::{Actor, Entry, Event, RegisterFile, RegisterRef, RegisterValue, Salt, Subject};

use crate::{Ingest, Result};

/// The actor as rows name it.
pub fn actor_ref(actor: Actor) -> ActorRef {
    match actor {
        Actor::Station(id) => ActorRef::new(ActorKind::Station, id),
        Actor::User(id) => ActorRef::new(ActorKind::User, id),
        Actor::Token(id) => ActorRef::new(ActorKind::Token, id),
        Actor::System => ActorRef::new(ActorKind::System, ""),
    }
}

/// The row of an entry: what listings filter by, and the entry's bytes.
///
/// # Errors
/// When the entry has no canonical bytes or is too long for the log.
pub fn event_row(entry: &Entry) -> Result<EventRow> {
    Ok(EventRow {
        id: entry.id,
        kind: entry.event.kind().to_owned(),
        at: entry.at,
        unit: entry.unit,
        recording: entry.subject.recording,
        case: entry.subject.case,
        station: entry.subject.station,
        actor: actor_ref(entry.actor),
        entry: entry.to_bytes()?,
    })
}

/// A word of a closed vocabulary as JSON spells it, for rows that keep it as text.
pub(crate) fn word(word: &impl serde::Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

impl Ingest {
    /// Makes the row of an event that happens now.
    ///
    /// # Errors
    /// As [`event_row`].
    pub fn event(
        &self,
        actor: Actor,
        unit: Option<UnitId>,
        subject: Subject,
        event: impl Into<Event>,
    ) -> Result<EventRow> {
        event_row(&Entry::new(
            &*self.clock,
            &*self.random,
            actor,
            unit,
            subject,
            event,
        ))
    }

    /// Writes a version of a register file into the vault, durably, and returns what the entry says of
    /// it. Call it before the change that commits the entry: a crash in between leaves a file that
    /// no entry names. `version` must be the row's next one; when another file already stands there
    /// (such a leftover), the salt differs and a free number is taken instead.
    ///
    /// # Errors
    /// The vault's.
    pub async fn put_register(
        &self,
        id: RegisterId,
        version: u32,
        value: RegisterValue,
    ) -> Result<RegisterRef> {
        let mut version = version;
        loop {
            let salt = Salt::fresh(&*self.random);
            let file = RegisterFile::new(id, version, self.clock.now(), salt, value.clone());
            let (bytes, reference) = file.seal()?;
            match self.vault.log_create(&file.path(), &bytes).await {
                Ok(()) => return Ok(reference),
                Err(docket_vault::VaultError::Conflict(_)) => version += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
