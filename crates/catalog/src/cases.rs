//! Cases 案件 and the recordings that belong to them.

use docket_base::Micros;
use docket_base::ids::{CaseId, LinkId, RecordingId, UnitId};

use crate::dockings::before;
use crate::engine::Statement;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, Scope, page_limit};
use crate::registers::{WithUnit, contains};
use crate::search::document::reindex;
use crate::text::case_number_key;
use crate::words::{ActorKind, ActorRef, CaseState, LinkState};
use crate::{Catalog, Change};

rows! {
    /// A case.
    pub struct Case in "cases" {
        /// Its id.
        pub id: CaseId,
        /// The unit; the number is unique within it.
        pub unit_id: UnitId,
        /// The number as given.
        pub number: String,
        /// What it is about.
        pub title: String,
        /// Open or closed.
        pub state: CaseState,
        /// Counts its changes, links included, from 1.
        pub version: i64,
        /// When it was entered.
        pub created_at: Micros,
    }

    /// That a recording belongs to a case.
    pub struct Link in "links" {
        /// Its id.
        pub id: LinkId,
        /// The case.
        pub case_id: CaseId,
        /// The recording.
        pub recording_id: RecordingId,
        /// How firmly.
        pub state: LinkState,
        /// Why, in a person's words.
        pub note: String,
        /// Since when.
        pub linked_at: Micros,
        /// What the linker is.
        pub by_kind: ActorKind,
        /// Who.
        pub by_id: String,
    }
}

impl Link {
    /// Who linked it.
    pub fn by(&self) -> ActorRef {
        ActorRef::new(self.by_kind, &self.by_id)
    }
}

/// What asking for a link came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOutcome {
    /// It is new.
    Created,
    /// It was proposed and is linked now.
    Confirmed,
    /// It was there already, at least as firmly: nothing changed, there is nothing to log.
    Unchanged,
}

pub(crate) const BY_NUMBER: &str = "SELECT * FROM cases WHERE unit_id = $1 AND number_key = $2";

impl Change {
    /// Enters a case.
    ///
    /// # Errors
    /// [`Error::Taken`] number within the unit; [`Error::Refused`] for an unknown unit or an empty number.
    pub async fn add_case(&mut self, c: &Case) -> Result<()> {
        let key = case_number_key(&c.number);
        if key.is_empty() {
            return Err(Error::Refused("a case needs a number".to_owned()));
        }
        let sql = "INSERT INTO cases (id, unit_id, number, number_key, title, state, version, created_at_us)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = args![
            c.id,
            c.unit_id,
            c.number,
            key,
            c.title,
            c.state,
            c.version,
            c.created_at
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    /// Changes title or state of a case; the version must be the one the caller saw, and goes up by one.
    ///
    /// # Errors
    /// [`Error::Stale`].
    pub async fn update_case(&mut self, c: &Case) -> Result<Case> {
        let sql = "UPDATE cases SET title = $1, state = $2, version = version + 1
            WHERE id = $3 AND version = $4 RETURNING *";
        let values = args![c.title, c.state, c.id, c.version];
        self.db
            .one(sql, values)
            .await?
            .ok_or_else(|| Error::stale("case", c.id))
    }

    /// The unit's case with this number, however its brackets are written.
    ///
    /// # Errors
    /// The database's.
    pub async fn case_by_number(&mut self, unit: UnitId, number: &str) -> Result<Option<Case>> {
        self.db
            .one(BY_NUMBER, args![unit, case_number_key(number)])
            .await
    }

    /// Ties a recording to a case, or confirms what was proposed. Asking again changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] when either isn't there.
    pub async fn link(&mut self, link: &Link) -> Result<LinkOutcome> {
        let sql = "INSERT INTO links (id, case_id, recording_id, state, note, linked_at_us, by_kind, by_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (case_id, recording_id) DO NOTHING";
        let values = args![
            link.id,
            link.case_id,
            link.recording_id,
            link.state,
            link.note,
            link.linked_at,
            link.by_kind,
            link.by_id
        ];
        if self.db.execute(sql, values).await? > 0 {
            self.link_changed(link.case_id, link.recording_id).await?;
            return Ok(LinkOutcome::Created);
        }
        if link.state == LinkState::Proposed {
            return Ok(LinkOutcome::Unchanged);
        }
        let confirm =
            "UPDATE links SET state = $1, note = $2, linked_at_us = $3, by_kind = $4, by_id = $5
            WHERE case_id = $6 AND recording_id = $7 AND state = 'proposed'";
        let values = args![
            link.state,
            link.note,
            link.linked_at,
            link.by_kind,
            link.by_id,
            link.case_id,
            link.recording_id
        ];
        if self.db.execute(confirm, values).await? == 0 {
            return Ok(LinkOutcome::Unchanged);
        }
        self.link_changed(link.case_id, link.recording_id).await?;
        Ok(LinkOutcome::Confirmed)
    }

    /// Unties a recording from a case. `None` when it wasn't tied: there is nothing to log.
    ///
    /// # Errors
    /// The database's.
    pub async fn unlink(&mut self, case: CaseId, recording: RecordingId) -> Result<Option<Link>> {
        let sql = "DELETE FROM links WHERE case_id = $1 AND recording_id = $2 RETURNING *";
        let link: Option<Link> = self.db.one(sql, args![case, recording]).await?;
        if link.is_some() {
            self.link_changed(case, recording).await?;
        }
        Ok(link)
    }

    async fn link_changed(&mut self, case: CaseId, recording: RecordingId) -> Result<()> {
        self.db
            .execute(
                "UPDATE cases SET version = version + 1 WHERE id = $1",
                args![case],
            )
            .await?;
        self.db
            .execute(
                "UPDATE recordings SET version = version + 1 WHERE id = $1",
                args![recording],
            )
            .await?;
        reindex(&mut self.db, recording).await
    }
}

impl Catalog {
    /// A case.
    ///
    /// # Errors
    /// The database's.
    pub async fn case(&self, id: CaseId) -> Result<Option<WithUnit<Case>>> {
        let sql = "SELECT c.*, u.name AS unit_name FROM cases c JOIN units u ON u.id = c.unit_id WHERE c.id = $1";
        self.read().await?.one(sql, args![id]).await
    }

