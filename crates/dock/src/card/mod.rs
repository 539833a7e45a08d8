//! What is on a recorder. Nothing here is trusted: names are bytes, links and special files are left
//! alone, every file is reached component by component without following anything, and all counts
//! and lengths have bounds.

pub mod erase;
pub mod glob;
pub mod identity;
pub mod kind;
pub mod listing;
pub mod open;
pub mod path;

pub use listing::{CardFile, Listing};
pub use open::{Card, OpenedFile};
pub use path::CardPath;
