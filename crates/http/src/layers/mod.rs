//! What surrounds every route: request id, trace, security headers, host check,
//! an answer that arrives.

pub mod headers;
pub mod host;
pub mod idempotency;
pub mod linger;
pub mod request_id;
pub mod trace;
