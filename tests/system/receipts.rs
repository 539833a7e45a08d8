//! Receipts, checked by `docket` alone.

use std::path::PathBuf;

use tokio::process::Command;

use crate::harness::programs::{Said, built, run};
use crate::harness::{Content, Daemon};

/// `docket verify`'s own exit code for a key that was not pinned.
const NOT_PINNED: Option<i32> = Some(3);

async fn verify(key: Option<&PathBuf>, receipt: &PathBuf, original: &PathBuf) -> Said {
    let mut command = Command::new(built("docket"));
    command.arg("verify");
    if let Some(key) = key {
        command.arg("--key").arg(key);
    }
    command.arg(receipt).arg(original);
    run(command, "").await
}

#[tokio::test]
async fn a_receipt_proves_its_original_and_nothing_else() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(81, 2_000_000);
    let id = api.upload(content, &[("filename", "证据.mp4")]).await;
    let file = |name: &str, bytes: &[u8]| {
        let path = daemon.folder().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let key = daemon.docketd(&["key", "show"], "").await.succeeded();
    let served = api.get("/v1/ledger/key").await.expect(200);
    assert_eq!(served.text().trim(), key.last_line());
    let key = file("ledger.pub", key.last_line().as_bytes());
    let original = file("original.mp4", &content.whole());
    let mut changed = content.whole().to_vec();
    changed[1_234_567] ^= 1;
    let changed = file("changed.mp4", &changed);

    for level in ["stored", "verified"] {
        let bytes = api.receipt(&id, level).await.body;
        let receipt = file(&format!("{level}.json"), &bytes);
        verify(Some(&key), &receipt, &original).await.succeeded();
        let unpinned = verify(None, &receipt, &original).await;
        assert_eq!(unpinned.status, NOT_PINNED, "{unpinned:?}");
        let refused = verify(Some(&key), &receipt, &changed).await;
        assert!(
            !matches!(refused.status, Some(0)) && refused.status != NOT_PINNED,
            "{refused:?}"
        );
        // Any change of the receipt itself.
        for at in [bytes.len() / 4, bytes.len() / 2, bytes.len() - 20] {
            let mut forged = bytes.to_vec();
            forged[at] = if forged[at] == b'1' { b'2' } else { b'1' };
            let forged = file("forged.json", &forged);
            let refused = verify(Some(&key), &forged, &original).await;
            assert!(
                !matches!(refused.status, Some(0)) && refused.status != NOT_PINNED,
                "{refused:?}"
            );
        }
    }

    // Another daemon's key is not this one's.
    let other = Daemon::start().await;
    let foreign = other.docketd(&["key", "show"], "").await.succeeded();
    let foreign = file("foreign.pub", foreign.last_line().as_bytes());
    let receipt = daemon.folder().join("stored.json");
    let refused = verify(Some(&foreign), &receipt, &original).await;
    assert!(!matches!(refused.status, Some(0)), "{refused:?}");
}

#[tokio::test]
async fn before_it_is_there_a_receipt_is_to_be_waited_for() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let path = api.create(10, &[]).await;
    let id = crate::harness::api::id_of(&path);
    for level in ["stored", "verified"] {
        let answer = api
            .get(&format!("/v1/recordings/{id}/receipt?level={level}"))
            .await
            .expect(409);
        assert!(answer.header("retry-after").is_some());
    }
    api.get(&format!("/v1/recordings/{id}/receipt?level=other"))
        .await
        .expect(400);
}

#[tokio::test]
async fn what_the_database_lost_is_rebuilt_from_vault_and_ledger() {
    let mut daemon = Daemon::start().await;
    let api = daemon.api().await;
    let content = Content::new(82, 300_000);
    let id = api
        .upload(
            content,
            &[("filename", "重建.mp4"), ("case", "甲〔2026〕1号")],
        )
        .await;
    let receipt = api.receipt(&id, "verified").await.body;
    let before = api.recording(&id).await;
    daemon.stop().await;
    let refused = daemon.docketd(&["rebuild"], "").await;
    assert!(
        refused.status != Some(0) && refused.err.contains("move it away"),
        "{refused:?}"
    );
    for entry in std::fs::read_dir(daemon.data()).expect("there").flatten() {
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with("catalog.sqlite")
        {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
    // What an interrupted try left.
    let begun = daemon.data().join("catalog.rebuilding.sqlite");
    std::fs::write(&begun, b"half of one").expect("written");
    std::fs::write(begun.with_extension("sqlite-wal"), b"and its log").expect("written");
    daemon.docketd(&["rebuild"], "").await.succeeded();
    assert!(!begun.exists());
    daemon.assert_sound().await;
    daemon.up().await;
    let api = daemon.api().await;
    let after = api.recording(&id).await;
    for field in [
        "state",
        "file_name",
        "sha256",
        "size_bytes",
        "kind",
        "recorded_at",
        "unit",
        "cases",
        "sealed_at",
    ] {
        assert_eq!(before[field], after[field], "{field}");
    }
    assert_eq!(api.receipt(&id, "verified").await.body, receipt);
    let original = api
        .get(&format!("/v1/recordings/{id}/original"))
        .await
        .expect(200);
    assert_eq!(original.body, content.whole());
}

#[tokio::test]
async fn a_damaged_original_is_found() {
    use std::os::unix::fs::PermissionsExt;
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let id = api.upload(Content::new(83, 100_000), &[]).await;
    api.receipt(&id, "verified").await;
    daemon.assert_sound().await;
    let found = std::process::Command::new("find")
        .arg(daemon.data().join("vault/originals"))
        .args(["-path", &format!("*{id}/original")])
        .output()
        .expect("find runs");
    let path = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim().to_owned());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("there");
    let mut bytes = std::fs::read(&path).expect("there");
    bytes[50_000] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let said = daemon.docketd(&["check"], "").await;
    assert!(said.status != Some(0), "{said:?}");
    assert!(
        format!("{}{}", said.out, said.err).contains(&id),
        "{said:?}"
    );
}

#[tokio::test]
async fn to_check_nothing_is_a_failure() {
    let daemon = Daemon::start().await;
    let said = daemon.docketd(&["check"], "").await;
    assert!(said.status != Some(0), "{said:?}");
}
