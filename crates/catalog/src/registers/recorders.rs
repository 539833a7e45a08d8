//! Recorders 记录仪 and who carried them when.

use docket_base::Micros;
use docket_base::ids::{AssignmentId, OfficerId, RecorderId, UnitId};

use super::officers::Officer;
use super::{WithUnit, register_page};
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::engine::{Db, Statement};
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, Scope};
use crate::{Catalog, Change};

rows! {
    /// A recorder.
    pub struct Recorder in "recorders" {
        /// Its id.
        pub id: RecorderId,
        /// Serial number, unique.
        pub serial: String,
        /// Model.
        pub model: String,
        /// The unit.
        pub unit_id: UnitId,
        /// Counts its changes from 1.
        pub version: i64,
        /// When it was entered.
        pub created_at: Micros,
    }

    /// Who carries a recorder from when until before when.
    pub struct Assignment in "assignments" {
        /// Its id.
        pub id: AssignmentId,
        /// The recorder.
        pub recorder_id: RecorderId,
        /// The officer.
        pub officer_id: OfficerId,
        /// From this moment on.
        pub from_at: Micros,
        /// Before this moment; `None`: until further notice.
        pub until_at: Option<Micros>,
    }

    /// An assignment with the officer's name.
    pub struct AssignmentView in "assignments" {
        /// Its id.
        pub id: AssignmentId,
        /// The recorder.
        pub recorder_id: RecorderId,
        /// The officer.
        pub officer_id: OfficerId,
        /// The officer's name.
        pub officer_name: String,
        /// From this moment on.
        pub from_at: Micros,
        /// Before this moment.
        pub until_at: Option<Micros>,
    }
}

pub(crate) async fn by_serial(db: &mut Db, serial: &str) -> Result<Option<Recorder>> {
    db.one("SELECT * FROM recorders WHERE serial = $1", args![serial])
        .await
}

/// The assignment of a recorder that an interval would overlap, other than `except`.
pub(crate) async fn overlapping(db: &mut Db, a: &Assignment) -> Result<Option<Assignment>> {
    let sql = "SELECT * FROM assignments WHERE recorder_id = $1 AND id <> $2 AND from_at_us < $3
        AND (until_at_us IS NULL OR until_at_us > $4) ORDER BY from_at_us LIMIT 1";
    let until = a.until_at.unwrap_or(Micros(i64::MAX));
    db.one(sql, args![a.recorder_id, a.id, until, a.from_at])
        .await
}

impl Change {
    /// Enters a recorder.
    ///
    /// # Errors
    /// [`Error::Taken`] serial; [`Error::Refused`] for an unknown unit.
    pub async fn add_recorder(&mut self, r: &Recorder) -> Result<()> {
        let sql = "INSERT INTO recorders (id, serial, model, unit_id, version, created_at_us)
            VALUES ($1, $2, $3, $4, $5, $6)";
        self.db
            .execute(
                sql,
                args![r.id, r.serial, r.model, r.unit_id, r.version, r.created_at],
            )
            .await?;
        Ok(())
    }

    /// Changes a recorder; the version must be the one the caller saw, and goes up by one.
    ///
    /// # Errors
    /// [`Error::Stale`]; as [`Change::add_recorder`].
    pub async fn update_recorder(&mut self, r: &Recorder) -> Result<Recorder> {
        let sql =
            "UPDATE recorders SET serial = $1, model = $2, unit_id = $3, version = version + 1
            WHERE id = $4 AND version = $5 RETURNING *";
        let values = args![r.serial, r.model, r.unit_id, r.id, r.version];
        self.db
            .one(sql, values)
            .await?
            .ok_or_else(|| Error::stale("recorder", r.id))
    }

    /// Gives a recorder to an officer for a time.
    ///
    /// # Errors
    /// [`Error::Refused`] when the interval is empty, overlaps another of the recorder, or names nothing.
    pub async fn assign(&mut self, a: &Assignment) -> Result<()> {
        check_interval(&mut self.db, a).await?;
        let sql = "INSERT INTO assignments (id, recorder_id, officer_id, from_at_us, until_at_us)
            VALUES ($1, $2, $3, $4, $5)";
        self.db
            .execute(
                sql,
                args![a.id, a.recorder_id, a.officer_id, a.from_at, a.until_at],
            )
            .await?;
        Ok(())
    }

