//! The vault in an S3 store: two buckets, originals as single objects.
//!
//! Originals go by multipart upload while bytes arrive. What is acknowledged lies in completed parts and
//! in one object behind them (the tail) in the scaffold bucket, which also holds derivatives and the
//! ledger's files. One daemon at a time; bytes of an upload can't be read before it is sealed
//! ([`VaultError::NotYet`]): both have their own place on the roadmap, as has Object Lock.

mod assembly;
mod body;
mod config;
mod open;
mod parts;
mod plan;
mod seal;
mod small;
mod state;
mod store;
mod walk;

use std::collections::HashMap;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use docket_base::ids::RecordingId;
use docket_base::{Micros, Random};

pub use self::config::{S3Config, Secret};
use self::open::OpenUpload;
pub use self::plan::{PartPlan, Tier};
use self::store::{Bucket, Store, failed};
use crate::contract::{
    Assembly, AssemblyState, BeginRequest, Bytestream, Leftover, PutOnce, SealRequest, Sealed,
    ShareRequest, StoredOriginal, Vault,
};
use crate::error::{Result, VaultError};
use crate::key::{BesideName, DerivativeName, VaultKey, check_log_path, day_folder};
use config::kept_metadata;

/// The vault in an S3 store: see the module's documentation.
#[derive(Debug)]
pub struct S3Vault {
    store: Store,
    plan: PartPlan,
    random: Arc<dyn Random>,
    uploads: std::sync::Mutex<HashMap<RecordingId, Weak<OpenUpload>>>,
    /// Small objects are written one at a time: with one daemon that makes compare-and-swap hold also
    /// on stores that ignore conditions.
    small_writes: tokio::sync::Mutex<()>,
}

impl S3Vault {
    /// Connects and looks whether both buckets are there.
    ///
    /// # Errors
    /// `NotFound` names the missing bucket; `Unavailable` when the store doesn't answer.
    pub async fn open(config: S3Config, random: Arc<dyn Random>) -> Result<Self> {
        let store = config.connect()?;
        if store.originals == store.scaffold {
            return Err(VaultError::Conflict(
                "originals and scaffold need two buckets".to_owned(),
            ));
        }
        for bucket in [&store.originals, &store.scaffold] {
            let request = store.client.head_bucket().bucket(bucket);
            let what = format!("bucket {bucket}");
            request.send().await.map_err(|error| failed(&what, error))?;
        }
        Ok(Self {
            store,
            plan: config.plan,
            random,
            uploads: std::sync::Mutex::default(),
            small_writes: tokio::sync::Mutex::default(),
        })
    }

    async fn get(&self, bucket: Bucket, key: &str) -> Result<Option<Vec<u8>>> {
        let found = self.store.get_small(bucket, key).await?;
        Ok(found.map(|(bytes, _)| bytes.into()))
    }
}

fn log_key(path: &str) -> Result<String> {
    check_log_path(path)?;
    Ok(format!("log/{path}"))
}

fn derived_folder(id: RecordingId, created_at: Micros) -> String {
    format!("derived/{}/{id}/", day_folder(created_at))
}

#[async_trait]
impl Vault for S3Vault {
    fn kind(&self) -> &'static str {
        "s3"
    }

    fn flush_every_bytes(&self) -> u64 {
        self.plan.first_piece_bytes()
    }

    fn free_bytes(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    async fn begin(&self, begin: &BeginRequest) -> Result<Box<dyn Assembly>> {
        self.begin_upload(begin).await
    }

    async fn resume(&self, state: &AssemblyState, durable_bytes: u64) -> Result<Box<dyn Assembly>> {
        self.resume_upload(state, durable_bytes).await
    }

    async fn discard(&self, state: &AssemblyState) -> Result<()> {
        self.discard_upload(state).await
    }

    async fn read_assembly(&self, _: &AssemblyState, _: Range<u64>) -> Result<Bytestream> {
        Err(VaultError::NotYet)
    }

    async fn assembly_descriptor(&self, _: &AssemblyState) -> Result<Option<OwnedFd>> {
        Ok(None)
    }

    async fn seal(&self, state: &AssemblyState, seal: &SealRequest) -> Result<Sealed> {
        self.seal_upload(state, seal).await
    }

    async fn share(&self, share: &ShareRequest) -> Result<Sealed> {
        self.share_original(share).await
    }

    async fn read(&self, key: &VaultKey, range: Range<u64>) -> Result<Bytestream> {
        self.read_range(key, Some(range)).await
    }

    async fn read_back(&self, key: &VaultKey) -> Result<Bytestream> {
        self.read_range(key, None).await
    }

    async fn size(&self, key: &VaultKey) -> Result<Option<u64>> {
        Ok(self.resolve(key).await?.map(|(_, size_bytes)| size_bytes))
    }

    async fn descriptor(&self, _: &VaultKey) -> Result<Option<OwnedFd>> {
        Ok(None)
    }

    async fn delete_original(&self, key: &VaultKey) -> Result<()> {
        self.store.delete(Bucket::Originals, &key.pointer()).await?;
        self.store.delete(Bucket::Originals, key.as_str()).await
    }

    async fn put_beside(&self, key: &VaultKey, name: BesideName, bytes: &[u8]) -> Result<PutOnce> {
        self.put_small_beside(key, name, bytes).await
    }

    async fn get_beside(&self, key: &VaultKey, name: BesideName) -> Result<Option<Vec<u8>>> {
        self.get(Bucket::Originals, &key.beside(name)).await
    }

    async fn put_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
        bytes: &[u8],
    ) -> Result<()> {
        let key = derived_folder(id, created_at) + name.as_str();
        self.put_replaceable(&key, bytes).await
    }

    async fn get_derivative(
        &self,
        id: RecordingId,
        created_at: Micros,
        name: &DerivativeName,
    ) -> Result<Option<Vec<u8>>> {
        let key = derived_folder(id, created_at) + name.as_str();
        self.get(Bucket::Scaffold, &key).await
    }

    async fn delete_derivatives(&self, id: RecordingId, created_at: Micros) -> Result<()> {
        let folder = derived_folder(id, created_at);
        self.store.delete_all(Bucket::Scaffold, &folder).await
    }

    async fn log_read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.get(Bucket::Scaffold, &log_key(path)?).await
    }

    async fn log_create(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let key = log_key(path)?;
        match self.put_once(Bucket::Scaffold, &key, bytes).await? {
            PutOnce::Stored => Ok(()),
            PutOnce::Existing(_) => Err(VaultError::Conflict(format!(
                "{key} is there with other bytes"
            ))),
        }
    }

    async fn log_replace(&self, path: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<()> {
        self.swap(&log_key(path)?, expected, new).await
    }

    async fn log_list(
        &self,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>> {
        let folder = match folder.trim_end_matches('/') {
            "" => "log/".to_owned(),
            folder => log_key(folder)? + "/",
        };
        self.list_log(&folder, after, limit).await
    }

    async fn originals(
        &self,
        after: Option<&VaultKey>,
        limit: usize,
    ) -> Result<Vec<StoredOriginal>> {
        self.list_originals(after, limit).await
    }

    async fn leftovers(&self, limit: usize) -> Result<Vec<Leftover>> {
        self.list_leftovers(limit).await
    }
}
