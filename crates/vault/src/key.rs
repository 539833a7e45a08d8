//! Names in the vault. Everything a client could influence is an id of a type; nothing else of a
//! client's ever becomes part of a path or of an object's key.

use std::fmt;
use std::str::FromStr;

use docket_base::Micros;
use docket_base::ids::RecordingId;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Result, VaultError};

/// A text that names nothing a vault could hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name in the vault")]
pub struct BadKey(pub String);

/// Which shelf an original stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// Sealed and incomplete originals.
    Originals,
    /// The digest was not the one the station promised.
    Quarantine,
}

impl Area {
    /// Both, in the order in which listings give them.
    pub const ALL: [Self; 2] = [Self::Originals, Self::Quarantine];

    /// The folder's name.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Originals => "originals",
            Self::Quarantine => "quarantine",
        }
    }
}

/// Names an original, e.g. `originals/2026/11/23/<id>/original`: a path under the vault's root or an
/// object's key. Only well-formed keys exist; keys sort as their text does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct VaultKey(String);

/// The last part of every key.
const ORIGINAL: &str = "original";

impl VaultKey {
    /// The key of the original that was created at this time (its UTC day names the folder).
    pub fn new(area: Area, created_at: Micros, id: RecordingId) -> Self {
        let day = day_folder(created_at);
        Self(format!("{}/{day}/{id}/{ORIGINAL}", area.folder()))
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that holds the original and what is beside it, without a slash at the end.
    pub fn folder(&self) -> &str {
        &self.0[..self.0.len() - ORIGINAL.len() - 1]
    }

    /// The shelf.
    pub fn area(&self) -> Area {
        if self.0.starts_with(Area::Quarantine.folder()) {
            Area::Quarantine
        } else {
            Area::Originals
        }
    }

    /// The recording whose original this is.
    pub fn id(&self) -> RecordingId {
        let folder = self.folder();
        let text = &folder[folder.len() - 36..];
        text.parse()
            .unwrap_or_else(|_| unreachable!("keys are checked when they are made"))
    }

    pub(crate) fn beside(&self, name: BesideName) -> String {
        format!("{}/{}", self.folder(), name.file_name())
    }

    /// The pointer that stands in for the original of a duplicate.
    pub(crate) fn pointer(&self) -> String {
        format!("{}/{SAME_AS}", self.folder())
    }
}

pub(crate) const SAME_AS: &str = "same-as";

/// `2026/11/23`.
pub(crate) fn day_folder(at: Micros) -> String {
    let (year, month, day) = at.utc_day();
    format!("{year:04}/{month:02}/{day:02}")
}

impl FromStr for VaultKey {
    type Err = BadKey;

    fn from_str(text: &str) -> std::result::Result<Self, BadKey> {
        let bad = || BadKey(text.chars().take(128).collect());
        let parts: Vec<&str> = text.split('/').take(7).collect();
        let &[area, year, month, day, id, name] = parts.as_slice() else {
            return Err(bad());
        };
        let good = Area::ALL.iter().any(|known| known.folder() == area)
            && [(year, 4), (month, 2), (day, 2)]
                .iter()
                .all(|(part, length)| is_number(part, *length))
            && id.parse::<RecordingId>().is_ok()
            && name == ORIGINAL;
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(bad())
        }
    }
}

pub(crate) fn is_number(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())
}

impl<'de> Deserialize<'de> for VaultKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is kept beside an original, written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BesideName {
    /// `meta.json`: what was known when it was sealed; enough to seal it again.
    SideFile,
    /// `receipt-stored.json`.
    ReceiptStored,
    /// `receipt-verified.json`.
    ReceiptVerified,
}

impl BesideName {
    /// The file's name.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::SideFile => "meta.json",
            Self::ReceiptStored => "receipt-stored.json",
            Self::ReceiptVerified => "receipt-verified.json",
        }
    }
}

/// The name of a derivative: 1 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DerivativeName(String);

impl DerivativeName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DerivativeName {
    type Err = BadKey;

    fn from_str(text: &str) -> std::result::Result<Self, BadKey> {
        let good = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
            && text.as_bytes()[0].is_ascii_alphanumeric();
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadKey(text.chars().take(128).collect()))
        }
    }
}

/// Checks the path of a log file: up to 512 bytes, parts of `A-Z a-z 0-9 . _ -` that begin with a
/// letter or digit. So neither `..` nor a temporary (they begin with a dot) can be named.
pub(crate) fn check_log_path(path: &str) -> Result<()> {
    let good = path.len() <= 512 && path.split('/').all(is_log_part);
    if good {
        Ok(())
    } else {
        let shown: String = path.chars().take(128).collect();
        Err(VaultError::Conflict(format!(
            "{shown:?} can't name a log file"
        )))
    }
}

fn is_log_part(part: &str) -> bool {
    part.bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric())
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190163d-8694-739a-aea6-966b6d7bd9a9";

    #[test]
    fn a_key_names_its_day_and_recording() {
        let at = Micros::parse_rfc3339("2026-11-23T01:02:03Z").expect("time");
        let id: RecordingId = ID.parse().expect("id");
        let key = VaultKey::new(Area::Quarantine, at, id);
        assert_eq!(key.as_str(), format!("quarantine/2026/11/23/{ID}/original"));
        assert_eq!(key.folder(), format!("quarantine/2026/11/23/{ID}"));
        assert_eq!((key.id(), key.area()), (id, Area::Quarantine));
        assert_eq!(key.as_str().parse(), Ok(key));
    }

    #[test]
    fn nothing_else_is_a_key() {
        for text in [
            String::new(),
            "originals".to_owned(),
            format!("originals/2026/11/23/{ID}/meta.json"),
            format!("originals/2026/11/23/{ID}/original/"),
            format!("/originals/2026/11/23/{ID}/original"),
            format!("originals/2026/11/../{ID}/original"),
            format!("elsewhere/2026/11/23/{ID}/original"),
            "originals/2026/11/23/../original".to_owned(),
        ] {
            assert!(text.parse::<VaultKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn log_paths_and_derivatives_stay_inside() {
        for good in ["checkpoint", "tile/0/x001/234", "tile/0/000.p/5"] {
            assert!(check_log_path(good).is_ok(), "{good}");
        }
        for bad in [
            "", "/etc", "a//b", "../a", "a/..", "a/.b", "a\0", "a/ü", "a/",
        ] {
            assert!(check_log_path(bad).is_err(), "{bad}");
        }
        assert!("poster.jpg".parse::<DerivativeName>().is_ok());
        for bad in ["", "..", ".x", "a/b", "A", &"a".repeat(65)] {
            assert!(bad.parse::<DerivativeName>().is_err(), "{bad}");
        }
    }
}
