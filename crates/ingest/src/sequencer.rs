//! From committed events to a published log: leaf indexes, tiles, checkpoint.
//!
//! One task does it, in batches. Its order is what makes a crash harmless: indexes are fixed in a SQL
//! transaction; then tiles and bundles are written durably; then the checkpoint is replaced by
//! compare-and-swap; then the catalog notes the published size. A crash after any of these is made
//! good by the next round, which writes the same bytes again. After a failure nobody knows which
//! checkpoint stands, so the next round begins by looking.

use std::sync::Arc;
use std::time::Duration;

use docket_base::Sha256Digest;
use docket_catalog::{Catalog, StoredEvent};
use docket_ledger::integrate::{ForkError, IntegrateError, OpenError, leaf_tiles};
use docket_ledger::tile::TileError;
use docket_ledger::{CHECKPOINT_PATH, Integrator, LedgerKey, Standing, Tile, TileMap, TreeHead};
use docket_vault::{Vault, VaultError};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

/// Leaves given out in one round.
const BATCH: u32 = 1_024;
/// After a batch the next waits this long, so that a burst of events makes few batches.
const GATHER: Duration = Duration::from_millis(60);
/// After a failure.
const RETRY: Duration = Duration::from_secs(2);
/// Published leaves that are compared with the catalog's entries at start.
const CONFIRMED_LEAVES: u64 = 1_024;

/// Why the log can't go on.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] docket_catalog::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The published log is damaged or another key's.
    #[error("the published ledger can't be continued: {0}")]
    Open(#[from] OpenError),
    /// The published log and the catalog tell different stories.
    #[error("the catalog does not fit the published ledger: {0}")]
    Fork(#[from] ForkError),
    /// Entries that can't be integrated.
    #[error(transparent)]
    Integrate(#[from] IntegrateError),
    /// The checkpoint is not text.
    #[error("the published checkpoint is not text")]
    NotText,
    /// The catalog is older than the published log.
    #[error(
        "the catalog has {catalog} ledger entries but {published} are published: it was restored from an \
         old backup. Move catalog.sqlite* away and run `docketd rebuild`; nothing was changed"
    )]
    OldCatalog {
        /// Leaves the catalog gave out.
        catalog: u64,
        /// Leaves published.
        published: u64,
    },
}

/// What everyone may know of the published log.
#[derive(Debug, Clone)]
pub struct Published {
    /// Size and root.
    pub head: TreeHead,
    /// The signed checkpoint; empty before the first.
    pub checkpoint: Arc<str>,
}

/// The log as far as this process knows it.
#[derive(Debug)]
struct Log {
    integrator: Integrator,
    /// Whether what stands in the vault is what the integrator says.
    is_certain: bool,
    /// The size that the catalog knows to be published.
    noted_size: u64,
}

/// Publishes the log.
#[derive(Debug)]
pub struct Sequencer {
    catalog: Catalog,
    vault: Arc<dyn Vault>,
    log: tokio::sync::Mutex<Log>,
    wake: Notify,
    published: watch::Sender<Published>,
    events: broadcast::Sender<Arc<StoredEvent>>,
}

impl Sequencer {
    /// Takes the published log up and compares it with the catalog; nothing is written.
    ///
    /// # Errors
    /// [`SequenceError`]; then the daemon must not start, because it could only fork the log.
    pub async fn open(
        catalog: Catalog,
        vault: Arc<dyn Vault>,
        key: LedgerKey,
    ) -> Result<Self, SequenceError> {
        let integrator = take_up(&*vault, key).await?;
        compare(&catalog, &*vault, &integrator).await?;
        let published = published(&integrator);
        let log = Log {
            integrator,
            is_certain: true,
            noted_size: catalog.tree_head().await?.published_size,
        };
        Ok(Self {
            catalog,
            vault,
            log: tokio::sync::Mutex::new(log),
            wake: Notify::new(),
            published: watch::Sender::new(published),
            events: broadcast::Sender::new(4_096),
        })
    }

    /// Tells that an event was committed.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// The published log, now and as it grows.
    pub fn published(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }

    /// Published events, in the order of their leaves. A slow listener loses some and reads them
    /// from the catalog.
    pub fn events(&self) -> broadcast::Receiver<Arc<StoredEvent>> {
        self.events.subscribe()
    }

    /// Publishes until told to stop, then once more.
    pub async fn run(&self, shutdown: CancellationToken) {
        loop {
            let pause = match self.round().await {
                Ok(0) => {
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = shutdown.cancelled() => break,
                    }
                    continue;
                }
                Ok(_) => GATHER,
                Err(error) => {
                    tracing::error!(%error, "the ledger could not be published; trying again");
                    RETRY
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => break,
            }
        }
        if let Err(error) = self.round().await {
            tracing::warn!(%error, "last events are published at the next start");
        }
    }

