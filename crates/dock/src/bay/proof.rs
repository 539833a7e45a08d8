//! From "all bytes are there" to "safe": the verified receipt, checked by the station itself.

use std::sync::Arc;

use docket_client::{Level, ReceiptAnswer, RecordingState};

use super::docking::{Docking, SMALL_BYTES};
use super::file::{IN_QUARANTINE, Sent};
use super::outcome::FileFault;
use crate::card::erase::reread;
use crate::journal::{Fate, marks_path};
use crate::receipts::{self, Expected, NotProven};
use crate::station::on_pool;

impl Docking<'_> {
    /// Waits for the receipt, judges and keeps it. What is returned is proven: its digest is both
    /// the receipt's and the station's own.
    pub(super) async fn prove(&self, sent: Sent) -> Result<Sent, FileFault> {
        if sent.is_finished && self.has_kept_proof(&sent).await {
            return Ok(sent);
        }
        let bytes = self.receipt(&sent).await?;
        let sent = self.judged(sent, &bytes).await?;
        let (state, recording) = (self.run.station.state.clone(), sent.recording);
        let kept = on_pool(&self.run.pool, move || {
            receipts::keep(&state, recording, &bytes)
        });
        kept.await
            .map_err(FileFault::other)?
            .map_err(FileFault::other)?;
        // The receipt is durable before this line says so.
        let finished = Fate::Finished {
            recording: sent.recording,
            fingerprint: sent.fingerprint,
            sha256: sent.sha256,
        };
        self.note(&sent.key, finished).await?;
        self.drop_marks(&sent).await;
        Ok(sent)
    }

    async fn has_kept_proof(&self, sent: &Sent) -> bool {
        let (state, recording) = (self.run.station.state.clone(), sent.recording);
        let kept = on_pool(&self.run.pool, move || receipts::kept(&state, recording)).await;
        match kept {
            Ok(Ok(Some(bytes))) => {
                receipts::judge(&bytes, &self.run.station.key, &expected(sent)).is_ok()
            }
            _ => false,
        }
    }

    async fn receipt(&self, sent: &Sent) -> Result<Vec<u8>, FileFault> {
        loop {
            let asked = self
                .insist(|| {
                    let client = &self.run.station.client;
                    client.receipt(sent.recording, Level::Verified)
                })
                .await;
            match asked {
                Ok(ReceiptAnswer::Ready(bytes)) => return Ok(bytes.to_vec()),
                Ok(ReceiptAnswer::NotYet(wait)) => tokio::time::sleep(wait).await,
                Err(error) => {
                    let why = self.why_without(sent).await;
                    let why = why.unwrap_or_else(|| format!("no receipt: {error}"));
                    return Err(FileFault::other(why));
                }
            }
        }
    }

    async fn why_without(&self, sent: &Sent) -> Option<String> {
        let client = &self.run.station.client;
        let recording = self.insist(|| client.recording(sent.recording)).await;
        match recording.ok()?.map(|recording| recording.state) {
            Some(RecordingState::Quarantined) => Some(IN_QUARANTINE.into()),
            Some(RecordingState::Incomplete) => Some("the daemon holds it as incomplete".into()),
            None => Some("the daemon does not know the recording any more".into()),
            _ => None,
        }
    }

    /// A digest that differs may be the station's own fault (a mark that was damaged): the file is
    /// read once more from its first byte before anybody is blamed. Only a digest read here counts.
    async fn judged(&self, mut sent: Sent, bytes: &[u8]) -> Result<Sent, FileFault> {
        let key = &self.run.station.key;
        match receipts::judge(bytes, key, &expected(&sent)) {
            Ok(()) => return Ok(sent),
            Err(NotProven::OtherBytes { receipt, .. }) => {
                let again = self.read_again(&sent).await?;
                if again == receipt {
                    sent.sha256 = again;
                }
            }
            Err(_) => {}
        }
        match receipts::judge(bytes, key, &expected(&sent)) {
            Ok(()) => Ok(sent),
            Err(error) => {
                if let NotProven::OtherBytes { .. } = error {
                    // What the daemon holds is not this file: the next docking sends it anew.
                    let abandoned = Fate::Abandoned {
                        reason: error.to_string(),
                        attempt: sent.attempt,
                    };
                    self.note(&sent.key, abandoned).await?;
                }
                Err(FileFault::other(error))
            }
        }
    }

    async fn read_again(&self, sent: &Sent) -> Result<docket_base::Sha256Digest, FileFault> {
        let (card, file) = (Arc::clone(&self.found.card), sent.file.clone());
        let read = on_pool(&self.run.pool, move || {
            let opened = card.open_file(&file)?;
            reread(&opened.file, file.size_bytes)
        });
        read.await
            .map_err(FileFault::other)?
            .map_err(FileFault::recorder)
    }

    async fn drop_marks(&self, sent: &Sent) {
        if sent.file.size_bytes <= SMALL_BYTES {
            return;
        }
        let files = Arc::clone(self.run.station.state.files());
        let path = marks_path(&self.directory, sent.recording);
        // Left behind by a crash they cost a few KB and are never read again.
        let _ = on_pool(&self.run.pool, move || files.remove_file(&path)).await;
    }
}

fn expected(sent: &Sent) -> Expected {
    Expected {
        recording: sent.recording,
        sha256: sent.sha256,
        size_bytes: sent.file.size_bytes,
    }
}
