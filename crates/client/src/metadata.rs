//! tus `Upload-Metadata`: keys in ASCII, values in base64, so that any name survives exactly.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Metadata that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMetadata {
    /// Keys are printable ASCII without space and comma (tus 1.0.0, creation).
    #[error("{0:?} is no metadata key")]
    Key(String),
    /// Servers bound the header.
    #[error("metadata of {0} bytes is more than a header may carry")]
    TooLarge(usize),
}

/// The largest header that is sent: well below what HTTP servers accept.
const LIMIT_BYTES: usize = 14 * 1024;

/// Key-value pairs of a new upload, in the order given; a key given again replaces its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(String, String)>);

impl Metadata {
    /// No pairs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one pair.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// Sets one pair where there is a value.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Sets one pair.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.0.retain(|(present, _)| present != key);
        self.0.push((key.to_owned(), value.into()));
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(present, _)| present == key)?;
        Some(&found.1)
    }

    /// The header's text.
    ///
    /// # Errors
    /// [`BadMetadata`].
    pub fn encode(&self) -> Result<String, BadMetadata> {
        let mut text = String::new();
        for (key, value) in &self.0 {
            let is_key = !key.is_empty()
                && key
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b',');
            if !is_key {
                return Err(BadMetadata::Key(key.clone()));
            }
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(key);
            text.push(' ');
            STANDARD.encode_string(value, &mut text);
        }
        if text.len() > LIMIT_BYTES {
            return Err(BadMetadata::TooLarge(text.len()));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_hostile_values_are_plain_ascii() {
        let metadata = Metadata::new()
            .with("filename", "现场检查, \"1\"\r\n.mp4")
            .with("note", "")
            .with("filename", "现场");
        assert_eq!(metadata.encode().expect("fine"), "note ,filename 546w5Zy6");
        assert_eq!(metadata.get("filename"), Some("现场"));
    }

    #[test]
    fn what_no_header_can_carry_is_refused() {
        let key = Metadata::new().with("a b", "x").encode();
        assert_eq!(key, Err(BadMetadata::Key("a b".into())));
        let large = Metadata::new().with("path", "x".repeat(20_000)).encode();
        assert!(matches!(large, Err(BadMetadata::TooLarge(_))));
    }
}
