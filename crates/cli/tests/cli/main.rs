//! The real binary, on receipts made here.

#![allow(clippy::unwrap_used)]

mod desk;
mod upload;
mod verify;
