//! Where the bytes lie: immutable originals, what is kept beside them, derivatives that can be made
//! again, and the ledger's durable files.
//!
//! [`Vault`] is the contract, [`LocalVault`] keeps it on a disk, [`S3Vault`] in an S3 store; one
//! conformance suite holds both to it. Nothing here knows about cases, SQL, HTTP or what an entry means:
//! the caller decides when something is acknowledged, the vault says what is durable.
//!
//! On disk a person finds:
//! ```text
//! open/<id>                                       an upload under way
//! originals/2026/11/23/<id>/original              the exact bytes, mode 0400
//!                           same-as               instead of `original`: the vault key that has these bytes
//!                           meta.json             what was known when it was sealed
//!                           receipt-stored.json, receipt-verified.json
//! quarantine/2026/11/23/<id>/...                  the same shape: the digest was not the promised one
//! derived/2026/11/23/<id>/poster.jpg, ...         may be thrown away at any time
//! log/checkpoint, log/tile/..., log/register/...  the ledger and the registers
//! ```

mod contract;
mod error;
mod key;
mod local;
mod s3;

pub use contract::{
    Assembly, AssemblyState, BeginRequest, Bytestream, Durable, Leftover, PutOnce, SealRequest,
    Sealed, ShareRequest, StoredForm, StoredOriginal, Vault,
};
pub use error::{Result, VaultError};
pub use key::{Area, BadKey, BesideName, DerivativeName, VaultKey};
pub use local::{LocalConfig, LocalVault};
pub use s3::{PartPlan, S3Config, S3Vault, Secret, Tier};
