//! One PATCH: bytes at an offset, durable before they are told.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use docket_base::ids::{RecordingId, UnitId};
use docket_base::{Clock, RunningDigest};
use docket_catalog::{Catalog, RecordingState, Upload, UploadKind};
use docket_tus::Checksum;
use docket_vault::AssemblyState;
use futures_util::Stream;
use tokio::sync::broadcast;

use super::checksum::ExtraHash;
use super::finish::Finished;
use super::hashing::HashLane;
use super::locks::UploadLock;
use super::pump::{Commit, Ended, Point, Pump, PumpError};
use crate::ingest::Progress;
use crate::{Ingest, IngestError, Result};

/// A request's body. An error means that the connection broke.
pub type Body<'a> = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send + 'a>>;

/// What became of a PATCH.
#[derive(Debug)]
pub struct Appended {
    /// The durable offset now.
    pub offset_bytes: u64,
    /// The upload's length, where known.
    pub length_bytes: Option<u64>,
    /// When it is given up, while it is open.
    pub expires_at: Option<docket_base::Micros>,
    /// How it ended.
    pub outcome: AppendOutcome,
}

/// How a PATCH ended.
#[derive(Debug)]
pub enum AppendOutcome {
    /// The body was taken; more may come.
    Taken,
    /// It was the last; the recording is closed.
    Finished(Finished),
    /// A newer request took over; what came before is kept.
    HandedOver,
    /// More came than the length allows; the excess was not taken.
    TooLong,
    /// Too little room is left; what came before is kept.
    Full,
    /// The daemon stops; what came before is kept.
    Shutdown,
    /// The bytes are not what `Upload-Checksum` says; none of them was kept.
    ChecksumMismatch,
}

impl Ingest {
    /// Appends a body at `from_offset`.
    ///
    /// # Errors
    /// [`IngestError::NotFound`], [`IngestError::WrongState`] when it is over,
    /// `Catalog(Stale)` when the offset is another one; else what vault and catalog say, in which
    /// case HEAD tells what was kept.
    pub async fn append(
        &self,
        id: RecordingId,
        from_offset: u64,
        length_bytes: Option<u64>,
        checksum: Option<Checksum>,
        body: Body<'_>,
    ) -> Result<Appended> {
        let mut lock = self.locks.take(id).await?;
        let mut upload = self.open_upload(id).await?;
        if self.is_given_up(&upload).await? {
            self.go_on_closing(&upload).await?;
            return Err(IngestError::WrongState(
                "the recording is incomplete".to_owned(),
            ));
        }
        if upload.offset_bytes != from_offset {
            return Err(docket_catalog::Error::Stale {
                what: "upload",
                id: id.to_string(),
            }
            .into());
        }
        if let Some(length) = length_bytes {
            self.check_length(Some(length))?;
            self.catalog.set_upload_length(id, length).await?;
            upload.length_bytes = Some(length);
        }
        if !self.room.has_room() {
            return Ok(answer(&upload, from_offset, AppendOutcome::Full));
        }
        let outcome = match checksum {
            None => self.append_rolling(&upload, &mut lock, body).await?,
            Some(expected) => {
                self.append_checked(&upload, &mut lock, expected, body)
                    .await?
            }
        };
        let (ended, point) = match outcome {
            Some(done) => done,
            None => {
                return Ok(answer(
                    &upload,
                    from_offset,
                    AppendOutcome::ChecksumMismatch,
                ));
            }
        };
        if upload.length_bytes == Some(point.offset_bytes) && ended != Ended::TooLong {
            let finished = match self.finish(&upload, &point).await {
                Ok(finished) => finished,
                Err(error) => {
                    // Tried again in the background, if the client doesn't ask first.
                    self.join_wanted.notify_one();
                    return Err(error);
                }
            };
            let outcome = finished.map_or(AppendOutcome::Taken, AppendOutcome::Finished);
            return Ok(answer(&upload, point.offset_bytes, outcome));
        }
        let outcome = match ended {
            Ended::Body | Ended::Length | Ended::Lost => AppendOutcome::Taken,
            Ended::HandedOver => AppendOutcome::HandedOver,
            Ended::TooLong => AppendOutcome::TooLong,
            Ended::Full => AppendOutcome::Full,
            Ended::Shutdown => AppendOutcome::Shutdown,
        };
        Ok(answer(&upload, point.offset_bytes, outcome))
    }

    pub(super) async fn open_upload(&self, id: RecordingId) -> Result<Upload> {
        if let Some(upload) = self.catalog.upload(id).await? {
            if matches!(upload.kind, UploadKind::Final | UploadKind::Clip) {
                return Err(IngestError::Refused(
                    "a final upload or a clip takes no bytes of its own".to_owned(),
                ));
            }
            return Ok(upload);
        }
        match self.catalog.recording(id).await? {
            None => Err(IngestError::not_found("upload", id)),
            Some(recording) if recording.state == RecordingState::Sealed => {
                Err(docket_catalog::Error::Stale {
                    what: "upload",
                    id: id.to_string(),
                }
                .into())
            }
            Some(recording) => Err(IngestError::WrongState(format!(
                "the recording is {}",
                recording.state
            ))),
        }
    }

    /// Whether an end before the last byte was begun and is not done.
    async fn is_given_up(&self, upload: &Upload) -> Result<bool> {
        let recording = self.catalog.recording(upload.id).await?;
        Ok(recording.is_some_and(|recording| recording.state == RecordingState::Sealing))
    }

