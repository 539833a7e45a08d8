//! Passwords: argon2id (RFC 9106) on few threads of their own. A verification takes 19 MiB and tens of
//! milliseconds, so how many run and how many wait is bounded: sign-in must not take the machine from uploads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use docket_base::Random;
use docket_base::lane::Pool;
use docket_base::random::bytes;
use tokio::sync::oneshot;

/// Shortest password taken, in characters.
pub const SHORTEST: usize = 10;
/// Longest password taken, in bytes: longer ones are an attempt to keep the pool busy.
pub const LONGEST_BYTES: usize = 512;
/// Verifications that may wait for a thread; more are turned away.
const LONGEST_QUEUE: usize = 64;

/// What can be wrong with a password check.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting already.
    #[error("too many password checks are waiting")]
    Busy,
    /// Not a password one may choose.
    #[error("a password has at least {SHORTEST} characters and at most {LONGEST_BYTES} bytes")]
    Unacceptable,
    /// The stored hash is not readable, or there is no memory.
    #[error("password hashing failed: {0}")]
    Failed(String),
}

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Passwords {
    shared: Arc<Shared>,
}

struct Shared {
    pool: Pool,
    waiting: AtomicUsize,
    random: Arc<dyn Random>,
    /// Verified in place of a hash that doesn't exist, so that unknown names take as long as known ones.
    decoy: String,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords")
    }
}

impl Passwords {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no threads, or not the memory for one hash.
    pub fn start(random: Arc<dyn Random>) -> Result<Self, PasswordError> {
        let pool = Pool::start("password", 2).map_err(|e| PasswordError::Failed(e.to_string()))?;
        let decoy = hash_now("", random.as_ref())?;
        Ok(Self {
            shared: Arc::new(Shared {
                pool,
                waiting: AtomicUsize::new(0),
                random,
                decoy,
            }),
        })
    }

    /// The PHC string to store for a new password.
    ///
    /// # Errors
    /// [`PasswordError::Unacceptable`] for one that is too short or too long.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        acceptable(&password)?;
        let random = Arc::clone(&self.shared.random);
        self.run(move || hash_now(&password, random.as_ref())).await
    }

    /// Whether this is the password. `stored` is `None` for a name that doesn't exist: the answer is then no,
    /// after the same work.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], or a stored hash that can't be read.
    pub async fn verify(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.shared.decoy.clone());
        let too_long = password.len() > LONGEST_BYTES;
        let matches = self
            .run(move || {
                let password = if too_long { "" } else { &password };
                let hash = PasswordHash::new(&stored).map_err(failed)?;
                Ok(argon2()?
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok())
            })
            .await?;
        Ok(matches && known && !too_long)
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let shared = Arc::clone(&self.shared);
        if shared.waiting.fetch_add(1, Ordering::SeqCst) >= LONGEST_QUEUE {
            shared.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(PasswordError::Busy);
        }
        let (send, receive) = oneshot::channel();
        self.shared.pool.run(move || {
            let result = job();
            shared.waiting.fetch_sub(1, Ordering::SeqCst);
            // The client may have gone: then nobody wants the answer.
            let _ = send.send(result);
        });
        receive
            .await
            .map_err(|_| PasswordError::Failed("the password thread gave up".to_owned()))?
    }
}

/// Whether it may be chosen as a password.
///
/// # Errors
/// [`PasswordError::Unacceptable`].
pub fn acceptable(password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < SHORTEST || password.len() > LONGEST_BYTES {
        return Err(PasswordError::Unacceptable);
    }
    Ok(())
}

/// Hashes on the calling thread: for commands, not for requests.
///
/// # Errors
/// When there is no memory for it.
pub fn hash_now(password: &str, random: &dyn Random) -> Result<String, PasswordError> {
    let salt: [u8; 16] = bytes(random);
    let hash = argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(failed)?;
    Ok(hash.to_string())
}

/// OWASP's first choice for argon2id: 19 MiB, 2 passes, 1 lane.
fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(cause: impl std::fmt::Display) -> PasswordError {
    PasswordError::Failed(cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_base::OsRandom;

    #[tokio::test]
    async fn the_right_password_and_no_other() {
        let passwords = Passwords::start(Arc::new(OsRandom)).expect("threads");
        let stored = passwords
            .hash("correct horse 电池".to_owned())
            .await
            .expect("hashes");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let check = |text: &str, stored: Option<&String>| {
            passwords.verify(text.to_owned(), stored.cloned())
        };
        assert!(
            check("correct horse 电池", Some(&stored))
                .await
                .expect("ok")
        );
        assert!(!check("correct horse", Some(&stored)).await.expect("ok"));
        // The decoy's own password opens nothing.
        assert!(!check("", None).await.expect("ok"));
        let endless = "a".repeat(LONGEST_BYTES + 1);
        assert!(!check(&endless, Some(&stored)).await.expect("ok"));
        assert!(check("x", Some(&"no hash".to_owned())).await.is_err());
    }

    #[test]
    fn short_passwords_are_refused() {
        assert!(acceptable("kurz").is_err());
        assert!(acceptable("十个字的密码也够长了").is_ok());
    }
}
