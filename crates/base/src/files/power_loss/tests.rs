//! The double's own promises.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;

use super::super::{Files, create_immutable, read_small, replace};
use super::*;

fn content(files: &PowerLossFiles, path: &str) -> Option<Vec<u8>> {
    read_small(files, Path::new(path), 1 << 20).expect("power is on")
}

/// A file `d/f` holding "old", durable in name and content.
fn with_old() -> PowerLossFiles {
    let files = PowerLossFiles::new();
    files.create_dir_all(Path::new("d")).expect("dir");
    let file = files.create_new(Path::new("d/f")).expect("create");
    file.write_all_at(b"old", 0).expect("write");
    file.sync_data().expect("sync");
    files.sync_dir(Path::new("d")).expect("sync dir");
    files
}

#[test]
fn content_needs_sync_data_and_names_need_sync_dir() {
    let files = PowerLossFiles::new();
    files.create_dir_all(Path::new("d")).expect("dir");
    for (name, sync_data, sync_dir) in [("a", true, true), ("b", false, true), ("c", true, false)] {
        let path = Path::new("d").join(name);
        let file = files.create_new(&path).expect("create");
        file.write_all_at(b"x", 0).expect("write");
        if sync_data {
            file.sync_data().expect("sync");
        }
        if sync_dir {
            files.sync_dir(Path::new("d")).expect("sync dir");
        }
    }
    assert_eq!(content(&files, "d/c"), Some(b"x".to_vec()));
    let after = files.reopen(Survival::OnlySynced);
    assert_eq!(content(&after, "d/a"), Some(b"x".to_vec()));
    assert_eq!(
        content(&after, "d/b"),
        Some(Vec::new()),
        "a name without content"
    );
    assert_eq!(content(&after, "d/c"), None, "content without a name");
    assert!(files.is_cut() && files.read_dir(Path::new("d")).is_err());
}

#[test]
fn created_directories_survive_at_each_step_or_are_not_there() {
    let whole = PowerLossFiles::new();
    whole.create_dir_all(Path::new("a/b/c")).expect("dirs");
    assert_eq!(
        whole.calls(),
        6,
        "three times mkdir and fsync of the parent"
    );
    assert!(
        whole
            .reopen(Survival::OnlySynced)
            .look(|disk| Ok(disk.is_dir(Path::new("a/b/c"))))
            .expect("on")
    );
    for cut in 0..6 {
        let files = PowerLossFiles::new();
        files.cut_after(cut);
        assert!(files.create_dir_all(Path::new("a/b/c")).is_err());
        let after = files.reopen(Survival::OnlySynced);
        after.create_dir_all(Path::new("a/b/c")).expect("again");
        assert_eq!(after.calls(), 6 - cut / 2 * 2, "cut at {cut}");
    }
}

#[test]
fn rename_is_a_change_of_two_directories() {
    let prepare = || {
        let files = with_old();
        files.create_dir_all(Path::new("e")).expect("dir");
        files
            .rename(Path::new("d/f"), Path::new("e/f"))
            .expect("rename");
        files
    };
    let names = |files: &PowerLossFiles| {
        (
            content(files, "d/f").is_some(),
            content(files, "e/f").is_some(),
        )
    };
    assert_eq!(
        names(&prepare().reopen(Survival::OnlySynced)),
        (true, false)
    );
    let files = prepare();
    files.sync_dir(Path::new("e")).expect("sync");
    assert_eq!(names(&files.reopen(Survival::OnlySynced)), (true, true));
    let files = prepare();
    files.sync_dir(Path::new("d")).expect("sync");
    assert_eq!(
        names(&files.reopen(Survival::OnlySynced)),
        (false, false),
        "only the loss was made durable"
    );
    let seen: HashSet<_> = (0..64)
        .map(|seed| names(&prepare().reopen(Survival::Random(seed))))
        .collect();
    assert_eq!(
        seen,
        HashSet::from([(true, false), (true, true), (false, true)])
    );
}

