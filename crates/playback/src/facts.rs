//! What a recording is, as far as its file tells: claims of the file, never trusted facts.

use docket_base::Micros;
use serde::{Deserialize, Serialize};

/// Everything the worker read from one recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// `mp4`, `mov`, `3gp`, `matroska`, `avi`, `mpegts`, `mpegps`, ...; `unknown` when none.
    pub container: String,
    /// The bytes the worker saw.
    pub size_bytes: u64,
    /// Duration as the file's header claims it. It proves nothing: a cut file claims its whole length.
    pub claimed_duration_ms: Option<u64>,
    /// Duration of what is there and plays; known after indexing.
    pub duration_ms: Option<u64>,
    /// When the file says it was made. Recorders' clocks are often wrong.
    pub creation_claimed_at: Option<Micros>,
    /// All streams in the file's order.
    pub streams: Vec<StreamFacts>,
    /// Whether it plays.
    pub verdict: Verdict,
}

/// One stream of a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamFacts {
    /// Its number in the file.
    pub index: u32,
    /// What it carries.
    pub kind: StreamKind,
    /// FFmpeg's name of the codec: `h264`, `hevc`, `aac`, `pcm_mulaw`, ...; `unknown`.
    pub codec: String,
    /// Stored width in pixels, before rotation.
    pub width: Option<u32>,
    /// Stored height in pixels, before rotation.
    pub height: Option<u32>,
    /// Degrees clockwise by which a player must turn the picture: 0, 90, 180 or 270.
    pub rotation_degrees: u16,
    /// Average frames a second.
    pub frames_per_second: Option<f64>,
    /// Sound samples a second.
    pub sample_rate_hz: Option<u32>,
    /// Sound channels.
    pub channels: Option<u32>,
    /// This stream is in what plays.
    pub carried: bool,
}

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Text over the picture.
    Subtitle,
    /// Anything else: GPS, time codes.
    Data,
}

/// Whether a recording plays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Verdict {
    /// It plays; the notes say what of it does not, e.g. that it was cut off.
    Playable {
        /// What a viewer must be told beside the picture. Usually empty.
        notes: Vec<Reason>,
    },
    /// It doesn't play, and why.
    NotPlayable {
        /// Why.
        reason: Reason,
    },
}

impl Verdict {
    /// A verdict without notes.
    pub fn playable() -> Self {
        Self::Playable { notes: Vec::new() }
    }

    /// Whether it plays.
    pub fn is_playable(&self) -> bool {
        matches!(self, Self::Playable { .. })
    }

    /// The reason, or of something playable the first note.
    pub fn first_reason(&self) -> Option<&Reason> {
        match self {
            Self::Playable { notes } => notes.first(),
            Self::NotPlayable { reason } => Some(reason),
        }
    }
}

