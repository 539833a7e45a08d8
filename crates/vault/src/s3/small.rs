//! Small objects: beside originals, derivatives, the ledger's files; and finding originals.

use std::ops::Range;

use bytes::Bytes;

use super::S3Vault;
use super::body::Chunks;
use super::store::{Bucket, Condition};
use crate::contract::{Bytestream, PutOnce};
use crate::error::{Result, VaultError};
use crate::key::{BesideName, VaultKey};

fn chunks(bytes: &[u8]) -> Chunks {
    Bytes::copy_from_slice(bytes).into()
}

impl S3Vault {
    /// The key under which the bytes are (its own, or the one its pointer names), and their size.
    pub(super) async fn resolve(&self, key: &VaultKey) -> Result<Option<(VaultKey, u64)>> {
        if let Some(size_bytes) = self.store.head(Bucket::Originals, key.as_str()).await? {
            return Ok(Some((key.clone(), size_bytes)));
        }
        let Some(of) = self.pointer_target(key).await? else {
            return Ok(None);
        };
        let size_bytes = self.store.head(Bucket::Originals, of.as_str()).await?;
        Ok(size_bytes.map(|size_bytes| (of, size_bytes)))
    }

    pub(super) async fn pointer_target(&self, key: &VaultKey) -> Result<Option<VaultKey>> {
        let pointer = key.pointer();
        let Some((text, _)) = self.store.get_small(Bucket::Originals, &pointer).await? else {
            return Ok(None);
        };
        let target = std::str::from_utf8(&text)
            .ok()
            .and_then(|text| text.trim_end().parse().ok());
        target
            .map(Some)
            .ok_or_else(|| VaultError::corrupt(format!("{pointer} names no vault key")))
    }

    pub(super) async fn read_range(
        &self,
        key: &VaultKey,
        range: Option<Range<u64>>,
    ) -> Result<Bytestream> {
        let Some((key, size_bytes)) = self.resolve(key).await? else {
            return Err(VaultError::NotFound(key.to_string()));
        };
        let range = range.unwrap_or(0..size_bytes);
        if range.end > size_bytes {
            return Err(VaultError::corrupt(format!(
                "{key} has {size_bytes} bytes, {} were expected",
                range.end
            )));
        }
        Ok(self.store.stream(Bucket::Originals, key.as_str(), range))
    }

    /// Looks before it writes: some stores ignore conditions.
    pub(super) async fn put_once(
        &self,
        bucket: Bucket,
        key: &str,
        bytes: &[u8],
    ) -> Result<PutOnce> {
        let content = chunks(bytes);
        let _turn = self.small_writes.lock().await;
        for _ in 0..2 {
            match self.store.get_small(bucket, key).await? {
                Some((there, _)) if there == bytes => return Ok(PutOnce::Stored),
                Some((there, _)) => return Ok(PutOnce::Existing(there.to_vec())),
                None => {}
            }
            let put = self
                .store
                .put(bucket, key, &content, Condition::IfAbsent, &[]);
            match put.await {
                Ok(()) => return Ok(PutOnce::Stored),
                // Somebody was faster (perhaps this very request, sent twice): look again.
                Err(VaultError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(VaultError::Conflict(key.to_owned()))
    }

    pub(super) async fn put_small_beside(
        &self,
        key: &VaultKey,
        name: BesideName,
        bytes: &[u8],
    ) -> Result<PutOnce> {
        let there = self.store.head(Bucket::Originals, key.as_str()).await?;
        if there.is_none() && self.pointer_target(key).await?.is_none() {
            return Err(VaultError::NotFound(key.to_string()));
        }
        self.put_once(Bucket::Originals, &key.beside(name), bytes)
            .await
    }

    pub(super) async fn swap(&self, key: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<()> {
        let _turn = self.small_writes.lock().await;
        let there = self.store.get_small(Bucket::Scaffold, key).await?;
        let condition = match (&there, expected) {
            (None, None) => Condition::IfAbsent,
            (Some((there, etag)), Some(expected)) if there == expected => {
                Condition::IfUnchanged(etag.clone())
            }
            _ => return Err(VaultError::Conflict(format!("{key} has changed"))),
        };
        self.store
            .put(Bucket::Scaffold, key, &chunks(new), condition, &[])
            .await
    }

    pub(super) async fn put_replaceable(&self, key: &str, bytes: &[u8]) -> Result<()> {
        self.store
            .put(
                Bucket::Scaffold,
                key,
                &chunks(bytes),
                Condition::Always,
                &[],
            )
            .await
    }
}
