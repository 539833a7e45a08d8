//! docketd's side of playback: the worker's protocol, the bounded pool that runs workers, the
//! playback index, and the cutting of HLS segments by it. No FFmpeg here.
//!
//! Untrusted media is parsed once, in a restricted worker process (`docket-media`, one recording a
//! process): it says what the recording is ([`Facts`]) and where every frame lies
//! ([`PlaybackIndex`]). From then on playing needs no worker and no parsing: a segment is a header
//! computed from the index and stretches of the original copied as they are ([`SegmentPlan`]).
//! So the first frame and every seek cost a ranged read of just that segment, from disk or from an
//! object store, and nothing is decoded or moved that the viewer doesn't see.
//!
//! The usual order: [`Playback::prepare`] once after sealing, keep [`PlaybackIndex::to_bytes`] and the
//! poster as derivatives, then [`PlaybackIndex::playlist`], [`PlaybackIndex::init`] and
//! [`PlaybackIndex::plan`] for each request.

pub mod cache;
pub mod clip;
mod columns;
pub mod error;
pub mod facts;
pub mod fragment;
pub mod gps;
pub mod growth;
mod heads;
pub mod index;
mod looking;
pub mod looks;
pub mod made;
mod making;
pub mod playlist;
pub mod pool;
pub mod protocol;
pub mod rows;
pub mod source;
mod worker;
mod workers;

pub use cache::IndexCache;
pub use clip::ClipPlan;
pub use error::Error;
pub use facts::{Facts, Reason, ReasonCode, StreamFacts, StreamKind, Verdict};
pub use fragment::SegmentPlan;
pub use index::PlaybackIndex;
pub use looking::Sheet;
pub use made::{Mode, Variant};
pub use making::{MadeKey, MadeSegments};
pub use pool::{Config, Playback, Prepared};
pub use protocol::{Hello, Restrictions};
pub use source::{BlockSource, Source};
