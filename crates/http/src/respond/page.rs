//! Lists come in pages: `{"items": [...], "next": "cursor" | null}`.

use serde::Serialize;
use utoipa::ToSchema;

/// Rows of a page when the client doesn't say.
pub const DEFAULT_LIMIT: u32 = 100;
/// Most rows of a page.
pub const LARGEST_LIMIT: u32 = 500;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Send this as `cursor` for the next page; null on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that is always one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// The rows to read for a requested limit.
pub fn limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(DEFAULT_LIMIT).clamp(1, LARGEST_LIMIT)
}
