//! Receipts: each is issued once, kept beside the original, and never re-issued differently.

use std::sync::Arc;

use docket_base::Clock;
use docket_base::ids::RecordingId;
use docket_catalog::{Catalog, StoredEvent};
use docket_ledger::kinds::SealedState;
use docket_ledger::proof::{MakeProofError, inclusion_tiles, make_inclusion};
use docket_ledger::receipt::BadReceipt;
use docket_ledger::{ClockState, Entry, Event, Issue, LedgerKey, Receipt, ReceiptLevel, TileMap};
use docket_vault::{BesideName, PutOnce, Vault, VaultError, VaultKey};
use tokio::sync::watch;

use crate::sequencer::{Published, load};

/// Why there is no receipt to give.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Its event is not published yet, or has not happened yet: ask again.
    #[error("the receipt is not issued yet")]
    NotYet,
    /// There never will be one: quarantined recordings have none.
    #[error("this recording gets no receipt")]
    Never,
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] docket_catalog::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Tiles that should be there are not.
    #[error("proof: {0}")]
    Proof(#[from] MakeProofError),
    /// What was put together does not verify.
    #[error(transparent)]
    Bad(#[from] BadReceipt),
}

/// Issues and finds receipts.
#[derive(Debug)]
pub struct Receipts {
    /// Facts.
    pub catalog: Catalog,
    /// Bytes.
    pub vault: Arc<dyn Vault>,
    /// Signs.
    pub key: LedgerKey,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// The published log.
    pub published: watch::Receiver<Published>,
}

impl Receipts {
    /// The receipt of that level, issued now if it could be and has not been.
    ///
    /// # Errors
    /// [`ReceiptError::NotYet`] before the event is published; [`ReceiptError::Never`] in quarantine.
    pub async fn get(
        &self,
        recording: RecordingId,
        key: &VaultKey,
        level: ReceiptLevel,
    ) -> Result<Vec<u8>, ReceiptError> {
        let name = match level {
            ReceiptLevel::Stored => BesideName::ReceiptStored,
            ReceiptLevel::Verified => BesideName::ReceiptVerified,
        };
        // One that is found may come from a try that broke off before it was durable. It must be so
        // before it is given out, so it is put there again.
        let bytes = match self.vault.get_beside(key, name).await? {
            Some(found) => found,
            None => self.issue(recording, level).await?,
        };
        // Two askers may issue at once; the one written first is the receipt. A crash before it is
        // written has given nothing out, so issuing again is no second receipt.
        match self.vault.put_beside(key, name, &bytes).await? {
            PutOnce::Stored => Ok(bytes),
            PutOnce::Existing(first) => Ok(first),
        }
    }

    async fn issue(
        &self,
        recording: RecordingId,
        level: ReceiptLevel,
    ) -> Result<Vec<u8>, ReceiptError> {
        let kind = match level {
            ReceiptLevel::Stored => "recording.sealed",
            ReceiptLevel::Verified => "recording.verified",
        };
        let event = self
            .catalog
            .recording_event(recording, kind)
            .await?
            .ok_or(ReceiptError::NotYet)?;
        if is_quarantined(&event)? {
            return Err(ReceiptError::Never);
        }
        let published = self.published.borrow().clone();
        let leaf = event
            .leaf_index
            .filter(|leaf| *leaf < published.head.size)
            .ok_or(ReceiptError::NotYet)?;
        let mut tiles = TileMap::new();
        load(
            &*self.vault,
            inclusion_tiles(leaf, published.head.size),
            &mut tiles,
        )
        .await?;
        let receipt = Receipt::issue(
            &self.key,
            Issue {
                entry: &event.entry,
                leaf_index: leaf,
                inclusion_proof: make_inclusion(leaf, published.head.size, &tiles)?,
                checkpoint: &published.checkpoint,
                issued_at: self.clock.now(),
                clock: clock_state(),
            },
        )?;
        Ok(receipt.to_bytes().map_err(BadReceipt::from)?)
    }
}

fn is_quarantined(event: &StoredEvent) -> Result<bool, ReceiptError> {
    let entry = Entry::parse(&event.entry).map_err(BadReceipt::from)?;
    Ok(match entry.event {
        Event::RecordingSealed(body) => body.state == SealedState::Quarantined,
        Event::RecordingVerified(body) => body.state == SealedState::Quarantined,
        _ => false,
    })
}

/// What the kernel says about its clock (adjtimex, read only).
fn clock_state() -> ClockState {
    crate::clock_state::read()
}
