//! Officers 执法人员.

use docket_base::Micros;
use docket_base::ids::{OfficerId, UnitId};

use super::{WithUnit, register_page};
use crate::engine::Db;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, Scope};
use crate::{Catalog, Change};

rows! {
    /// An officer.
    pub struct Officer in "officers" {
        /// Its id.
        pub id: OfficerId,
        /// Name.
        pub name: String,
        /// Number of the certificate 执法证号, unique.
        pub certificate_number: String,
        /// The unit.
        pub unit_id: UnitId,
        /// Category of enforcement.
        pub category: String,
        /// Area of enforcement.
        pub area: String,
        /// Counts its changes from 1.
        pub version: i64,
        /// When it was entered.
        pub created_at: Micros,
    }
}

pub(crate) async fn by_certificate(db: &mut Db, number: &str) -> Result<Option<Officer>> {
    db.one(
        "SELECT * FROM officers WHERE certificate_number = $1",
        args![number],
    )
    .await
}

impl Change {
    /// Enters an officer.
    ///
    /// # Errors
    /// [`Error::Taken`] certificate number; [`Error::Refused`] for an unknown unit.
    pub async fn add_officer(&mut self, o: &Officer) -> Result<()> {
        let sql = "INSERT INTO officers (id, name, certificate_number, unit_id, category, area, version, created_at_us)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = args![
            o.id,
            o.name,
            o.certificate_number,
            o.unit_id,
            o.category,
            o.area,
            o.version,
            o.created_at
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    /// Changes an officer; the version must be the one the caller saw, and goes up by one.
    ///
    /// # Errors
    /// [`Error::Stale`]; as [`Change::add_officer`].
    pub async fn update_officer(&mut self, o: &Officer) -> Result<Officer> {
        let sql = "UPDATE officers SET name = $1, certificate_number = $2, unit_id = $3, category = $4, area = $5,
                version = version + 1
            WHERE id = $6 AND version = $7 RETURNING *";
        let values = args![
            o.name,
            o.certificate_number,
            o.unit_id,
            o.category,
            o.area,
            o.id,
            o.version
        ];
        self.db
            .one(sql, values)
            .await?
            .ok_or_else(|| Error::stale("officer", o.id))
    }
}

impl Catalog {
    /// An officer.
    ///
    /// # Errors
    /// The database's.
    pub async fn officer(&self, id: OfficerId) -> Result<Option<WithUnit<Officer>>> {
        let sql = "SELECT o.*, u.name AS unit_name FROM officers o JOIN units u ON u.id = o.unit_id WHERE o.id = $1";
        self.read().await?.one(sql, args![id]).await
    }

    /// The officer with this certificate number.
    ///
    /// # Errors
    /// The database's.
    pub async fn officer_by_certificate(&self, number: &str) -> Result<Option<Officer>> {
        by_certificate(&mut self.read().await?, number).await
    }

    /// Officers of a scope whose name or certificate number contains the question.
    ///
    /// # Errors
    /// [`Error::BadCursor`]; the database's.
    pub async fn officers(
        &self,
        question: Option<&str>,
        scope: &Scope,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<WithUnit<Officer>>> {
        let s = register_page(
            "officers",
            &["t.name", "t.certificate_number"],
            question,
            scope,
            cursor,
            limit,
        )?;
        let rows = self.read().await?.all(s.text, s.values).await?;
        Ok(Page::cut(rows, limit, |o: &WithUnit<Officer>| {
            Cursor::id(o.row.id)
        }))
    }
}
