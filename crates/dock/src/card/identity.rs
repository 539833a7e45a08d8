//! Which recorder this is: configured, told by a small file on it, or named like its volume.

use std::fs::File;
use std::io::{self, Read};

use encoding_rs::GB18030;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::CardPath;
use super::open::{Card, name_of};
use crate::config::Bay;

/// The largest identity file that is read.
const FILE_LIMIT_BYTES: u64 = 16 * 1024;
/// Longest serial or officer number, in characters: metadata values have 255 bytes.
pub const VALUE_LIMIT: usize = 60;

/// A file in which recorders say who they are: lines of `key = value` or `key: value`, quotes and
/// case of keys ignored, so that TOML, INI and most vendors' texts are all read alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityFile {
    /// Its path on the recorder.
    pub file: String,
    /// The key whose value is the serial number.
    pub serial: String,
    /// The key whose value is the officer's certificate number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<String>,
}

impl IdentityFile {
    /// Those that are looked for where nothing is configured.
    pub fn usual() -> Vec<Self> {
        let file = |file: &str, serial: &str, officer: &str| Self {
            file: file.into(),
            serial: serial.into(),
            officer: Some(officer.into()),
        };
        vec![
            file("recorder.toml", "serial", "officer"),
            file("DEVICE.TXT", "SN", "PoliceID"),
        ]
    }
}

/// How the serial became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The bay's configuration.
    Configured,
    /// A file on the recorder.
    File,
    /// The name of the volume's directory: a guess.
    Directory,
}

/// Who a recorder says it is. Nothing proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Serial number.
    pub serial: String,
    /// The officer's certificate number, where the recorder tells.
    pub officer: Option<String>,
    /// How it became known.
    pub source: Source,
}

/// Identifies a recorder. Blocks.
///
/// # Errors
/// When an identity file is there and cannot be read: guessing then would file evidence under a
/// wrong name.
pub fn identify(
    card: &Card,
    bay: &Bay,
    directory_name: &str,
    profiles: &[IdentityFile],
) -> io::Result<Identity> {
    let mut told = None;
    for profile in profiles {
        if let Some(text) = read(card, &profile.file)? {
            told = told.or_else(|| from_text(&text, profile));
        }
    }
    if let Some(serial) = &bay.recorder {
        return Ok(Identity {
            serial: serial.clone(),
            officer: told.and_then(|identity| identity.officer),
            source: Source::Configured,
        });
    }
    if let Some(identity) = told {
        return Ok(identity);
    }
    Ok(Identity {
        serial: clean(directory_name).unwrap_or_else(|| "unknown".into()),
        officer: None,
        source: Source::Directory,
    })
}

/// The recorder's clock minus the station's, in milliseconds. Mass storage does not tell a clock:
/// `None` until a protocol that does is spoken.
pub fn clock_offset_ms(_identity: &Identity) -> Option<i64> {
    None
}

fn read(card: &Card, name: &str) -> io::Result<Option<String>> {
    let Some(path) = CardPath::from_text(name) else {
        return Ok(None);
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = card.parent_of(&path).and_then(|parent| {
        rustix::fs::openat(&parent, name_of(&path), flags, Mode::empty()).map_err(Into::into)
    });
    let file = match opened {
        Ok(file) => File::from(file),
        Err(super::open::OpenError::Io(error)) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                _ => Err(error),
            };
        }
        Err(super::open::OpenError::Changed) => return Ok(None),
    };
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT_BYTES).read_to_end(&mut bytes)?;
    Ok(Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => GB18030.decode(error.as_bytes()).0.into_owned(),
    }))
}

fn from_text(text: &str, profile: &IdentityFile) -> Option<Identity> {
    let value = |wanted: &str| {
        text.trim_start_matches('\u{feff}')
            .lines()
            .find_map(|line| {
                let (key, value) = line.split_once(['=', ':', '：'])?;
                let same = key.trim().eq_ignore_ascii_case(wanted);
                same.then(|| clean(value)).flatten()
            })
    };
    Some(Identity {
        serial: value(&profile.serial)?,
        officer: profile.officer.as_deref().and_then(value),
        source: Source::File,
    })
}

/// A value without quotes, spaces around and characters that have no place in a number.
fn clean(value: &str) -> Option<String> {
    let quotes: &[_] = &['"', '\'', ' ', '\t', '\r'];
    let visible = value.trim_matches(quotes).chars();
    let text: String = visible
        .filter(|letter| !letter.is_control())
        .take(VALUE_LIMIT)
        .collect();
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn bay(recorder: Option<&str>) -> Bay {
        Bay {
            name: "1".into(),
            path: "/nowhere".into(),
            recorder: recorder.map(str::to_owned),
            mounted: false,
        }
    }

    fn identity(files: &[(&str, &[u8])], configured: Option<&str>) -> Identity {
        let root = tempfile::tempdir().expect("tempdir");
        for (name, content) in files {
            fs::write(root.path().join(name), content).expect("write");
        }
        let card = Card::open(root.path(), false)
            .expect("open")
            .expect("there");
        identify(&card, &bay(configured), "VOLUME", &IdentityFile::usual()).expect("identify")
    }

    #[test]
    fn the_configured_serial_wins_then_the_file_then_the_volume() {
        let toml = b"serial = \"REC0001\"\nofficer = \"52010012345\"\n";
        let told = identity(&[("recorder.toml", toml)], None);
        assert_eq!(
            (told.serial.as_str(), told.source),
            ("REC0001", Source::File)
        );
        assert_eq!(told.officer.as_deref(), Some("52010012345"));
        let configured = identity(&[("recorder.toml", toml)], Some("FIXED"));
        assert_eq!(configured.serial, "FIXED");
        assert_eq!(configured.officer.as_deref(), Some("52010012345"));
        let vendor = identity(&[("DEVICE.TXT", "SN: 贵A-7\r\n".as_bytes())], None);
        assert_eq!(vendor.serial, "贵A-7");
        let guessed = identity(&[("a.mp4", b"")], None);
        assert_eq!(
            (guessed.serial.as_str(), guessed.source),
            ("VOLUME", Source::Directory)
        );
    }

    #[test]
    fn hostile_identity_files_are_only_text() {
        let long = format!("serial = {}\u{1b}[2J", "9".repeat(10_000));
        let told = identity(&[("recorder.toml", long.as_bytes())], None);
        assert_eq!(told.serial.len(), VALUE_LIMIT);
        let root = tempfile::tempdir().expect("tempdir");
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("recorder.toml")).expect("link");
        let card = Card::open(root.path(), false)
            .expect("open")
            .expect("there");
        let found = identify(&card, &bay(None), "VOLUME", &IdentityFile::usual());
        assert!(
            found.is_err(),
            "a link in the identity file's place is not followed"
        );
    }
}
