//! docketd's side of playback: the worker's protocol, and the bounded pool that runs workers.
