//! The real `docket-dock` binary against a small stand-in for the daemon: just enough tus and API,
//! with receipts signed by a real ledger key. The stand-in can hold still at a byte, go away, be full
//! and lie.

mod daemon;
mod scene;

mod crashes;
mod enrolment;
mod lies;
mod outages;
mod plain_days;
mod watching;
