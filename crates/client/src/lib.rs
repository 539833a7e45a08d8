//! The API client that station, command line and tests share: HTTP/1.1 over rustls (ring), typed
//! errors from problem+json, retries with full jitter, and tus 1.0.0 uploads that hash while they
//! read and resume without reading again.
//!
//! Start with [`ServerAddress`] and [`Client::connect`]. [`upload::upload`] sends one file;
//! [`Client::create_upload`] and its neighbours are the single steps.

mod address;
mod backoff;
mod cases;
mod connect;
mod error;
mod ledger;
mod limiter;
mod metadata;
mod reading;
mod recordings;
mod request;
mod stations;
mod trust;
mod tus;
mod types;
pub mod upload;

pub use address::{BadAddress, ServerAddress};
pub use backoff::{Backoff, Patience};
pub use connect::{Client, ClientOptions, SetupError};
pub use error::{Error, Meaning, Problem};
pub use ledger::{Level, ReceiptAnswer};
pub use limiter::{Limiter, Turns};
pub use metadata::{BadMetadata, Metadata};
pub use reading::{Mark, ReadFault, Reading};
pub use recordings::RecordingQuery;
pub use stations::{
    BayReport, BayState, DockedFile, DockingOutcome, DockingReport, Heartbeat, WantedFile,
};
pub use trust::Trust;
pub use tus::{EndedEarly, NewUpload, Outgoing, UploadStatus, UploadUrl};
pub use types::{Case, CaseLink, Named, Page, Playback, Quarantine, Recording, RecordingState};
