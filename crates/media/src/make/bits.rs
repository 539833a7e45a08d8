//! Frames out of one container's form into MP4's: H.264 with lengths instead of start codes, AAC
//! without ADTS headers.

use ffmpeg_next::format::stream::Stream;

use crate::codecs;

/// How a stream's frames must be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Not at all.
    Same,
    /// Start codes become lengths (ISO/IEC 14496-15, 5.3.4.2).
    StartCodes,
    /// The ADTS header goes (ISO/IEC 14496-3, 1.A.2).
    Adts,
}

impl Form {
    /// The form of a stream.
    pub fn of(stream: &Stream<'_>) -> Self {
        let parameters = codecs::parameters(stream);
        match parameters.name.as_str() {
            "h264" if parameters.extradata.first() != Some(&1) => Self::StartCodes,
            "aac" if parameters.extradata.len() < 2 => Self::Adts,
            _ => Self::Same,
        }
    }

    /// A frame in MP4's form; `None` when nothing of it can be used.
    pub fn copied(self, frame: &[u8]) -> Option<Vec<u8>> {
        let copied = match self {
            Self::Same => frame.to_vec(),
            Self::StartCodes => with_lengths(frame),
            Self::Adts => without_adts(frame)?.to_vec(),
        };
        (!copied.is_empty()).then_some(copied)
    }
}

/// Access unit delimiters mean nothing in MP4, filler is only weight.
const DROPPED_UNITS: [u8; 2] = [9, 12];

fn with_lengths(frame: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(frame.len() + 16);
    for unit in units(frame) {
        let kind = unit.first().map_or(0, |byte| byte & 0x1f);
        if unit.is_empty() || DROPPED_UNITS.contains(&kind) {
            continue;
        }
        out.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        out.extend_from_slice(unit);
    }
    out
}

/// What lies between start codes, without the zeros that may follow a unit.
fn units(frame: &[u8]) -> Vec<&[u8]> {
    let (mut starts, mut at) = (Vec::new(), 0);
    while at + 3 <= frame.len() {
        match &frame[at..at + 3] {
            [0, 0, 1] => {
                starts.push(at);
                at += 3;
            }
            [_, _, third] if *third > 1 => at += 3,
            _ => at += 1,
        }
    }
    let ends = starts.iter().skip(1).copied().chain([frame.len()]);
    let unit = |(start, end): (usize, usize)| {
        let unit = &frame[start + 3..end];
        let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
        &unit[..unit.len() - zeros]
    };
    starts.iter().copied().zip(ends).map(unit).collect()
}

fn without_adts(frame: &[u8]) -> Option<&[u8]> {
    if frame.len() < 7 || frame[0] != 0xff || frame[1] & 0xf6 != 0xf0 {
        return None;
    }
    let header = if frame[1] & 1 == 1 { 7 } else { 9 };
    frame.get(header..)
}

/// The AudioSpecificConfig that an ADTS header stands for; `None` when there is none, or its channels
/// are described elsewhere.
pub fn audio_specific_config(frame: &[u8]) -> Option<[u8; 2]> {
    without_adts(frame)?;
    let object = (frame[2] >> 6) + 1;
    let rate = (frame[2] >> 2) & 15;
    let channels = ((frame[2] & 1) << 2) | (frame[3] >> 6);
    // 13 and more are reserved or explicit.
    (rate < 13 && channels > 0)
        .then_some([(object << 3) | (rate >> 1), (rate << 7) | (channels << 3)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn start_codes_become_lengths() {
        let frame = [
            0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x65, 1, 2, 0, 0, 0, 1, 0x41, 3,
        ];
        assert_eq!(
            Form::StartCodes.copied(&frame).expect("a frame"),
            [0, 0, 0, 3, 0x65, 1, 2, 0, 0, 0, 2, 0x41, 3]
        );
        assert_eq!(Form::StartCodes.copied(&[0, 0, 1]), None);
    }

    #[test]
    fn adts_goes_and_is_understood() {
        // LC, 44.1 kHz, two channels, no CRC.
        let frame = [0xff, 0xf1, 0x50, 0x80, 1, 2, 3, 0xaa];
        assert_eq!(Form::Adts.copied(&frame).expect("a frame"), [0xaa]);
        assert_eq!(audio_specific_config(&frame), Some([0x12, 0x10]));
        assert_eq!(audio_specific_config(&[0; 9]), None);
    }

    proptest! {
        #[test]
        fn arbitrary_frames_never_panic(frame in prop::collection::vec(0..3_u8, 0..60)) {
            let _ = Form::StartCodes.copied(&frame);
            let _ = Form::Adts.copied(&frame);
            let _ = audio_specific_config(&frame);
        }
    }
}
