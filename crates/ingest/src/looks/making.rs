//! Making storyboard and waveform as far as an index reaches.

use docket_base::Sha256Digest;
use docket_catalog::Recording;
use docket_playback::looks::storyboard::{self, SHEET_PICTURES, Shown};
use docket_playback::looks::{Frame, waveform};
use docket_playback::{Playback, PlaybackIndex, Source};

use super::{Entry, STORYBOARD, lock, sheet_name};
use crate::growing::{Arrival, Playing};
use crate::probe::{POSTER, POSTER_WIDTH, derivative};
use crate::{Ingest, IngestError, Result};

/// How far a recording is looked at.
pub(super) struct Reach {
    pub(super) index: PlaybackIndex,
    /// Its first so many segments.
    pub(super) listed: usize,
    pub(super) source: Source,
    /// It is sealed, and this is all.
    pub(super) whole: bool,
}

impl Ingest {
    /// One round about what is still arriving.
    pub(super) async fn grow(
        &self,
        recording: &Recording,
        entry: &Entry,
        has_poster: &mut bool,
    ) -> Result<()> {
        let playing: Option<Playing> = match recording.state.is_open() {
            true => match self.arriving(recording).await? {
                Arrival::Plays(playing) => Some(*playing),
                Arrival::NotYet(_) => None,
            },
            false => self.just_arrived(recording).await?,
        };
        let (Some(playing), Some(playback)) = (playing, &self.playback) else {
            return Ok(());
        };
        let source = self.looking_source(recording, &playing).await?;
        let reach = Reach {
            index: playing.index,
            listed: playing.listed,
            source,
            whole: false,
        };
        if !*has_poster && storyboard::track(&reach.index).is_some() {
            let source = reach.source.clone();
            let made = playback.first_picture(recording.id, source, POSTER_WIDTH);
            if let Ok(jpeg) = made.await {
                let (id, at) = (recording.id, recording.created_at);
                self.vault
                    .put_derivative(id, at, &derivative(POSTER)?, &jpeg)
                    .await?;
            }
            *has_poster = true;
        }
        self.draw(recording, entry, &reach).await?;
        self.listen(recording, entry, &reach).await
    }

    /// Adds to the storyboard what it lacks.
    pub(super) async fn draw(
        &self,
        recording: &Recording,
        entry: &Entry,
        reach: &Reach,
    ) -> Result<()> {
        let Some(playback) = &self.playback else {
            return Ok(());
        };
        if storyboard::track(&reach.index).is_none() {
            return Ok(());
        }
        let (index, listed) = (reach.index.clone(), reach.listed);
        // Every frame of the recording is looked at.
        let frames = tokio::task::spawn_blocking(move || storyboard::frames(&index, listed))
            .await
            .map_err(|_| IngestError::Died("choosing a storyboard's frames"))?
            .map_err(IngestError::Playback)?;
        self.go_on_from(recording, entry, &frames).await?;
        for (number, wanted) in frames.chunks(SHEET_PICTURES).enumerate() {
            let there = lock(&entry.made)
                .board
                .sheets
                .get(number)
                .map_or(0, Vec::len);
            if there < wanted.len() {
                let sheet = (number, wanted);
                self.draw_sheet(recording, entry, reach, playback, sheet)
                    .await?;
            }
        }
        lock(&entry.made).board.until_us = reach.index.end_us(reach.listed);
        Ok(())
    }

    /// What of an earlier round, or of an earlier run of the daemon, shows what it should.
    async fn go_on_from(
        &self,
        recording: &Recording,
        entry: &Entry,
        frames: &[Frame],
    ) -> Result<()> {
        let is_new = lock(&entry.made).board.sheets.is_empty();
        let stored = match is_new {
            true => self.stored_storyboard(recording).await?,
            false => None,
        };
        let mut made = lock(&entry.made);
        if let Some(mut board) = stored {
            board.whole = false;
            made.board = board;
        }
        let before = made.board.sheets.len();
        made.board.keep_only(frames);
        if made.board.sheets.len() < before {
            made.last = None;
        }
        // Of a sheet that isn't full the pictures must be there: else it is drawn anew.
        let short = made.board.sheets.last();
        if short.is_some_and(|sheet| sheet.len() < SHEET_PICTURES) && made.last.is_none() {
            made.board.sheets.pop();
        }
        Ok(())
    }

