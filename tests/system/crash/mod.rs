//! `kill -9` at random moments. What was told must be there afterwards: every byte and every event.

mod daemon;
mod dock;
mod told;
