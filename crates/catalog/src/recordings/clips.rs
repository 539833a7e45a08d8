//! Clips: recordings made of a stretch of another one.

use docket_base::Sha256Digest;
use docket_base::ids::RecordingId;

use super::read::RecordingView;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::engine::{Db, Statement};
use crate::error::Result;
use crate::uploads::Upload;
use crate::{Catalog, Change};

rows! {
    /// What a clip was made of.
    pub struct Clip in "clips" {
        /// The clip: a recording of kind `clip`.
        pub id: RecordingId,
        /// Its source.
        pub source_id: RecordingId,
        /// SHA-256 of the source's original.
        pub source_sha256: Sha256Digest,
        /// Where in the source it begins, in microseconds of what a player shows.
        pub from_us: u64,
        /// Where in the source it ends.
        pub until_us: u64,
        /// Its frames are not the original's.
        pub transcoded: bool,
        /// For what it was made.
        pub reason: String,
    }
}

impl Change {
    /// Notes what a clip was made of. Said again (by a rebuild, from another place), the last holds.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] when there is no such recording.
    pub async fn put_clip(&mut self, clip: &Clip) -> Result<()> {
        let sql = "INSERT INTO clips (id, source_id, source_sha256, from_us, until_us, transcoded, reason)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (id) DO UPDATE SET source_id = excluded.source_id, source_sha256 = excluded.source_sha256,
                from_us = excluded.from_us, until_us = excluded.until_us, transcoded = excluded.transcoded,
                reason = excluded.reason";
        let values = args![
            clip.id,
            clip.source_id,
            clip.source_sha256,
            clip.from_us,
            clip.until_us,
            clip.transcoded,
            clip.reason
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }
}

impl Change {
    /// For what a clip was made, as far as this change knows.
    ///
    /// # Errors
    /// The database's.
    pub async fn clip_reason(&mut self, id: RecordingId) -> Result<String> {
        let clip: Option<Clip> = self
            .db
            .one("SELECT * FROM clips WHERE id = $1", args![id])
            .await?;
        Ok(clip.map(|clip| clip.reason).unwrap_or_default())
    }
}

/// Fills in what the clips of a page were made of.
pub(crate) async fn with_clips(db: &mut Db, views: &mut [RecordingView]) -> Result<()> {
    use crate::words::RecordingKind::Clip as IsClip;
    let ids: Vec<RecordingId> = views
        .iter()
        .filter(|view| view.recording.kind == IsClip)
        .map(|view| view.recording.id)
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut s = Statement::new("SELECT * FROM clips WHERE id IN ");
    s.bind_list(ids);
    let clips: Vec<Clip> = db.all(s.text, s.values).await?;
    for clip in clips {
        if let Some(view) = views.iter_mut().find(|view| view.recording.id == clip.id) {
            view.clip = Some(clip);
        }
    }
    Ok(())
}

impl Catalog {
    /// What a clip was made of.
    ///
    /// # Errors
    /// The database's.
    pub async fn clip(&self, id: RecordingId) -> Result<Option<Clip>> {
        self.read()
            .await?
            .one("SELECT * FROM clips WHERE id = $1", args![id])
            .await
    }

    /// The clips of a recording, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn clips_of(&self, source: RecordingId, limit: u32) -> Result<Vec<Clip>> {
        let sql = "SELECT * FROM clips WHERE source_id = $1 ORDER BY id DESC LIMIT $2";
        self.read().await?.all(sql, args![source, limit]).await
    }

    /// Clips whose bytes are still to be made, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn clips_to_make(&self, limit: u32) -> Result<Vec<Upload>> {
        let sql = "SELECT * FROM uploads WHERE kind = 'clip' ORDER BY id LIMIT $1";
        self.read().await?.all(sql, args![limit]).await
    }
}
