//! Sessions: that somebody signed in, or tried to, is a custody event; the session itself is not evidence.

use docket_base::ids::SessionId;
use docket_base::{Micros, Sha256Digest};
use docket_catalog::{Session, User};
use docket_ledger::Actor;
use docket_ledger::kinds::{self, RefusedReason};

use crate::users::subject;
use crate::{Ingest, Result};

/// Hashes of what the browser holds.
#[derive(Debug, Clone, Copy)]
pub struct SessionHashes {
    /// Of the cookie's secret.
    pub secret: Sha256Digest,
    /// Of the CSRF token.
    pub csrf: Sha256Digest,
}

impl Ingest {
    /// Opens a session. A crash between event and session leaves a sign-in that came to nothing.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn open_session(
        &self,
        user: &User,
        hashes: SessionHashes,
        expires_at: Micros,
    ) -> Result<()> {
        let body = kinds::SessionOpened {
            user: user.id,
            session: event_id(&hashes.secret),
        };
        let event = self.event(
            Actor::User(user.id),
            Some(user.unit_id),
            subject(user.id),
            body,
        )?;
        self.commit(self.catalog.change().await?, &[event]).await?;
        self.keep_session(user, hashes, expires_at).await
    }

    /// Keeps a session without an event: one that goes on when its user's others end.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn keep_session(
        &self,
        user: &User,
        hashes: SessionHashes,
        expires_at: Micros,
    ) -> Result<()> {
        let session = Session {
            id_sha256: hashes.secret,
            csrf_sha256: hashes.csrf,
            user_id: user.id,
            created_at: self.clock.now(),
            expires_at,
        };
        Ok(self.catalog.add_session(&session).await?)
    }

    /// Ends a session. The session first: a crash in between must not leave it open under an event that says
    /// that it is closed.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn close_session(&self, user: &User, secret: Sha256Digest) -> Result<()> {
        self.catalog.end_session(secret).await?;
        let body = kinds::SessionClosed {
            user: user.id,
            session: event_id(&secret),
        };
        let event = self.event(
            Actor::User(user.id),
            Some(user.unit_id),
            subject(user.id),
            body,
        )?;
        self.commit(self.catalog.change().await?, &[event]).await
    }

    /// Logs a wrong password for a user that exists, and the lock it led to.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn refuse_session(
        &self,
        user: &User,
        reason: RefusedReason,
        attempts: u32,
        locked_until: Option<Micros>,
    ) -> Result<()> {
        // Nobody signed in, so nobody acts but the daemon.
        let refused = kinds::SessionRefused {
            user: Some(user.id),
            reason,
            attempts,
        };
        let mut events =
            vec![self.event(Actor::System, Some(user.unit_id), subject(user.id), refused)?];
        if let Some(until_at) = locked_until {
            let locked = kinds::SessionLocked {
                user: user.id,
                until_at,
                attempts,
            };
            events.push(self.event(Actor::System, Some(user.unit_id), subject(user.id), locked)?);
        }
        self.commit(self.catalog.change().await?, &events).await
    }
}

/// How events name a session: derived from its hash, so that no further id is kept, and one-way.
fn event_id(secret: &Sha256Digest) -> SessionId {
    let mut input = b"docket session id, version 1\0".to_vec();
    input.extend_from_slice(secret.as_bytes());
    let digest = Sha256Digest::of(&input);
    let mut id = [0; 16];
    id.copy_from_slice(&digest.as_bytes()[..16]);
    SessionId::from_bytes(id)
}
