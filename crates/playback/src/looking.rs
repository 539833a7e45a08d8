//! What is asked of a worker for storyboards and waveforms: after everything that somebody waits for.

use bytes::Bytes;
use docket_base::ids::RecordingId;

use crate::error::{Error, Result};
use crate::index::Track;
use crate::looks::storyboard::{PICTURE_PX, SHEET_PICTURES};
use crate::looks::{Frame, Part};
use crate::pool::{Playback, unexpected};
use crate::protocol::{FromWorker, Request};
use crate::source::Source;

/// Largest sheet.
const MOST_JPEG_BYTES: usize = 4 << 20;

/// A sheet of a storyboard.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Each picture's size.
    pub width: u32,
    /// Each picture's size.
    pub height: u32,
    /// Of what was added: could it be decoded?
    pub decoded: Vec<bool>,
    /// The sheet.
    pub jpeg: Bytes,
    /// All pictures on it, RGB one after another: what goes on needs them, so that nothing is decoded
    /// twice.
    pub pictures: Bytes,
}

impl Playback {
    /// Adds these keyframes to a sheet; `had` are the pictures on it so far.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn sheet(
        &self,
        id: RecordingId,
        source: Source,
        track: &Track,
        frames: &[Frame],
        had: (usize, &[u8]),
    ) -> Result<Sheet> {
        let count = had.0 + frames.len();
        if count > SHEET_PICTURES {
            return Err(Error::BadIndex("more pictures than a sheet has"));
        }
        let request = Request::Sheet {
            track: track.clone(),
            frames: frames.to_vec(),
            had: had.0 as u32,
        };
        self.nobody_waits().await;
        match self.looker.ask(id, source, request, had.1).await? {
            (
                FromWorker::Sheet {
                    width,
                    height,
                    decoded,
                    jpeg_bytes,
                },
                bytes,
            ) => {
                let bytes = Bytes::from(bytes);
                let jpeg_bytes = jpeg_bytes as usize;
                let fits = (1..=PICTURE_PX).contains(&width) && (1..=PICTURE_PX).contains(&height);
                let pictures_bytes = count * width as usize * height as usize * 3;
                if !fits
                    || decoded.len() != frames.len()
                    || jpeg_bytes > MOST_JPEG_BYTES
                    || bytes.len().checked_sub(jpeg_bytes) != Some(pictures_bytes)
                {
                    return Err(Error::Protocol("no such sheet was asked for".into()));
                }
                Ok(Sheet {
                    width,
                    height,
                    decoded,
                    jpeg: bytes.slice(..jpeg_bytes),
                    pictures: bytes.slice(jpeg_bytes..),
                })
            }
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// How loud a part is: a byte for each of its peaks.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn peaks(&self, id: RecordingId, source: Source, part: &Part) -> Result<Vec<u8>> {
        let request = Request::Peaks {
            track: part.track.clone(),
            from: part.peaks.start as u64,
            until: part.peaks.end as u64,
        };
        self.nobody_waits().await;
        match self.looker.ask(id, source, request, &part.packed).await? {
            (FromWorker::Peaks, peaks) if peaks.len() == part.peaks.len() => Ok(peaks),
            (FromWorker::Peaks, _) => Err(Error::Protocol("another number of peaks".into())),
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// The first picture, of what is still arriving: what comes later can't be compared with it yet.
    ///
    /// # Errors
    /// As for [`Playback::poster`].
    pub async fn first_picture(
        &self,
        id: RecordingId,
        source: Source,
        max_width: u32,
    ) -> Result<Vec<u8>> {
        let at_ms = Some(0);
        let request = Request::Poster { at_ms, max_width };
        self.nobody_waits().await;
        match self.looker.ask(id, source, request, &[]).await? {
            (FromWorker::Poster, jpeg) => Ok(jpeg),
            (other, _) => Err(unexpected(&other)),
        }
    }
}
