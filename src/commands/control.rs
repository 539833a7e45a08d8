//! The administrative socket: one request line in, output lines and an exit code out, as JSON lines.
//!
//! It lies in the data directory with mode 0600, so whoever may read the data may administer, and
//! nobody else. Nothing of it goes over a network.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{AdminCommand, Output, run_admin};
use crate::parts::Parts;

/// A request is a command and perhaps a password; more is not one of ours.
const REQUEST_BYTES: u64 = 64 << 10;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Line(String),
    Failed(String),
    Exit(u8),
}

/// Binds the socket, taking over the path a killed predecessor left: the data lock says it is dead.
pub fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("removing {}", path.display())),
    }
    let listener =
        UnixListener::bind(path).with_context(|| format!("binding {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves requests until told to stop.
pub async fn serve(listener: UnixListener, parts: Arc<Parts>, shutdown: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let parts = Arc::clone(&parts);
                tokio::spawn(async move {
                    if let Err(error) = answer(stream, &parts).await {
                        tracing::warn!(
                            error = format!("{error:#}"),
                            "administrative request failed"
                        );
                    }
                });
            }
            Err(error) => tracing::warn!(%error, "administrative socket"),
        }
    }
}

async fn answer(stream: UnixStream, parts: &Arc<Parts>) -> anyhow::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(REQUEST_BYTES))
        .read_line(&mut line)
        .await?;
    let command: AdminCommand = serde_json::from_str(&line).context("unreadable request")?;
    let (out, mut lines) = mpsc::channel(64);
    let task = {
        let parts = Arc::clone(parts);
        tokio::spawn(async move { run_admin(command, &parts, &Output::new(out)).await })
    };
    while let Some(line) = lines.recv().await {
        send(&mut write, &Reply::Line(line)).await?;
    }
    let last = match task.await? {
        Ok(code) => Reply::Exit(code),
        Err(error) => Reply::Failed(format!("{error:#}")),
    };
    send(&mut write, &last).await
}

async fn send(write: &mut (impl AsyncWriteExt + Unpin), reply: &Reply) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    Ok(write.write_all(&line).await?)
}

/// Asks a running `serve`; prints its output and returns its exit code.
pub async fn ask(socket: &Path, command: &AdminCommand) -> anyhow::Result<u8> {
    let stream = UnixStream::connect(socket).await.with_context(|| {
        format!(
            "another docketd holds the data directory, but {} does not answer",
            socket.display()
        )
    })?;
    let (read, mut write) = stream.into_split();
    let mut line = serde_json::to_vec(command)?;
    line.push(b'\n');
    write.write_all(&line).await?;
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line)? {
            Reply::Line(text) => println!("{text}"),
            Reply::Failed(text) => anyhow::bail!("{text}"),
            Reply::Exit(code) => return Ok(code),
        }
    }
    anyhow::bail!("docketd ended before it answered")
}
