//! The station's configuration: one TOML file, environment variables over it. Unknown keys of
//! either are refused, because a misspelt `policy` must not silently be the default.

use std::path::PathBuf;

use docket_base::Sha256Digest;
use serde::{Deserialize, Serialize};

use crate::card::identity::{IdentityFile, VALUE_LIMIT};
use crate::schedule::{Bandwidth, UtcOffset};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadConfig {
    /// The file's text.
    #[error("configuration: {0}")]
    Toml(#[from] toml::de::Error),
    /// An environment variable.
    #[error("{name}: {reason}")]
    Environment {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// Well-formed, but makes no sense.
    #[error("configuration: {0}")]
    Sense(String),
}

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The daemon, e.g. `https://docket.example`. May be left out once enrolled.
    pub server: Option<String>,
    /// Where enrolment, journal and receipts are kept.
    pub state: PathBuf,
    /// The station's name on screens.
    pub name: String,
    /// Whether plain HTTP beyond this machine is used.
    pub allow_plain_http: bool,
    /// The station's and its recorders' local time, for schedules and times in file names.
    pub utc_offset: UtcOffset,
    /// Whom TLS trusts.
    pub tls: Tls,
    /// How files are sent.
    pub upload: UploadSection,
    /// Which files of a recorder are what.
    pub files: FilesSection,
    /// Whether anything is ever erased.
    pub erase: Erase,
    /// How often bays are looked at.
    pub watch: WatchSection,
    /// Where recorders say who they are.
    pub identity: Vec<IdentityFile>,
    /// Bandwidth by time of day; outside of all windows there is no limit.
    pub bandwidth: Vec<Bandwidth>,
    /// The bays.
    pub bay: Vec<Bay>,
}

/// Whom TLS trusts; by default the system's authorities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file of the only authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the only server certificate (DER) to trust.
    pub pinned_sha256: Option<Sha256Digest>,
}

/// How files are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UploadSection {
    /// Uploads that send at the same time, all bays together.
    pub at_once: usize,
}

/// Which files of a recorder are what. Patterns know `*` and `?`, ignore case, and are compared with
/// the whole path below the recorder's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesSection {
    /// Neither listed nor sent nor erased.
    pub ignore: Vec<String>,
    /// Marked on the recorder as important: sent first, with `mark = key`.
    pub key: Vec<String>,
    /// More files than this are not listed, and the bay shows a fault.
    pub at_most: usize,
}

/// What happens to a file once its `verified` receipt was checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasePolicy {
    /// It stays.
    #[default]
    Keep,
    /// It is erased.
    Verified,
}

/// How it is made sure that the file is still the one the receipt is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EraseCheck {
    /// Size, time of change, first and last 16 KiB.
    #[default]
    Receipt,
    /// All of it is read once more, past the page cache, and must have the receipt's digest.
    RereadSource,
}

/// Whether anything is ever erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Erase {
    /// Whether.
    pub policy: ErasePolicy,
    /// How carefully.
    pub check: EraseCheck,
}

/// How often bays are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchSection {
    /// Time between two looks, in milliseconds.
    pub poll_ms: u64,
    /// A recorder's list must stay the same for so long before it is taken, in milliseconds.
    pub settle_ms: u64,
}

/// One bay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bay {
    /// Its name on screens and in the daemon.
    pub name: String,
    /// The folder or mount point; ending in `/*`, the one directory that appears in it.
    pub path: PathBuf,
    /// The recorder that always sits here, where it cannot say itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder: Option<String>,
    /// Whether the path counts only while something is mounted on it.
    #[serde(default)]
    pub mounted: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: None,
            state: PathBuf::from("/var/lib/docket-dock"),
            name: "docket-dock".into(),
            allow_plain_http: false,
            utc_offset: UtcOffset::hours(8),
            tls: Tls::default(),
            upload: UploadSection::default(),
            files: FilesSection::default(),
            erase: Erase::default(),
            watch: WatchSection::default(),
            identity: IdentityFile::usual(),
            bandwidth: Vec::new(),
            bay: Vec::new(),
        }
    }
}

impl Default for UploadSection {
    fn default() -> Self {
        Self { at_once: 8 }
    }
}

impl Default for FilesSection {
    fn default() -> Self {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Self {
            ignore: texts(&[
                "System Volume Information/*",
                "$RECYCLE.BIN/*",
                ".Spotlight-V100/*",
                ".Trash*/*",
                ".fseventsd/*",
                "lost+found/*",
            ]),
            key: texts(&["*重点*", "*_KEY.*", "*_IMP.*", "KEY/*", "*/KEY/*"]),
            at_most: 200_000,
        }
    }
}

impl Default for WatchSection {
    fn default() -> Self {
        Self {
            poll_ms: 250,
            settle_ms: 2000,
        }
    }
}

/// What every overriding variable begins with.
pub const PREFIX: &str = "DOCKET_DOCK_";
/// Read by the command line, not by [`Config`].
const NOT_SETTINGS: [&str; 2] = ["DOCKET_DOCK_CONFIG", "DOCKET_DOCK_LOG"];

impl Config {
    /// Reads the file's text and lays the variables over it.
    ///
    /// # Errors
    /// [`BadConfig`].
    pub fn read(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, BadConfig> {
        let mut config: Self = toml::from_str(text)?;
        for (name, value) in environment {
            if name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()) {
                config.lay_over(&name, &value)?;
            }
        }
        Ok(config)
    }

