//! What every route has at hand.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use docket_base::ids::{StationId, UnitId};
use docket_base::{Clock, Micros, Random};
use docket_catalog::Catalog;
use docket_ingest::Ingest;
use docket_ingest::viewing::Viewings;
use docket_vault::Vault;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Semaphore, broadcast};

use crate::cutting::Cutting;
use crate::signin::password::Passwords;
use crate::signin::throttle::Throttle;

/// What the operator decides about this room.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The daemon itself speaks TLS: cookies get `Secure`.
    pub tls: bool,
    /// Host names (without port) it answers to; empty: all.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Segments made by the worker are kept in memory, at most so many bytes.
    pub made_cache_bytes: usize,
    /// A session ends after so long without a request, in seconds.
    pub session_idle_s: i64,
    /// A session ends at the latest after so long, in seconds.
    pub session_longest_s: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tls: false,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            made_cache_bytes: 256 << 20,
            session_idle_s: 60 * 60,
            session_longest_s: 12 * 60 * 60,
        }
    }
}

/// The parts a router is made of.
#[derive(Debug)]
pub struct Parts {
    /// The workflow; through it, catalog, vault and ledger.
    pub ingest: Arc<Ingest>,
    /// Hashes and verifies passwords.
    pub passwords: Passwords,
    /// What the operator decided.
    pub settings: Settings,
    /// Renders the metrics; `None` where no recorder is installed.
    pub metrics: Option<PrometheusHandle>,
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    parts: Parts,
    throttle: Throttle,
    viewings: Viewings,
    cutting: Cutting,
    stations: broadcast::Sender<StationNews>,
    streams: Arc<Semaphore>,
}

/// How often what is past its time is swept.
const UPKEEP_EVERY: Duration = Duration::from_secs(60);
/// Event streams at once.
const MOST_STREAMS: usize = 2_000;

/// A station reported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StationNews {
    pub station: StationId,
    pub unit: UnitId,
}

impl AppState {
    /// From its parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            shared: Arc::new(Shared {
                viewings: Viewings::new(Arc::clone(&parts.ingest)),
                cutting: Cutting::new(parts.settings.made_cache_bytes),
                parts,
                throttle: Throttle::default(),
                stations: broadcast::Sender::new(1_024),
                streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            }),
        }
    }

    /// Starts what goes on beside requests: idle viewings are closed, what is past its time is swept, metrics
    /// are kept small. Ends with the workflow.
    pub fn start(&self) {
        let app = self.clone();
        tokio::spawn(async move { app.viewings().run().await });
        let app = self.clone();
        tokio::spawn(async move { app.sweep().await });
    }

    async fn sweep(&self) {
        let shutdown = self.ingest().shutdown.clone();
        loop {
            tokio::select! {
                () = tokio::time::sleep(UPKEEP_EVERY) => {}
                () = shutdown.cancelled() => return,
            }
            if let Some(metrics) = self.metrics() {
                metrics.run_upkeep();
            }
            let now = self.now();
            let day_ago = now.plus_seconds(-24 * 60 * 60);
            if let Err(error) = self.catalog().sweep_access(now, day_ago, day_ago).await {
                tracing::warn!(%error, "ended sessions could not be swept; trying again");
            }
        }
    }

    /// The workflow.
    pub fn ingest(&self) -> &Arc<Ingest> {
        &self.shared.parts.ingest
    }

    /// The facts.
    pub fn catalog(&self) -> &Catalog {
        &self.ingest().catalog
    }

    /// The bytes.
    pub fn vault(&self) -> &Arc<dyn Vault> {
        &self.ingest().vault
    }

    /// Passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.shared.parts.passwords
    }

    /// What the operator decided.
    pub fn settings(&self) -> &Settings {
        &self.shared.parts.settings
    }

    /// Now.
    pub fn now(&self) -> Micros {
        self.clock().now()
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.ingest().clock
    }

    /// Randomness.
    pub fn random(&self) -> &Arc<dyn Random> {
        &self.ingest().random
    }

    /// Who watches what.
    pub fn viewings(&self) -> &Viewings {
        &self.shared.viewings
    }

    pub(crate) fn cutting(&self) -> &Cutting {
        &self.shared.cutting
    }

    pub(crate) fn station_news(&self) -> broadcast::Receiver<StationNews> {
        self.shared.stations.subscribe()
    }

    pub(crate) fn station_reported(&self, news: StationNews) {
        // Nobody listening is fine.
        let _ = self.shared.stations.send(news);
    }

    pub(crate) fn streams(&self) -> Arc<Semaphore> {
        Arc::clone(&self.shared.streams)
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.shared.throttle
    }

    pub(crate) fn metrics(&self) -> Option<&PrometheusHandle> {
        self.shared.parts.metrics.as_ref()
    }
}
