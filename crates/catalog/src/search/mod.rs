//! Finding recordings: text becomes tokens, tokens and facts become one document of the search index,
//! and every listing is one walk of that index from new to old.

pub(crate) mod document;
pub(crate) mod listing;
pub(crate) mod tokens;