    fn lay_over(&mut self, name: &str, value: &str) -> Result<(), BadConfig> {
        let bad = |reason: &str| BadConfig::Environment {
            name: name.to_owned(),
            reason: reason.to_owned(),
        };
        match name.strip_prefix(PREFIX).unwrap_or(name) {
            "SERVER" => self.server = Some(value.to_owned()),
            "STATE" => self.state = value.into(),
            "NAME" => self.name = value.to_owned(),
            "ALLOW_PLAIN_HTTP" => {
                self.allow_plain_http = value.parse().map_err(|_| bad("expected true or false"))?;
            }
            "UTC_OFFSET" => {
                self.utc_offset = value.parse().map_err(|_| bad("expected e.g. +08:00"))?;
            }
            "UPLOAD_AT_ONCE" => {
                self.upload.at_once = value.parse().map_err(|_| bad("expected a number"))?;
            }
            "ERASE_POLICY" => {
                self.erase.policy = match value {
                    "keep" => ErasePolicy::Keep,
                    "verified" => ErasePolicy::Verified,
                    _ => return Err(bad("expected keep or verified")),
                };
            }
            "TLS_CA_FILE" => self.tls.ca_file = Some(value.into()),
            "TLS_PINNED_SHA256" => {
                let digest = value.parse().map_err(|_| bad("expected 64 hex digits"))?;
                self.tls.pinned_sha256 = Some(digest);
            }
            _ => return Err(bad("there is no such setting")),
        }
        Ok(())
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// [`BadConfig::Sense`].
    pub fn check(&self) -> Result<(), BadConfig> {
        let refuse = |text: String| Err(BadConfig::Sense(text));
        for (index, bay) in self.bay.iter().enumerate() {
            let earlier = &self.bay[..index];
            if bay.name.trim().is_empty() || bay.name.len() > 100 {
                return refuse(format!(
                    "bay {} needs a name of at most 100 bytes",
                    index + 1
                ));
            }
            if earlier.iter().any(|other| other.name == bay.name) {
                return refuse(format!("two bays are called {:?}", bay.name));
            }
            if earlier.iter().any(|other| other.path == bay.path) {
                return refuse(format!("two bays lie at {}", bay.path.display()));
            }
            let serial = bay.recorder.as_deref().unwrap_or("x");
            if serial.trim().is_empty() || serial.chars().count() > VALUE_LIMIT {
                return refuse(format!(
                    "bay {:?}: recorder has 1 to {VALUE_LIMIT} characters",
                    bay.name
                ));
            }
            if self.state.starts_with(&bay.path) {
                return refuse(format!(
                    "the state directory lies inside bay {:?}",
                    bay.name
                ));
            }
        }
        if self.tls.ca_file.is_some() && self.tls.pinned_sha256.is_some() {
            return refuse("tls: ca_file and pinned_sha256 exclude each other".into());
        }
        if self.upload.at_once == 0 || self.files.at_most == 0 || self.watch.poll_ms == 0 {
            return refuse("at_once, at_most and poll_ms are at least 1".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_and_the_environment_over_it() {
        let text = r#"
            server = "https://docket.example"
            name = "一楼采集站"
            utc_offset = "+08:00"
            [erase]
            policy = "verified"
            check = "reread-source"
            [[identity]]
            file = "DEVICE.TXT"
            serial = "SN"
            [[bandwidth]]
            from = "08:00"
            until = "18:00"
            limit_mbit_per_s = 20
            [[bay]]
            name = "1"
            path = "/media/bay1"
            recorder = "REC0001"
        "#;
        let environment = [
            ("DOCKET_DOCK_STATE".to_owned(), "/tmp/state".to_owned()),
            ("DOCKET_DOCK_CONFIG".to_owned(), "ignored".to_owned()),
            ("PATH".to_owned(), "ignored".to_owned()),
        ];
        let config = Config::read(text, environment).expect("valid");
        config.check().expect("sensible");
        assert_eq!(config.state, PathBuf::from("/tmp/state"));
        assert_eq!(config.erase.policy, ErasePolicy::Verified);
        assert_eq!(config.erase.check, EraseCheck::RereadSource);
        assert_eq!(config.bay[0].recorder.as_deref(), Some("REC0001"));
        assert_eq!(
            Config::default().erase.policy,
            ErasePolicy::Keep,
            "keeping is the default"
        );
    }

    #[test]
    fn unknown_keys_and_variables_are_refused() {
        for text in ["polcy = 1", "[erase]\npolcy = 'keep'", "[[bay]]\nname='1'"] {
            assert!(Config::read(text, []).is_err(), "{text}");
        }
        for (name, value) in [
            ("DOCKET_DOCK_ERASE_POLCY", "keep"),
            ("DOCKET_DOCK_ERASE_POLICY", "always"),
        ] {
            let read = Config::read("", [(name.to_owned(), value.to_owned())]);
            assert!(matches!(read, Err(BadConfig::Environment { .. })), "{name}");
        }
    }

    #[test]
    fn senseless_bays_are_refused() {
        let two = "[[bay]]\nname='1'\npath='/a'\n[[bay]]\nname='1'\npath='/b'";
        let inside = "state='/a/state'\n[[bay]]\nname='1'\npath='/a'";
        for text in [two, inside] {
            assert!(Config::read(text, []).expect("form").check().is_err());
        }
    }
}
