//! Events of stations and dockings.

use docket_base::Micros;
use docket_base::ids::{DockingId, TokenId};

use super::{RegisterRef, bodies, words};

words! {
    /// How a docking ended.
    DockingOutcome {
        /// Everything listed was sent.
        Complete,
        /// The recorder was taken away early.
        RecorderLost,
        /// The recorder could not be read to the end.
        Unreadable,
        /// The station stopped.
        Aborted,
    }
}

bodies! {
    /// See [`super::Event::StationSeen`].
    StationSeen {
        /// Its token.
        token: Option<TokenId>,
        /// Its name and unit.
        register: RegisterRef,
    }
    /// See [`super::Event::DockingListed`]. Station and recorder (where known) are the entry's subject.
    DockingListed {
        /// The docking.
        docking: DockingId,
        /// The bay's name at the station.
        bay: String,
        /// When the recorder came, by the station's clock.
        started_at: Micros,
        /// The recorder's clock minus the station's, in milliseconds, where it was measured.
        recorder_clock_offset_ms: Option<i64>,
        /// How many files were on it.
        files_count: u64,
        /// Their bytes together.
        files_bytes: u64,
        /// The list itself, with the recorder's serial number.
        list: RegisterRef,
    }
    /// See [`super::Event::DockingFinished`].
    DockingFinished {
        /// The docking.
        docking: DockingId,
        /// When, by the station's clock.
        finished_at: Micros,
        /// How.
        outcome: DockingOutcome,
        /// How many of the listed files had arrived by then.
        arrived_count: u64,
    }
}
