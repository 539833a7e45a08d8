//! Values on their way into a statement. The catalog's own, so that one list of arguments serves both
//! engines and NULLs are typed.

use docket_base::ids::*;
use docket_base::{Micros, Sha256Digest, Sm3Digest};
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Database, Encode, Type};

use crate::error::{Error, Result};

/// One argument.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Bool(Option<bool>),
    Blob(Option<Vec<u8>>),
}

/// What can be an argument.
pub(crate) trait Bind {
    const NULL: Value;
    fn bind(&self) -> Value;
}

impl<T: Bind + ?Sized> Bind for &T {
    const NULL: Value = T::NULL;
    fn bind(&self) -> Value {
        (**self).bind()
    }
}

impl<T: Bind> Bind for Option<T> {
    const NULL: Value = T::NULL;
    fn bind(&self) -> Value {
        self.as_ref().map_or(T::NULL, Bind::bind)
    }
}

macro_rules! bind_text {
    ($($type:ty),*) => {$(
        impl $crate::engine::value::Bind for $type {
            const NULL: $crate::engine::value::Value = $crate::engine::value::Value::Text(None);
            fn bind(&self) -> $crate::engine::value::Value {
                $crate::engine::value::Value::Text(Some(self.to_string()))
            }
        }
    )*};
}
pub(crate) use bind_text;

bind_text!(
    str,
    String,
    RecordingId,
    DockingId,
    DockingFileId,
    OfficerId,
    UnitId,
    RecorderId,
    AssignmentId,
    StationId,
    CaseId,
    LinkId,
    HoldId,
    RuleId,
    UserId,
    TokenId,
    SessionId,
    EventId,
    ViewingId,
    MarkerId,
    JobId,
    RegisterId,
    Sha256Digest,
    Sm3Digest
);

impl Bind for i64 {
    const NULL: Value = Value::Int(None);
    fn bind(&self) -> Value {
        Value::Int(Some(*self))
    }
}

impl Bind for u64 {
    const NULL: Value = Value::Int(None);
    /// No size or count comes near 2^63; one that claims to is stored as the largest.
    fn bind(&self) -> Value {
        Value::Int(Some(i64::try_from(*self).unwrap_or(i64::MAX)))
    }
}

impl Bind for u32 {
    const NULL: Value = Value::Int(None);
    fn bind(&self) -> Value {
        Value::Int(Some(i64::from(*self)))
    }
}

impl Bind for Micros {
    const NULL: Value = Value::Int(None);
    fn bind(&self) -> Value {
        Value::Int(Some(self.0))
    }
}

impl Bind for bool {
    const NULL: Value = Value::Bool(None);
    fn bind(&self) -> Value {
        Value::Bool(Some(*self))
    }
}

impl Bind for Vec<u8> {
    const NULL: Value = Value::Blob(None);
    fn bind(&self) -> Value {
        Value::Blob(Some(self.clone()))
    }
}

impl Bind for [u8] {
    const NULL: Value = Value::Blob(None);
    fn bind(&self) -> Value {
        Value::Blob(Some(self.to_vec()))
    }
}

/// The arguments of one statement, in the order of its `$n`.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::engine::value::Bind::bind(&$value)),*] };
}
pub(crate) use args;

pub(crate) fn sqlite(values: Vec<Value>) -> Result<SqliteArguments> {
    encode::<sqlx::Sqlite, _>(values)
}

pub(crate) fn postgres(values: Vec<Value>) -> Result<PgArguments> {
    encode::<sqlx::Postgres, _>(values)
}

fn encode<DB, A>(values: Vec<Value>) -> Result<A>
where
    DB: Database,
    A: Arguments<Database = DB>,
    for<'t> Option<String>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<i64>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<bool>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<Vec<u8>>: Encode<'t, DB> + Type<DB>,
{
    let mut out = A::default();
    for value in values {
        match value {
            Value::Text(v) => out.add(v),
            Value::Int(v) => out.add(v),
            Value::Bool(v) => out.add(v),
            Value::Blob(v) => out.add(v),
        }
        .map_err(|e| Error::Database(sqlx::Error::Encode(e)))?;
    }
    Ok(out)
}
