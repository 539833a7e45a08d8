//! Browser sessions. The cookie's secret and the CSRF token are only here as SHA-256.

use docket_base::ids::UserId;
use docket_base::{Micros, Sha256Digest};

use crate::Catalog;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::Result;

rows! {
    /// A session.
    pub struct Session in "sessions" {
        /// SHA-256 of the cookie's secret.
        pub id_sha256: Sha256Digest,
        /// SHA-256 of the token that state-changing requests carry.
        pub csrf_sha256: Sha256Digest,
        /// Whose.
        pub user_id: UserId,
        /// Since when.
        pub created_at: Micros,
        /// Until when.
        pub expires_at: Micros,
    }
}

impl Catalog {
    /// Begins a session.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] for an unknown user.
    pub async fn add_session(&self, s: &Session) -> Result<()> {
        let sql =
            "INSERT INTO sessions (id_sha256, csrf_sha256, user_id, created_at_us, expires_at_us)
            VALUES ($1, $2, $3, $4, $5)";
        let mut db = self.write().await?;
        db.execute(
            sql,
            args![
                s.id_sha256,
                s.csrf_sha256,
                s.user_id,
                s.created_at,
                s.expires_at
            ],
        )
        .await?;
        db.commit().await
    }

    /// A session that is still good.
    ///
    /// # Errors
    /// The database's.
    pub async fn session(&self, id: Sha256Digest, now: Micros) -> Result<Option<Session>> {
        let sql = "SELECT * FROM sessions WHERE id_sha256 = $1 AND expires_at_us > $2";
        self.read().await?.one(sql, args![id, now]).await
    }

    /// Moves a session's end. Gone already is fine.
    ///
    /// # Errors
    /// The database's.
    pub async fn extend_session(&self, id: Sha256Digest, expires_at: Micros) -> Result<()> {
        let mut db = self.write().await?;
        db.execute(
            "UPDATE sessions SET expires_at_us = $1 WHERE id_sha256 = $2",
            args![expires_at, id],
        )
        .await?;
        db.commit().await
    }

    /// Ends a session. Gone already is fine.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_session(&self, id: Sha256Digest) -> Result<()> {
        let mut db = self.write().await?;
        db.execute("DELETE FROM sessions WHERE id_sha256 = $1", args![id])
            .await?;
        db.commit().await
    }

    /// Sweeps what is past its time: sessions, playback tokens, sign-in throttles begun before `throttles_before`, and
    /// idempotency keys from before `keys_before`.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_access(
        &self,
        now: Micros,
        throttles_before: Micros,
        keys_before: Micros,
    ) -> Result<()> {
        let mut db = self.write().await?;
        db.execute("DELETE FROM sessions WHERE expires_at_us <= $1", args![now])
            .await?;
        let playback = "DELETE FROM playback_tokens WHERE expires_at_us <= $1";
        db.execute(playback, args![now]).await?;
        let throttles = "DELETE FROM sign_in_throttle
            WHERE first_failed_at_us < $1 AND (blocked_until_us IS NULL OR blocked_until_us <= $2)";
        db.execute(throttles, args![throttles_before, now]).await?;
        db.execute(
            "DELETE FROM idempotency_keys WHERE created_at_us < $1",
            args![keys_before],
        )
        .await?;
        db.commit().await
    }
}
