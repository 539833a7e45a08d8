//! From an upload to a sealed object, in steps that can all be repeated.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Tag, Tagging};

use super::body::Chunks;
use super::parts::{upload_gathered_part, upload_part};
use super::state::{S3State, chain, open_folder};
use super::store::{Bucket, Condition, failed};
use super::{S3Vault, kept_metadata};
use crate::contract::{AssemblyState, PutOnce, SealRequest, Sealed, ShareRequest};
use crate::error::{Result, VaultError};
use crate::key::{Area, BesideName, VaultKey};

impl S3Vault {
    pub(super) async fn seal_upload(
        &self,
        state: &AssemblyState,
        seal: &SealRequest,
    ) -> Result<Sealed> {
        let mut state = S3State::parse(state)?;
        // The key was fixed when the first part was sent; quarantine is a tag.
        let key = VaultKey::new(Area::Originals, seal.created_at, seal.id);
        if state.s3 != key {
            return Err(VaultError::Conflict(format!(
                "the assembly of {} can't become {key}",
                state.s3
            )));
        }
        let _turn = self.take_turn(seal.id).await;
        let earlier_side_file = self.put_side_file(&key, &seal.side_file).await?;
        // A crash from here on: the next try finds the side file, then the object or its upload.
        if !self.is_there(&key, seal.size_bytes).await? {
            match self.finish(&mut state, seal).await {
                // Completed by a try whose answer was lost; only the look below can tell.
                Err(VaultError::NotFound(_)) | Ok(()) => {}
                Err(error) => return Err(error),
            }
            if !self.is_there(&key, seal.size_bytes).await? {
                return Err(VaultError::corrupt(format!("the upload of {key} is gone")));
            }
        }
        self.tag(&key, seal).await;
        self.clean_up(&key).await;
        Ok(Sealed {
            key,
            earlier_side_file,
        })
    }

    async fn put_side_file(&self, key: &VaultKey, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
        let name = key.beside(BesideName::SideFile);
        match self.put_once(Bucket::Originals, &name, bytes).await? {
            PutOnce::Stored => Ok(None),
            PutOnce::Existing(earlier) => Ok(Some(earlier)),
        }
    }

    async fn is_there(&self, key: &VaultKey, size_bytes: u64) -> Result<bool> {
        match self.store.head(Bucket::Originals, key.as_str()).await? {
            None => Ok(false),
            Some(found) if found == size_bytes => Ok(true),
            Some(found) => Err(VaultError::corrupt(format!(
                "{key} has {found} bytes instead of {size_bytes}"
            ))),
        }
    }

    async fn finish(&self, state: &mut S3State, seal: &SealRequest) -> Result<()> {
        if state.durable_bytes() != seal.size_bytes {
            return Err(VaultError::corrupt(format!(
                "the upload of {} has {} bytes, {} are to be sealed",
                state.s3,
                state.durable_bytes(),
                seal.size_bytes
            )));
        }
        if state.upload_id.is_none() && state.pieces.len() <= 1 {
            return self.put_whole(state, seal).await;
        }
        if !state.pieces.is_empty() {
            self.skip_taken_numbers(state).await?;
            let (number, size_bytes) = (state.next_number(), state.pieces_bytes());
            // The last part may have any size.
            let etag = match self.only_piece(state).await? {
                Some(content) => upload_part(&self.store, state, number, &content).await?,
                None => upload_gathered_part(&self.store, state, number).await?,
            };
            state.add_part(number, size_bytes, &etag);
        }
        self.complete(state).await
    }

    async fn only_piece(&self, state: &S3State) -> Result<Option<Chunks>> {
        let [piece] = state.pieces.as_slice() else {
            return Ok(None);
        };
        match self.store.get_small(Bucket::Scaffold, &piece.key).await? {
            Some((bytes, _)) if bytes.len() as u64 == piece.size_bytes => Ok(Some(bytes.into())),
            // Perhaps sealed and cleaned up before: the caller looks for the object.
            _ => Err(VaultError::NotFound(piece.key.clone())),
        }
    }

    /// Less than one part: an ordinary object, which can carry its digest as metadata.
    async fn put_whole(&self, state: &S3State, seal: &SealRequest) -> Result<()> {
        let content = self.only_piece(state).await?.unwrap_or_default();
        let mut metadata = vec![("sha256".to_owned(), seal.digests.sha256.to_string())];
        metadata.extend(kept_metadata(&seal.metadata));
        let key = state.s3.as_str();
        self.store
            .put(
                Bucket::Originals,
                key,
                &content,
                Condition::Always,
                &metadata,
            )
            .await
    }

