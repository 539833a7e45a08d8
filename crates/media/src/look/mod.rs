//! Storyboards and waveforms: only the frames that docketd names are read and decoded.

mod peaks;
mod sheet;

use docket_playback::facts::ReasonCode;
use ffmpeg_next::Packet;

use crate::fault::{Fault, Result};
use crate::make::Maker;
use crate::probe::Probed;
use crate::recording::Recording;

pub use peaks::peaks;
pub use sheet::sheet;

/// Largest frame that is decoded.
const MOST_FRAME_BYTES: u32 = 64 << 20;

/// Where frames come from.
pub struct Frames<'a> {
    /// The recording.
    pub recording: &'a Recording,
    /// What is known of it.
    pub probed: &'a Probed,
    /// For what must be searched in its container; opened when it is first needed.
    pub maker: &'a mut Option<Maker>,
}

impl Frames<'_> {
    /// A frame as it lies in the file; `None` when the file ends before.
    fn stored(&self, offset: u64, size_bytes: u32) -> Result<Option<Packet>> {
        if size_bytes == 0 || size_bytes > MOST_FRAME_BYTES {
            return Ok(None);
        }
        let mut bytes = vec![0; size_bytes as usize];
        match self.recording.fill_at(offset, &mut bytes) {
            Ok(true) => Ok(Some(Packet::copy(&bytes))),
            Ok(false) => Ok(None),
            Err(error) => Err(Fault::Source(error.to_string())),
        }
    }

    fn maker(&mut self) -> Result<&mut Maker> {
        let maker = match self.maker.take() {
            Some(maker) => maker,
            None => Maker::new(self.recording, self.probed)?,
        };
        Ok(self.maker.insert(maker))
    }

    fn stream(&self, number: u32) -> Result<ffmpeg_next::Stream<'_>> {
        let input = self.probed.input.as_ref();
        let stream = input.and_then(|input| input.stream(number as usize));
        Ok(stream.ok_or(ReasonCode::IndexDamaged)?)
    }
}
