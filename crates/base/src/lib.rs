//! What every room shares: ids and digests as types, time, randomness, and the one layer through
//! which durable files are written.
//!
//! Nothing here knows about recordings, SQL or HTTP.

pub mod clock;
pub mod digest;
pub mod files;
pub mod ids;
pub mod lane;
pub mod random;

pub use clock::{Clock, Micros, SystemClock};
pub use digest::{Digests, RunningDigest, Sha256Digest, Sm3Digest};
pub use random::{OsRandom, Random};