    async fn complete(&self, state: &S3State) -> Result<()> {
        let (key, upload_id) = (state.s3.as_str(), state.upload_id.as_deref());
        let parts = self.completed_parts(state).await?;
        let request = self
            .store
            .client
            .complete_multipart_upload()
            .bucket(&self.store.originals)
            .key(key)
            .set_upload_id(upload_id.map(str::to_owned))
            .multipart_upload(
                CompletedMultipartUpload::builder()
                    .set_parts(Some(parts))
                    .build(),
            );
        request.send().await.map_err(|error| failed(key, error))?;
        Ok(())
    }

    /// The store's own list of the parts, held against what was acknowledged.
    async fn completed_parts(&self, state: &S3State) -> Result<Vec<CompletedPart>> {
        let mut parts: Vec<CompletedPart> = Vec::with_capacity(state.parts as usize);
        let (mut etags, mut size_bytes) = (None, 0u64);
        for part in self.parts_after(state, 0).await? {
            let number = part.part_number().unwrap_or(0);
            let etag = part.e_tag().unwrap_or_default();
            if !u32::try_from(number).is_ok_and(|number| state.has_number(number)) {
                continue;
            }
            if let Some(last) = parts.last()
                && last.part_number() == Some(number)
                && last.e_tag() == Some(etag)
            {
                // A repeated request: some stores keep both.
                continue;
            }
            etags = Some(chain(etags, etag));
            size_bytes += u64::try_from(part.size().unwrap_or(0)).unwrap_or(0);
            let completed = CompletedPart::builder()
                .part_number(number)
                .e_tag(etag)
                .set_checksum_crc64_nvme(part.checksum_crc64_nvme().map(str::to_owned));
            parts.push(completed.build());
        }
        if etags != state.etags || size_bytes != state.parts_bytes {
            return Err(VaultError::corrupt(format!(
                "{}: the store's parts are not those sent",
                state.s3
            )));
        }
        Ok(parts)
    }

    /// For people and tools that look at the bucket; Docket itself never reads it.
    async fn tag(&self, key: &VaultKey, seal: &SealRequest) {
        let mut tags = vec![("sha256", seal.digests.sha256.to_string())];
        if seal.area == Area::Quarantine {
            tags.push(("quarantine", "true".to_owned()));
        }
        let mut tagging = Tagging::builder();
        for (name, value) in tags {
            match Tag::builder().key(name).value(value).build() {
                Ok(tag) => tagging = tagging.tag_set(tag),
                Err(_) => return,
            }
        }
        let Ok(tagging) = tagging.build() else {
            return;
        };
        let request = self
            .store
            .client
            .put_object_tagging()
            .bucket(&self.store.originals)
            .key(key.as_str())
            .tagging(tagging);
        if let Err(error) = request.send().await {
            let error = failed(key.as_str(), error);
            tracing::warn!(%key, %error, "the store takes no tags");
        }
    }

    async fn clean_up(&self, key: &VaultKey) {
        let folder = open_folder(key);
        if let Err(error) = self.store.delete_all(Bucket::Scaffold, &folder).await {
            tracing::warn!(%key, %error, "scaffold objects stay until they are cleaned up");
        }
    }

    pub(super) async fn share_original(&self, share: &ShareRequest) -> Result<Sealed> {
        let of = match self.resolve(&share.of).await? {
            Some((of, _)) => of,
            None => return Err(VaultError::NotFound(share.of.to_string())),
        };
        let key = VaultKey::new(of.area(), share.created_at, share.id);
        let there = self.store.head(Bucket::Originals, key.as_str()).await?;
        if key == of || there.is_some() {
            return Err(VaultError::Conflict(format!("{key} has bytes of its own")));
        }
        let earlier_side_file = self.put_side_file(&key, &share.side_file).await?;
        let (name, pointer) = (key.pointer(), format!("{of}\n"));
        let put = self.put_once(Bucket::Originals, &name, pointer.as_bytes());
        match put.await? {
            PutOnce::Stored => Ok(Sealed {
                key,
                earlier_side_file,
            }),
            PutOnce::Existing(_) => Err(VaultError::Conflict(format!(
                "{key} already shares another original"
            ))),
        }
    }
}
