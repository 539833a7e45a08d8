//! `check` and `rebuild` on a real catalog and a real local vault.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod check;
mod clips;
mod instance;
mod rebuild;
mod story;
