//! The bare sink: receives a body, hashes it (SHA-256) on one thread, writes it on another, starts
//! writing back every 16 MiB, and answers after fsync. The least that a server giving the same
//! promise about one file can do; no names, no resumption, no catalog, no proof.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::StatusCode;
use axum::routing::put;
use bytes::Bytes;
use docket_base::Sha256Digest;
use docket_base::files::{Files, OsFiles};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{Receiver, channel};

const ROLL_BYTES: u64 = 16 << 20;
const QUEUE_FRAMES: usize = 64;

/// Serves until killed; `sink.addr` in the directory says where.
pub(crate) fn serve(dir: PathBuf) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        std::fs::write(dir.join("sink.addr"), listener.local_addr()?.to_string())?;
        let app = Router::new()
            .route("/{name}", put(receive))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::new(dir));
        Ok(axum::serve(listener, app).await?)
    })
}

async fn receive(
    State(dir): State<Arc<PathBuf>>,
    UrlPath(name): UrlPath<String>,
    body: Body,
) -> Result<String, (StatusCode, String)> {
    keep(&dir.join(name), body)
        .await
        .map(|digest| digest.to_string())
        .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

async fn keep(path: &Path, body: Body) -> Result<Sha256Digest> {
    let (to_hash, hash_queue) = channel(QUEUE_FRAMES);
    let (to_write, write_queue) = channel(QUEUE_FRAMES);
    let hashed = tokio::task::spawn_blocking(move || hash(hash_queue));
    let path = path.to_owned();
    let written = tokio::task::spawn_blocking(move || write(&path, write_queue));
    let mut frames = body.into_data_stream();
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        to_hash.send(frame.clone()).await?;
        to_write.send(frame).await?;
    }
    drop((to_hash, to_write));
    written.await??;
    Ok(hashed.await?)
}

fn hash(mut queue: Receiver<Bytes>) -> Sha256Digest {
    let mut hash = Sha256::new();
    while let Some(frame) = queue.blocking_recv() {
        hash.update(&frame);
    }
    Sha256Digest(hash.finalize().into())
}

fn write(path: &Path, mut queue: Receiver<Bytes>) -> std::io::Result<()> {
    let file = OsFiles.create_new(path)?;
    let (mut written, mut rolled) = (0, 0);
    while let Some(frame) = queue.blocking_recv() {
        file.write_all_at(&frame, written)?;
        written += frame.len() as u64;
        if written - rolled >= ROLL_BYTES {
            file.start_writeback(rolled, written - rolled)?;
            rolled = written;
        }
    }
    file.sync_data()
}
