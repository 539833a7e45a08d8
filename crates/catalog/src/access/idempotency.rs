//! Idempotency-Key: the same request again gets the first one's answer.

use docket_base::{Micros, Sha256Digest};

use crate::Catalog;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::{Error, Result};

rows! {
    /// What stands under a key.
    pub struct StoredAnswer in "idempotency_keys" {
        /// Digest of the request that took the key.
        pub request_sha256: Sha256Digest,
        /// Status of its answer; `None` while it is being worked on.
        pub status: Option<u32>,
        /// Body of its answer.
        pub response: Option<Vec<u8>>,
        /// When the key was taken.
        pub created_at: Micros,
    }
}

/// What a request under a key is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// It is the first: work, then [`Catalog::answer_request`] or [`Catalog::forget_request`].
    First,
    /// Answer with this.
    Again {
        /// Status.
        status: u32,
        /// Body.
        response: Vec<u8>,
    },
    /// The first one is still being worked on: 409.
    Busy,
    /// The key was taken by another request: 422.
    Different,
}

impl Catalog {
    /// Takes a key for a request. One that was taken before `abandoned_before` and never answered (its
    /// daemon died) is taken over.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_request(
        &self,
        actor: &str,
        key: &str,
        request: Sha256Digest,
        (now, abandoned_before): (Micros, Micros),
    ) -> Result<Idempotency> {
        let mut db = self.write().await?;
        let abandoned = "DELETE FROM idempotency_keys
            WHERE actor = $1 AND key = $2 AND status IS NULL AND created_at_us < $3";
        db.execute(abandoned, args![actor, key, abandoned_before])
            .await?;
        let take = "INSERT INTO idempotency_keys (actor, key, request_sha256, created_at_us) VALUES ($1, $2, $3, $4)
            ON CONFLICT (actor, key) DO NOTHING";
        let taken = db.execute(take, args![actor, key, request, now]).await? > 0;
        let stored = "SELECT request_sha256, status, response, created_at_us FROM idempotency_keys
            WHERE actor = $1 AND key = $2";
        let stored: Option<StoredAnswer> = db.one(stored, args![actor, key]).await?;
        db.commit().await?;
        Ok(match stored {
            _ if taken => Idempotency::First,
            Some(answer) if answer.request_sha256 != request => Idempotency::Different,
            Some(StoredAnswer {
                status: Some(status),
                response,
                ..
            }) => Idempotency::Again {
                status,
                response: response.unwrap_or_default(),
            },
            _ => Idempotency::Busy,
        })
    }

    /// Stores the answer to the request that took the key.
    ///
    /// # Errors
    /// [`Error::Stale`] when the key is no longer its own.
    pub async fn answer_request(
        &self,
        actor: &str,
        key: &str,
        status: u32,
        response: &[u8],
    ) -> Result<()> {
        let mut db = self.write().await?;
        let sql = "UPDATE idempotency_keys SET status = $1, response = $2
            WHERE actor = $3 AND key = $4 AND status IS NULL";
        if db.execute(sql, args![status, response, actor, key]).await? == 0 {
            return Err(Error::stale("idempotency key", key));
        }
        db.commit().await
    }

    /// Gives the key back unanswered: the request failed in a way that trying again may mend.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_request(&self, actor: &str, key: &str) -> Result<()> {
        let mut db = self.write().await?;
        let sql = "DELETE FROM idempotency_keys WHERE actor = $1 AND key = $2 AND status IS NULL";
        db.execute(sql, args![actor, key]).await?;
        db.commit().await
    }
}
