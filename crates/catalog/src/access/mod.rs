//! Who may come in: users, sessions, tokens, and what slows guessing down. Passwords and secrets are
//! only here as hashes that others made.

pub(crate) mod idempotency;
pub(crate) mod playback_tokens;
pub(crate) mod sessions;
pub(crate) mod throttle;
pub(crate) mod tokens;
pub(crate) mod users;
