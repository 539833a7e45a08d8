//! Clips: the daemon makes their bytes, and seals them as it seals any recording.
//!
//! Order, and what a crash at each step means: (1) one transaction creates the recording (kind `clip`), what
//! it is made of, its upload and the event that announces it; (2) the bytes go into the assembly without any
//! offset being stored, so that a crash begins them anew at 0; (3) the offset at the end is stored, then the
//! length: from here on the bytes stand, and a crash goes on with (4); (4) sealing as for any upload; its
//! transaction says of both clip and source what was made.

use std::time::Duration;

use docket_base::ids::{RecordingId, RegisterId};
use docket_base::{Digests, RunningDigest};
use docket_catalog::{Clip, EventRow, NewRecording, Recording, RecordingKind, Upload, UploadKind};
use docket_ledger::kinds::{self, IncompleteReason};
use docket_ledger::register::TextRow;
use docket_ledger::{Actor, RegisterValue, Salt, Subject};
use docket_playback::{ClipPlan, PlaybackIndex};
use docket_vault::BeginRequest;
use futures_util::stream;

use super::append::{Body, Uncommitted, pump_error};
use super::pump::{Commit, Ended};
use super::stored::StoredFacts;
use crate::event::actor_ref;
use crate::read_back::sealed_facts;
use crate::text::Limit;
use crate::{Ingest, IngestError, Result};

const AGAIN: Duration = Duration::from_secs(30);
const BATCH: u32 = 64;
/// Longest clip that is transcoded: more would keep a core busy for hours.
const LONGEST_MADE_US: u64 = 3_600_000_000;

/// A clip that somebody wants.
#[derive(Debug, Clone)]
pub struct ClipWanted {
    /// From this time on, in milliseconds of what a player shows.
    pub from_ms: u64,
    /// Until this time.
    pub until_ms: u64,
    /// For what.
    pub reason: String,
}

impl Ingest {
    /// Begins a clip: the recording exists, its bytes follow in the background.
    ///
    /// # Errors
    /// Refused without a reason, for an empty stretch, for the clip of a clip; the vault's, the catalog's.
    pub async fn create_clip(
        &self,
        actor: Actor,
        source: &Recording,
        index: &PlaybackIndex,
        wanted: &ClipWanted,
    ) -> Result<RecordingId> {
        let refused = |reason: &str| Err(IngestError::Refused(reason.to_owned()));
        let reason = Limit::NOTE.require("reason", &wanted.reason)?;
        if source.kind == RecordingKind::Clip {
            return refused("a clip is made of an original, not of another clip");
        }
        let (Some(sha256), Some(_)) = (source.sha256, &source.vault_key) else {
            return Err(IngestError::WrongState("it is not sealed yet".to_owned()));
        };
        let (from_us, until_us) = (
            wanted.from_ms.saturating_mul(1_000),
            wanted.until_ms.saturating_mul(1_000),
        );
        let plan = ClipPlan::new(index, from_us, until_us).map_err(IngestError::Playback)?;
        let Some(plan) = plan else {
            return refused("from_ms, until_ms: nothing of the recording is between them");
        };
        let stretch = plan.stretch_us();
        if index.is_made() && stretch.end - stretch.start > LONGEST_MADE_US {
            return refused("a clip that must be made anew lasts an hour at most");
        }
        self.check_length(None)?;
        let id = RecordingId::fresh(&*self.clock, &*self.random);
        let clip = Clip {
            id,
            source_id: source.id,
            source_sha256: sha256,
            from_us: stretch.start,
            until_us: stretch.end,
            transcoded: plan.is_transcoded(),
            reason,
        };
        self.announce_clip(actor, source, &clip).await?;
        self.clip_wanted.notify_one();
        Ok(id)
    }

    async fn announce_clip(&self, actor: Actor, source: &Recording, clip: &Clip) -> Result<()> {
        let (id, at) = (clip.id, self.clock.now());
        let recording = clip_recording(actor, source, clip, at);
        let begin = BeginRequest {
            id,
            created_at: at,
            metadata: vec![("recording".to_owned(), id.to_string())],
        };
        let mut assembly = self.vault.begin(&begin).await?;
        let facts = StoredFacts {
            header: String::new(),
            salt: Salt::fresh(&*self.random),
            sender_token: None,
            by_station: false,
            note: None,
            case_number: None,
            case_unit: None,
        };
        let upload = docket_catalog::NewUpload {
            id,
            kind: UploadKind::Clip,
            unit_id: source.unit_id,
            owner: actor_ref(actor),
            length_bytes: None,
            midstate: Some(RunningDigest::new(self.options.sm3).midstate()),
            assembly_state: assembly.flush().await?.state.0,
            metadata: facts.to_text(),
            created_at: at,
            // It is tried until it is made, or known to be impossible.
            expires_at: None,
            parts: Vec::new(),
        };
        let announced = kinds::RecordingAnnounced {
            kind: kinds::RecordingKind::Clip,
            size_bytes: None,
            claimed_sha256: None,
            station: None,
            docking: None,
        };
        let (unit, subject) = (Some(source.unit_id), Subject::recording(id));
        let event = self.event(actor, unit, subject, announced)?;
        // A crash before this commit leaves an empty assembly that no row names; recovery discards it.
        let mut change = self.catalog.change().await?;
        change.insert_recording(&recording).await?;
        change.put_clip(clip).await?;
        change.insert_upload(&upload).await?;
        self.commit(change, &[event]).await
    }

