//! The whole system: real processes, real sockets, real files. Every test has a daemon of its own.

mod harness;

mod browser;
mod cases;
mod corpus;
mod crash;
mod events;
mod foreign_clients;
mod formats;
mod growing;
mod looks;
mod names;
mod operating;
mod playback;
mod receipts;
mod store;
mod track;
mod uploads;
