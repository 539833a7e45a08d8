//! What the tests make their uploads of.

use std::sync::Arc;

use bytes::Bytes;
use docket_base::clock::ManualClock;
use docket_base::ids::RecordingId;
use docket_base::random::CountingRandom;
use docket_base::{Micros, RunningDigest};
use docket_vault::{Area, BeginRequest, Bytestream, Durable, Result, SealRequest, Vault};
use futures_util::TryStreamExt;

pub fn day() -> Micros {
    Micros::parse_rfc3339("2026-11-23T01:02:03Z").expect("time")
}

/// Ids that never repeat within a test.
#[derive(Debug, Default)]
pub struct Ids(CountingRandom);

impl Ids {
    pub fn next(&self) -> RecordingId {
        RecordingId::fresh(&ManualClock::at(day()), &self.0)
    }
}

/// Bytes that differ everywhere and for every seed.
pub fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(length);
    out
}

pub fn begin_request(id: RecordingId) -> BeginRequest {
    BeginRequest {
        id,
        created_at: day(),
        metadata: vec![("recorder".to_owned(), "记录仪 7".to_owned())],
    }
}

pub fn seal_request(id: RecordingId, bytes: &[u8]) -> SealRequest {
    let mut digest = RunningDigest::new(false);
    digest.update(bytes);
    SealRequest {
        id,
        created_at: day(),
        area: Area::Originals,
        size_bytes: bytes.len() as u64,
        digests: digest.finish(),
        side_file: format!("{{\"id\":\"{id}\"}}").into_bytes(),
        metadata: vec![("recorder".to_owned(), "记录仪 7".to_owned())],
    }
}

/// Appends in pieces of an odd size and flushes at the end.
pub async fn upload(vault: &Arc<dyn Vault>, id: RecordingId, bytes: &[u8]) -> Result<Durable> {
    let mut assembly = vault.begin(&begin_request(id)).await?;
    for piece in bytes.chunks(70_001) {
        assembly.append(Bytes::copy_from_slice(piece)).await?;
    }
    assembly.flush().await
}

pub async fn collect(stream: Bytestream) -> Result<Vec<u8>> {
    stream
        .try_fold(Vec::new(), |mut all, block| async move {
            all.extend_from_slice(&block);
            Ok(all)
        })
        .await
}