    pub(crate) async fn clip_loop(&self) {
        loop {
            let pause = match self.clip_round().await {
                Ok(true) => Duration::from_secs(3_600),
                Ok(false) => AGAIN,
                Err(error) => {
                    tracing::error!(%error, "making clips; trying again");
                    AGAIN
                }
            };
            tokio::select! {
                () = self.clip_wanted.notified() => {}
                () = tokio::time::sleep(pause) => {}
                () = self.shutdown.cancelled() => return,
            }
        }
    }

    /// Makes every clip that waits; whether all of it went well.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn clip_round(&self) -> Result<bool> {
        let mut all_well = true;
        for upload in self.catalog.clips_to_make(BATCH).await? {
            if self.shutdown.is_cancelled() {
                return Ok(true);
            }
            if let Err(error) = self.make_clip(upload.id).await {
                all_well = false;
                tracing::error!(clip = %upload.id, %error, "a clip is not made; trying again");
            }
        }
        Ok(all_well)
    }

    async fn make_clip(&self, id: RecordingId) -> Result<()> {
        let mut lock = self.locks.take(id).await?;
        let Some(upload) = self.catalog.upload(id).await? else {
            return Ok(());
        };
        if upload.offset_bytes > 0 {
            return self.finish_clip(&upload).await;
        }
        let clip = self.clip_of(&upload).await?;
        let clip = clip.ok_or_else(|| IngestError::not_found("clip", id))?;
        let (source, plan) = match self.clip_plan(&clip).await {
            Ok(found) => found,
            Err(error) => return self.clip_failed(&upload, error).await,
        };
        let start = self.start_point(&upload)?;
        let pump = self.pump(&upload, &start, None).await?;
        let failed = std::sync::Mutex::new(None);
        let body = self.clip_body(&plan, clip.source_id, &source, &failed);
        let run = pump.run(start, &mut lock, body, Uncommitted).await;
        let (ended, point, _) = run.map_err(pump_error)?;
        let failed = failed.into_inner().unwrap_or_default();
        if let Some(error) = failed {
            return self
                .clip_failed(&upload, IngestError::Playback(error))
                .await;
        }
        if ended != Ended::Body || point.offset_bytes == 0 {
            return Err(IngestError::WrongState(format!(
                "cutting stopped: {ended:?}"
            )));
        }
        // A crash before this makes the clip again from its begin.
        self.commit_offsets(&upload).commit(&point).await?;
        let upload = self.catalog.upload(id).await?;
        match upload {
            Some(upload) => self.finish_clip(&upload).await,
            None => Ok(()),
        }
    }

    /// All bytes are durable; a crash in here comes here again.
    async fn finish_clip(&self, upload: &Upload) -> Result<()> {
        self.catalog
            .set_upload_length(upload.id, upload.offset_bytes)
            .await?;
        self.finish(upload, &self.start_point(upload)?).await?;
        Ok(())
    }

    /// Where the source itself is at fault there will never be a clip: it is withdrawn.
    async fn clip_failed(&self, upload: &Upload, error: IngestError) -> Result<()> {
        let never = match &error {
            IngestError::Playback(error) => error.reason().is_some(),
            IngestError::Refused(_) => true,
            _ => false,
        };
        if !never {
            return Err(error);
        }
        tracing::warn!(clip = %upload.id, %error, "a clip can't be made");
        self.give_up(upload, IncompleteReason::Terminated, Actor::System)
            .await
    }

    /// The plan again, from the exact boundaries that were told.
    async fn clip_plan(&self, clip: &Clip) -> Result<(docket_playback::Source, ClipPlan)> {
        let gone = || IngestError::Refused("its source is no longer there".to_owned());
        let row = self.catalog.recording(clip.source_id).await?;
        let row = row.filter(|row| row.sha256 == Some(clip.source_sha256));
        let row = row.ok_or_else(gone)?;
        if row.deleted_at.is_some() {
            return Err(gone());
        }
        let (key, _) = sealed_facts(&row)?;
        let size_bytes = row.size_bytes.unwrap_or_default();
        let source = self.source(&key, size_bytes).await?;
        let index = self.index_of(&row).await?;
        let index =
            index.ok_or_else(|| IngestError::WrongState("it has no index now".to_owned()))?;
        let plan = ClipPlan::new(&index, clip.from_us, clip.until_us);
        let plan = plan.map_err(IngestError::Playback)?.ok_or_else(gone)?;
        if plan.stretch_us() != (clip.from_us..clip.until_us) {
            let reason = "the source is cut otherwise than when the clip was asked for";
            return Err(IngestError::Refused(reason.to_owned()));
        }
        Ok((source, plan))
    }

    /// The clip's bytes, a segment at a time. An error ends them; which one is put aside.
    fn clip_body<'a>(
        &'a self,
        plan: &'a ClipPlan,
        of: RecordingId,
        source: &'a docket_playback::Source,
        failed: &'a std::sync::Mutex<Option<docket_playback::Error>>,
    ) -> Body<'a> {
        Box::pin(stream::unfold(0, move |number| async move {
            if number >= plan.pieces() {
                return None;
            }
            let piece = plan.piece(number, of, source, self.playback.as_ref());
            match piece.await {
                Ok(bytes) => Some((Ok(bytes), number + 1)),
                Err(error) => {
                    let told = std::io::Error::other(error.to_string());
                    if let Ok(mut failed) = failed.lock() {
                        *failed = Some(error);
                    }
                    Some((Err(told), plan.pieces()))
                }
            }
        }))
    }

    /// What a clip is made of; `None` for any other upload.
    pub(super) async fn clip_of(&self, upload: &Upload) -> Result<Option<Clip>> {
        match upload.kind {
            UploadKind::Clip => Ok(self.catalog.clip(upload.id).await?),
            _ => Ok(None),
        }
    }

    /// What is said of the clip and of its source when it is sealed. A crash after the reason's file leaves
    /// one that no entry names.
    pub(super) async fn clip_events(
        &self,
        upload: &Upload,
        clip: Option<&Clip>,
        digests: &Digests,
        actor: Actor,
    ) -> Result<Vec<EventRow>> {
        let Some(clip) = clip else {
            return Ok(Vec::new());
        };
        let row = RegisterId::from_bytes(*clip.id.as_bytes());
        let text = clip.reason.clone();
        let value = RegisterValue::ClipReason(TextRow { text });
        let made = kinds::ClipMade {
            clip: clip.id,
            clip_sha256: digests.sha256,
            source: clip.source_id,
            source_sha256: clip.source_sha256,
            from_us: clip.from_us,
            until_us: clip.until_us,
            transcoded: clip.transcoded,
            reason: Some(self.put_register(row, 1, value).await?),
        };
        let unit = Some(upload.unit_id);
        let of = |id| self.event(actor, unit, Subject::recording(id), made.clone());
        Ok(vec![of(clip.id)?, of(clip.source_id)?])
    }
}

