//! Background jobs: at most one of a kind for a recording. A crash leaves a job claimed; it is released at
//! the next start, so every job must bear being done twice.

use docket_base::Micros;
use docket_base::ids::{JobId, RecordingId};

use crate::engine::dialect::skip_locked;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::engine::{Db, Statement};
use crate::error::{Error, Result};
use crate::words::JobState;
use crate::{Catalog, Change};

rows! {
    /// A job.
    pub struct Job in "jobs" {
        /// Its id.
        pub id: JobId,
        /// What is to be done; the words are its doer's.
        pub kind: String,
        /// With which recording.
        pub recording_id: RecordingId,
        /// Where it stands.
        pub state: JobState,
        /// How often it was claimed.
        pub attempts: u32,
        /// Not before this.
        pub run_after: Micros,
        /// When it was claimed.
        pub claimed_at: Option<Micros>,
        /// What went wrong last.
        pub last_error: Option<String>,
    }
}

async fn enqueue(
    db: &mut Db,
    id: JobId,
    kind: &str,
    recording: RecordingId,
    run_after: Micros,
) -> Result<()> {
    // What is done or given up is to be done again; what waits or is being done is left as it is.
    let sql = "INSERT INTO jobs (id, kind, recording_id, state, attempts, run_after_us)
        VALUES ($1, $2, $3, 'waiting', 0, $4)
        ON CONFLICT (kind, recording_id) DO UPDATE
        SET state = 'waiting', attempts = 0, run_after_us = excluded.run_after_us, last_error = NULL
        WHERE jobs.state IN ('done', 'failed')";
    db.execute(sql, args![id, kind, recording, run_after])
        .await?;
    Ok(())
}

impl Change {
    /// Asks for a job, together with the change that makes it necessary.
    ///
    /// # Errors
    /// The database's.
    pub async fn enqueue(
        &mut self,
        id: JobId,
        kind: &str,
        recording: RecordingId,
        run_after: Micros,
    ) -> Result<()> {
        enqueue(&mut self.db, id, kind, recording, run_after).await
    }
}

impl Catalog {
    /// Asks for a job.
    ///
    /// # Errors
    /// The database's.
    pub async fn enqueue(
        &self,
        id: JobId,
        kind: &str,
        recording: RecordingId,
        run_after: Micros,
    ) -> Result<()> {
        let mut db = self.write().await?;
        enqueue(&mut db, id, kind, recording, run_after).await?;
        db.commit().await
    }

    /// Claims the job of these kinds that has waited longest. Looks without the writer first, so that an
    /// idle poll costs nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_job(&self, kinds: &[&str], now: Micros) -> Result<Option<Job>> {
        let mut due = Statement::new(
            "SELECT count(*) AS n FROM (SELECT 1 AS one FROM jobs WHERE state = 'waiting' AND kind IN ",
        );
        due.bind_list(kinds)
            .push(" AND run_after_us <= ")
            .bind(now)
            .push(" LIMIT 1) w");
        if self.read().await?.count(due.text, due.values).await? == 0 {
            return Ok(None);
        }
        let mut db = self.write().await?;
        let mut s = Statement::new(
            "UPDATE jobs SET state = 'claimed', attempts = attempts + 1, claimed_at_us = ",
        );
        s.bind(now)
            .push(" WHERE id = (SELECT id FROM jobs WHERE state = 'waiting' AND kind IN ");
        s.bind_list(kinds).push(" AND run_after_us <= ").bind(now);
        s.push(" ORDER BY run_after_us, id LIMIT 1")
            .push(skip_locked(db.kind()))
            .push(") RETURNING *");
        let job = db.one(s.text, s.values).await?;
        db.commit().await?;
        Ok(job)
    }

    /// A claimed job is done.
    ///
    /// # Errors
    /// [`Error::Stale`] when it isn't claimed.
    pub async fn complete_job(&self, id: JobId) -> Result<()> {
        self.settle(
            "UPDATE jobs SET state = 'done', last_error = NULL WHERE id = $1 AND state = 'claimed'",
            id,
            args![id],
        )
        .await
    }

    /// A claimed job failed: again at `retry_at`, or given up.
    ///
    /// # Errors
    /// [`Error::Stale`] when it isn't claimed.
    pub async fn fail_job(&self, id: JobId, error: &str, retry_at: Option<Micros>) -> Result<()> {
        let sql =
            "UPDATE jobs SET state = $1, last_error = $2, run_after_us = COALESCE($3, run_after_us)
            WHERE id = $4 AND state = 'claimed'";
        let state = if retry_at.is_some() {
            JobState::Waiting
        } else {
            JobState::Failed
        };
        self.settle(sql, id, args![state, error, retry_at, id])
            .await
    }

    async fn settle(
        &self,
        sql: &'static str,
        id: JobId,
        values: Vec<crate::engine::value::Value>,
    ) -> Result<()> {
        let mut db = self.write().await?;
        if db.execute(sql, values).await? == 0 {
            return Err(Error::stale("job", id));
        }
        db.commit().await
    }

    /// Releases jobs claimed before a moment: their doer died. How many.
    ///
    /// # Errors
    /// The database's.
    pub async fn release_jobs(&self, claimed_before: Micros) -> Result<u64> {
        let mut db = self.write().await?;
        let sql =
            "UPDATE jobs SET state = 'waiting' WHERE state = 'claimed' AND claimed_at_us < $1";
        let released = db.execute(sql, args![claimed_before]).await?;
        db.commit().await?;
        Ok(released)
    }

    /// A recording's jobs.
    ///
    /// # Errors
    /// The database's.
    pub async fn jobs(&self, recording: RecordingId) -> Result<Vec<Job>> {
        let sql = "SELECT * FROM jobs WHERE recording_id = $1 ORDER BY kind";
        self.read().await?.all(sql, args![recording]).await
    }

    /// How many jobs wait, whether due or not: for metrics.
    ///
    /// # Errors
    /// The database's.
    pub async fn waiting_jobs(&self) -> Result<u64> {
        let count = self
            .read()
            .await?
            .count(
                "SELECT count(*) AS n FROM jobs WHERE state = 'waiting'",
                vec![],
            )
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
