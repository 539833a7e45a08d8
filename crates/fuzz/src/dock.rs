//! What a station reads from recorders, which anybody may have had in hands, and from its own directory after a crash.

use std::path::Path;
use std::sync::LazyLock;

use docket_base::files::{Files, PowerLossFiles};
use docket_base::{Micros, RunningDigest, Sha256Digest};
use docket_client::Mark;
use docket_dock::card::glob::fits;
use docket_dock::card::identity::{IdentityFile, VALUE_LIMIT, identify};
use docket_dock::card::kind::{kind_and_type, time_in_name};
use docket_dock::card::{Card, CardPath};
use docket_dock::config::{Bay, Config};
use docket_dock::journal::{Fate, FileKey, Journal};
use docket_dock::marks::MarkFile;
use docket_dock::schedule::{TimeOfDay, UtcOffset, rate_at};
use tempfile::TempDir;

use crate::text;

const NOW: Micros = Micros(1_795_000_000_000_000);

/// A path's text loses nothing, is harmless on a screen and leads nowhere else; patterns fit what they should.
pub fn paths(bytes: &[u8]) {
    let names = bytes.split(|byte| *byte == b'/');
    if let Some(path) = names
        .into_iter()
        .try_fold(CardPath::root(), |path, name| path.join(name))
    {
        let shown = path.to_text();
        assert!(!shown.chars().any(char::is_control), "{shown}");
        assert_eq!(CardPath::from_text(&shown), Some(path.clone()));
        let _ = kind_and_type(&path);
        let century = 946_684_800_000_000..4_102_531_200_000_000;
        let time = time_in_name(&path, UtcOffset::hours(8));
        assert!(time.is_none_or(|at| century.contains(&at.0)), "{time:?}");
        let people = path.display();
        assert!(fits("*", &people) && fits(&people.replace(['*', '?'], "?"), &people));
    }
    let Some(text) = text(bytes) else { return };
    if let Some(path) = CardPath::from_text(text) {
        assert!(
            path.components()
                .all(|name| !matches!(name, b"" | b"." | b"..") && !name.contains(&0))
        );
        assert_eq!(CardPath::from_text(&path.to_text()), Some(path));
    }
    if let Some((pattern, name)) = text.split_once('\n').filter(|_| text.len() < 40) {
        let folded = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
        assert_eq!(
            fits(pattern, name),
            fits_plainly(&folded(pattern), &folded(name)),
            "{text:?}"
        );
    }
}

/// The same by the book.
fn fits_plainly(pattern: &[char], name: &[char]) -> bool {
    // What of the name is fitted by the pattern so far: by how many of its characters.
    let mut fitted = vec![false; name.len() + 1];
    fitted[0] = true;
    for sign in pattern {
        let before = fitted.clone();
        for at in 0..fitted.len() {
            let one_more = at > 0 && before[at - 1] && (*sign == '?' || *sign == name[at - 1]);
            fitted[at] = match sign {
                '*' => before[..=at].contains(&true),
                _ => one_more,
            };
        }
    }
    fitted[name.len()]
}

static RECORDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

/// Whatever a recorder says of itself, it is a short line of text.
pub fn identity(bytes: &[u8]) {
    let folder = RECORDER.path();
    let (name, content) = match bytes.split_first() {
        Some((first, rest)) if first & 1 == 1 => ("DEVICE.TXT", rest),
        Some((_, rest)) => ("recorder.toml", rest),
        None => return,
    };
    std::fs::write(folder.join(name), content).expect("written");
    let card = Card::open(folder, false).expect("opened").expect("there");
    let bay = Bay {
        name: "1".into(),
        path: folder.to_owned(),
        recorder: None,
        mounted: false,
    };
    let found = identify(&card, &bay, "VOLUME", &IdentityFile::usual()).expect("readable");
    std::fs::remove_file(folder.join(name)).expect("removed");
    for value in [Some(&found.serial), found.officer.as_ref()]
        .into_iter()
        .flatten()
    {
        assert!(
            !value.is_empty() && value.trim() == value && value.chars().count() <= VALUE_LIMIT,
            "{value:?}"
        );
        assert!(!value.chars().any(char::is_control), "{value:?}");
    }
}

fn written(path: &Path, bytes: &[u8]) -> PowerLossFiles {
    let files = PowerLossFiles::new();
    files
        .create_dir_all(path.parent().expect("a folder"))
        .expect("made");
    let file = files.create_new(path).expect("made");
    file.write_all_at(bytes, 0).expect("written");
    files
}

/// A journal that a crash, or a worn disk, left: it opens, and what is noted next is found again.
pub fn journal(bytes: &[u8]) {
    let folder = Path::new("/state/recorder");
    let files = written(&folder.join("journal.jsonl"), bytes);
    let key = FileKey {
        path: "DCIM/a.mp4".into(),
        size_bytes: 3,
        modified_ns: 7,
    };
    let open = || Journal::open(&files, folder, NOW).expect("opens");
    let journal = open();
    let before = journal.fate(&key);
    assert_eq!(open().fate(&key), before);
    let next = Fate::Abandoned {
        reason: "\u{0}\n现场".into(),
        attempt: Fate::next_attempt(before.as_ref()),
    };
    journal.note(NOW, &key, next.clone()).expect("written");
    assert_eq!(open().fate(&key), Some(next));
}