/// A clip is found under its source's officer and time, and says what it is by its kind.
fn clip_recording(
    actor: Actor,
    source: &Recording,
    clip: &Clip,
    at: docket_base::Micros,
) -> NewRecording {
    let stem = source.file_name.rsplit_once('.');
    let stem = stem.map_or(source.file_name.as_str(), |(stem, _)| stem);
    let clock = |us: u64| {
        let s = us / 1_000_000;
        format!("{:02}.{:02}.{:02}", s / 3_600, s / 60 % 60, s % 60)
    };
    let (from, until) = (clock(clip.from_us), clock(clip.until_us));
    let begin = i64::try_from(clip.from_us).unwrap_or(0);
    NewRecording {
        id: clip.id,
        kind: RecordingKind::Clip,
        file_name: format!("{stem} {from}-{until}.mp4"),
        media_type: Some("video/mp4".to_owned()),
        size_bytes: None,
        claimed_sha256: None,
        unit_id: source.unit_id,
        officer_id: source.officer_id,
        officer_claimed: source.officer_claimed.clone(),
        recorder_id: source.recorder_id,
        recorder_claimed: source.recorder_claimed.clone(),
        station_id: None,
        docking_id: None,
        device_path: None,
        recorded_at: source
            .effective_recorded_at()
            .map(|at| docket_base::Micros(at.0.saturating_add(begin))),
        created_at: at,
        marks: Vec::new(),
        notes: String::new(),
        tags: Vec::new(),
        created_by: actor_ref(actor),
    }
}
