//! What Docket reads from `Upload-Metadata`. Text is kept exactly as it came, whatever it looks
//! like: a file name here is a label, never a path. Only NUL is refused, which no file name can
//! hold and not every database can store.

use docket_base::clock::Micros;
use docket_base::digest::Sha256Digest;
use docket_base::ids::DockingId;

use crate::metadata::{Metadata, refuse};
use crate::{Refusal, limits};

/// What sort of evidence the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Moving pictures; also what is not said.
    #[default]
    Video,
    /// Sound alone.
    Audio,
    /// A still picture.
    Photo,
    /// A paper, PDF included.
    Document,
    /// Anything else.
    Other,
}

impl Kind {
    /// As it stands in metadata, API and database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Photo => "photo",
            Self::Document => "document",
            Self::Other => "other",
        }
    }

    /// From that text.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Video,
            Self::Audio,
            Self::Photo,
            Self::Document,
            Self::Other,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }

    /// What a media type suggests, where the client did not say.
    fn of_media_type(media_type: &str) -> Self {
        let lower = media_type.trim().to_ascii_lowercase();
        match lower.split('/').next().unwrap_or_default() {
            "audio" => Self::Audio,
            "image" => Self::Photo,
            "text" => Self::Document,
            "application" if lower == "application/pdf" => Self::Document,
            _ => Self::Video,
        }
    }
}

/// The metadata keys Docket knows, parsed. Every one may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `filename`: the name on the recorder or the sender's disk, exactly. Up to 4,096 bytes.
    pub filename: Option<String>,
    /// `filetype`: the media type the sender claims.
    pub filetype: Option<String>,
    /// `sha256`: the digest the whole file must have, 64 hexadecimal digits.
    pub sha256: Option<Sha256Digest>,
    /// `recorder`: the recorder's serial number.
    pub recorder: Option<String>,
    /// `officer`: the officer's certificate number.
    pub officer: Option<String>,
    /// `recorded_at`: when the recording began by the recorder's clock, RFC 3339.
    pub recorded_at: Option<Micros>,
    /// `case`: the number of the case to link to.
    pub case: Option<String>,
    /// `case_unit`: id of the unit in which that number is meant; default the sender's.
    pub case_unit: Option<String>,
    /// `kind`: video, audio, photo, document or other.
    pub kind: Kind,
    /// `unit`: id of the unit the recording belongs to; default the sender's.
    pub unit: Option<String>,
    /// `docking`: the docking in whose list the file stands.
    pub docking: Option<DockingId>,
    /// `path`: where the file lay on the recorder, exactly. Up to 4,096 bytes.
    pub path: Option<String>,
    /// `mark`: `key` where the officer pressed the recorder's mark button.
    pub is_key_marked: bool,
    /// `note`: free text. Up to 8,192 bytes.
    pub note: Option<String>,
    /// Pairs with keys that Docket does not know, as they came; 8,192 bytes together.
    pub unknown: Vec<(String, Vec<u8>)>,
}

impl Facts {
    /// Reads the known keys.
    ///
    /// # Errors
    /// [`Refusal::Metadata`] names the key that is not of its form or over its limit.
    pub fn read(metadata: &Metadata) -> Result<Self, Refusal> {
        let mut facts = Self::default();
        let mut kind = None;
        let mut unknown_bytes = 0;
        for (key, value) in metadata.pairs() {
            match key.as_str() {
                "filename" => facts.filename = Some(text(key, value, limits::NAME_BYTES)?),
                "path" => facts.path = Some(text(key, value, limits::NAME_BYTES)?),
                "note" => facts.note = filled(text(key, value, limits::NOTE_BYTES)?),
                "filetype" => facts.filetype = short(key, value)?,
                "recorder" => facts.recorder = short(key, value)?,
                "officer" => facts.officer = short(key, value)?,
                "case" => facts.case = short(key, value)?,
                "case_unit" => facts.case_unit = short(key, value)?,
                "unit" => facts.unit = short(key, value)?,
                "sha256" => facts.sha256 = typed(key, value, "not 64 hexadecimal digits")?,
                "docking" => facts.docking = typed(key, value, "not a docking's id")?,
                "recorded_at" => facts.recorded_at = time(key, value)?,
                "kind" => kind = kind_of(key, value)?,
                "mark" => facts.is_key_marked = mark(key, value)?,
                _ => {
                    unknown_bytes += key.len() + value.len();
                    if unknown_bytes > limits::UNKNOWN_BYTES {
                        return Err(refuse(key, "unknown keys are too long together"));
                    }
                    facts.unknown.push((key.clone(), value.clone()));
                }
            }
        }
        let suggested = facts
            .filetype
            .as_deref()
            .map(Kind::of_media_type)
            .unwrap_or_default();
        facts.kind = kind.unwrap_or(suggested);
        Ok(facts)
    }
}

