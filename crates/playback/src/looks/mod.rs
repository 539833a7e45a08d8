//! What a recording looks and sounds like at a glance: a storyboard (small pictures at about even
//! distances) and a waveform. Which frames are needed is read from the playback index, so that a worker
//! decodes those keyframes and nothing else.

pub mod storyboard;
pub mod waveform;

pub use storyboard::{Frame, Storyboard};
pub use waveform::Part;
