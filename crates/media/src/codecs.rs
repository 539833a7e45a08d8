//! Codecs: what browsers play, and names for people and for browsers.

use std::ffi::CStr;

use ffmpeg_next::format::stream::Stream;
use ffmpeg_next::{codec, ffi};

/// A stream's codec parameters that the wrapper doesn't show, copied out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// FFmpeg's name, or `unknown`.
    pub name: String,
    /// The container's four letters.
    pub tag: String,
    /// Decoder configuration: `avcC`, AudioSpecificConfig.
    pub extradata: Vec<u8>,
    /// Picture size as stored.
    pub width: u32,
    /// Picture size as stored.
    pub height: u32,
    /// Sound samples a second.
    pub sample_rate_hz: u32,
    /// Sound channels.
    pub channels: u32,
}

/// What is decoded for viewing, beside all of PCM and ADPCM.
const DECODABLE: &[&str] = &[
    "h264",
    "hevc",
    "mpeg4",
    "mjpeg",
    "mpeg1video",
    "mpeg2video",
    "msmpeg4v1",
    "msmpeg4v2",
    "msmpeg4v3",
    "h263",
    "h263i",
    "h263p",
    "h261",
    "flv1",
    "svq3",
    "wmv1",
    "wmv2",
    "wmv3",
    "vp8",
    "vp9",
    "dvvideo",
    "rawvideo",
    "aac",
    "mp3",
    "mp2",
    "ac3",
    "eac3",
    "amr_nb",
    "amr_wb",
    "opus",
    "vorbis",
    "flac",
    "alac",
    "wmav1",
    "wmav2",
    "gsm_ms",
];

/// Reads a stream's parameters.
pub fn parameters(stream: &Stream<'_>) -> Parameters {
    of(&stream.parameters())
}

/// Reads parameters.
#[allow(unsafe_code)]
pub fn of(parameters: &codec::Parameters) -> Parameters {
    // SAFETY: they live as long as this borrow; their extradata is `extradata_size` bytes long; codec
    // names are static strings.
    unsafe {
        let raw = &*parameters.as_ptr();
        let extradata = if raw.extradata.is_null() || raw.extradata_size <= 0 {
            Vec::new()
        } else {
            std::slice::from_raw_parts(raw.extradata, raw.extradata_size as usize).to_vec()
        };
        let name = match parameters.id() {
            codec::Id::None => "unknown".to_owned(),
            _ => CStr::from_ptr(ffi::avcodec_get_name(raw.codec_id))
                .to_string_lossy()
                .into_owned(),
        };
        let letters = raw.codec_tag.to_le_bytes();
        let tag = letters
            .iter()
            .filter(|b| b.is_ascii_alphanumeric())
            .map(|b| *b as char)
            .collect();
        let positive = |value: i32| u32::try_from(value).unwrap_or(0);
        Parameters {
            name,
            tag,
            extradata,
            width: positive(raw.width),
            height: positive(raw.height),
            sample_rate_hz: positive(raw.sample_rate),
            channels: positive(raw.ch_layout.nb_channels),
        }
    }
}

impl Parameters {
    /// The name people know.
    pub fn label(&self) -> String {
        let name = match self.name.as_str() {
            "h264" => "H.264",
            "hevc" => "H.265",
            "mpeg4" => "MPEG-4",
            "mjpeg" => "Motion JPEG",
            "mpeg1video" | "mpeg2video" => "MPEG-2",
            "h263" => "H.263",
            name if name.starts_with("msmpeg4") => "MS MPEG-4",
            name if name.starts_with("wmv") => "Windows Media",
            "aac" => "AAC",
            "mp3" => "MP3",
            "mp2" => "MP2",
            "ac3" | "eac3" => "AC-3",
            "pcm_mulaw" | "pcm_alaw" => "G.711",
            name if name.starts_with("adpcm_") => "ADPCM",
            name if name.starts_with("pcm_") => "PCM",
            "amr_nb" | "amr_wb" => "AMR",
            "unknown" if self.tag.starts_with("vvc") => "H.266",
            "unknown" if self.tag.is_empty() => "unknown",
            "unknown" => self.tag.as_str(),
            name => return name.to_uppercase(),
        };
        name.to_owned()
    }

    /// The worker can decode it.
    pub fn is_decodable(&self) -> bool {
        DECODABLE.contains(&self.name.as_str())
            || self.name.starts_with("pcm_")
            || self.name.starts_with("adpcm_")
    }

    /// H.264 of the kinds that browsers decode: 8 bits, colour at half resolution.
    pub fn is_plain_h264(&self) -> bool {
        let profile = match self.extradata.as_slice() {
            [1, profile, ..] => Some(*profile),
            annex_b => annex_b
                .windows(5)
                .find(|w| w[..3] == [0, 0, 1] && w[3] & 0x1f == 7)
                .map(|w| w[4]),
        };
        self.name == "h264"
            && self.width > 0
            && self.height > 0
            && profile.is_some_and(|profile| matches!(profile, 66 | 77 | 88 | 100))
    }

    /// The container says that it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        matches!(self.tag.as_str(), "encv" | "enca" | "drmi" | "drms")
    }

    /// What is missing for decoding, of the codecs that are played.
    pub fn missing(&self) -> Option<&'static str> {
        match self.name.as_str() {
            "h264" if self.extradata.len() < 7 || self.extradata[0] != 1 => Some("SPS, PPS"),
            "h264" if self.width == 0 || self.height == 0 => Some("width, height"),
            "aac" if self.extradata.len() < 2 => Some("AudioSpecificConfig"),
            "aac" if self.sample_rate_hz == 0 || self.channels == 0 => {
                Some("sample rate, channels")
            }
            _ => None,
        }
    }

    /// The name browsers know (RFC 6381), of the codecs that are played.
    pub fn browser_name(&self) -> String {
        match (self.name.as_str(), self.extradata.as_slice()) {
            ("h264", [1, profile, constraints, level, ..]) => {
                format!("avc1.{profile:02x}{constraints:02x}{level:02x}")
            }
            ("h264", annex_b) => {
                let sps = annex_b
                    .windows(7)
                    .find(|w| w[..3] == [0, 0, 1] && w[3] & 0x1f == 7);
                sps.map_or_else(
                    || "avc1.64001f".to_owned(),
                    |w| format!("avc1.{:02x}{:02x}{:02x}", w[4], w[5], w[6]),
                )
            }
            ("aac", [first, second, ..]) => {
                let object = match first >> 3 {
                    31 => 32 + ((u32::from(*first & 7) << 3) | u32::from(second >> 5)),
                    object => u32::from(object),
                };
                format!("mp4a.40.{object}")
            }
            (name, _) => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(name: &str, extradata: &[u8]) -> Parameters {
        Parameters {
            name: name.into(),
            tag: String::new(),
            extradata: extradata.to_vec(),
            width: 16,
            height: 16,
            sample_rate_hz: 8000,
            channels: 1,
        }
    }

    #[test]
    fn names_for_browsers() {
        assert_eq!(
            parameters("h264", &[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0]).browser_name(),
            "avc1.64001f"
        );
        assert_eq!(parameters("aac", &[0x12, 0x10]).browser_name(), "mp4a.40.2");
        assert_eq!(
            parameters("aac", &[0xf9, 0x48]).browser_name(),
            "mp4a.40.42"
        );
    }

    #[test]
    fn annex_b_is_not_avcc() {
        assert!(
            parameters("h264", &[0, 0, 0, 1, 0x67, 0x64, 0, 0x1f])
                .missing()
                .is_some()
        );
        assert_eq!(
            parameters("h264", &[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0]).missing(),
            None
        );
    }
}
