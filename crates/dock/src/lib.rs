//! `docket-dock`: takes what is on the recorders in a station's bays to the daemon, checks the
//! receipts, and only then lets a recorder be erased or taken.
//!
//! What is where: [`config`] and [`enrolment`] say who the station is; [`card`] reads recorders and
//! trusts nothing on them; [`journal`] remembers across crashes; [`bay`] runs one bay from empty to
//! "may be taken"; [`board`] is what heartbeat and display show.

pub mod bay;
pub mod board;
pub mod card;
pub mod config;
pub mod display;
pub mod enrolment;
pub mod heartbeat;
pub mod journal;
pub mod marks;
pub mod outbox;
pub mod receipts;
pub mod schedule;
pub mod state;
pub mod station;