    /// Publishes what waits; how many leaves that were.
    ///
    /// # Errors
    /// [`SequenceError`]; the next round tries the same again.
    pub async fn round(&self) -> Result<usize, SequenceError> {
        let mut log = self.log.lock().await;
        if !log.is_certain {
            self.look_again(&mut log).await?;
        }
        self.catalog.assign_leaves(BATCH).await?;
        let first = log.integrator.head().size;
        let events = self.catalog.events_from_leaf(first, BATCH).await?;
        if events.is_empty() {
            self.note(&mut log).await?;
            return Ok(0);
        }
        let entries: Vec<&[u8]> = events.iter().map(|event| event.entry.as_slice()).collect();
        let batch = log.integrator.integrate(first, &entries)?;
        log.is_certain = false;
        for file in &batch.files {
            // A crash here leaves files that no checkpoint names; the next round writes the same.
            self.vault.log_create(&file.path, &file.bytes).await?;
        }
        let previous = batch.previous.as_deref().map(str::as_bytes);
        self.vault
            .log_replace(CHECKPOINT_PATH, previous, batch.checkpoint.as_bytes())
            .await?;
        // From here on it is published, whatever happens to this process.
        log.integrator.accept(batch);
        log.is_certain = true;
        let count = events.len();
        self.tell(&log.integrator, events);
        self.note(&mut log).await?;
        Ok(count)
    }

    /// After a round that broke off: its checkpoint may stand or not. If it does it is published now.
    async fn look_again(&self, log: &mut Log) -> Result<(), SequenceError> {
        let integrator = take_up(&*self.vault, log.integrator.key().clone()).await?;
        compare(&self.catalog, &*self.vault, &integrator).await?;
        let (told, stands) = (self.published.borrow().head, integrator.head());
        let (from, to) = (told.size, stands.size);
        if to < from {
            return Err(ForkError::RolledBack { from, to }.into());
        }
        if to == from && stands != told {
            return Err(ForkError::Forked { from, to }.into());
        }
        if let Some(text) = integrator.published().map(str::as_bytes) {
            // It can be read, but the try that put it there may have failed to make it durable.
            self.vault
                .log_replace(CHECKPOINT_PATH, Some(text), text)
                .await?;
        }
        if to > from {
            let limit = u32::try_from(to - from).unwrap_or(u32::MAX);
            let events = self.catalog.events_from_leaf(from, limit).await?;
            self.tell(&integrator, events);
        }
        log.integrator = integrator;
        log.is_certain = true;
        Ok(())
    }

    fn tell(&self, integrator: &Integrator, events: Vec<StoredEvent>) {
        self.published.send_replace(published(integrator));
        for event in events {
            // Nobody listening is fine.
            let _ = self.events.send(Arc::new(event));
        }
    }

    /// Lets the catalog know what is published. A crash before leaves an older note, which the next
    /// round corrects.
    async fn note(&self, log: &mut Log) -> Result<(), SequenceError> {
        let size = log.integrator.head().size;
        if let Some(text) = log.integrator.published()
            && size != log.noted_size
        {
            let digest = Sha256Digest::of(text.as_bytes());
            self.catalog.tree_published(size, digest).await?;
            log.noted_size = size;
        }
        Ok(())
    }
}

fn published(integrator: &Integrator) -> Published {
    Published {
        head: integrator.head(),
        checkpoint: integrator.published().unwrap_or_default().into(),
    }
}

/// The log as it stands in the vault.
async fn take_up(vault: &dyn Vault, key: LedgerKey) -> Result<Integrator, SequenceError> {
    let checkpoint = match vault.log_read(CHECKPOINT_PATH).await? {
        None => None,
        Some(bytes) => Some(String::from_utf8(bytes).map_err(|_| SequenceError::NotText)?),
    };
    let mut tiles = TileMap::new();
    if let Some(text) = &checkpoint {
        let head = docket_ledger::Checkpoint::open(text, key.verifier())
            .map_err(OpenError::from)?
            .head;
        load(vault, Integrator::edge_tiles(head.size), &mut tiles).await?;
    }
    Ok(Integrator::open(key, checkpoint.as_deref(), &tiles)?)
}

/// Reads tiles into memory, the full one where the partial one was cleared away.
pub(crate) async fn load(
    vault: &dyn Vault,
    tiles: impl IntoIterator<Item = Tile>,
    into: &mut TileMap,
) -> Result<(), VaultError> {
    for tile in tiles {
        for path in [tile.path(), tile.full().path()] {
            if let Some(bytes) = vault.log_read(&path).await? {
                into.insert(path, bytes);
                break;
            }
        }
    }
    Ok(())
}

/// A database restored from a backup, or another installation's, must never go on signing.
async fn compare(
    catalog: &Catalog,
    vault: &dyn Vault,
    integrator: &Integrator,
) -> Result<(), SequenceError> {
    let leaves = catalog.tree_head().await?.sequenced_size;
    if let Standing::DatabaseBehind { first_leaf, size } = integrator.standing(leaves) {
        return Err(SequenceError::OldCatalog {
            catalog: first_leaf,
            published: size,
        });
    }
    let size = integrator.head().size;
    let from = size.saturating_sub(CONFIRMED_LEAVES);
    let mut tiles = TileMap::new();
    load(vault, leaf_tiles(from, size, size), &mut tiles).await?;
    let limit = u32::try_from(size - from).unwrap_or(u32::MAX);
    let events = catalog.events_from_leaf(from, limit).await?;
    let entries: Vec<&[u8]> = events.iter().map(|event| event.entry.as_slice()).collect();
    Ok(integrator.confirm(from, &entries, &tiles)?)
}

impl From<TileError> for SequenceError {
    fn from(error: TileError) -> Self {
        Self::Fork(ForkError::Tile(error))
    }
}