    /// Sets the end of an assignment.
    ///
    /// # Errors
    /// [`Error::Missing`]; [`Error::Refused`] as [`Change::assign`].
    pub async fn end_assignment(
        &mut self,
        id: AssignmentId,
        until: Option<Micros>,
    ) -> Result<Assignment> {
        let old: Option<Assignment> = self
            .db
            .one("SELECT * FROM assignments WHERE id = $1", args![id])
            .await?;
        let old = old.ok_or_else(|| Error::missing("assignment", id))?;
        let new = Assignment {
            until_at: until,
            ..old
        };
        check_interval(&mut self.db, &new).await?;
        self.db
            .execute(
                "UPDATE assignments SET until_at_us = $1 WHERE id = $2",
                args![until, id],
            )
            .await?;
        Ok(new)
    }
}

async fn check_interval(db: &mut Db, a: &Assignment) -> Result<()> {
    if a.until_at.is_some_and(|until| until <= a.from_at) {
        return Err(Error::Refused(
            "an assignment ends after it begins".to_owned(),
        ));
    }
    // On PostgreSQL two changes at once could both find the place free: the recorder's row is their turnstile.
    db.execute(
        "UPDATE recorders SET version = version WHERE id = $1",
        args![a.recorder_id],
    )
    .await?;
    match overlapping(db, a).await? {
        Some(other) => Err(Error::Refused(format!(
            "overlaps the assignment from {}",
            other.from_at
        ))),
        None => Ok(()),
    }
}

impl Catalog {
    /// A recorder.
    ///
    /// # Errors
    /// The database's.
    pub async fn recorder(&self, id: RecorderId) -> Result<Option<WithUnit<Recorder>>> {
        let sql = "SELECT r.*, u.name AS unit_name FROM recorders r JOIN units u ON u.id = r.unit_id WHERE r.id = $1";
        self.read().await?.one(sql, args![id]).await
    }

    /// The recorder with this serial.
    ///
    /// # Errors
    /// The database's.
    pub async fn recorder_by_serial(&self, serial: &str) -> Result<Option<Recorder>> {
        by_serial(&mut self.read().await?, serial).await
    }

    /// Recorders of a scope whose serial or model contains the question.
    ///
    /// # Errors
    /// [`Error::BadCursor`]; the database's.
    pub async fn recorders(
        &self,
        question: Option<&str>,
        scope: &Scope,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<WithUnit<Recorder>>> {
        let s = register_page(
            "recorders",
            &["t.serial", "t.model"],
            question,
            scope,
            cursor,
            limit,
        )?;
        let rows = self.read().await?.all(s.text, s.values).await?;
        Ok(Page::cut(rows, limit, |r: &WithUnit<Recorder>| {
            Cursor::id(r.row.id)
        }))
    }

    /// The assignments of these recorders, by recorder and time.
    ///
    /// # Errors
    /// The database's.
    pub async fn assignments(&self, recorders: &[RecorderId]) -> Result<Vec<AssignmentView>> {
        let mut s = Statement::new(
            "SELECT a.*, o.name AS officer_name FROM assignments a JOIN officers o ON o.id = a.officer_id
             WHERE a.recorder_id IN ",
        );
        s.bind_list(recorders)
            .push(" ORDER BY a.recorder_id, a.from_at_us");
        self.read().await?.all(s.text, s.values).await
    }

    /// Who carried a recorder at a moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn officer_at(&self, recorder: RecorderId, at: Micros) -> Result<Option<Officer>> {
        let sql = "SELECT o.* FROM assignments a JOIN officers o ON o.id = a.officer_id
            WHERE a.recorder_id = $1 AND a.from_at_us <= $2 AND (a.until_at_us IS NULL OR a.until_at_us > $2)
            ORDER BY a.from_at_us DESC LIMIT 1";
        self.read().await?.one(sql, args![recorder, at]).await
    }
}
