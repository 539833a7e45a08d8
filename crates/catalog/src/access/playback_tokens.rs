//! Playback tokens: by which another player plays one recording for a while. The secret is only here as
//! its SHA-256.

use docket_base::ids::RecordingId;
use docket_base::{Micros, Sha256Digest};

use crate::Catalog;
use crate::engine::record::rows;
use crate::engine::value::args;
use crate::error::Result;
use crate::words::ActorKind;

rows! {
    /// A playback token.
    pub struct PlaybackToken in "playback_tokens" {
        /// SHA-256 of its secret.
        pub secret_sha256: Sha256Digest,
        /// The one recording it is for.
        pub recording_id: RecordingId,
        /// What its holder is: a user or a token.
        pub holder_kind: ActorKind,
        /// Who asked for it, and on whose behalf it plays.
        pub holder_id: String,
        /// Until when.
        pub expires_at: Micros,
    }
}

impl Catalog {
    /// Enters one.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_playback_token(&self, t: &PlaybackToken) -> Result<()> {
        let sql = "INSERT INTO playback_tokens
            (secret_sha256, recording_id, holder_kind, holder_id, expires_at_us)
            VALUES ($1, $2, $3, $4, $5)";
        let mut db = self.write().await?;
        let values = args![
            t.secret_sha256,
            t.recording_id,
            t.holder_kind,
            t.holder_id,
            t.expires_at
        ];
        db.execute(sql, values).await?;
        db.commit().await
    }

    /// One that is still good.
    ///
    /// # Errors
    /// The database's.
    pub async fn playback_token(
        &self,
        secret: Sha256Digest,
        now: Micros,
    ) -> Result<Option<PlaybackToken>> {
        let sql = "SELECT * FROM playback_tokens WHERE secret_sha256 = $1 AND expires_at_us > $2";
        self.read().await?.one(sql, args![secret, now]).await
    }
}
