//! File content made from a seed: any stretch of it can be made again, so that gigabytes can be
//! compared without being kept.

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// A file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    seed: u64,
    /// Its length.
    pub size_bytes: u64,
}

impl Content {
    /// The content of this seed and size.
    pub fn new(seed: u64, size_bytes: u64) -> Self {
        Self { seed, size_bytes }
    }

    /// The bytes from `start` up to (not with) `end`.
    pub fn slice(&self, start: u64, end: u64) -> Bytes {
        assert!(start <= end && end <= self.size_bytes);
        let mut out = Vec::with_capacity(usize::try_from(end - start + 16).expect("fits"));
        let first = start / 8;
        for word in first..end.div_ceil(8) {
            out.extend_from_slice(
                &mix(self.seed ^ word.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_le_bytes(),
            );
        }
        let skip = usize::try_from(start - first * 8).expect("below 8");
        let length = usize::try_from(end - start).expect("fits");
        Bytes::from(out).slice(skip..skip + length)
    }

    /// All of it. For small ones.
    pub fn whole(&self) -> Bytes {
        self.slice(0, self.size_bytes)
    }

    /// In pieces of `step` bytes from `start` on.
    pub fn pieces(self, start: u64, step: u64) -> impl Iterator<Item = Bytes> {
        (0..)
            .map(move |n| start + n * step)
            .take_while(move |at| *at < self.size_bytes)
            .map(move |at| self.slice(at, (at + step).min(self.size_bytes)))
    }

    /// SHA-256, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        self.pieces(0, 1 << 20)
            .for_each(|piece| hash.update(&piece));
        hex::encode(hash.finalize())
    }
}

/// SplitMix64's finaliser.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[test]
fn stretches_agree_with_the_whole() {
    let content = Content::new(7, 1003);
    let whole = content.whole();
    assert_eq!(whole.len(), 1003);
    for (start, end) in [(0, 0), (0, 1), (5, 6), (7, 900), (993, 1003)] {
        let bounds = usize::try_from(start).expect("fits")..usize::try_from(end).expect("fits");
        assert_eq!(content.slice(start, end), whole.slice(bounds));
    }
    let joined: Vec<u8> = content.pieces(0, 100).flatten().collect();
    assert_eq!(joined, whole);
}
