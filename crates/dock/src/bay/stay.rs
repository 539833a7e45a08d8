//! The stay that is under way in a bay, so that a restarted station goes on with the same docking
//! instead of reporting another.

use std::collections::HashSet;

use docket_base::Micros;
use docket_base::ids::DockingId;
use serde::{Deserialize, Serialize};

use super::BayRun;
use crate::card::Listing;
use crate::state::{StateDirectory, StateError};
use crate::station::on_pool;

/// A stay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stay {
    /// The recorder's serial.
    pub recorder: String,
    /// When it was listed.
    pub started_at: Micros,
    /// Made before the docking is reported: reported again after a crash, it is the same docking.
    pub idempotency_key: String,
    /// The docking, once the daemon named it.
    pub docking: Option<DockingId>,
    /// Whether its end is told or in the outbox.
    pub is_over: bool,
    /// What was listed, by token.
    pub files: Vec<u64>,
}

impl Stay {
    /// Whether the recorder and list now belong to this stay: what is there was there before. Less
    /// may be there, because files were erased.
    pub(super) fn includes(&self, recorder: &str, listing: &Listing) -> bool {
        let known: HashSet<u64> = self.files.iter().copied().collect();
        self.recorder == recorder
            && listing
                .files
                .iter()
                .all(|file| known.contains(&file.token()))
    }
}

/// Loads a bay's stay. A damaged file is no stay: a docking more is reported, nothing is lost.
pub(super) fn load(state: &StateDirectory, bay: &str) -> Option<Stay> {
    match state.load(&state.bay(bay)) {
        Ok(stay) => stay,
        Err(error) => {
            tracing::warn!(bay, %error, "the bay's stay is forgotten");
            None
        }
    }
}

/// Keeps a bay's stay.
pub(super) fn store(state: &StateDirectory, bay: &str, stay: &Stay) -> Result<(), StateError> {
    state.store(&state.bay(bay), stay)
}

/// The recorder has gone: what comes next is another stay.
pub(super) async fn forget(run: &BayRun) {
    let (state, path) = (
        run.station.state.clone(),
        run.station.state.bay(&run.bay.name),
    );
    let removed = on_pool(&run.pool, move || state.files().remove_file(&path)).await;
    if let Ok(Err(error)) = removed
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(bay = run.bay.name, %error, "the bay's stay cannot be forgotten");
    }
}
