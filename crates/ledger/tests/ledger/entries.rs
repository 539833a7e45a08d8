//! The format of entries is final. `entries.jsonl` was written by another program (Python's json);
//! every line must read and write as it stands, for ever.

use std::collections::BTreeSet;

use docket_base::Sha256Digest;
use docket_base::clock::{ManualClock, Micros};
use docket_base::ids::{RecordingId, RegisterId, UserId};
use docket_base::random::CountingRandom;
use docket_ledger::entry::EntryError;
use docket_ledger::kinds::{RecordingAnnounced, RecordingKind, Stretch, ViewingClosed};
use docket_ledger::register::{NameRow, RegisterError};
use docket_ledger::{
    Actor, Entry, Event, RegisterFile, RegisterKind, RegisterValue, Salt, Subject,
};

const FROZEN: &str = include_str!("entries.jsonl");

#[test]
fn every_kind_reads_and_writes_as_frozen() {
    let mut seen = BTreeSet::new();
    for line in FROZEN.lines() {
        let entry = Entry::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(String::from_utf8(entry.to_bytes().unwrap()).unwrap(), line);
        seen.insert(entry.event.kind());
    }
    let all: BTreeSet<&str> = Event::KINDS.iter().copied().collect();
    assert_eq!(seen, all);
    assert_eq!(all.len(), Event::KINDS.len(), "a kind is listed twice");
}

#[test]
fn no_entry_reads_in_a_second_spelling() {
    for line in FROZEN.lines() {
        for other in [
            line.replacen("\"schema\":1", "\"schema\":2", 1),
            line.replacen("\"schema\":1", "\"schema\": 1", 1),
            line.replacen("\"body\":{", "\"body\":{\"aaa\":1,", 1),
            line.replacen("\"subject\":{", "\"subject\":{\"aaa\":1,", 1),
            line.replacen(".000000Z", "Z", 1),
            line.replacen("abcdef", "ABCDEF", 1),
            line.replacen("\"kind\":\"", "\"kind\":\"x", 1),
            format!("{line}\n"),
        ] {
            assert_ne!(other, line);
            assert!(Entry::parse(other.as_bytes()).is_err(), "{other}");
        }
    }
}

fn announced() -> Entry {
    let (clock, random) = (
        ManualClock::at(Micros(1_700_000_000_000_000)),
        CountingRandom::default(),
    );
    let user = UserId::fresh(&clock, &random);
    let recording = RecordingId::fresh(&clock, &random);
    let event = RecordingAnnounced {
        kind: RecordingKind::Video,
        size_bytes: Some(5),
        claimed_sha256: None,
        station: None,
        docking: None,
    };
    Entry::new(
        &clock,
        &random,
        Actor::User(user),
        None,
        Subject::recording(recording),
        event,
    )
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let mut entry = announced();
    assert_eq!(Entry::parse(&entry.to_bytes().unwrap()), Ok(entry.clone()));
    if let Event::RecordingAnnounced(body) = &mut entry.event {
        body.size_bytes = Some(1 << 53);
    }
    assert!(matches!(entry.to_bytes(), Err(EntryError::Form(_))));

    let stretch = Stretch {
        from_ms: 1_000_000_000,
        until_ms: 1_000_000_001,
    };
    entry.event = Event::ViewingClosed(ViewingClosed {
        viewing: docket_base::ids::ViewingId::from_bytes([1; 16]),
        opened_at: entry.at,
        last_served_at: entry.at,
        served_bytes: 1,
        served: vec![stretch; 2000],
        claimed: Vec::new(),
    });
    assert!(matches!(entry.to_bytes(), Err(EntryError::TooLong(_))));
}

#[test]
fn salts_make_equal_events_different_leaves() {
    let random = CountingRandom::default();
    let one = announced();
    let two = Entry {
        salt: Salt::fresh(&random),
        ..one.clone()
    };
    let three = Entry {
        salt: Salt::fresh(&random),
        ..one.clone()
    };
    assert_ne!(two.to_bytes().unwrap(), three.to_bytes().unwrap());
    assert_eq!(
        Entry::parse(&two.to_bytes().unwrap()).unwrap().event,
        one.event
    );
}

#[test]
fn register_files_are_what_their_entry_says_or_refused() {
    let random = CountingRandom::default();
    let id = RegisterId::from_bytes([3; 16]);
    let value = RegisterValue::User(NameRow {
        name: "王芳".to_owned(),
    });
    let file = RegisterFile::new(id, 4, Micros(0), Salt::fresh(&random), value);
    let (bytes, reference) = file.seal().unwrap();
    assert_eq!(reference.path(), format!("register/user/{id}/4.json"));
    assert_eq!(reference.path(), file.path());
    assert_eq!(RegisterFile::open(&bytes, &reference), Ok(file));

    let mut other = reference.clone();
    other.version = 5;
    assert_eq!(
        RegisterFile::open(&bytes, &other),
        Err(RegisterError::Place)
    );
    let changed = String::from_utf8(bytes)
        .unwrap()
        .replace("王芳", "李芳")
        .into_bytes();
    assert_eq!(
        RegisterFile::open(&changed, &reference),
        Err(RegisterError::Digest)
    );
    let garbage = b"{}".to_vec();
    other.sha256 = Sha256Digest::of(&garbage);
    assert!(matches!(
        RegisterFile::open(&garbage, &other),
        Err(RegisterError::Form(_))
    ));
}

#[test]
fn register_names_in_paths_are_those_in_json() {
    for kind in RegisterKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}