/// A stable code, which the console translates, and a plain English sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable; never renamed.
    pub code: ReasonCode,
    /// What the code is about where that isn't fixed: a codec's or container's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// One plain sentence.
    pub text: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal;)*) => {
        /// Why something doesn't play, or plays only in part. Stable, snake_case in JSON.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ReasonCode { $($(#[$doc])* $name,)* }

        impl ReasonCode {
            /// Every code, for documents and translations.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The sentence of this code; `{}` stands for the detail.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// Not a container anyone knows.
    UnknownContainer => "Not a known audio or video file.";
    /// An MP4/MOV whose `moov` never was written.
    IndexMissing => "The index (moov) is missing: the recording was cut off before it was finished.";
    /// The container's index is there but unreadable.
    IndexDamaged => "The recording's index is damaged.";
    /// Nothing to see or hear.
    NoMediaStreams => "There is neither picture nor sound in this file.";
    /// Streams are announced, but there is no frame.
    NoFrames => "The file announces picture or sound, but holds none.";
    /// A container that can't be read.
    ContainerUnsupported => "{} files can't be shown.";
    /// A video codec that can't be decoded.
    VideoCodecUnsupported => "{} video can't be decoded here.";
    /// A sound codec that can't be decoded, and there is no picture.
    AudioCodecUnsupported => "{} sound can't be decoded here.";
    /// The worker's FFmpeg was built without what is needed.
    NoEncoder => "The media worker has no encoder for viewing (libx264, AAC).";
    /// Encrypted media.
    Encrypted => "The recording is encrypted.";
    /// No SPS/PPS or audio configuration.
    ParametersMissing => "The parameters needed for decoding ({}) are missing.";
    /// Parameters change inside the recording.
    ParametersChange => "The encoder's parameters change inside the recording.";
    /// Frames don't lie in the file as they are decoded.
    FramesPacked => "Frames are packed in a way that can't be cut.";
    /// Beyond the stated bounds.
    TooManyFrames => "The recording has more frames than can be indexed.";
    /// Note: there was no index; what plays was searched for.
    RecoveredByScan => "The index never was written: pictures were found by a search, without sound, and their times are estimated ({}).";
    /// Note: the end is missing.
    Truncated => "The end of the recording is missing; it plays as far as it goes.";
    /// Note: damaged stretches were left out.
    DamagedStretches => "Some stretches are damaged and left out.";
    /// Note: sound is there but not played.
    SoundOmitted => "The sound ({}) can't be decoded; only the picture is shown.";
    /// Note: more sound tracks than one.
    OtherSoundOmitted => "There are further sound tracks, which are not played.";
    /// Note: more pictures than one.
    OtherVideoOmitted => "There are further video tracks, which are not shown.";
    /// No frame could be decoded for a poster.
    NoPicture => "No picture could be decoded.";
    /// The worker died on it.
    WorkerCrashed => "The recording can't be examined: it makes the decoder fail.";
    /// The worker hung on it.
    WorkerTimedOut => "The recording can't be examined: it takes too long.";
    /// The worker ran out of memory on it.
    WorkerOutOfMemory => "The recording can't be examined: it takes too much memory.";
}

impl Reason {
    /// The reason of a code without detail.
    pub fn of(code: ReasonCode) -> Self {
        Self {
            code,
            detail: None,
            text: code.sentence().replace(" ({})", "").replace("{} ", ""),
        }
    }

    /// The reason with what it is about.
    pub fn about(code: ReasonCode, detail: &str) -> Self {
        Self {
            code,
            detail: Some(detail.to_owned()),
            text: code.sentence().replace("{}", detail),
        }
    }
}

impl Facts {
    /// Width and height as shown, after rotation.
    pub fn shown_size(&self) -> Option<(u32, u32)> {
        let of_video = |s: &&StreamFacts| s.kind == StreamKind::Video && s.width.is_some();
        let video = self.streams.iter().filter(of_video);
        let stream = video.clone().find(|s| s.carried).or(video.clone().next())?;
        let (width, height) = (stream.width?, stream.height?);
        Some(match stream.rotation_degrees {
            90 | 270 => (height, width),
            _ => (width, height),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_snake_case_and_reasons_are_sentences() {
        for code in ReasonCode::ALL {
            let json = serde_json::to_string(&Reason::about(*code, "X")).expect("serialises");
            assert_eq!(
                json.to_lowercase().contains("_unsup"),
                json.contains("_unsup")
            );
            assert!(!Reason::of(*code).text.contains('{'), "{code:?}");
            assert!(Reason::of(*code).text.ends_with('.'));
        }
        let verdict = Verdict::NotPlayable {
            reason: Reason::about(ReasonCode::VideoCodecUnsupported, "H.265"),
        };
        assert_eq!(
            serde_json::to_value(&verdict).expect("serialises"),
            serde_json::json!({"state": "not_playable", "reason": {"code": "video_codec_unsupported", "detail": "H.265",
                "text": "H.265 video can't be decoded here."}})
        );
    }
}