    /// The unit's case with this number, however its brackets are written.
    ///
    /// # Errors
    /// The database's.
    pub async fn case_by_number(&self, unit: UnitId, number: &str) -> Result<Option<Case>> {
        self.read()
            .await?
            .one(BY_NUMBER, args![unit, case_number_key(number)])
            .await
    }

    /// Cases of a scope, newest first, whose number or title contains the question.
    ///
    /// # Errors
    /// [`Error::BadCursor`]; the database's.
    pub async fn cases(
        &self,
        question: Option<&str>,
        scope: &Scope,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<WithUnit<Case>>> {
        let mut s = Statement::new(
            "SELECT c.*, u.name AS unit_name FROM cases c JOIN units u ON u.id = c.unit_id WHERE c.id < ",
        );
        s.bind(before::<CaseId>(cursor)?);
        scope.restrict("c.unit_id", &mut s);
        if let Some(question) = question {
            // Number and question are folded the same way, so brackets don't matter here either.
            contains(
                &mut s,
                &[
                    ("c.number_key", &case_number_key(question)),
                    ("c.title", question),
                ],
            );
        }
        s.push(" ORDER BY c.id DESC LIMIT ")
            .bind(page_limit(limit) + 1);
        let rows = self.read().await?.all(s.text, s.values).await?;
        Ok(Page::cut(rows, limit, |c: &WithUnit<Case>| {
            Cursor::id(c.row.id)
        }))
    }

    /// A case's links, oldest first. Their recordings: [`Catalog::recording_views`].
    ///
    /// # Errors
    /// The database's.
    pub async fn evidence(&self, case: CaseId) -> Result<Vec<Link>> {
        let sql = "SELECT * FROM links WHERE case_id = $1 ORDER BY linked_at_us, id";
        self.read().await?.all(sql, args![case]).await
    }

    /// The link of a recording to a case.
    ///
    /// # Errors
    /// The database's.
    pub async fn link(&self, case: CaseId, recording: RecordingId) -> Result<Option<Link>> {
        let sql = "SELECT * FROM links WHERE case_id = $1 AND recording_id = $2";
        self.read().await?.one(sql, args![case, recording]).await
    }
}
