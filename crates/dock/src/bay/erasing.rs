//! Erasing what is proven, if policy says so.

use std::sync::Arc;

use super::docking::Docking;
use super::file::Sent;
use super::outcome::FileFault;
use crate::card::erase::{Proven, erase};
use crate::config::ErasePolicy;
use crate::journal::Fate;
use crate::station::on_pool;

impl Docking<'_> {
    /// Erases one proven file; false where policy keeps it. `sent` must come from
    /// [`Docking::prove`].
    pub(super) async fn erase(&self, sent: &Sent) -> Result<bool, FileFault> {
        let rules = &self.run.station.config.erase;
        if rules.policy == ErasePolicy::Keep {
            return Ok(false);
        }
        let (card, file, check) = (Arc::clone(&self.found.card), sent.file.clone(), rules.check);
        let proven = Proven {
            sha256: sent.sha256,
            fingerprint: sent.fingerprint,
        };
        on_pool(&self.run.pool, move || erase(&card, &file, &proven, check))
            .await
            .map_err(FileFault::other)?
            .map_err(FileFault::recorder)?;
        tracing::info!(bay = self.run.bay.name, file = sent.key.path, recording = %sent.recording, "erased");
        // A crash before this line: the file is not on the recorder any more, which says the same.
        let erased = Fate::Erased {
            recording: sent.recording,
        };
        self.note(&sent.key, erased).await?;
        Ok(true)
    }
}
