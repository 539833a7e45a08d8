//! Pages and scopes: what every listing has in common.

use std::fmt;
use std::str::FromStr;

use docket_base::ids::UnitId;

use crate::engine::Statement;

/// The most rows a page holds.
pub const MAX_PAGE: u32 = 200;

/// One page of a listing, and where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Ask on from here; `None` at the end.
    pub next: Option<Cursor>,
}

/// Opaque to clients: where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub(crate) String);

/// A cursor this catalog did not give out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this listing")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;
    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let plain = !text.is_empty() && text.len() <= 64;
        let known = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if plain && known {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadCursor)
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Cursor {
    pub(crate) fn number(key: i64) -> Self {
        Self(format!("{:016x}", (key as u64) ^ (1 << 63)))
    }

    pub(crate) fn id(id: impl ToString) -> Self {
        Self(id.to_string())
    }

    pub(crate) fn as_id<T: FromStr>(&self) -> Result<T, BadCursor> {
        self.0.parse().map_err(|_| BadCursor)
    }

    pub(crate) fn as_number(&self) -> Result<i64, BadCursor> {
        let bits = u64::from_str_radix(&self.0, 16).map_err(|_| BadCursor)?;
        Ok((bits ^ (1 << 63)) as i64)
    }
}

impl<T> Page<T> {
    /// Cuts a page from rows that were asked for with one more than the limit.
    pub(crate) fn cut(mut rows: Vec<T>, limit: u32, cursor: impl Fn(&T) -> Cursor) -> Self {
        let limit = page_limit(limit) as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { items: rows, next }
    }
}

/// The page size that is used for a size that was asked for.
pub(crate) fn page_limit(asked: u32) -> u32 {
    asked.clamp(1, MAX_PAGE)
}

/// Which part of the unit tree a caller may see. Decided by the authorisation, applied here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// No limit: the system itself and whoever stands over the whole tree.
    Everything,
    /// These units and all below them. Empty: nothing at all.
    Subtrees(Vec<UnitId>),
}

impl Scope {
    /// One unit and all below it.
    pub fn subtree(unit: UnitId) -> Self {
        Self::Subtrees(vec![unit])
    }

    /// Appends ` AND column is within the scope`.
    pub(crate) fn restrict(&self, column: &str, statement: &mut Statement) {
        if let Self::Subtrees(roots) = self {
            statement.push(&format!(
                " AND {column} IN (SELECT unit_id FROM unit_ancestors WHERE ancestor_id IN "
            ));
            statement.bind_list(roots).push(")");
        }
    }
}
