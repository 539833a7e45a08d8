//! Stations 采集站: who they are (evidence), and how they do (not).

use docket_base::Micros;
use docket_base::ids::{StationId, TokenId, UnitId};

use super::{WithUnit, register_page};
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, Scope};
use crate::{Catalog, Change};

rows! {
    /// A station.
    pub struct Station in "stations" {
        /// Its id.
        pub id: StationId,
        /// Name.
        pub name: String,
        /// The unit.
        pub unit_id: UnitId,
        /// The token it speaks with.
        pub token_id: Option<TokenId>,
        /// Version of its program, as it said last.
        pub software_version: String,
        /// Its bays, as it said last: JSON, opaque here.
        pub status: String,
        /// When it was heard last.
        pub last_seen_at: Option<Micros>,
        /// Counts changes of name and unit from 1.
        pub version: i64,
        /// When it was entered.
        pub created_at: Micros,
    }
}

impl Change {
    /// Enters a station and ties its token to it.
    ///
    /// # Errors
    /// [`Error::Taken`] when the token is another station's; [`Error::Refused`] for an unknown unit.
    pub async fn add_station(&mut self, s: &Station) -> Result<()> {
        let sql = "INSERT INTO stations
            (id, name, unit_id, token_id, software_version, status, last_seen_at_us, version, created_at_us)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = args![
            s.id,
            s.name,
            s.unit_id,
            s.token_id,
            s.software_version,
            s.status,
            s.last_seen_at,
            s.version,
            s.created_at
        ];
        self.db.execute(sql, values).await?;
        self.db
            .execute(
                "UPDATE tokens SET station_id = $1 WHERE id = $2",
                args![s.id, s.token_id],
            )
            .await?;
        Ok(())
    }

    /// Changes name or unit of a station; the version must be the one the caller saw, and goes up by one.
    ///
    /// # Errors
    /// [`Error::Stale`]; [`Error::Refused`] for an unknown unit.
    pub async fn update_station(&mut self, s: &Station) -> Result<Station> {
        let sql = "UPDATE stations SET name = $1, unit_id = $2, version = version + 1
            WHERE id = $3 AND version = $4 RETURNING *";
        let values = args![s.name, s.unit_id, s.id, s.version];
        self.db
            .one(sql, values)
            .await?
            .ok_or_else(|| Error::stale("station", s.id))
    }
}

impl Catalog {
    /// Notes what a station said about itself.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn station_heard(
        &self,
        id: StationId,
        software_version: &str,
        status: &str,
        at: Micros,
    ) -> Result<()> {
        let sql = "UPDATE stations SET software_version = $1, status = $2, last_seen_at_us = $3 WHERE id = $4";
        let mut db = self.write().await?;
        if db
            .execute(sql, args![software_version, status, at, id])
            .await?
            == 0
        {
            return Err(Error::missing("station", id));
        }
        db.commit().await
    }

    /// A station.
    ///
    /// # Errors
    /// The database's.
    pub async fn station(&self, id: StationId) -> Result<Option<WithUnit<Station>>> {
        let sql = "SELECT s.*, u.name AS unit_name FROM stations s JOIN units u ON u.id = s.unit_id WHERE s.id = $1";
        self.read().await?.one(sql, args![id]).await
    }

    /// The station that speaks with this token.
    ///
    /// # Errors
    /// The database's.
    pub async fn station_of_token(&self, token: TokenId) -> Result<Option<Station>> {
        self.read()
            .await?
            .one("SELECT * FROM stations WHERE token_id = $1", args![token])
            .await
    }

    /// The stations of a scope.
    ///
    /// # Errors
    /// [`Error::BadCursor`]; the database's.
    pub async fn stations(
        &self,
        scope: &Scope,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<WithUnit<Station>>> {
        let s = register_page("stations", &[], None, scope, cursor, limit)?;
        let rows = self.read().await?.all(s.text, s.values).await?;
        Ok(Page::cut(rows, limit, |s: &WithUnit<Station>| {
            Cursor::id(s.row.id)
        }))
    }
}
