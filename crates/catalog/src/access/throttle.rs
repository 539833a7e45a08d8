//! Slowing guesses down, by whatever key the caller counts (an address, a name). Apart from the lock on
//! a user, which says nothing about names that don't exist.

use docket_base::Micros;

use crate::Catalog;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::Result;

rows! {
    /// What is counted for a key.
    pub struct Throttle in "sign_in_throttle" {
        /// The key.
        pub key: String,
        /// Failures since the first.
        pub failures: u32,
        /// When the counting began.
        pub first_failed_at: Micros,
        /// Refused without a look until then.
        pub blocked_until: Option<Micros>,
    }
}

/// How failures are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleRule {
    /// Failures older than this are forgotten, in seconds.
    pub window_seconds: i64,
    /// So many within the window block the key.
    pub limit: u32,
    /// For so long, in seconds.
    pub block_seconds: i64,
}

impl Catalog {
    /// Until when a key is blocked, if it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_in_blocked(&self, key: &str, now: Micros) -> Result<Option<Micros>> {
        let sql = "SELECT * FROM sign_in_throttle WHERE key = $1 AND blocked_until_us > $2";
        let row: Option<Throttle> = self.read().await?.one(sql, args![key, now]).await?;
        Ok(row.and_then(|row| row.blocked_until))
    }

    /// Counts a failure; until when the key is blocked now, if it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_in_failed(
        &self,
        key: &str,
        now: Micros,
        rule: &ThrottleRule,
    ) -> Result<Option<Micros>> {
        let sql = "INSERT INTO sign_in_throttle (key, failures, first_failed_at_us) VALUES ($1, 1, $2)
            ON CONFLICT (key) DO UPDATE SET
                failures = CASE WHEN sign_in_throttle.first_failed_at_us < $3 THEN 1 ELSE sign_in_throttle.failures + 1 END,
                first_failed_at_us = CASE WHEN sign_in_throttle.first_failed_at_us < $3 THEN $2
                    ELSE sign_in_throttle.first_failed_at_us END
            RETURNING *";
        let mut db = self.write().await?;
        let row: Option<Throttle> = db
            .one(sql, args![key, now, now.plus_seconds(-rule.window_seconds)])
            .await?;
        let mut blocked = row
            .as_ref()
            .and_then(|row| row.blocked_until)
            .filter(|until| *until > now);
        if row.is_some_and(|row| row.failures >= rule.limit) {
            let until = now.plus_seconds(rule.block_seconds);
            db.execute(
                "UPDATE sign_in_throttle SET blocked_until_us = $1 WHERE key = $2",
                args![until, key],
            )
            .await?;
            blocked = Some(until);
        }
        db.commit().await?;
        Ok(blocked)
    }

    /// Forgets a key's failures.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_in_succeeded(&self, key: &str) -> Result<()> {
        let mut db = self.write().await?;
        db.execute("DELETE FROM sign_in_throttle WHERE key = $1", args![key])
            .await?;
        db.commit().await
    }
}
