//! The ledger: custody events as an append-only log that an outsider can verify. RFC 6962 Merkle
//! tree, C2SP tlog-tiles, tlog-checkpoint and signed-note, receipts.
//!
//! Pure: no database, no network, no clock of its own. Witnesses and RFC 3161 time stamps will stand
//! beside [`checkpoint`]; a signed note passes over signature lines of keys it does not know, so that
//! they need no new format.

pub mod canonical;
pub mod checkpoint;
pub mod entry;
pub mod hash;
pub mod integrate;
pub mod key;
pub mod kinds;
pub mod note;
pub mod proof;
pub mod receipt;
pub mod register;
pub mod side;
pub mod tile;
pub mod tree;

pub use checkpoint::{CHECKPOINT_PATH, Checkpoint};
pub use entry::{Actor, Entry, Salt, Subject};
pub use hash::TreeHash;
pub use integrate::{Batch, Integrator, LogFile, Standing};
pub use key::{LedgerKey, VerifierKey};
pub use kinds::{Event, RegisterKind, RegisterRef};
pub use receipt::{ClockState, Issue, Receipt, ReceiptLevel, Verdict, verify_receipt};
pub use register::{RegisterFile, RegisterValue};
pub use side::{DerivedFrom, SideFile};
pub use tile::{Tile, TileKind, TileMap, TileReader};
pub use tree::TreeHead;
