//! Opening a catalog.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use docket_base::Clock;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{Engine, migrate};
use crate::Catalog;
use crate::error::Result;

/// Waiting longer than this for a connection is an error, not patience.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
/// Page caches are counted against the daemon's memory; the kernel's cache stands behind them.
const WRITER_CACHE_KIB: u32 = 8 * 1024;
const READER_CACHE_KIB: u32 = 4 * 1024;

impl Catalog {
    /// Opens (and makes, if need be) the SQLite file at `path` and brings its schema up to date.
    ///
    /// The caller holds the data directory's lock: one process owns the file.
    ///
    /// # Errors
    /// [`crate::Error::Schema`] for a schema that is newer or altered, else the database's own.
    pub async fn open_sqlite(path: &Path, clock: &dyn Clock) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a committed transaction survives power loss; NORMAL could lose an acknowledged offset.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .statement_cache_capacity(256)
            .pragma("temp_store", "MEMORY")
            .pragma("journal_size_limit", "67108864");
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false) // a file doesn't hang up
        };
        let cache = |kib: u32| format!("-{kib}");
        let writer = pool()
            .max_connections(1)
            .connect_with(
                options
                    .clone()
                    .pragma("cache_size", cache(WRITER_CACHE_KIB)),
            )
            .await?;
        // Migrate before the readers open: they prepare against the finished schema.
        let alone = Engine::Sqlite {
            writer: writer.clone(),
            readers: writer.clone(),
        };
        migrate::migrate(&alone, clock).await?;
        let readers = pool()
            .max_connections(SQLITE_READERS)
            .connect_with(
                options
                    .pragma("cache_size", cache(READER_CACHE_KIB))
                    .pragma("query_only", "ON"),
            )
            .await?;
        Ok(Self {
            engine: Engine::Sqlite { writer, readers },
        })
    }

    /// Connects to a PostgreSQL database by URL and brings its schema up to date.
    ///
    /// # Errors
    /// As [`Catalog::open_sqlite`].
    pub async fn open_postgres(url: &str, clock: &dyn Clock) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?.application_name("docketd");
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        let engine = Engine::Postgres(pool);
        migrate::migrate(&engine, clock).await?;
        Ok(Self { engine })
    }

    /// Waits for connections in use and closes the catalog; SQLite folds its write-ahead log in.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}
