//! Local users.

use docket_base::Micros;
use docket_base::ids::{UnitId, UserId};

use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, Scope};
use crate::registers::{WithUnit, register_page};
use crate::text::name_key;
use crate::words::Role;
use crate::{Catalog, Change};

rows! {
    /// A user.
    pub struct User in "users" {
        /// Its id.
        pub id: UserId,
        /// Name as given; unique when folded.
        pub name: String,
        /// Argon2 in its text form.
        pub password_hash: String,
        /// What they may do.
        pub role: Role,
        /// Where: this unit and all below.
        pub unit_id: UnitId,
        /// Whether they are kept out.
        pub disabled: bool,
        /// Wrong passwords in a row.
        pub failed_count: u32,
        /// Kept out until.
        pub locked_until: Option<Micros>,
        /// Counts changes of name, role, unit and state from 1.
        pub version: i64,
        /// When they were entered.
        pub created_at: Micros,
    }
}

impl Change {
    /// Enters a user.
    ///
    /// # Errors
    /// [`Error::Taken`] name; [`Error::Refused`] for an unknown unit or an empty name.
    pub async fn add_user(&mut self, u: &User) -> Result<()> {
        let key = name_key(&u.name);
        if key.is_empty() {
            return Err(Error::Refused("a user needs a name".to_owned()));
        }
        let sql = "INSERT INTO users
            (id, name, name_key, password_hash, role, unit_id, disabled, failed_count, version, created_at_us)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)";
        let values = args![
            u.id,
            u.name,
            key,
            u.password_hash,
            u.role,
            u.unit_id,
            u.disabled,
            u.version,
            u.created_at
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    /// Changes name, role, unit or state of a user; the version must be the one the caller saw, and goes
    /// up by one. Their sessions end.
    ///
    /// # Errors
    /// [`Error::Stale`]; as [`Change::add_user`].
    pub async fn update_user(&mut self, u: &User) -> Result<User> {
        let sql =
            "UPDATE users SET name = $1, name_key = $2, role = $3, unit_id = $4, disabled = $5,
                version = version + 1
            WHERE id = $6 AND version = $7 RETURNING *";
        let values = args![
            u.name,
            name_key(&u.name),
            u.role,
            u.unit_id,
            u.disabled,
            u.id,
            u.version
        ];
        let user = self
            .db
            .one(sql, values)
            .await?
            .ok_or_else(|| Error::stale("user", u.id))?;
        self.end_sessions(u.id).await?;
        Ok(user)
    }

    /// Sets a user's password hash, forgives failures, and ends their sessions.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn set_password(&mut self, id: UserId, password_hash: &str) -> Result<()> {
        let sql = "UPDATE users SET password_hash = $1, failed_count = 0, locked_until_us = NULL WHERE id = $2";
        if self.db.execute(sql, args![password_hash, id]).await? == 0 {
            return Err(Error::missing("user", id));
        }
        self.end_sessions(id).await
    }

    async fn end_sessions(&mut self, id: UserId) -> Result<()> {
        self.db
            .execute("DELETE FROM sessions WHERE user_id = $1", args![id])
            .await?;
        Ok(())
    }
}

impl Catalog {
    /// A user.
    ///
    /// # Errors
    /// The database's.
    pub async fn user(&self, id: UserId) -> Result<Option<WithUnit<User>>> {
        let sql = "SELECT x.*, u.name AS unit_name FROM users x JOIN units u ON u.id = x.unit_id WHERE x.id = $1";
        self.read().await?.one(sql, args![id]).await
    }

    /// The user of this name, however it is written.
    ///
    /// # Errors
    /// The database's.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<User>> {
        self.read()
            .await?
            .one(
                "SELECT * FROM users WHERE name_key = $1",
                args![name_key(name)],
            )
            .await
    }

    /// The users of a scope.
    ///
    /// # Errors
    /// [`Error::BadCursor`]; the database's.
    pub async fn users(
        &self,
        scope: &Scope,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<WithUnit<User>>> {
        let s = register_page("users", &[], None, scope, cursor, limit)?;
        let rows = self.read().await?.all(s.text, s.values).await?;
        Ok(Page::cut(rows, limit, |u: &WithUnit<User>| {
            Cursor::id(u.row.id)
        }))
    }

    /// Notes a wrong password; from the `limit`-th in a row on the user is kept out until `locked_until`.
    /// How many there were.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn password_failed(
        &self,
        id: UserId,
        limit: u32,
        locked_until: Micros,
    ) -> Result<u32> {
        let sql = "UPDATE users SET failed_count = failed_count + 1,
                locked_until_us = CASE WHEN failed_count + 1 >= $1 THEN $2 ELSE locked_until_us END
            WHERE id = $3 RETURNING *";
        let mut db = self.write().await?;
        let user: Option<User> = db.one(sql, args![limit, locked_until, id]).await?;
        let user = user.ok_or_else(|| Error::missing("user", id))?;
        db.commit().await?;
        Ok(user.failed_count)
    }

    /// Notes a right password.
    ///
    /// # Errors
    /// The database's.
    pub async fn password_succeeded(&self, id: UserId) -> Result<()> {
        let mut db = self.write().await?;
        let sql = "UPDATE users SET failed_count = 0, locked_until_us = NULL WHERE id = $1 AND failed_count > 0";
        db.execute(sql, args![id]).await?;
        db.commit().await
    }
}
