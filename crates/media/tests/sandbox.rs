//! A worker can do nothing but compute.

mod common;

use std::process::Command;

use docket_media::self_test::Report;

fn self_test(without: &[&str]) -> Report {
    let output = Command::new(env!("CARGO_BIN_EXE_docket-media"))
        .args(["--self-test-sandbox", "--memory-bytes=100000000"])
        .args(without)
        .output()
        .expect("runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn allowed(report: &Report) -> Vec<&str> {
    report
        .attempts
        .iter()
        .filter(|a| !a.refused)
        .map(|a| a.what.as_str())
        .collect()
}

#[test]
fn everything_a_taken_over_worker_would_try_is_refused() {
    let report = self_test(&[]);
    assert_eq!(report.attempts.len(), 11);
    if report.restrictions.seccomp {
        assert_eq!(allowed(&report), Vec::<&str>::new());
    } else {
        eprintln!("SKIPPED: this kernel has no system-call filters");
    }
}

#[test]
fn landlock_holds_alone() {
    let report = self_test(&["--without-seccomp"]);
    if report.restrictions.landlock != "full" {
        eprintln!(
            "SKIPPED: this kernel's Landlock is {}",
            report.restrictions.landlock
        );
        return;
    }
    let (files, open) = (
        [
            "read /etc/passwd",
            "list /",
            "create a file",
            "execute /bin/true",
        ],
        allowed(&report),
    );
    assert!(files.iter().all(|what| !open.contains(what)), "{open:?}");
    assert!(
        !open.contains(&"connect by TCP") && !open.contains(&"signal the parent"),
        "{open:?}"
    );
}

#[tokio::test]
async fn a_worker_says_what_restricts_it() {
    let hello = common::pool().check().await.expect("a worker starts");
    let alone = self_test(&[]).restrictions;
    assert_eq!(hello.restrictions.landlock, alone.landlock);
    assert_eq!(hello.restrictions.seccomp, alone.seccomp);
    assert!(hello.restrictions.no_new_privs && hello.restrictions.memory_bytes.is_some());
    assert!(hello.libavformat.contains('.'));
}
