//! Bytes from the vault as a body.

use axum::body::Body;
use docket_base::ids::RecordingId;
use docket_vault::Bytestream;
use futures_util::StreamExt;

/// A body that ends early, and says so in the log, when the vault fails on the way: the client sees a broken
/// transfer, never a short success.
pub fn body(bytes: Bytestream, of: RecordingId) -> Body {
    Body::from_stream(bytes.map(move |chunk| {
        chunk.inspect_err(|error| {
            tracing::error!(recording = %of, %error, "the vault failed while a recording was read");
        })
    }))
}
