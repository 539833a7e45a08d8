//! Parts of answers that many routes share: ranges, entity tags, pages.

pub mod etag;
pub mod page;
pub mod range;
pub mod stream;
