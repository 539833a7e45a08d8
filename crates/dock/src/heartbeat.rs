//! Telling the daemon what the station sees, and writing it down for `docket-dock status`.

use std::time::Duration;

use docket_base::Micros;
use docket_client::{BayReport, Heartbeat};
use serde::{Deserialize, Serialize};

use crate::state::StateDirectory;
use crate::station::{Station, on_pool};

const WHILE_ACTIVE: Duration = Duration::from_secs(3);
const WHILE_IDLE: Duration = Duration::from_secs(30);
/// Changes within this time are told together.
const GATHER: Duration = Duration::from_millis(300);

/// What `status` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// When it was written.
    pub at: Micros,
    /// Whether the daemon heard the last heartbeat.
    pub daemon_reached: bool,
    /// The bays.
    pub bays: Vec<BayReport>,
}

/// Where it is kept. Not fsynced: it is only of use while the station runs.
pub fn status_path(state: &StateDirectory) -> std::path::PathBuf {
    state.place("status.json")
}

/// Sends one heartbeat and writes the status. One try: the next follows soon.
pub async fn beat(station: &Station) {
    let bays = station.board.reports();
    let heartbeat = Heartbeat {
        name: station.config.name.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        bays: bays.clone(),
    };
    let daemon_reached = station.is_admitted() && tell(station, &heartbeat).await;
    let status = Status {
        at: station.clock.now(),
        daemon_reached,
        bays,
    };
    let path = status_path(&station.state);
    let write = move || -> std::io::Result<()> {
        let temporary = path.with_extension("tmp");
        std::fs::write(&temporary, serde_json::to_vec(&status)?)?;
        std::fs::rename(&temporary, &path)
    };
    if let Ok(Err(error)) = on_pool(&station.pool, write).await {
        tracing::warn!(%error, "the status cannot be written");
    }
}

async fn tell(station: &Station, heartbeat: &Heartbeat) -> bool {
    match station.client.heartbeat(heartbeat).await {
        Ok(wanted) => {
            station.want(wanted);
            true
        }
        Err(error) => {
            tracing::debug!(%error, "heartbeat not heard");
            false
        }
    }
}

/// Beats for ever: at once when a bay changes, every few seconds while bytes move, else rarely.
pub async fn run(station: &Station) {
    let mut changes = station.board.changes();
    loop {
        beat(station).await;
        let rest = if station.board.is_active() {
            WHILE_ACTIVE
        } else {
            WHILE_IDLE
        };
        let changed = tokio::time::timeout(rest, changes.changed()).await;
        if changed.is_ok() {
            tokio::time::sleep(GATHER).await;
            changes.mark_unchanged();
        }
    }
}
