//! Reading a stored original for its digest.

use std::time::Duration;

use docket_base::lane::Pool;
use docket_base::{Digests, RunningDigest};
use docket_vault::{Vault, VaultKey};
use futures_util::StreamExt;
use tokio::time::Instant;

use crate::Result;
use crate::upload::hashing::HashLane;

/// Blocks given to the hash lane before it is waited for, so that memory stays bounded.
const AHEAD_BYTES: u64 = 4 << 20;

/// Digests and length of a sealed original as it is stored, past the page cache, at no more than
/// `bytes_per_s` (0: unbounded).
pub(crate) async fn digest(
    vault: &dyn Vault,
    hash_pool: &Pool,
    key: &VaultKey,
    with_sm3: bool,
    bytes_per_s: u64,
) -> Result<(Digests, u64)> {
    let mut stream = vault.read_back(key).await?;
    let hashes = HashLane::new(hash_pool, RunningDigest::new(with_sm3));
    let (mut read, mut waited) = (0_u64, 0_u64);
    let begun = Instant::now();
    while let Some(block) = stream.next().await {
        let block = block?;
        hashes.feed(&block);
        read += block.len() as u64;
        if read - waited >= AHEAD_BYTES {
            hashes.state().ready().await?;
            waited = read;
            pace(begun, read, bytes_per_s).await;
        }
    }
    Ok((hashes.state().ready().await?.finish(), read))
}

async fn pace(begun: Instant, read_bytes: u64, bytes_per_s: u64) {
    if bytes_per_s > 0 {
        let due = Duration::from_secs_f64(read_bytes as f64 / bytes_per_s as f64);
        tokio::time::sleep_until(begun + due).await;
    }
}