    async fn append_rolling(
        &self,
        upload: &Upload,
        lock: &mut UploadLock,
        body: Body<'_>,
    ) -> Result<Option<(Ended, Point)>> {
        let start = self.start_point(upload)?;
        let pump = self.pump(upload, &start, None).await?;
        let (ended, point, _) = pump
            .run(start, lock, body, self.commit_offsets(upload))
            .await
            .map_err(pump_error)?;
        Ok(Some((ended, point)))
    }

    /// Nothing of a checked PATCH is told before it was checked, so its offset is committed once, at
    /// the end; a crash before, or a mismatch, leaves the offset where it was, and the next resume
    /// discards the bytes behind it.
    async fn append_checked(
        &self,
        upload: &Upload,
        lock: &mut UploadLock,
        expected: Checksum,
        body: Body<'_>,
    ) -> Result<Option<(Ended, Point)>> {
        let start = self.start_point(upload)?;
        let extra = ExtraHash::new(&self.hash_pool, &expected);
        let pump = self.pump(upload, &start, Some(extra)).await?;
        let (ended, point, mut pump) = pump
            .run(start, lock, body, Uncommitted)
            .await
            .map_err(pump_error)?;
        let matches = match pump.extra.take() {
            Some(extra) if ended != Ended::TooLong => extra.matches().await?,
            _ => false,
        };
        // Part of a checked body can't be checked: it is undone like a wrong one.
        if !matches {
            drop(pump);
            self.vault
                .resume(
                    &AssemblyState(upload.assembly_state.clone()),
                    upload.offset_bytes,
                )
                .await?;
            let undone = matches!(ended, Ended::Body | Ended::Length | Ended::TooLong);
            return Ok(if undone {
                None
            } else {
                Some((ended, self.start_point(upload)?))
            });
        }
        self.commit_offsets(upload).commit(&point).await?;
        Ok(Some((ended, point)))
    }

    pub(super) fn start_point(&self, upload: &Upload) -> Result<Point> {
        let digest = match upload.midstate() {
            None => RunningDigest::new(self.options.sm3),
            Some(midstate) => {
                RunningDigest::restore(&midstate).map_err(|bad| IngestError::Midstate {
                    id: upload.id.to_string(),
                    reason: bad.to_string(),
                })?
            }
        };
        let state = AssemblyState(upload.assembly_state.clone());
        Ok(Point {
            offset_bytes: upload.offset_bytes,
            digest,
            state,
        })
    }

    pub(super) async fn pump(
        &self,
        upload: &Upload,
        start: &Point,
        extra: Option<ExtraHash>,
    ) -> Result<Pump> {
        Ok(Pump {
            assembly: self.vault.resume(&start.state, start.offset_bytes).await?,
            hashes: HashLane::new(&self.hash_pool, start.digest.clone()),
            extra,
            memory: self.memory.clone(),
            flush_every_bytes: self.vault.flush_every_bytes(),
            length_bytes: upload.length_bytes,
            room: Arc::clone(&self.room),
            shutdown: self.shutdown.clone(),
        })
    }

    pub(super) fn commit_offsets(&self, upload: &Upload) -> CommitOffsets {
        CommitOffsets {
            catalog: self.catalog.clone(),
            clock: Arc::clone(&self.clock),
            progress: self.progress.clone(),
            id: upload.id,
            unit: upload.unit_id,
            partial: upload.kind == UploadKind::Partial,
            length_bytes: upload.length_bytes,
            from: upload.offset_bytes,
        }
    }
}

fn answer(upload: &Upload, offset_bytes: u64, outcome: AppendOutcome) -> Appended {
    Appended {
        offset_bytes,
        length_bytes: upload.length_bytes,
        expires_at: upload.expires_at,
        outcome,
    }
}

pub(super) fn pump_error(error: PumpError) -> IngestError {
    match error {
        PumpError::Vault(error) => error.into(),
        PumpError::Hash(error) => error.into(),
        PumpError::Commit(error) => error.into(),
        PumpError::Committer => IngestError::Died("the committing task"),
    }
}

/// Stores each durable point: offset, midstate and assembly state in one transaction.
pub(super) struct CommitOffsets {
    catalog: Catalog,
    clock: Arc<dyn Clock>,
    progress: broadcast::Sender<Progress>,
    id: RecordingId,
    unit: UnitId,
    partial: bool,
    length_bytes: Option<u64>,
    from: u64,
}

impl Commit for CommitOffsets {
    async fn commit(&mut self, point: &Point) -> Result<(), docket_catalog::Error> {
        let midstate = point.digest.midstate();
        let (from, to) = (self.from, point.offset_bytes);
        let state = &point.state.0;
        self.catalog
            .advance_upload(self.id, from, to, Some(&midstate), state, self.clock.now())
            .await?;
        self.from = to;
        if !self.partial {
            // Nobody watching is fine.
            let _ = self.progress.send(Progress {
                recording: self.id,
                unit: self.unit,
                received_bytes: to,
                size_bytes: self.length_bytes,
            });
        }
        Ok(())
    }
}

/// Keeps durable points to itself.
pub(super) struct Uncommitted;

impl Commit for Uncommitted {
    async fn commit(&mut self, _: &Point) -> Result<(), docket_catalog::Error> {
        Ok(())
    }
}
