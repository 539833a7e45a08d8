//! Bounds on what people write.

use crate::{IngestError, Result};

/// How long a text may be.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    bytes: usize,
    lines: bool,
}

impl Limit {
    /// Names, numbers, codes, tags: one line.
    pub const NAME: Self = Self {
        bytes: 512,
        lines: false,
    };
    /// Notes and reasons.
    pub const NOTE: Self = Self {
        bytes: 16 * 1024,
        lines: true,
    };

    /// The text itself when it is within the bound and free of control characters.
    ///
    /// # Errors
    /// Refused, naming the field.
    pub fn check(self, field: &str, text: String) -> Result<String> {
        if text.len() > self.bytes {
            return Err(IngestError::Refused(format!(
                "{field}: at most {} bytes",
                self.bytes
            )));
        }
        let allowed = |c: char| !c.is_control() || (self.lines && matches!(c, '\n' | '\r' | '\t'));
        if !text.chars().all(allowed) {
            return Err(IngestError::Refused(format!("{field}: control characters")));
        }
        Ok(text)
    }

    /// As [`Limit::check`], and not empty.
    ///
    /// # Errors
    /// Refused, naming the field.
    pub fn require(self, field: &str, text: &str) -> Result<String> {
        let text = self.check(field, text.trim().to_owned())?;
        if text.is_empty() {
            return Err(IngestError::Refused(format!("{field}: is empty")));
        }
        Ok(text)
    }
}

/// A row's version as entries and register files number it.
///
/// # Errors
/// Refused after four thousand million changes.
pub(crate) fn version_number(version: i64) -> Result<u32> {
    u32::try_from(version).map_err(|_| IngestError::Refused("changed too often".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_and_bounded() {
        assert!(
            Limit::NAME
                .require("name", " 贵阳市卫生监督局 ")
                .is_ok_and(|name| name == "贵阳市卫生监督局")
        );
        assert!(Limit::NAME.require("name", "  ").is_err());
        assert!(Limit::NAME.check("name", "a\nb".to_owned()).is_err());
        assert!(Limit::NAME.check("name", "a".repeat(513)).is_err());
        assert!(Limit::NOTE.check("note", "a\nb".to_owned()).is_ok());
        assert!(Limit::NOTE.check("note", "a\u{0}b".to_owned()).is_err());
    }
}
