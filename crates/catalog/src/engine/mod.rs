//! The two engines behind one face. Everything above this folder writes one SQL text with `$1`
//! placeholders; what the engines spell differently is in `dialect.rs`.

pub(crate) mod dialect;
pub(crate) mod migrate;
pub(crate) mod open;
pub(crate) mod record;
pub(crate) mod value;

use std::borrow::Cow;

use sqlx::pool::PoolConnection;
use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool,
    Transaction,
};

use self::record::{Count, FromRecord, Record};
use self::value::Value;
use crate::error::Result;

/// Where the facts lie.
#[derive(Debug, Clone)]
pub(crate) enum Engine {
    /// One writer, because SQLite has one writer: waiting for it in the pool is fair and bounded,
    /// waiting for it in the file is neither.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// The engine's name: the one thing dialects are chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A connection in use: a transaction, or a reader outside one.
pub(crate) enum Db {
    SqliteWriter(Transaction<'static, Sqlite>),
    SqliteReader(PoolConnection<Sqlite>),
    PostgresWriter(Transaction<'static, Postgres>),
    PostgresReader(PoolConnection<Postgres>),
}

enum Connection<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// The one place where a statement is run twice in the text and once in fact.
macro_rules! on {
    ($db:expr, $sql:expr, $values:expr, $method:ident, $each:expr) => {
        match $db.connection() {
            Connection::Sqlite(connection) => {
                let query = sqlx::query_with(AssertSqlSafe($sql), value::sqlite($values)?);
                query
                    .$method(connection)
                    .await
                    .map(|out| $each(out, Record::Sqlite))
            }
            Connection::Postgres(connection) => {
                let query = sqlx::query_with(AssertSqlSafe($sql), value::postgres($values)?);
                query
                    .$method(connection)
                    .await
                    .map(|out| $each(out, Record::Postgres))
            }
        }
    };
}

impl Engine {
    /// Starts a transaction that may write.
    pub(crate) async fn write(&self) -> Result<Db> {
        Ok(match self {
            Self::Sqlite { writer, .. } => {
                Db::SqliteWriter(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Self::Postgres(pool) => Db::PostgresWriter(pool.begin().await?),
        })
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<Db> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Db::SqliteReader(readers.acquire().await?),
            Self::Postgres(pool) => Db::PostgresReader(pool.acquire().await?),
        })
    }
}

impl Db {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::SqliteWriter(_) | Self::SqliteReader(_) => Kind::Sqlite,
            Self::PostgresWriter(_) | Self::PostgresReader(_) => Kind::Postgres,
        }
    }

    fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::SqliteWriter(tx) => Connection::Sqlite(tx),
            Self::SqliteReader(c) => Connection::Sqlite(c),
            Self::PostgresWriter(tx) => Connection::Postgres(tx),
            Self::PostgresReader(c) => Connection::Postgres(c),
        }
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn execute(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Result<u64> {
        let sql = sql.into();
        Ok(match self.connection() {
            Connection::Sqlite(c) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), value::sqlite(values)?);
                query.execute(c).await?.rows_affected()
            }
            Connection::Postgres(c) => {
                let query = sqlx::query_with(AssertSqlSafe(sql), value::postgres(values)?);
                query.execute(c).await?.rows_affected()
            }
        })
    }

    /// The row, if there is one.
    pub(crate) async fn one<T: FromRecord>(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Result<Option<T>> {
        let sql = sql.into();
        let row = on!(self, sql, values, fetch_optional, |row: Option<_>, wrap| {
            row.map(wrap)
        })?;
        row.map(|row: Record| T::from_record(&row)).transpose()
    }

    /// Every row.
    pub(crate) async fn all<T: FromRecord>(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Result<Vec<T>> {
        let sql = sql.into();
        let rows: Vec<Record> = on!(self, sql, values, fetch_all, |rows: Vec<_>, wrap| rows
            .into_iter()
            .map(wrap)
            .collect())?;
        rows.iter().map(T::from_record).collect()
    }

    /// The integer column `n` of the one row; 0 when there is none.
    pub(crate) async fn count(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        values: Vec<Value>,
    ) -> Result<i64> {
        Ok(self
            .one::<Count>(sql, values)
            .await?
            .map_or(0, |count| count.0))
    }

    /// Commits. A reader has nothing to commit.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::SqliteWriter(tx) => tx.commit().await?,
            Self::PostgresWriter(tx) => tx.commit().await?,
            Self::SqliteReader(_) | Self::PostgresReader(_) => {}
        }
        Ok(())
    }
}

/// A statement whose text depends on the question: text and values grow together, so that no value ever
/// becomes text.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Statement {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            values: Vec::new(),
        }
    }

    /// Appends text of this program's own.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends `$n` and its value.
    pub(crate) fn bind(&mut self, value: impl value::Bind) -> &mut Self {
        self.values.push(value.bind());
        self.text.push_str(&format!("${}", self.values.len()));
        self
    }

    /// Appends `($n, $n+1, …)`. An empty list matches nothing.
    pub(crate) fn bind_list<T: value::Bind>(
        &mut self,
        list: impl IntoIterator<Item = T>,
    ) -> &mut Self {
        let before = self.values.len();
        self.push("(");
        for value in list {
            if self.values.len() > before {
                self.push(", ");
            }
            self.bind(value);
        }
        if self.values.len() == before {
            self.push("NULL");
        }
        self.push(")")
    }
}
