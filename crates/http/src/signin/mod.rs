//! Sign-in: passwords, throttling, session cookies, bearer tokens.

pub mod cookie;
pub mod identify;
pub mod password;
pub mod playback;
pub mod throttle;
pub mod token;
