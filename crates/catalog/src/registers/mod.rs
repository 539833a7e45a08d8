//! The registers: units, officers, recorders with their assignments, stations, retention rules. Rows have
//! a `version` that counts their changes: the vault keeps each version as a file of its own.

pub(crate) mod import;
pub(crate) mod officers;
pub(crate) mod recorders;
pub(crate) mod retention;
pub(crate) mod stations;
pub(crate) mod units;

use docket_base::ids::UnitId;

use crate::engine::Statement;
use crate::engine::record::{FromRecord, Record};
use crate::error::Result;
use crate::page::{Cursor, Scope, page_limit};

/// A row with the name of its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithUnit<T> {
    /// The row.
    pub row: T,
    /// Name of the unit it belongs to.
    pub unit_name: String,
}

impl<T: FromRecord> FromRecord for WithUnit<T> {
    fn from_record(record: &Record) -> Result<Self> {
        Ok(Self {
            row: T::from_record(record)?,
            unit_name: record.field("units", "unit_name")?,
        })
    }
}

/// A listing of a register's rows by id, within a scope: `columns` are those a question is looked for in.
pub(crate) fn register_page(
    table: &str,
    columns: &[&str],
    question: Option<&str>,
    scope: &Scope,
    cursor: Option<&Cursor>,
    limit: u32,
) -> Result<Statement> {
    let mut s = Statement::new(&format!(
        "SELECT t.*, u.name AS unit_name FROM {table} t JOIN units u ON u.id = t.unit_id WHERE t.id > "
    ));
    // Ids of all sorts have the same form, so one type reads every cursor.
    s.bind(
        cursor
            .map(Cursor::as_id::<UnitId>)
            .transpose()?
            .map(|id| id.to_string())
            .unwrap_or_default(),
    );
    scope.restrict("t.unit_id", &mut s);
    if let Some(question) = question {
        let asked: Vec<_> = columns.iter().map(|column| (*column, question)).collect();
        contains(&mut s, &asked);
    }
    s.push(" ORDER BY t.id LIMIT ").bind(page_limit(limit) + 1);
    Ok(s)
}

/// Appends ` AND one of the columns contains what is asked of it`, ASCII case aside.
pub(crate) fn contains(s: &mut Statement, asked: &[(&str, &str)]) {
    s.push(" AND (");
    for (n, (column, question)) in asked.iter().enumerate() {
        s.push(if n > 0 { " OR " } else { "" });
        s.push(&format!("lower({column}) LIKE "))
            .bind(pattern(question))
            .push(" ESCAPE '\\'");
    }
    s.push(")");
}

fn pattern(question: &str) -> String {
    let mut pattern = String::from("%");
    for c in question.chars().take(200) {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.extend(c.to_lowercase());
    }
    pattern.push('%');
    pattern
}
