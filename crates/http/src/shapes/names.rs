//! Names of actors: events hold ids only, people read names.

use std::collections::HashMap;

use docket_catalog::{ActorKind, ActorRef as Actor, StoredEvent};
use docket_ledger::Entry;

use super::{ActorRef, CustodyEvent};
use crate::problem::{Problem, Result};
use crate::state::AppState;

/// Finds actors' names, each once a request.
pub struct Names<'a> {
    app: &'a AppState,
    known: HashMap<Actor, Option<String>>,
}

impl<'a> Names<'a> {
    /// Knows none yet.
    pub fn of(app: &'a AppState) -> Self {
        Self {
            app,
            known: HashMap::new(),
        }
    }

    /// The actor with its name.
    pub async fn actor(&mut self, kind: ActorKind, id: &str) -> Result<ActorRef> {
        let actor = Actor::new(kind, id);
        let name = match self.known.get(&actor) {
            Some(name) => name.clone(),
            None => {
                let name = self.find(&actor).await?;
                self.known.insert(actor.clone(), name.clone());
                name
            }
        };
        Ok(ActorRef {
            kind: kind.to_string(),
            id: actor.id,
            name,
        })
    }

    async fn find(&self, actor: &Actor) -> Result<Option<String>> {
        let catalog = self.app.catalog();
        let bad = |_| Problem::internal(format!("actor {} {:?}", actor.kind, actor.id));
        Ok(match actor.kind {
            ActorKind::User => {
                let found = catalog.user(actor.id.parse().map_err(bad)?).await?;
                found.map(|found| found.row.name)
            }
            ActorKind::Token => {
                let row = catalog.token(actor.id.parse().map_err(bad)?).await?;
                row.map(|row| row.name)
            }
            ActorKind::Station => {
                let found = catalog.station(actor.id.parse().map_err(bad)?).await?;
                found.map(|found| found.row.name)
            }
            ActorKind::System => None,
        })
    }

    /// An event as the API shows it.
    pub async fn event(&mut self, event: StoredEvent) -> Result<CustodyEvent> {
        let entry = Entry::parse(&event.entry).map_err(Problem::internal)?;
        let mut body = entry.event.body().map_err(Problem::internal)?;
        // Absent members are left out, as in the entry's bytes.
        if let Some(members) = body.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        Ok(CustodyEvent {
            leaf_index: event.leaf_index,
            id: event.id,
            kind: event.kind,
            at: event.at,
            actor: self.actor(event.actor_kind, &event.actor_id).await?,
            body,
        })
    }
}
