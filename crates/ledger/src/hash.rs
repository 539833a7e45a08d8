//! RFC 6962 hashes: leaves and nodes are told apart by their first byte, so that no entry can pass
//! for an inner node.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A hash of the tree. Its text form is base64, as checkpoints and proofs write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeHash(pub [u8; TreeHash::LENGTH]);

/// A text or byte string that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree hash is 32 bytes, in text the 44 characters of base64")]
pub struct BadHash;

impl TreeHash {
    /// Bytes of a hash.
    pub const LENGTH: usize = 32;

    /// The leaf hash of an entry (RFC 6962 section 2.1): `SHA-256(0x00 || entry)`.
    pub fn of_leaf(entry: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update([0]);
        hash.update(entry);
        Self(hash.finalize().into())
    }

    /// The hash of an inner node: `SHA-256(0x01 || left || right)`.
    pub fn of_node(left: &Self, right: &Self) -> Self {
        let mut hash = Sha256::new();
        hash.update([1]);
        hash.update(left.0);
        hash.update(right.0);
        Self(hash.finalize().into())
    }

    /// The root of the tree without leaves: the SHA-256 of nothing.
    pub fn of_empty_tree() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// From exactly 32 bytes.
    ///
    /// # Errors
    /// [`BadHash`] on any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, BadHash> {
        Ok(Self(bytes.try_into().map_err(|_| BadHash)?))
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TreeHash {
    type Err = BadHash;
    fn from_str(text: &str) -> Result<Self, BadHash> {
        Self::from_slice(&STANDARD.decode(text).map_err(|_| BadHash)?)
    }
}

impl Serialize for TreeHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TreeHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
