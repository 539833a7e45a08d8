//! The way of three recordings, which goes on from what somebody was told before it was interrupted.

use std::sync::Arc;

use docket_base::ids::RecordingId;
use docket_catalog::RecordingState;
use docket_ingest::Ingest;
use docket_ingest::upload::{AppendOutcome, UploadStatus};
use docket_ledger::integrate::check_continues;
use docket_ledger::{ReceiptLevel, TreeHead};

use super::site::Site;
use super::things::*;

/// Why it did not go on; the step.
pub type Step<T> = Result<T, String>;

/// What somebody was told about one recording.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub id: Option<RecordingId>,
    pub offset: usize,
    pub closed: Option<RecordingState>,
    pub stored: Option<Vec<u8>>,
    pub verified: Option<Vec<u8>>,
}

/// What somebody was told at all.
#[derive(Debug, Clone, Default)]
pub struct Everything {
    /// One that is uploaded whole, one with the same content, one that is given up.
    pub first: Told,
    pub again: Told,
    pub given_up: Told,
    pub heads: Vec<TreeHead>,
    pub is_done: bool,
}

#[derive(Debug)]
pub struct Scenario {
    pub bytes: Vec<u8>,
}

fn at<E: std::fmt::Display>(step: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{step}: {error}")
}

impl Scenario {
    pub fn new() -> Self {
        Self {
            bytes: content(11, 9_000),
        }
    }

    /// To the end, or to the first error.
    pub async fn run(&self, site: &Site, ingest: &Arc<Ingest>, told: &mut Everything) -> Step<()> {
        self.send(site, ingest, &mut told.first, self.bytes.len())
            .await?;
        self.prove(ingest, &mut told.first, &mut told.heads).await?;
        self.send(site, ingest, &mut told.again, self.bytes.len())
            .await?;
        self.prove(ingest, &mut told.again, &mut told.heads).await?;
        self.send(site, ingest, &mut told.given_up, 5_000).await?;
        self.give_up(site, ingest, &mut told.given_up).await?;
        self.prove(ingest, &mut told.given_up, &mut told.heads)
            .await?;
        told.is_done = true;
        Ok(())
    }

    /// Uploads up to `until`, in two requests, as a client does that asks for the offset first.
    async fn send(
        &self,
        site: &Site,
        ingest: &Arc<Ingest>,
        told: &mut Told,
        until: usize,
    ) -> Step<()> {
        if told.closed.is_some() {
            return Ok(());
        }
        let id = match told.id {
            Some(id) => id,
            None => {
                let new = site.new_upload(Some(self.bytes.len()));
                let upload = ingest.create_upload(site.origin(), &new).await;
                upload.map_err(at("create"))?.id
            }
        };
        told.id = Some(id);
        for stop in [until / 2, until] {
            let from = match ingest.upload_status(id).await.map_err(at("status"))? {
                UploadStatus::Open(upload) => upload.offset_bytes as usize,
                UploadStatus::Complete { .. } => {
                    told.closed = Some(RecordingState::Sealed);
                    return Ok(());
                }
                UploadStatus::Gone(state) => {
                    told.closed = Some(state);
                    return Ok(());
                }
            };
            assert!(from >= told.offset, "{from} after {}", told.offset);
            told.offset = from;
            if from >= stop {
                continue;
            }
            let mut progress = ingest.progress();
            let patch = body(&self.bytes[from..stop], 700);
            let done = ingest.append(id, from as u64, None, None, patch).await;
            // Progress is shown to people, so it counts as told, too.
            while let Ok(step) = progress.try_recv() {
                told.offset = told.offset.max(step.received_bytes as usize);
            }
            let done = done.map_err(at("append"))?;
            told.offset = done.offset_bytes as usize;
            if matches!(done.outcome, AppendOutcome::Finished(_)) {
                told.closed = Some(RecordingState::Sealed);
            }
        }
        Ok(())
    }

    async fn give_up(&self, site: &Site, ingest: &Arc<Ingest>, told: &mut Told) -> Step<()> {
        if told.closed.is_none() {
            let id = told.id.expect("created");
            let ended = ingest.terminate_upload(id, site.origin().actor).await;
            ended.map_err(at("terminate"))?;
            told.closed = Some(RecordingState::Incomplete);
        }
        Ok(())
    }

    /// Publishes, reads back and asks for both receipts.
    async fn prove(
        &self,
        ingest: &Arc<Ingest>,
        told: &mut Told,
        heads: &mut Vec<TreeHead>,
    ) -> Step<()> {
        let id = told.id.expect("created");
        if told.verified.is_some() {
            return Ok(());
        }
        publish_all(ingest, heads).await?;
        let bytes = receipt(ingest, id, ReceiptLevel::Stored).await;
        remember(&mut told.stored, bytes.map_err(at("stored receipt"))?);
        let row = recording(ingest, id).await;
        if row.verified_at.is_none() && !ingest.verify(&row).await.map_err(at("verify"))? {
            // What can't be read is told as such; whoever reads again may find it good.
            return Err("not read back".to_owned());
        }
        publish_all(ingest, heads).await?;
        let bytes = receipt(ingest, id, ReceiptLevel::Verified).await;
        remember(&mut told.verified, bytes.map_err(at("verified receipt"))?);
        Ok(())
    }

    /// Everything that was told holds.
    pub async fn check(&self, site: &Site, ingest: &Arc<Ingest>, told: &Everything) {
        for one in [&told.first, &told.again, &told.given_up] {
            self.check_one(site, ingest, one).await;
        }
        let now = ingest.sequencer.published().borrow().head;
        let files = log_files(&*ingest.vault).await;
        for head in &told.heads {
            check_continues(head, &now, &files).expect("no fork");
        }
    }

    async fn check_one(&self, site: &Site, ingest: &Arc<Ingest>, told: &Told) {
        let Some(id) = told.id else { return };
        let row = recording(ingest, id).await;
        let open = ingest.catalog.upload(id).await.expect("catalog");
        let there = match &open {
            Some(upload) => received(ingest, upload).await,
            None => stored(ingest, &row).await,
        };
        assert!(
            there.len() >= told.offset,
            "{} < {}",
            there.len(),
            told.offset
        );
        assert!(there == self.bytes[..there.len()], "other bytes than came");
        if let Some(state) = told.closed {
            assert_eq!(row.state, state);
            assert!(open.is_none());
        }
        for (level, was) in [
            (ReceiptLevel::Stored, &told.stored),
            (ReceiptLevel::Verified, &told.verified),
        ] {
            if let Some(was) = was {
                site.assert_proves(was, level, &there);
                let is = receipt(ingest, id, level).await.expect("issued");
                assert!(is == *was, "the {level:?} receipt is another one");
            }
        }
    }
}

fn remember(told: &mut Option<Vec<u8>>, bytes: Vec<u8>) {
    if let Some(before) = told {
        assert!(*before == bytes, "another receipt than before");
    }
    *told = Some(bytes);
}

async fn publish_all(ingest: &Ingest, heads: &mut Vec<TreeHead>) -> Step<()> {
    let watch = ingest.sequencer.published();
    loop {
        let round = ingest.sequencer.round().await;
        heads.push(watch.borrow().head);
        if round.map_err(at("publish"))? == 0 {
            return Ok(());
        }
    }
}
