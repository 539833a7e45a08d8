//! Finding recordings: text becomes tokens, tokens and facts become one document of the search index,
//! and every listing is one walk of that index from new to old.
//!
//! The index's key is the listing's order (`recordings.sort_key`), and facts are tokens like words are. So
//! whatever a listing filters by is an intersection of posting lists that are already in its order: no
//! sorting, no row is read that isn't shown, and a page costs the same at the millionth recording. Tried
//! beside it: an index for every column leaves the combinations to luck (a common word within a small
//! unit, or a small unit within a common word, walks hundreds of thousands of rows).

pub(crate) mod document;
pub(crate) mod listing;
pub(crate) mod tokens;