fn text(key: &str, value: &[u8], limit_bytes: usize) -> Result<String, Refusal> {
    if value.len() > limit_bytes {
        return Err(refuse(key, "value is too long"));
    }
    if value.contains(&0) {
        return Err(refuse(key, "value holds a NUL"));
    }
    match std::str::from_utf8(value) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(refuse(key, "value is not UTF-8")),
    }
}

/// An empty value of these keys means that there is none: form-driven clients send every key.
fn short(key: &str, value: &[u8]) -> Result<Option<String>, Refusal> {
    text(key, value, limits::VALUE_BYTES).map(filled)
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn typed<T: std::str::FromStr>(
    key: &str,
    value: &[u8],
    reason: &'static str,
) -> Result<Option<T>, Refusal> {
    match short(key, value)? {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| refuse(key, reason)),
    }
}

fn time(key: &str, value: &[u8]) -> Result<Option<Micros>, Refusal> {
    match short(key, value)? {
        None => Ok(None),
        Some(text) => Micros::parse_rfc3339(&text)
            .map(Some)
            .map_err(|_| refuse(key, "not an RFC 3339 time with its offset")),
    }
}

fn kind_of(key: &str, value: &[u8]) -> Result<Option<Kind>, Refusal> {
    match short(key, value)? {
        None => Ok(None),
        Some(text) => Kind::parse(&text).map(Some).ok_or_else(|| {
            refuse(
                key,
                "neither video nor audio nor photo nor document nor other",
            )
        }),
    }
}

fn mark(key: &str, value: &[u8]) -> Result<bool, Refusal> {
    match short(key, value)?.as_deref() {
        None => Ok(false),
        Some("key") => Ok(true),
        Some(_) => Err(refuse(key, "the only mark is \"key\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Facts, Refusal> {
        let mut metadata = Metadata::default();
        for (key, value) in pairs {
            metadata.insert(key, value.as_bytes()).expect("a valid key");
        }
        Facts::read(&metadata)
    }

    #[test]
    fn every_known_key() {
        let facts = read(&[
            ("filename", "餐厅检查 第1段.mp4"),
            ("filetype", "video/mp4"),
            ("sha256", &"AB".repeat(32)),
            ("recorder", "ZF-0042"),
            ("officer", "黔卫1234"),
            ("recorded_at", "2026-11-23T09:30:00+08:00"),
            ("case", "贵卫医罚〔2026〕12号"),
            ("kind", "audio"),
            ("docking", "0190163d-8694-739a-aea6-966b6d7bd9a9"),
            ("path", "DCIM/100/餐厅检查 第1段.mp4"),
            ("mark", "key"),
            ("note", "后厨"),
            ("x-sender", "anything"),
        ])
        .expect("valid");
        assert_eq!(facts.filename.as_deref(), Some("餐厅检查 第1段.mp4"));
        assert_eq!(
            facts.recorded_at.map(Micros::to_rfc3339).as_deref(),
            Some("2026-11-23T01:30:00.000000Z")
        );
        assert_eq!(facts.case.as_deref(), Some("贵卫医罚〔2026〕12号"));
        assert_eq!(facts.sha256.map(|d| d.0), Some([0xab; 32]));
        assert_eq!((facts.kind, facts.is_key_marked), (Kind::Audio, true));
        assert_eq!(
            facts.unknown,
            [("x-sender".to_owned(), b"anything".to_vec())]
        );
    }

    #[test]
    fn the_kind_follows_the_media_type_where_it_is_not_said() {
        for (media_type, kind) in [
            ("image/jpeg", Kind::Photo),
            ("Application/PDF", Kind::Document),
            ("audio/wav", Kind::Audio),
            ("video/mp4", Kind::Video),
            ("rubbish", Kind::Video),
        ] {
            assert_eq!(
                read(&[("filetype", media_type)]).expect("valid").kind,
                kind,
                "{media_type}"
            );
        }
        assert_eq!(
            read(&[("filetype", "image/png"), ("kind", "other")])
                .expect("valid")
                .kind,
            Kind::Other
        );
    }

    #[test]
    fn bad_values_name_their_key() {
        let long = "长".repeat(2000);
        for (key, value) in [
            ("sha256", "abcd"),
            ("recorded_at", "2026-11-23 09:30:00"),
            ("kind", "film"),
            ("docking", "../x"),
            ("mark", "star"),
            ("filename", "a\0b"),
            ("filename", long.as_str()),
            ("officer", long.as_str()),
            ("unknown", &long.repeat(2)),
        ] {
            match read(&[(key, value)]) {
                Err(Refusal::Metadata { key: named, .. }) => assert_eq!(named, key),
                other => panic!("{key}: {other:?}"),
            }
        }
        let mut metadata = Metadata::default();
        metadata
            .insert("filename", vec![0xff, 0xfe])
            .expect("a valid key");
        assert!(Facts::read(&metadata).is_err());
    }
}