    async fn draw_sheet(
        &self,
        recording: &Recording,
        entry: &Entry,
        reach: &Reach,
        playback: &Playback,
        (number, wanted): (usize, &[Frame]),
    ) -> Result<()> {
        let Some(track) = storyboard::track(&reach.index) else {
            return Ok(());
        };
        let (mut shown, pictures) = {
            let made = lock(&entry.made);
            let shown = made.board.sheets.get(number).cloned().unwrap_or_default();
            let last = made.last.clone().filter(|_| !shown.is_empty());
            (
                shown,
                last.map(|(_, pictures)| pictures).unwrap_or_default(),
            )
        };
        let had = (shown.len(), &pictures[..]);
        let added = &wanted[shown.len()..];
        let sheet = playback
            .sheet(recording.id, reach.source.clone(), track, added, had)
            .await
            .map_err(IngestError::Playback)?;
        let decoded = sheet.decoded.iter().zip(added);
        shown.extend(decoded.map(|(decoded, frame)| Shown {
            frame: *frame,
            decoded: *decoded,
        }));
        let stays = wanted.len() == SHEET_PICTURES || reach.whole;
        if stays {
            let (id, at) = (recording.id, recording.created_at);
            self.vault
                .put_derivative(id, at, &sheet_name(number)?, &sheet.jpeg)
                .await?;
        }
        let board = {
            let mut made = lock(&entry.made);
            made.board.width = sheet.width;
            made.board.height = sheet.height;
            made.board.until_us = reach.index.end_us(reach.listed);
            made.board.sheets.truncate(number);
            made.board.sheets.push(shown);
            // Its pictures are needed no more once it is full.
            made.last = (!stays).then_some((sheet.jpeg, sheet.pictures));
            made.board.clone()
        };
        if stays {
            // The sheet first: a crash here leaves one that nothing names, and it is drawn again.
            self.keep_storyboard(recording, &board).await?;
        }
        Ok(())
    }

    pub(super) async fn keep_storyboard(
        &self,
        recording: &Recording,
        board: &docket_playback::looks::Storyboard,
    ) -> Result<()> {
        let json = serde_json::to_vec(board).unwrap_or_default();
        let (id, at) = (recording.id, recording.created_at);
        Ok(self
            .vault
            .put_derivative(id, at, &derivative(STORYBOARD)?, &json)
            .await?)
    }

    /// Adds to the waveform what it lacks.
    pub(super) async fn listen(
        &self,
        recording: &Recording,
        entry: &Entry,
        reach: &Reach,
    ) -> Result<()> {
        let Some(playback) = &self.playback else {
            return Ok(());
        };
        {
            let mut made = lock(&entry.made);
            let (count, digest) = made.heard;
            if digest.is_some_and(|digest| digest != beginning(reach, count)) {
                // It is cut otherwise by now.
                made.heard = (0, None);
                made.peaks.clear();
            }
        }
        loop {
            let done = lock(&entry.made).heard.0;
            let part = waveform::part(&reach.index, done, reach.listed);
            let Some(part) = part.map_err(IngestError::Playback)? else {
                return Ok(());
            };
            let found = playback
                .peaks(recording.id, reach.source.clone(), &part)
                .await
                .map_err(IngestError::Playback)?;
            let mut made = lock(&entry.made);
            waveform::add(&mut made.peaks, &part, &found).map_err(IngestError::Playback)?;
            let count = part.segments.end;
            made.heard = (count, Some(beginning(reach, count)));
        }
    }
}

fn beginning(reach: &Reach, count: usize) -> Sha256Digest {
    Sha256Digest::of(&reach.index.beginning(count))
}
