//! Sending a film's index ahead, so that it can be watched while it arrives: of MP4 and MOV files that
//! have it at their end. A help to who waits, never a condition: what fails here is only told.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use docket_base::ids::RecordingId;
use docket_client::{Backoff, Patience};
use tokio::sync::watch;

use super::docking::{Docking, SMALL_BYTES};
use crate::card::kind::kind_and_type;
use crate::card::{CardFile, OpenedFile};
use crate::station::on_pool;

/// Tries, in all.
const TRIES: u32 = 4;
const PIECE_BYTES: usize = 64 << 10;

/// A stretch of a file.
struct Stretch {
    from_bytes: u64,
    bytes: Bytes,
}

impl Docking<'_> {
    /// Sends the index ahead once the upload has its id. Returns when that is done, or in vain.
    pub(super) async fn send_hint(
        &self,
        file: &CardFile,
        opened: &OpenedFile,
        mut created: watch::Receiver<Option<RecordingId>>,
    ) {
        let is_film = matches!(kind_and_type(&file.path).0, "video" | "audio");
        if !is_film || file.size_bytes <= SMALL_BYTES {
            return;
        }
        let open = Arc::clone(&opened.file);
        let read = on_pool(&self.run.pool, move || index_of(&open)).await;
        let stretch = match read.and_then(|inner| inner) {
            Ok(Some(stretch)) => stretch,
            Ok(None) => return,
            // Whoever reads the file as a whole will say it.
            Err(error) => return tracing::debug!(%error, "no index to send ahead"),
        };
        let Ok(recording) = created.wait_for(Option::is_some).await.map(|id| *id) else {
            return;
        };
        let Some(recording) = recording else { return };
        let station = &self.run.station;
        if let Some(limiter) = station.conditions(&self.run.readers).limiter {
            for piece in stretch.bytes.chunks(PIECE_BYTES) {
                limiter.pass(piece.len()).await;
            }
        }
        let patience = Patience {
            attempts: Some(TRIES),
            ..station.patience()
        };
        let mut backoff = Backoff::new(patience);
        loop {
            let (from, size) = (stretch.from_bytes, file.size_bytes);
            let sent = station
                .client
                .put_hint(recording, from, size, stretch.bytes.clone());
            let error = match sent.await {
                Ok(()) => return tracing::debug!(%recording, "index sent ahead"),
                Err(error) => error,
            };
            let wait = match error.is_passing() {
                true => backoff.next(&*station.random, error.retry_after()),
                false => None,
            };
            match wait {
                Some(wait) => tokio::time::sleep(wait.min(Duration::from_secs(30))).await,
                None => return tracing::warn!(%recording, %error, "the index is not sent ahead"),
            }
        }
    }
}

/// The stretch to send ahead; `None` where there is nothing to.
fn index_of(file: &File) -> io::Result<Option<Stretch>> {
    let mut source = At { file, at: 0 };
    let Some(range) = docket_container::walk(&mut source)?.hint() else {
        return Ok(None);
    };
    // `hint` is at most 32 MiB long.
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(Some(Stretch {
        from_bytes: range.start,
        bytes: bytes.into(),
    }))
}

/// A position of its own in a file that others read, too.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for At<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(distance) => self.file.metadata()?.len().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.at.checked_add_signed(distance),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
