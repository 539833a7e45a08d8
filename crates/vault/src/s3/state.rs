//! What the catalog keeps for an upload in an S3 vault: small, whatever the number of parts.

use docket_base::Sha256Digest;
use serde::{Deserialize, Serialize};

use crate::contract::AssemblyState;
use crate::error::{Result, VaultError};
use crate::key::VaultKey;

/// What the protocol allows.
const MOST_PARTS: u32 = 10_000;

/// An acknowledged offset: completed parts, then pieces that are objects of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct S3State {
    /// Where the original will be.
    pub(super) s3: VaultKey,
    /// The multipart upload; none before the first whole part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) upload_id: Option<String>,
    /// Completed parts.
    #[serde(default)]
    pub(super) parts: u32,
    /// Bytes in them.
    #[serde(default)]
    pub(super) parts_bytes: u64,
    /// Their numbers, as runs of (first, count).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) runs: Vec<(u32, u32)>,
    /// Numbers below it may be taken by parts that nobody acknowledged. A number is never used for two
    /// parts: some stores then keep both.
    #[serde(skip)]
    pub(super) first_free: u32,
    /// Digest over the ETags of the parts, in order: a part that a late request replaced is noticed
    /// before the object is completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) etags: Option<Sha256Digest>,
    /// Bytes behind the parts. Only the last may be less than a whole piece.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pieces: Vec<Piece>,
    /// For the multipart upload, until it is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) metadata: Vec<(String, String)>,
}

/// A scaffold object that holds acknowledged bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    pub(super) key: String,
    pub(super) size_bytes: u64,
}

impl S3State {
    pub(super) fn new(key: VaultKey, metadata: Vec<(String, String)>) -> Self {
        Self {
            s3: key,
            upload_id: None,
            parts: 0,
            parts_bytes: 0,
            runs: Vec::new(),
            first_free: 1,
            etags: None,
            pieces: Vec::new(),
            metadata,
        }
    }

    pub(super) fn parse(state: &AssemblyState) -> Result<Self> {
        let state: Self = serde_json::from_str(&state.0)
            .map_err(|error| VaultError::corrupt(format!("assembly state: {error}")))?;
        let folder = open_folder(&state.s3);
        let inside = |piece: &Piece| piece.key.starts_with(&folder);
        let counted = state
            .runs
            .iter()
            .map(|(_, count)| u64::from(*count))
            .sum::<u64>();
        let in_order = |pair: &[(u32, u32)]| pair[0].0.saturating_add(pair[0].1) <= pair[1].0;
        if counted != u64::from(state.parts)
            || state.parts > MOST_PARTS
            || !state.runs.windows(2).all(in_order)
            || state
                .runs
                .iter()
                .any(|(first, count)| *first == 0 || *count == 0)
        {
            return Err(VaultError::corrupt(
                "assembly state counts its parts wrongly",
            ));
        }
        if !state.pieces.iter().all(inside) {
            return Err(VaultError::corrupt("assembly state names foreign objects"));
        }
        Ok(state)
    }

    pub(super) fn text(&self) -> AssemblyState {
        // Plain fields always serialise.
        AssemblyState(serde_json::to_string(self).unwrap_or_default())
    }

    pub(super) fn pieces_bytes(&self) -> u64 {
        let sizes = self.pieces.iter().map(|piece| piece.size_bytes);
        sizes.fold(0, u64::saturating_add)
    }

    pub(super) fn durable_bytes(&self) -> u64 {
        self.parts_bytes.saturating_add(self.pieces_bytes())
    }

    /// The last number of an acknowledged part; 0 before the first.
    pub(super) fn last_number(&self) -> u32 {
        let last = self.runs.last();
        last.map_or(0, |(first, count)| first.saturating_add(*count) - 1)
    }

    /// The number for the next part.
    pub(super) fn next_number(&self) -> u32 {
        self.first_free.max(self.last_number() + 1)
    }

    pub(super) fn has_number(&self, number: u32) -> bool {
        let inside =
            |(first, count): &(u32, u32)| number.checked_sub(*first).is_some_and(|at| at < *count);
        self.runs.iter().any(inside)
    }

    /// Counts one more completed part.
    pub(super) fn add_part(&mut self, number: u32, size_bytes: u64, etag: &str) {
        match self.runs.last_mut() {
            Some((first, count)) if *first + *count == number => *count += 1,
            _ => self.runs.push((number, 1)),
        }
        self.parts += 1;
        self.parts_bytes += size_bytes;
        self.etags = Some(chain(self.etags, etag));
        self.pieces.clear();
        self.metadata.clear();
    }
}

/// The digest over one more ETag.
pub(super) fn chain(before: Option<Sha256Digest>, etag: &str) -> Sha256Digest {
    let mut bytes = before.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec());
    // Some stores quote ETags in one place and not in another.
    bytes.extend_from_slice(etag.trim_matches('"').as_bytes());
    Sha256Digest::of(&bytes)
}

/// The scaffold folder of an upload, with a slash at the end: `open/2026/11/23/<id>/`.
pub(super) fn open_folder(key: &VaultKey) -> String {
    let folder = key.folder();
    let rest = folder.split_once('/').map_or(folder, |(_, rest)| rest);
    format!("open/{rest}/")
}
