//! Rows on their way out: each column is read as the type its field has, and a row this program can't
//! have written is an error that names it, never a panic.

use docket_base::ids::*;
use docket_base::{Micros, Sha256Digest, Sm3Digest};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Type};

use crate::error::{Error, Result};

/// A row of either engine.
pub(crate) enum Record {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Record {
    /// The raw value; `None` for NULL, the reason when it isn't of this type.
    fn raw<T>(&self, name: &str) -> Result<Option<T>, String>
    where
        T: for<'r> Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite>,
        T: for<'r> Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>,
    {
        match self {
            Self::Sqlite(row) => row.try_get::<Option<T>, _>(name),
            Self::Postgres(row) => row.try_get::<Option<T>, _>(name),
        }
        .map_err(|e| e.to_string())
    }

    /// The field `name` of the row type that lives in `table`.
    pub(crate) fn field<T: Field>(&self, table: &'static str, name: &str) -> Result<T> {
        T::read(self, name).map_err(|reason| Error::Corrupt {
            table,
            row: self.identity(),
            reason: format!("{name}: {reason}"),
        })
    }

    fn identity(&self) -> String {
        if let Ok(Some(id)) = self.raw::<String>("id") {
            return id;
        }
        let first = match self {
            Self::Sqlite(row) => row.try_get::<String, _>(0),
            Self::Postgres(row) => row.try_get::<String, _>(0),
        };
        first.unwrap_or_else(|_| "(unreadable)".to_owned())
    }
}

/// A type that is read from a row. Written by [`rows!`].
pub(crate) trait FromRecord: Sized {
    fn from_record(record: &Record) -> Result<Self>;
}

/// A type a column can have, NULL aside.
pub(crate) trait Column: Sized {
    fn column(record: &Record, name: &str) -> Result<Option<Self>, String>;
}

/// A column as a field: `Option` where it may be NULL.
pub(crate) trait Field: Sized {
    fn read(record: &Record, name: &str) -> Result<Self, String>;
}

impl<T: Column> Field for T {
    fn read(record: &Record, name: &str) -> Result<Self, String> {
        T::column(record, name)?.ok_or_else(|| "is NULL".to_owned())
    }
}

impl<T: Column> Field for Option<T> {
    fn read(record: &Record, name: &str) -> Result<Self, String> {
        T::column(record, name)
    }
}

macro_rules! column_raw {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn column(record: &Record, name: &str) -> Result<Option<Self>, String> {
                record.raw(name)
            }
        }
    )*};
}
column_raw!(String, i64, bool, Vec<u8>);

macro_rules! column_parsed {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::engine::record::Column for $type {
            fn column(record: &$crate::engine::record::Record, name: &str) -> Result<Option<Self>, String> {
                let text = <String as $crate::engine::record::Column>::column(record, name)?;
                text.map(|text| text.parse::<$type>().map_err(|e| e.to_string())).transpose()
            }
        }
    )*};
}
pub(crate) use column_parsed;

column_parsed!(
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
    Sm3Digest,
);

impl Column for u64 {
    fn column(record: &Record, name: &str) -> Result<Option<Self>, String> {
        let raw = record.raw::<i64>(name)?;
        raw.map(|n| Self::try_from(n).map_err(|_| format!("{n} is negative")))
            .transpose()
    }
}

impl Column for u32 {
    fn column(record: &Record, name: &str) -> Result<Option<Self>, String> {
        let raw = record.raw::<i64>(name)?;
        raw.map(|n| Self::try_from(n).map_err(|_| format!("{n} is out of range")))
            .transpose()
    }
}

impl Column for Micros {
    /// In SQL the unit is part of the name (`sealed_at_us`), in Rust it is the type.
    fn column(record: &Record, name: &str) -> Result<Option<Self>, String> {
        Ok(record.raw::<i64>(&format!("{name}_us"))?.map(Self))
    }
}

/// Lists are JSON text.
impl Column for Vec<String> {
    fn column(record: &Record, name: &str) -> Result<Option<Self>, String> {
        let text = record.raw::<String>(name)?;
        text.map(|text| serde_json::from_str(&text).map_err(|e| e.to_string()))
            .transpose()
    }
}

/// Declares a row type: the struct, and how it is read from columns of the same names.
macro_rules! rows {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident in $table:literal {
            $( $(#[$field_meta:meta])* pub $field:ident: $type:ty, )*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::engine::record::FromRecord for $name {
            fn from_record(record: &$crate::engine::record::Record) -> $crate::error::Result<Self> {
                Ok(Self { $( $field: record.field($table, stringify!($field))?, )* })
            }
        }
    )*};
}
pub(crate) use rows;

/// Declares a closed set of words, as they stand in the database, in JSON and in the API.
macro_rules! words {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident = $word:literal, )* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $( $(#[$variant_meta])* #[serde(rename = $word)] $variant, )* }

        impl $name {
            /// Every word of the set.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;
            fn from_str(text: &str) -> Result<Self, $crate::UnknownWord> {
                match text {
                    $( $word => Ok(Self::$variant), )*
                    other => Err($crate::UnknownWord::new(other, &[$($word),*])),
                }
            }
        }

        $crate::engine::value::bind_text!($name);
        $crate::engine::record::column_parsed!($name);
    )*};
}
pub(crate) use words;

/// One integer column named `n`.
pub(crate) struct Count(pub i64);

impl FromRecord for Count {
    fn from_record(record: &Record) -> Result<Self> {
        Ok(Self(record.field("(count)", "n")?))
    }
}
