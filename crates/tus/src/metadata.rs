//! `Upload-Metadata`: keys and base64 values as the client gave them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;

use crate::header::{bad, text};
use crate::{Refusal, limits};

const NAME: &str = "upload-metadata";

/// Clients differ on padding; everything else must be canonical, so that one header is one value.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The decoded pairs in the client's order. Keys are unique.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    pairs: Vec<(String, Vec<u8>)>,
}

impl Metadata {
    /// Reads the header of a request; no header is no pairs.
    ///
    /// # Errors
    /// [`Refusal::Header`] or [`Refusal::Metadata`] when it is not of its form or over a limit.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Refusal> {
        text(headers, NAME)?.map_or_else(|| Ok(Self::default()), Self::parse)
    }

    /// Parses the header's value: comma-separated `key base64` pairs, the value optional.
    ///
    /// # Errors
    /// As [`Metadata::from_headers`].
    pub fn parse(value: &str) -> Result<Self, Refusal> {
        let mut metadata = Self::default();
        if value.len() > limits::METADATA_BYTES {
            return Err(bad(NAME, "too long"));
        }
        if value.trim_ascii().is_empty() {
            return Ok(metadata);
        }
        for pair in value.split(',') {
            if metadata.pairs.len() == limits::METADATA_PAIRS {
                return Err(bad(NAME, "too many pairs"));
            }
            let pair = pair.trim_ascii();
            let (key, encoded) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = BASE64
                .decode(encoded.trim_ascii())
                .map_err(|_| refuse(key, "value is not base64"))?;
            metadata.insert(key, value)?;
        }
        // Padding makes it longer: what is kept must be read again when HEAD repeats it.
        if metadata.encode().len() > limits::METADATA_BYTES {
            return Err(bad(NAME, "too long"));
        }
        Ok(metadata)
    }

    /// Adds a pair.
    ///
    /// # Errors
    /// [`Refusal::Metadata`] for a key that is empty, too long, not visible ASCII, or there already.
    pub fn insert(&mut self, key: &str, value: impl Into<Vec<u8>>) -> Result<(), Refusal> {
        if key.is_empty() || key.len() > limits::KEY_BYTES {
            return Err(refuse(key, "key is empty or too long"));
        }
        if !key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',')
        {
            return Err(refuse(key, "key is not visible ASCII"));
        }
        if self.get(key).is_some() {
            return Err(refuse(key, "given twice"));
        }
        self.pairs.push((key.to_owned(), value.into()));
        Ok(())
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.pairs
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_slice())
    }

    /// All pairs, in order.
    pub fn pairs(&self) -> &[(String, Vec<u8>)] {
        &self.pairs
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The header's value, as HEAD repeats it.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        for (key, value) in &self.pairs {
            if !out.is_empty() {
                out.push(',');
            }
            out.push_str(key);
            if !value.is_empty() {
                out.push(' ');
                BASE64.encode_string(value, &mut out);
            }
        }
        out
    }
}

pub(crate) fn refuse(key: &str, reason: &'static str) -> Refusal {
    Refusal::Metadata {
        key: key.chars().take(limits::KEY_BYTES).collect(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn clients_spellings() {
        let parsed = Metadata::parse("filename d29ybGQ=, is_confidential,empty ").expect("valid");
        assert_eq!(parsed.get("filename"), Some(&b"world"[..]));
        assert_eq!(parsed.get("is_confidential"), Some(&b""[..]));
        assert_eq!(parsed.get("empty"), Some(&b""[..]));
        assert_eq!(parsed.encode(), "filename d29ybGQ=,is_confidential,empty");
        assert_eq!(
            Metadata::parse("a d29ybGQ").expect("unpadded").get("a"),
            Some(&b"world"[..])
        );
        assert!(Metadata::parse(" ").expect("none").is_empty());
    }

    #[test]
    fn what_is_refused() {
        for value in [
            "a YQ==,a Yg==",
            ",",
            "a YQ==,",
            "a b c",
            "a ***",
            "名 YQ==",
            "a YR==",
            "a Y Q",
        ] {
            assert!(Metadata::parse(value).is_err(), "{value}");
        }
        let many = (0..=limits::METADATA_PAIRS)
            .map(|n| format!("k{n}"))
            .collect::<Vec<_>>();
        assert!(Metadata::parse(&many.join(",")).is_err());
        assert!(Metadata::parse(&"k".repeat(limits::KEY_BYTES + 1)).is_err());
    }

    #[test]
    fn what_is_taken_can_be_repeated() {
        let longest = |pairs: &str| {
            let room = limits::METADATA_BYTES - pairs.len() - 4;
            format!("{pairs},j {}", "QUJD".repeat(room / 4))
        };
        let padded = longest("k YQ==");
        let metadata = Metadata::parse(&padded).expect("as long as it may be");
        assert_eq!(Metadata::parse(&metadata.encode()), Ok(metadata));
        // Within the limit only because the padding is left out.
        let bare = longest("k YQ,l YQ,m YQ");
        assert!(bare.len() <= limits::METADATA_BYTES);
        assert!(Metadata::parse(&bare).is_err());
    }

    proptest! {
        #[test]
        fn round_trip(pairs in prop::collection::btree_map("[!-+\\--~]{1,20}", prop::collection::vec(any::<u8>(), 0..64), 0..12)) {
            let mut metadata = Metadata::default();
            for (key, value) in &pairs {
                metadata.insert(key, value.clone()).expect("a valid key");
            }
            prop_assert_eq!(Metadata::parse(&metadata.encode()).expect("own encoding"), metadata);
        }

        #[test]
        fn arbitrary_text_never_panics(value in ".{0,200}") {
            let _ = Metadata::parse(&value);
        }
    }
}
