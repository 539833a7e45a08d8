//! Lists come in pages: `{"items": [...], "next": "cursor" | null}`.

use docket_catalog::Cursor;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Result;

/// Rows of a page when the client doesn't say.
const DEFAULT_LIMIT: u32 = 100;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Send this as `cursor` for the next page; null on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of the catalog's, each row as it is shown.
    pub fn of<R>(page: docket_catalog::Page<R>, shape: impl FnMut(R) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(shape).collect(),
            next: page.next.map(|next| next.to_string()),
        }
    }

    /// A list that is always one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows of a page, at most 200; default 100.
    limit: Option<u32>,
}

impl PageQuery {
    /// Where it begins.
    pub fn cursor(&self) -> Result<Option<Cursor>> {
        cursor(self.cursor.as_deref())
    }

    /// How long it is.
    pub fn limit(&self) -> u32 {
        limit(self.limit)
    }
}

/// Which page of what was searched for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Text that a row contains.
    q: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows of a page, at most 200; default 100.
    limit: Option<u32>,
}

impl SearchQuery {
    /// What is searched for.
    pub fn text(&self) -> Option<&str> {
        self.q.as_deref().filter(|text| !text.trim().is_empty())
    }

    /// Where it begins.
    pub fn cursor(&self) -> Result<Option<Cursor>> {
        cursor(self.cursor.as_deref())
    }

    /// How long it is.
    pub fn limit(&self) -> u32 {
        limit(self.limit)
    }
}

/// The rows to read for a requested limit.
pub fn limit(asked: Option<u32>) -> u32 {
    asked
        .unwrap_or(DEFAULT_LIMIT)
        .clamp(1, docket_catalog::MAX_PAGE)
}

/// A cursor as the client gave it back.
pub fn cursor(text: Option<&str>) -> Result<Option<Cursor>> {
    Ok(text.map(str::parse).transpose()?)
}
