//! Which frames are keyframes, of codecs for which FFmpeg has only the container's word: an AVI's index
//! says it, and what is still arriving has none.

use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;

/// How a stream's keyframes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// As the demuxer or its parser says.
    Told,
    /// MS MPEG-4 and WMV 7 begin a frame with two bits of its kind; 0 is a keyframe.
    TwoBits,
    /// WMV 8: one bit.
    OneBit,
    /// The first MS MPEG-4: behind a start code and a number of five bits.
    BehindStartCode,
}

impl Keys {
    /// Of a stream.
    pub fn of_stream(stream: &ffmpeg_next::Stream<'_>) -> Self {
        match stream.parameters().id() {
            Id::MSMPEG4V1 => Self::BehindStartCode,
            Id::MSMPEG4V2 | Id::MSMPEG4V3 | Id::WMV1 => Self::TwoBits,
            Id::WMV2 => Self::OneBit,
            _ => Self::Told,
        }
    }

    /// Whether decoding can begin at this frame.
    pub fn of(self, packet: &Packet) -> bool {
        let own = self.own(packet.data().unwrap_or_default());
        own.unwrap_or_else(|| packet.is_key())
    }

    fn own(self, data: &[u8]) -> Option<bool> {
        match self {
            Self::Told => None,
            Self::TwoBits => data.first().map(|byte| byte >> 6 == 0),
            Self::OneBit => data.first().map(|byte| byte >> 7 == 0),
            Self::BehindStartCode => match data {
                [0, 0, 1, 0, byte, ..] => Some((byte >> 1) & 3 == 0),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_say_their_kind() {
        assert_eq!(Keys::TwoBits.own(&[0x3f]), Some(true));
        assert_eq!(Keys::TwoBits.own(&[0x40]), Some(false));
        assert_eq!(Keys::OneBit.own(&[0x7f]), Some(true));
        assert_eq!(Keys::OneBit.own(&[0x80]), Some(false));
        let first = |kind: u8| [0, 0, 1, 0, 0xf8 | (kind << 1)];
        assert_eq!(Keys::BehindStartCode.own(&first(0)), Some(true));
        assert_eq!(Keys::BehindStartCode.own(&first(1)), Some(false));
        assert_eq!(Keys::BehindStartCode.own(&[0, 0, 1]), None);
        assert_eq!(Keys::TwoBits.own(&[]), None);
        assert_eq!(Keys::Told.own(&[0]), None);
    }
}
