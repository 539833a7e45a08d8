//! The ledger against a naive reference, against public vectors, against itself after crashes, and
//! against forgers.

#![allow(clippy::unwrap_used)]

mod entries;
mod integration;
mod naive;
mod proofs;
mod receipts;
mod tiles;
mod vectors;
