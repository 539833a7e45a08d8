//! What the tests send, and how they look at what became of it.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use docket_base::ids::RecordingId;
use docket_catalog::{Recording, Upload};
use docket_ingest::Ingest;
use docket_ingest::read_back::sealed_facts;
use docket_ingest::receipts::ReceiptError;
use docket_ingest::upload::{Appended, Body, UploadStatus};
use docket_ledger::{ReceiptLevel, TileMap};
use docket_vault::{AssemblyState, Bytestream, Vault};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::site::Site;

pub const KIB: usize = 1 << 10;
pub const MIB: usize = 1 << 20;

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

/// A body in pieces of this size.
pub fn body(bytes: &[u8], piece: usize) -> Body<'static> {
    let pieces: Vec<_> = bytes
        .chunks(piece)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    Box::pin(stream::iter(pieces))
}

/// A body whose connection breaks after these bytes.
pub fn broken(bytes: &[u8], piece: usize) -> Body<'static> {
    let lost = stream::iter([Err(std::io::ErrorKind::ConnectionReset.into())]);
    Box::pin(body(bytes, piece).chain(lost))
}

/// A body after which nothing comes, not even an end.
pub fn endless(bytes: &[u8], piece: usize) -> Body<'static> {
    Box::pin(body(bytes, piece).chain(stream::pending()))
}

pub async fn send(ingest: &Ingest, id: RecordingId, from: usize, bytes: &[u8]) -> Appended {
    ingest
        .append(id, from as u64, None, None, body(bytes, 7_001))
        .await
        .expect("appended")
}

pub async fn recording(ingest: &Ingest, id: RecordingId) -> Recording {
    let found = ingest.catalog.recording(id).await.expect("catalog");
    found.expect("recording")
}

/// The offset that HEAD tells of an open upload.
pub async fn offset(ingest: &Ingest, id: RecordingId) -> usize {
    match ingest.upload_status(id).await.expect("status") {
        UploadStatus::Open(upload) => upload.offset_bytes as usize,
        other => panic!("{other:?}"),
    }
}

pub async fn collect(stream: Bytestream) -> docket_vault::Result<Vec<u8>> {
    stream
        .try_fold(Vec::new(), |mut all, block| async move {
            all.extend_from_slice(&block);
            Ok(all)
        })
        .await
}

/// The original as it is stored.
pub async fn stored(ingest: &Ingest, recording: &Recording) -> Vec<u8> {
    let (key, _) = sealed_facts(recording).expect("closed");
    let stream = ingest.vault.read_back(&key).await.expect("original");
    collect(stream).await.expect("original")
}

/// The durable bytes of an open upload.
pub async fn received(ingest: &Ingest, upload: &Upload) -> Vec<u8> {
    let state = AssemblyState(upload.assembly_state.clone());
    let stream = ingest.vault.read_assembly(&state, 0..upload.offset_bytes);
    collect(stream.await.expect("assembly"))
        .await
        .expect("bytes")
}

pub async fn publish(ingest: &Ingest) {
    while ingest.sequencer.round().await.expect("published") > 0 {}
}

pub async fn receipt(
    ingest: &Ingest,
    id: RecordingId,
    level: ReceiptLevel,
) -> Result<Vec<u8>, ReceiptError> {
    let (key, _) = sealed_facts(&recording(ingest, id).await).expect("closed");
    ingest.receipts.get(id, &key, level).await
}

/// The kinds of a recording's events, oldest first.
pub async fn kinds(ingest: &Ingest, id: RecordingId) -> Vec<String> {
    let page = ingest.catalog.custody(id, None, 100).await.expect("page");
    page.items.into_iter().map(|event| event.kind).collect()
}

/// Every file of the published log.
pub async fn log_files(vault: &dyn Vault) -> TileMap {
    let mut files = TileMap::new();
    for path in vault.log_list("", None, 10_000).await.expect("list") {
        let bytes = vault.log_read(&path).await.expect("read").expect("listed");
        files.insert(path, bytes);
    }
    files
}

/// Uploads' bytes that lie in the vault without being sealed.
pub async fn leftovers(ingest: &Ingest) -> usize {
    ingest.vault.leftovers(100).await.expect("list").len()
}

pub fn in_vault(site: &Site, key: &str) -> PathBuf {
    Path::new(&site.root).join(key)
}