/// Marks that were torn: those before are kept, and the next one is found behind them.
pub fn marks(bytes: &[u8]) {
    let path = Path::new("/state/marks/1");
    // Half of the inputs get a right check value behind their last line.
    let content = match bytes.split_first() {
        Some((first, fields)) if first & 1 == 1 => {
            let last = fields
                .rsplit(|byte| *byte == b'\n')
                .next()
                .unwrap_or_default();
            let check = Sha256Digest::of(last).to_string();
            [fields, b" ", &check.as_bytes()[..16], b"\n"].concat()
        }
        _ => bytes.to_vec(),
    };
    let files = written(path, &content);
    let (file, mut known) = MarkFile::open(&files, path).expect("opens");
    let next = Mark {
        offset_bytes: 8,
        midstate: RunningDigest::new(false).midstate().sha256,
    };
    file.add(&next).expect("written");
    known.push(next);
    assert_eq!(MarkFile::open(&files, path).expect("opens").1, known);
}

/// A configuration that was taken is the same when it is written and read again.
pub fn config(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(offset) = text.parse::<UtcOffset>() {
        assert_eq!(offset.to_string().parse(), Ok(offset));
    }
    if let Ok(time) = text.parse::<TimeOfDay>() {
        assert_eq!(time.to_string(), text);
    }
    let Ok(config) = Config::read(text, []) else {
        return;
    };
    if config.check().is_ok() {
        assert!(config.upload.at_once > 0 && config.watch.poll_ms > 0);
        let _ = rate_at(&config.bandwidth, config.utc_offset, NOW);
    }
    let written = toml::to_string(&config).expect("plain values");
    assert_eq!(Config::read(&written, []).expect("written here"), config);
}

/// To begin with.
pub mod seeds {
    use docket_base::{RunningDigest, Sha256Digest};

    /// Names in UTF-8 and GB18030, with times, and patterns.
    pub fn paths() -> Vec<Vec<u8>> {
        let mut all = crate::texts(&[
            "DCIM/执法_20261123-093005_0001.MP4",
            "DCIM/100%25/a.mp4",
            "%CF%D6%B3%A1.mp4",
            "20261123093005.mp4",
            "*a?c*\nxxabcx",
            "*/KEY/*\nx/key/1",
            "a*b*c\na--b-b--c",
        ]);
        all.push(b"DCIM/\xcf\xd6\xb3\xa1.mp4".to_vec());
        all
    }

    /// Files as recorders have them.
    pub fn identity() -> Vec<Vec<u8>> {
        let mut all = crate::texts(&[
            "\0serial = \"REC0001\"\nofficer = \"52010012345\"\n",
            "\x01\u{feff}SN: 贵A-7\r\nPoliceID：0815\r\n",
        ]);
        all.push(b"\x01SN=\xb9\xf3A\n".to_vec());
        all
    }

    /// A line of each fate, and a torn one.
    pub fn journal() -> Vec<Vec<u8>> {
        let line = |fate: &str| {
            let digest = Sha256Digest::of(b"abc");
            let fate = fate.replace("DIGEST", &digest.to_string());
            format!(
                "{{\"at\":\"2026-11-23T01:30:00.000000Z\",\"path\":\"DCIM/a.mp4\",\"size_bytes\":3,\"modified_ns\":7,{fate}}}\n"
            )
        };
        let fates = [
            line(r#""is":"open","upload":"https://a/files/1","fingerprint":"DIGEST","attempt":1"#),
            line(
                r#""is":"uploaded","upload":"u","fingerprint":"DIGEST","sha256":"DIGEST","attempt":4294967295"#,
            ),
            line(
                r#""is":"finished","recording":"0190163d-8694-739a-aea6-966b6d7bd9a9","fingerprint":"DIGEST","sha256":"DIGEST""#,
            ),
            line(r#""is":"abandoned","reason":"gone","attempt":2"#),
            line(r#""is":"erased","recording":"0190163d-8694-739a-aea6-966b6d7bd9a9""#),
        ];
        let all = fates.concat();
        let torn = all[..all.len() - 9].to_owned();
        let mut seeds: Vec<Vec<u8>> = fates.into_iter().map(String::into_bytes).collect();
        seeds.extend([all.into_bytes(), torn.into_bytes()]);
        seeds
    }

    /// A mark without its check value.
    pub fn marks() -> Vec<Vec<u8>> {
        let state = RunningDigest::new(false).midstate().sha256;
        let hex: String = state.iter().map(|byte| format!("{byte:02x}")).collect();
        crate::texts(&[&format!("\x014194304 {hex}"), "\x010 ", "\0"])
    }

    /// A whole file, and texts it holds.
    pub fn config() -> Vec<Vec<u8>> {
        let whole = r#"
server = "https://docket.example"
name = "一楼采集站"
utc_offset = "-03:30"
[erase]
policy = "verified"
check = "reread-source"
[tls]
pinned_sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
[[identity]]
file = "DEVICE.TXT"
serial = "SN"
[[bandwidth]]
from = "22:00"
until = "06:00"
limit_mbit_per_s = 20
[[bay]]
name = "1"
path = "/media/bay1"
recorder = "REC0001"
"#;
        crate::texts(&[whole, "+08:00", "24:00", "Z", ""])
    }
}
