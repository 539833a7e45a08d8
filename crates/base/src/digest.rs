//! Digests as types, and a running digest whose midstate can be stored beside a durable offset.

use std::fmt;
use std::str::FromStr;

use digest::common::hazmat::{SerializableState, SerializedState};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use sm3::Sm3;

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits")]
pub struct BadDigest;

macro_rules! digests {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// From a byte slice of exactly 32 bytes.
            ///
            /// # Errors
            /// [`BadDigest`] on any other length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, BadDigest> {
                Ok(Self(bytes.try_into().map_err(|_| BadDigest)?))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadDigest;
            /// 64 hexadecimal digits of either case.
            fn from_str(text: &str) -> Result<Self, BadDigest> {
                let mut out = [0; 32];
                hex::decode_to_slice(text, &mut out).map_err(|_| BadDigest)?;
                Ok(Self(out))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

digests! {
    /// SHA-256 (FIPS 180-4).
    Sha256Digest;
    /// SM3 (GB/T 32905-2016).
    Sm3Digest;
}

impl Sha256Digest {
    /// The digest of bytes in memory. Whole files go through [`RunningDigest`].
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// The finished digests of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// Always there.
    pub sha256: Sha256Digest,
    /// Where SM3 is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm3: Option<Sm3Digest>,
}

/// A midstate that cannot be taken up again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stored {0} midstate is not usable")]
pub struct BadMidstate(&'static str);

/// Storable form of a [`RunningDigest`]. It authenticates nothing: keep it in the transaction that
/// stores the offset it belongs to, and nowhere a client can write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Midstate {
    /// SHA-256 state, 104 bytes.
    pub sha256: Vec<u8>,
    /// SM3 state, 104 bytes, where SM3 is configured.
    pub sm3: Option<Vec<u8>>,
}

/// Hashes a file as it passes, in one pass. The two halves can be fed on two threads: see
/// [`RunningDigest::split`].
#[derive(Clone)]
pub struct RunningDigest {
    sha256: Sha256,
    sm3: Option<Sm3>,
}

impl fmt::Debug for RunningDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningDigest")
            .field("sm3", &self.sm3.is_some())
            .finish_non_exhaustive()
    }
}

impl RunningDigest {
    /// At offset 0.
    pub fn new(with_sm3: bool) -> Self {
        Self {
            sha256: Sha256::new(),
            sm3: with_sm3.then(Sm3::new),
        }
    }

    /// Takes up a stored midstate.
    ///
    /// # Errors
    /// [`BadMidstate`] when the bytes are not such a state.
    pub fn restore(state: &Midstate) -> Result<Self, BadMidstate> {
        let sha256 = revive::<Sha256>(&state.sha256).ok_or(BadMidstate("SHA-256"))?;
        let sm3 = match &state.sm3 {
            None => None,
            Some(bytes) => Some(revive::<Sm3>(bytes).ok_or(BadMidstate("SM3"))?),
        };
        Ok(Self { sha256, sm3 })
    }

    /// The state to store with the offset reached.
    pub fn midstate(&self) -> Midstate {
        Midstate {
            sha256: self.sha256.serialize().to_vec(),
            sm3: self.sm3.as_ref().map(|sm3| sm3.serialize().to_vec()),
        }
    }

    /// Feeds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(sm3) = &mut self.sm3 {
            sm3.update(bytes);
        }
    }

    /// The digests of everything fed so far.
    pub fn finish(&self) -> Digests {
        Digests {
            sha256: Sha256Digest(self.sha256.clone().finalize().into()),
            sm3: self
                .sm3
                .as_ref()
                .map(|sm3| Sm3Digest(sm3.clone().finalize().into())),
        }
    }

    /// The two halves, to feed on two threads: SM3 runs at a third of SHA-256's speed.
    pub fn split(self) -> (Sha256, Option<Sm3>) {
        (self.sha256, self.sm3)
    }

    /// Joins halves that were fed the same bytes.
    pub fn join(sha256: Sha256, sm3: Option<Sm3>) -> Self {
        Self { sha256, sm3 }
    }
}

/// Blocks of 64 bytes that a midstate may count: no file has an exbibyte, and counting its bits would overflow.
const MOST_BLOCKS: u64 = 1 << 54;

fn revive<H: SerializableState>(bytes: &[u8]) -> Option<H> {
    // Behind eight words of 32 bits, in both.
    let blocks = bytes.get(32..)?.first_chunk::<8>()?;
    if u64::from_le_bytes(*blocks) > MOST_BLOCKS {
        return None;
    }
    let state = SerializedState::<H>::try_from(bytes).ok()?;
    H::deserialize(&state).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_digests() {
        let mut running = RunningDigest::new(true);
        running.update(b"abc");
        let done = running.finish();
        assert_eq!(
            done.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let sm3 = done.sm3.expect("configured").to_string();
        assert_eq!(
            sm3,
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
    }

    #[test]
    fn garbage_midstates_are_refused() {
        let state = Midstate {
            sha256: vec![1, 2, 3],
            sm3: None,
        };
        assert_eq!(
            RunningDigest::restore(&state).err(),
            Some(BadMidstate("SHA-256"))
        );
    }

    #[test]
    fn midstates_of_impossible_files_are_refused() {
        let mut running = RunningDigest::new(true);
        running.update(&[0; 64]);
        let mut state = running.midstate();
        assert_eq!(state.sha256[32..40], 1_u64.to_le_bytes());
        assert!(RunningDigest::restore(&state).is_ok());
        state.sha256[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(RunningDigest::restore(&state).is_err());
        let mut state = running.midstate();
        let sm3 = state.sm3.as_mut().expect("configured");
        assert_eq!(sm3[32..40], 1_u64.to_le_bytes());
        sm3[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(RunningDigest::restore(&state).is_err());
    }

    proptest! {
        #[test]
        fn a_stored_midstate_goes_on_exactly(bytes in prop::collection::vec(any::<u8>(), 0..2000), cut in 0usize..2000) {
            let cut = cut.min(bytes.len());
            let mut first = RunningDigest::new(true);
            first.update(&bytes[..cut]);
            let mut second = RunningDigest::restore(&first.midstate()).expect("own midstate");
            second.update(&bytes[cut..]);
            let mut whole = RunningDigest::new(true);
            whole.update(&bytes);
            prop_assert_eq!(second.finish(), whole.finish());
        }
    }
}