#[test]
fn unsynced_writes_survive_whole_torn_or_not() {
    let files = with_old();
    let file = files.open_write(Path::new("d/f")).expect("open");
    file.write_all_at(b"NEWER", 0).expect("write");
    let seen: HashSet<_> = (0..200)
        .map(|seed| content(&files.reopen(Survival::Random(seed)), "d/f").expect("durable name"))
        .collect();
    for expected in [&b"old"[..], b"NEWER", b"NEd", b"old\0\0"] {
        assert!(seen.contains(expected), "{expected:?} in {seen:?}");
    }
    assert_eq!(
        content(&files.reopen(Survival::OnlySynced), "d/f"),
        Some(b"old".to_vec())
    );
}

#[test]
fn after_the_cut_everything_fails_and_the_cut_call_may_have_happened() {
    let files = with_old();
    let file = files.open_write(Path::new("d/f")).expect("open");
    files.cut_after(1);
    file.write_all_at(b"1", 0).expect("before the cut");
    assert!(file.write_all_at(b"2", 1).is_err() && file.size_bytes().is_err());
    let survivors: HashSet<_> = (0..100)
        .map(|seed| content(&files.reopen(Survival::Random(seed)), "d/f").expect("name"))
        .collect();
    assert!(survivors.contains(&b"12d"[..]) && survivors.contains(&b"old"[..]));
}

#[test]
fn a_cut_sync_makes_nothing_durable_for_certain() {
    let files = with_old();
    let file = files.open_write(Path::new("d/f")).expect("open");
    file.write_all_at(b"new", 0).expect("write");
    files.cut_after(0);
    assert!(file.sync_data().is_err());
    assert_eq!(
        content(&files.reopen(Survival::OnlySynced), "d/f"),
        Some(b"old".to_vec())
    );
}

#[test]
fn a_failed_sync_forgets_for_good() {
    let files = with_old();
    let file = files.open_write(Path::new("d/f")).expect("open");
    file.write_all_at(b"new", 0).expect("write");
    files.fail_call(1, Fault::Fails(ErrorKind::Other));
    assert!(file.sync_data().is_err());
    file.sync_data().expect("succeeds, and means nothing");
    assert_eq!(content(&files, "d/f"), Some(b"new".to_vec()), "seen");
    assert_eq!(
        content(&files.reopen(Survival::OnlySynced), "d/f"),
        Some(b"old".to_vec())
    );
}

#[test]
fn a_fault_may_have_persisted() {
    let files = with_old();
    files.fail_call(1, Fault::FailsButPersists(ErrorKind::TimedOut));
    let error = files.remove_file(Path::new("d/f")).expect_err("fault");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(content(&files, "d/f"), None);
    let files = with_old();
    files.fail_call(1, Fault::Fails(ErrorKind::TimedOut));
    assert!(files.remove_file(Path::new("d/f")).is_err());
    assert_eq!(content(&files, "d/f"), Some(b"old".to_vec()));
}

#[test]
fn a_full_disk_refuses_growth_only() {
    let files = with_old();
    files.set_capacity(Some(4));
    let file = files.open_write(Path::new("d/f")).expect("open");
    file.write_all_at(b"same", 0).expect("up to the brim");
    let error = file.write_all_at(b"more", 1).expect_err("full");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    file.write_all_at(b"x", 3).expect("no growth");
    assert_eq!(files.free_bytes(Path::new("d")).expect("on"), 0);
}

#[test]
fn replace_and_create_immutable_hold_at_every_cut() {
    for survival in [
        Survival::OnlySynced,
        Survival::Random(1),
        Survival::Random(2),
    ] {
        for cut in 0..20 {
            let files = with_old();
            files.cut_after(cut);
            let (path, temporary) = (Path::new("d/f"), Path::new("d/.f.tmp"));
            let replaced = replace(&files, path, temporary, b"new").is_ok();
            let (once, once_temporary) = (Path::new("d/g"), Path::new("d/.g.tmp"));
            let created = replaced && create_immutable(&files, once, once_temporary, b"g").is_ok();
            let after = files.reopen(survival);
            match content(&after, "d/f").as_deref() {
                Some(b"new") => {}
                Some(b"old") => assert!(!replaced, "{survival:?} cut at {cut}"),
                other => panic!("{survival:?} cut at {cut}: {other:?}"),
            }
            match content(&after, "d/g").as_deref() {
                Some(b"g") => {}
                None => assert!(!created, "{survival:?} cut at {cut}"),
                other => panic!("{survival:?} cut at {cut}: {other:?}"),
            }
        }
    }
}
