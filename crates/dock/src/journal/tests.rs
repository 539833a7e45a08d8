use super::*;
use docket_base::files::{Fault, OsFiles, PowerLossFiles, Survival};
use std::fs;

const NOW: Micros = Micros(1_800_000_000_000_000);

fn key(path: &str) -> FileKey {
    FileKey {
        path: path.into(),
        size_bytes: 5,
        modified_ns: -1,
    }
}

fn open_fate(attempt: u32) -> Fate {
    Fate::Open {
        upload: "http://127.0.0.1/files/x".into(),
        fingerprint: Sha256Digest::of(b"x"),
        attempt,
    }
}

#[test]
fn the_last_line_holds_and_a_torn_one_is_cut_off() {
    let directory = tempfile::tempdir().expect("tempdir");
    let path = directory.path().join("journal.jsonl");
    let journal = Journal::open(&OsFiles, directory.path(), NOW).expect("open");
    journal
        .note(NOW, &key("现场/a"), open_fate(1))
        .expect("note");
    journal
        .note(NOW, &key("现场/a"), open_fate(2))
        .expect("note");
    journal.note(NOW, &key("b"), open_fate(1)).expect("note");
    drop(journal);
    let whole = fs::read(&path).expect("read");
    // Every length a crash can leave.
    let two_lines = whole.len() - whole.split(|b| *b == b'\n').nth(2).expect("third").len() - 1;
    for cut in two_lines..whole.len() {
        fs::write(&path, &whole[..cut]).expect("write");
        let journal = Journal::open(&OsFiles, directory.path(), NOW).expect("open");
        assert_eq!(journal.fate(&key("现场/a")), Some(open_fate(2)));
        assert_eq!(journal.fate(&key("b")), None, "{cut}");
        journal.note(NOW, &key("c"), open_fate(7)).expect("note");
        drop(journal);
        let journal = Journal::open(&OsFiles, directory.path(), NOW).expect("again");
        assert_eq!(journal.fate(&key("c")), Some(open_fate(7)));
    }
}

#[test]
fn compaction_keeps_what_holds_and_forgets_what_is_long_over() {
    let directory = tempfile::tempdir().expect("tempdir");
    let journal = Journal::open(&OsFiles, directory.path(), NOW).expect("open");
    drop(journal);
    let path = directory.path().join("journal.jsonl");
    let recording = "01939f2e-0000-7000-8000-000000000001".parse().expect("id");
    let mut text = Vec::new();
    let old = NOW.plus_seconds(-FORGET_AFTER_SECONDS - 1);
    text.extend(line(old, key("old"), Fate::Erased { recording }).expect("line"));
    for attempt in 0..3000 {
        text.extend(line(NOW, key("a"), open_fate(attempt)).expect("line"));
    }
    fs::write(&path, &text).expect("write");
    let journal = Journal::open(&OsFiles, directory.path(), NOW).expect("open");
    assert_eq!(journal.fate(&key("a")), Some(open_fate(2999)));
    assert_eq!(journal.fate(&key("old")), None);
    assert!(fs::metadata(&path).expect("stat").len() < 1000);
    journal.note(NOW, &key("b"), open_fate(1)).expect("note");
    drop(journal);
    let journal = Journal::open(&OsFiles, directory.path(), NOW).expect("open");
    assert_eq!(journal.fate(&key("b")), Some(open_fate(1)));
}

/// Notes three files, one twice; gives back what was acknowledged, and what was only tried.
fn work(files: &dyn Files, noted: &mut Vec<(FileKey, Fate)>) -> io::Result<()> {
    let directory = Path::new("/state/recorders/r");
    files.create_dir_all(directory)?;
    let journal = Journal::open(files, directory, NOW)?;
    for (name, attempt) in [("a", 1), ("b", 1), ("a", 2), ("c", 1)] {
        journal.note(NOW, &key(name), open_fate(attempt))?;
        noted.push((key(name), open_fate(attempt)));
    }
    Ok(())
}

#[test]
fn what_was_noted_survives_a_power_cut_at_every_call() {
    let counted = PowerLossFiles::new();
    work(&counted, &mut Vec::new()).expect("with power");
    let all = counted.calls();
    let survivals = [Survival::OnlySynced]
        .into_iter()
        .chain((0..20).map(Survival::Random));
    for survival in survivals {
        for cut in 0..all {
            let files = PowerLossFiles::new();
            files.cut_after(cut);
            let mut noted = Vec::new();
            work(&files, &mut noted).expect_err("power goes");
            let files = files.reopen(survival);
            let directory = Path::new("/state/recorders/r");
            files.create_dir_all(directory).expect("directory");
            let journal = Journal::open(&files, directory, NOW).expect("opens");
            for (key, fate) in &noted {
                let found = journal.fate(key);
                let is_later = noted
                    .iter()
                    .any(|(k, f)| k == key && Some(f) == found.as_ref());
                // The note the power interrupted may have come through.
                let is_interrupted = found == Some(open_fate(2));
                assert!(
                    is_later || is_interrupted,
                    "{survival:?} {cut}: {fate:?} {found:?}"
                );
            }
            journal.note(NOW, &key("d"), open_fate(1)).expect("goes on");
            drop(journal);
            let journal = Journal::open(&files, directory, NOW).expect("opens again");
            assert_eq!(journal.fate(&key("d")), Some(open_fate(1)));
        }
    }
}

#[test]
fn a_failed_note_does_not_harm_the_next() {
    for nth in 1..=2 {
        for fault in [
            Fault::Fails(io::ErrorKind::Other),
            Fault::FailsButPersists(io::ErrorKind::Other),
        ] {
            let files = PowerLossFiles::new();
            let mut noted = Vec::new();
            work(&files, &mut noted).expect("with power");
            let directory = Path::new("/state/recorders/r");
            let journal = Journal::open(&files, directory, NOW).expect("opens");
            files.fail_call(nth, fault);
            journal
                .note(NOW, &key("long-name-that-fails"), open_fate(1))
                .expect_err("fails");
            journal.note(NOW, &key("e"), open_fate(5)).expect("goes on");
            drop(journal);
            let files = files.reopen(Survival::OnlySynced);
            let journal = Journal::open(&files, directory, NOW).expect("opens");
            assert_eq!(journal.fate(&key("e")), Some(open_fate(5)));
            assert_eq!(journal.fate(&key("a")), Some(open_fate(2)));
        }
    }
}
