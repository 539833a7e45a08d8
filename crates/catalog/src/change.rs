//! The transaction of everything that is evidence.

use crate::engine::Db;
use crate::error::{Error, Result};
use crate::events::{EventRow, insert_event};
use crate::{Catalog, engine};

/// A transaction that changes evidence. Its mutators are spread over the files of their topics; what is
/// dropped without `commit` never happened.
///
/// On SQLite it holds the only writer: make no network call and await nothing slow while one is open.
///
/// After an error drop it and begin another: PostgreSQL takes nothing more in a transaction in which a
/// statement failed.
pub struct Change {
    pub(crate) db: Db,
    /// Whether events that the published log holds already were put back: then there need be no new one.
    pub(crate) restored: bool,
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Change")
    }
}

impl Catalog {
    /// Begins a change; waits for its turn on SQLite.
    ///
    /// # Errors
    /// The database's, also when the turn doesn't come within 30 s.
    pub async fn change(&self) -> Result<Change> {
        Ok(Change {
            db: self.engine.write().await?,
            restored: false,
        })
    }

    /// A transaction for what is no evidence.
    pub(crate) async fn write(&self) -> Result<Db> {
        self.engine.write().await
    }

    pub(crate) async fn read(&self) -> Result<Db> {
        self.engine.read().await
    }

    /// Which engine this is: "sqlite" or "postgres".
    pub fn engine_name(&self) -> &'static str {
        match self.engine {
            engine::Engine::Sqlite { .. } => "sqlite",
            engine::Engine::Postgres(_) => "postgres",
        }
    }
}

impl Change {
    /// Stores the events and commits everything: a crash before this returns leaves either nothing or
    /// all of it, change and events together.
    ///
    /// # Errors
    /// [`Error::NoEvent`] on an empty list; nothing is committed then.
    pub async fn commit(mut self, events: &[EventRow]) -> Result<()> {
        if events.is_empty() {
            return Err(Error::NoEvent);
        }
        for event in events {
            insert_event(&mut self.db, event, None).await?;
        }
        self.db.commit().await
    }
}
