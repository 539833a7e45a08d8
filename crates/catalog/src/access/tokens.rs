//! Bearer tokens of stations and other systems, hashed at rest.

use docket_base::ids::{StationId, TokenId, UnitId};
use docket_base::{Micros, Sha256Digest};

use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, Scope};
use crate::registers::{WithUnit, register_page};
use crate::{Catalog, Change};

rows! {
    /// A token.
    pub struct Token in "tokens" {
        /// Its id: what events name.
        pub id: TokenId,
        /// What people call it.
        pub name: String,
        /// SHA-256 of its secret.
        pub secret_sha256: Sha256Digest,
        /// What it may do: words with commas between.
        pub scopes: String,
        /// Where: this unit and all below.
        pub unit_id: UnitId,
        /// The station that speaks with it.
        pub station_id: Option<StationId>,
        /// When it was made.
        pub created_at: Micros,
        /// When it was taken back.
        pub revoked_at: Option<Micros>,
        /// When it was used last, to the minute.
        pub last_used_at: Option<Micros>,
    }
}

impl Change {
    /// Enters a token.
    ///
    /// # Errors
    /// [`Error::Taken`] secret; [`Error::Refused`] for an unknown unit.
    pub async fn add_token(&mut self, t: &Token) -> Result<()> {
        let sql = "INSERT INTO tokens (id, name, secret_sha256, scopes, unit_id, station_id, created_at_us)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = args![
            t.id,
            t.name,
            t.secret_sha256,
            t.scopes,
            t.unit_id,
            t.station_id,
            t.created_at
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    /// Takes a token back for ever.
    ///
    /// # Errors
    /// [`Error::Stale`] when it was taken back already, or isn't there.
    pub async fn revoke_token(&mut self, id: TokenId, at: Micros) -> Result<()> {
        let sql = "UPDATE tokens SET revoked_at_us = $1 WHERE id = $2 AND revoked_at_us IS NULL";
        if self.db.execute(sql, args![at, id]).await? == 0 {
            return Err(Error::stale("token", id));
        }
        Ok(())
    }
}

impl Catalog {
    /// The token with this secret, unless it was taken back.
    ///
    /// # Errors
    /// The database's.
    pub async fn token_by_secret(&self, secret: Sha256Digest) -> Result<Option<Token>> {
        let sql = "SELECT * FROM tokens WHERE secret_sha256 = $1 AND revoked_at_us IS NULL";
        self.read().await?.one(sql, args![secret]).await
    }

    /// A token.
    ///
    /// # Errors
    /// The database's.
    pub async fn token(&self, id: TokenId) -> Result<Option<Token>> {
        self.read()
            .await?
            .one("SELECT * FROM tokens WHERE id = $1", args![id])
            .await
    }

    /// The tokens of a scope.
    ///
    /// # Errors
    /// [`Error::BadCursor`]; the database's.
    pub async fn tokens(
        &self,
        scope: &Scope,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<WithUnit<Token>>> {
        let s = register_page("tokens", &[], None, scope, cursor, limit)?;
        let rows = self.read().await?.all(s.text, s.values).await?;
        Ok(Page::cut(rows, limit, |t: &WithUnit<Token>| {
            Cursor::id(t.row.id)
        }))
    }

    /// Notes a token's use. Writes only when the last note is over a minute old: tokens are used on
    /// every request, and this is no evidence.
    ///
    /// # Errors
    /// The database's.
    pub async fn token_used(&self, token: &Token, at: Micros) -> Result<()> {
        if token
            .last_used_at
            .is_some_and(|last| at < last.plus_seconds(60))
        {
            return Ok(());
        }
        let mut db = self.write().await?;
        db.execute(
            "UPDATE tokens SET last_used_at_us = $1 WHERE id = $2",
            args![at, token.id],
        )
        .await?;
        db.commit().await
    }
}
