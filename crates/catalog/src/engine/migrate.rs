//! Brings the schema up to date: numbered files of `migrations/`, applied once, in order, each in its
//! own transaction together with the note that it was applied. A crash in between leaves the schema at
//! a whole number of steps.

use docket_base::{Clock, Sha256Digest};
use sqlx::AssertSqlSafe;

use super::dialect::{Turn, take_turn};
use super::record::rows;
use super::value::args;
use super::{Connection, Db, Engine, Kind};
use crate::error::{Error, Result};

/// (number, name, text). Append only.
pub(crate) const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        1,
        "first",
        include_str!("../../../../migrations/0001_first.sql"),
    ),
    (
        2,
        "viewing_claims",
        include_str!("../../../../migrations/0002_viewing_claims.sql"),
    ),
    (
        3,
        "made_for_viewing",
        include_str!("../../../../migrations/0003_made_for_viewing.sql"),
    ),
    (
        4,
        "asked_for_now",
        include_str!("../../../../migrations/0004_asked_for_now.sql"),
    ),
    (
        6,
        "marks",
        include_str!("../../../../migrations/0006_marks.sql"),
    ),
];

rows! {
    /// A migration that was applied.
    pub struct Applied in "schema_migrations" {
        /// Its number.
        pub version: i64,
        /// SHA-256 of its text as this engine got it.
        pub sha256: Sha256Digest,
    }
}

/// Applies what is missing, refuses a schema that is newer or was made from another text.
pub(crate) async fn migrate(engine: &Engine, clock: &dyn Clock) -> Result<()> {
    let mut db = engine.write().await?;
    take_turn(&mut db, Turn::Migration).await?;
    let table = "CREATE TABLE IF NOT EXISTS schema_migrations (
        version BIGINT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at_us BIGINT NOT NULL)";
    db.execute(table, vec![]).await?;
    let applied: Vec<Applied> = db
        .all("SELECT * FROM schema_migrations ORDER BY version", vec![])
        .await?;
    let kind = db.kind();
    db.commit().await?;
    for done in &applied {
        let Some((_, name, text)) = MIGRATIONS.iter().find(|m| m.0 == done.version) else {
            return Err(Error::Schema(format!(
                "step {} is newer than this program",
                done.version
            )));
        };
        if digest(kind, text) != done.sha256 {
            return Err(Error::Schema(format!(
                "step {} ({name}) was applied from another text",
                done.version
            )));
        }
    }
    for migration in MIGRATIONS {
        if applied.iter().all(|done| done.version != migration.0) {
            apply(engine, clock, migration).await?;
        }
    }
    Ok(())
}

async fn apply(
    engine: &Engine,
    clock: &dyn Clock,
    (version, name, text): &(i64, &str, &str),
) -> Result<()> {
    let mut db = engine.write().await?;
    take_turn(&mut db, Turn::Migration).await?;
    let seen = db
        .count(
            "SELECT count(*) AS n FROM schema_migrations WHERE version = $1",
            args![version],
        )
        .await?;
    if seen > 0 {
        return Ok(()); // another daemon was quicker
    }
    run_script(&mut db, text).await?;
    let note = "INSERT INTO schema_migrations (version, name, sha256, applied_at_us) VALUES ($1, $2, $3, $4)";
    db.execute(
        note,
        args![version, *name, digest(db.kind(), text), clock.now()],
    )
    .await?;
    db.commit().await?;
    tracing::info!(version, name, "schema step applied");
    Ok(())
}

/// Of the text as it was run: what a dialect contributes is as fixed as the file.
fn digest(kind: Kind, text: &str) -> Sha256Digest {
    Sha256Digest::of(kind.render(text).as_bytes())
}

async fn run_script(db: &mut Db, text: &str) -> Result<()> {
    let script = db.kind().render(text);
    match db.connection() {
        Connection::Sqlite(c) => sqlx::raw_sql(AssertSqlSafe(script))
            .execute(c)
            .await
            .map(drop)?,
        Connection::Postgres(c) => sqlx::raw_sql(AssertSqlSafe(script))
            .execute(c)
            .await
            .map(drop)?,
    }
    Ok(())
}
