//! What surrounds every route: request id, trace, security headers, host check.

pub mod headers;
pub mod host;
pub mod idempotency;
pub mod request_id;
pub mod trace;
