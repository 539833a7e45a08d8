//! The daemon's HTTP, in one process: the real router over a real catalog and vault in a temporary directory.

mod call;
mod cases;
mod console;
mod events;
mod guessing;
mod idempotency;
mod marks;
mod pages;
mod play;
mod ranges;
mod recordings;
mod registers;
mod route_table;
mod session;
mod stations;
mod tokens;
mod viewings;
mod words;
mod world;
