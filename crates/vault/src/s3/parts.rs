//! Sending parts of a multipart upload.

use std::collections::VecDeque;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, Part};
use docket_base::Random;

use super::S3Vault;
use super::body::{Chunks, streamed};
use super::state::{S3State, open_folder};
use super::store::{Bucket, Store, failed};
use crate::error::{Result, VaultError};

/// Tries for a part that is fetched while it is sent; the client can't repeat such a request itself.
const GATHER_ATTEMPTS: u32 = 4;

/// A name that nobody ever used: a late request of a handle that lost the upload can't replace it.
pub(super) fn new_piece_key(state: &S3State, random: &dyn Random) -> String {
    let nonce = u64::from_be_bytes(docket_base::random::bytes(random));
    let offset_bytes = state.durable_bytes();
    format!("{}{offset_bytes:013}-{nonce:016x}", open_folder(&state.s3))
}

/// The multipart upload, started where there is none yet. A crash right after leaves one that no state
/// names: begin, discard and the listing of leftovers find it by its key.
async fn multipart(store: &Store, state: &mut S3State) -> Result<String> {
    if let Some(id) = &state.upload_id {
        return Ok(id.clone());
    }
    let key = state.s3.as_str();
    let mut request = store
        .client
        .create_multipart_upload()
        .bucket(&store.originals)
        .key(key)
        .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
        .checksum_type(ChecksumType::FullObject);
    for (name, value) in &state.metadata {
        request = request.metadata(name, value);
    }
    let created = request.send().await.map_err(|error| failed(key, error))?;
    let id = created
        .upload_id()
        .ok_or_else(|| VaultError::Unavailable(format!("{key}: no upload id was given")))?;
    state.upload_id = Some(id.to_owned());
    Ok(id.to_owned())
}

/// Sends a part from memory and gives its ETag.
pub(super) async fn upload_part(
    store: &Store,
    state: &mut S3State,
    number: u32,
    content: &Chunks,
) -> Result<String> {
    let upload_id = multipart(store, state).await?;
    let key = state.s3.as_str();
    let sent = store
        .client
        .upload_part()
        .bucket(&store.originals)
        .key(key)
        .upload_id(upload_id)
        .part_number(i32::try_from(number).unwrap_or(i32::MAX))
        .content_length(i64::try_from(content.length_bytes()).unwrap_or(i64::MAX))
        .checksum_crc64_nvme(content.crc64_nvme())
        .body(content.body())
        .send()
        .await;
    let part = sent.map_err(|error| failed(key, error))?;
    etag_of(key, part.e_tag())
}

/// Sends a part that lies in pieces in the scaffold bucket, without ever holding it.
pub(super) async fn upload_gathered_part(
    store: &Store,
    state: &mut S3State,
    number: u32,
) -> Result<String> {
    let upload_id = multipart(store, state).await?;
    let key = state.s3.as_str();
    let mut attempt = 1;
    loop {
        let sources: VecDeque<_> = state
            .pieces
            .iter()
            .map(|piece| store.stream(Bucket::Scaffold, &piece.key, 0..piece.size_bytes))
            .collect();
        let length_bytes = state.pieces_bytes();
        let sent = store
            .client
            .upload_part()
            .bucket(&store.originals)
            .key(key)
            .upload_id(&upload_id)
            .part_number(i32::try_from(number).unwrap_or(i32::MAX))
            .content_length(i64::try_from(length_bytes).unwrap_or(i64::MAX))
            .body(streamed(sources, length_bytes))
            .send()
            .await;
        match sent.map_err(|error| failed(key, error)) {
            Ok(part) => return etag_of(key, part.e_tag()),
            Err(VaultError::Unavailable(why)) if attempt < GATHER_ATTEMPTS => {
                tracing::warn!(key, number, why, "sending a part again");
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

impl S3Vault {
    /// Parts in the store with numbers above `after`, acknowledged or not.
    pub(super) async fn parts_after(&self, state: &S3State, after: u32) -> Result<Vec<Part>> {
        let (key, mut found) = (state.s3.as_str(), Vec::new());
        let mut marker = after;
        loop {
            let request = self
                .store
                .client
                .list_parts()
                .bucket(&self.store.originals)
                .key(key)
                .set_upload_id(state.upload_id.clone())
                .part_number_marker(marker.to_string());
            let page = request.send().await.map_err(|error| failed(key, error))?;
            let last = page.parts().last().and_then(Part::part_number);
            found.extend_from_slice(page.parts());
            match last.and_then(|last| u32::try_from(last).ok()) {
                Some(last) if last > marker && page.is_truncated() == Some(true) => marker = last,
                _ => return Ok(found),
            }
        }
    }

    /// Parts of a try that was never acknowledged keep their numbers.
    pub(super) async fn skip_taken_numbers(&self, state: &mut S3State) -> Result<()> {
        if state.upload_id.is_none() {
            return Ok(());
        }
        let taken = self.parts_after(state, state.last_number()).await?;
        let numbers = taken.iter().filter_map(Part::part_number);
        let last = numbers
            .filter_map(|number| u32::try_from(number).ok())
            .max();
        state.first_free = last.unwrap_or(0).saturating_add(1);
        Ok(())
    }
}

fn etag_of(key: &str, etag: Option<&str>) -> Result<String> {
    etag.map(str::to_owned)
        .ok_or_else(|| VaultError::Unavailable(format!("{key}: a part was given no ETag")))
}
