//! From `receiving` to a fixed original, and its verification.

use docket_base::ids::{RecordingId, UnitId};
use docket_base::{Micros, Sha256Digest};

use super::{Recording, Seal};
use crate::engine::value::args;
use crate::error::{Error, Result};
use crate::search::document::reindex;
use crate::words::RecordingState;
use crate::{Catalog, Change};

impl Change {
    /// Closes an open recording as sealed, incomplete or quarantined. Its upload row stays until
    /// [`Change::delete_upload`], which belongs in the same change.
    ///
    /// # Errors
    /// [`Error::Stale`] when it is no longer open (recovery ran already); [`Error::Taken`] vault key;
    /// [`Error::Refused`] for a state that closes nothing.
    pub async fn seal(&mut self, id: RecordingId, seal: &Seal) -> Result<()> {
        if seal.state.is_open() || seal.state == RecordingState::Deleted {
            return Err(Error::Refused(format!(
                "a recording is not sealed as {}",
                seal.state
            )));
        }
        let sql = "UPDATE recordings SET state = $1, sealed_at_us = $2, size_bytes = $3, received_bytes = $3, sha256 = $4,
                sm3 = $5, vault_key = $6, duplicate_of = $7, incomplete_reason = $8, version = version + 1
            WHERE id = $9 AND state IN ('receiving', 'sealing')";
        let values = args![
            seal.state,
            seal.at,
            seal.size_bytes,
            seal.digests.sha256,
            seal.digests.sm3,
            seal.vault_key,
            seal.duplicate_of,
            seal.incomplete_reason,
            id
        ];
        if self.db.execute(sql, values).await? == 0 {
            return Err(Error::stale("recording", id));
        }
        reindex(&mut self.db, id).await
    }

    /// The vault's copy was read back and its digest is the same.
    ///
    /// # Errors
    /// [`Error::Stale`] when it isn't sealed or was verified already.
    pub async fn set_verified(&mut self, id: RecordingId, at: Micros) -> Result<()> {
        let sql = "UPDATE recordings SET verified_at_us = $1, version = version + 1
            WHERE id = $2 AND verified_at_us IS NULL AND state IN ('sealed', 'incomplete', 'quarantined')";
        if self.db.execute(sql, args![at, id]).await? == 0 {
            return Err(Error::stale("recording", id));
        }
        Ok(())
    }

    /// The unit's first sealed recording with this content that is not itself a duplicate.
    ///
    /// # Errors
    /// The database's.
    pub async fn sealed_with_content(
        &mut self,
        unit: UnitId,
        sha256: Sha256Digest,
        size_bytes: u64,
    ) -> Result<Option<Recording>> {
        self.db
            .one(SAME_CONTENT, args![unit, sha256, size_bytes])
            .await
    }
}

const SAME_CONTENT: &str = "SELECT * FROM recordings
    WHERE unit_id = $1 AND sha256 = $2 AND size_bytes = $3 AND state = 'sealed' AND duplicate_of IS NULL
    ORDER BY id LIMIT 1";

impl Catalog {
    /// As [`Change::sealed_with_content`], outside a change. Ask again inside it before relying on it.
    ///
    /// # Errors
    /// The database's.
    pub async fn sealed_with_content(
        &self,
        unit: UnitId,
        sha256: Sha256Digest,
        size_bytes: u64,
    ) -> Result<Option<Recording>> {
        self.read()
            .await?
            .one(SAME_CONTENT, args![unit, sha256, size_bytes])
            .await
    }

    /// All bytes are there: from `receiving` to `sealing`. No custody event: the seal has one. A crash
    /// after it is recovered from [`Catalog::unfinished`].
    ///
    /// # Errors
    /// [`Error::Stale`] when it is neither receiving nor sealing.
    pub async fn begin_sealing(&self, id: RecordingId) -> Result<()> {
        let mut db = self.write().await?;
        let sql = "UPDATE recordings SET state = 'sealing', version = version + 1 WHERE id = $1 AND state = 'receiving'";
        if db.execute(sql, args![id]).await? > 0 {
            reindex(&mut db, id).await?;
            return db.commit().await;
        }
        let already = "SELECT count(*) AS n FROM recordings WHERE id = $1 AND state = 'sealing'";
        if db.count(already, args![id]).await? == 0 {
            return Err(Error::stale("recording", id));
        }
        Ok(())
    }

    /// Recordings that are still receiving or sealing, by id: for recovery at start.
    ///
    /// # Errors
    /// The database's.
    pub async fn unfinished(
        &self,
        after: Option<RecordingId>,
        limit: u32,
    ) -> Result<Vec<Recording>> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let sql = "SELECT * FROM recordings WHERE state IN ('receiving', 'sealing') AND id > $1 ORDER BY id LIMIT $2";
        self.read().await?.all(sql, args![after, limit]).await
    }

    /// Closed recordings with an original that was not read back yet, by id.
    ///
    /// # Errors
    /// The database's.
    pub async fn unverified(
        &self,
        after: Option<RecordingId>,
        limit: u32,
    ) -> Result<Vec<Recording>> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let sql = "SELECT * FROM recordings
            WHERE verified_at_us IS NULL AND vault_key IS NOT NULL AND state <> 'deleted' AND id > $1
            ORDER BY id LIMIT $2";
        self.read().await?.all(sql, args![after, limit]).await
    }

    /// All recordings in the order of their ids: for `check`.
    ///
    /// # Errors
    /// The database's.
    pub async fn recordings_by_id(
        &self,
        after: Option<RecordingId>,
        limit: u32,
    ) -> Result<Vec<Recording>> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let sql = "SELECT * FROM recordings WHERE id > $1 ORDER BY id LIMIT $2";
        self.read().await?.all(sql, args![after, limit]).await
    }
}
