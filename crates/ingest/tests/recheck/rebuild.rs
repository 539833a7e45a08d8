//! A catalog that is lost and built again is the one that was lost.

use std::path::{Path, PathBuf};

use docket_base::Clock;
use docket_base::ids::{RecordingId, RegisterId};
use docket_catalog::{Catalog, Filter, RecordingKind, RecordingState, Scope};
use docket_ingest::rebuild::{RebuildError, RebuildProgress, Rebuilt, rebuild};
use docket_ledger::kinds::Finding;
use docket_ledger::{Actor, ReceiptLevel, Subject, kinds};
use sqlx::{Connection, Row};

use crate::instance::{Instance, flip, open};

/// Tables and what of them can't be the same: secrets that are in no log, ids that nobody else names,
/// what is found out again, and counters of changes that people did not make.
const TABLES: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("unit_ancestors", &[]),
    ("officers", &[]),
    ("recorders", &[]),
    ("assignments", &[]),
    ("stations", &["software_version", "last_seen_at_us"]),
    ("dockings", &[]),
    ("docking_files", &["id"]),
    ("recordings", &["version"]),
    ("corrections", &[]),
    ("holds", &[]),
    ("clips", &[]),
    ("markers", &[]),
    ("retention_rules", &[]),
    ("cases", &["version"]),
    ("links", &[]),
    ("users", &["password_hash", "disabled", "version"]),
    ("tokens", &["secret_sha256", "revoked_at_us"]),
    ("custody_events", &[]),
    ("tree_head", &[]),
];

async fn dump(path: &Path, table: &str, without: &[&str]) -> Vec<String> {
    let url = format!("sqlite://{}", path.display());
    let mut raw = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let sql = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid");
    let columns = sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_all(&mut raw)
        .await
        .unwrap();
    let quoted: Vec<String> = columns
        .iter()
        .map(|row| row.get::<String, _>(0))
        .filter(|name| !without.contains(&name.as_str()))
        .map(|name| format!("'{name}=' || quote({name})"))
        .collect();
    assert!(!quoted.is_empty(), "no table {table}");
    let line = quoted.join(" || ' ' || ");
    let sql = format!("SELECT {line} AS line FROM {table} ORDER BY line");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_all(&mut raw)
        .await
        .unwrap();
    raw.close().await.unwrap();
    rows.iter().map(|row| row.get("line")).collect()
}

async fn dumps(path: &Path) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for (table, without) in TABLES {
        all.push(((*table).to_owned(), dump(path, table, without).await));
    }
    all
}

struct Again {
    path: PathBuf,
    catalog: Catalog,
}

impl Again {
    async fn new(instance: &Instance) -> Self {
        let path = instance.dir.path().join("again.sqlite");
        let catalog = Catalog::open_sqlite(&path, &*instance.clock).await.unwrap();
        Self { path, catalog }
    }

    async fn rebuild(&self, instance: &Instance) -> Result<Rebuilt, RebuildError> {
        let (vault, key) = (&*instance.vault, instance.key.verifier());
        let (clock, random) = (&*instance.clock, &*instance.random);
        let mut told = Vec::new();
        let progress = &mut |now: RebuildProgress| told.push(now);
        let rebuilt = rebuild(&self.catalog, vault, key, clock, random, progress).await;
        if let Ok(rebuilt) = &rebuilt {
            let entries = rebuilt.entries_count;
            let all = RebuildProgress::Replayed {
                entries,
                of: entries,
            };
            assert!(told.contains(&all), "{told:?}");
        }
        rebuilt
    }
}

#[tokio::test]
async fn every_table_comes_back() {
    let instance = Instance::new().await;
    let [sealed, _, quarantined, duplicate, arriving] = instance.live().await;
    let before = dumps(&instance.dir.path().join("catalog.sqlite")).await;
    let key = instance.row(sealed).await.vault_key.unwrap();
    let key = key.parse().unwrap();
    let receipts = &instance.ingest.receipts;
    let receipt = receipts
        .get(sealed, &key, ReceiptLevel::Verified)
        .await
        .unwrap();

    let again = Again::new(&instance).await;
    instance.tick();
    let rebuilt = again.rebuild(&instance).await.unwrap();
    assert_eq!(rebuilt.notes, []);
    assert_eq!(rebuilt.left_open, [arriving]);
    assert_eq!(rebuilt.resealed, []);
    assert_eq!(rebuilt.recordings_count, 9);
    assert_eq!(
        (rebuilt.disabled_users_count, rebuilt.revoked_tokens_count),
        (2, 1)
    );

    let after = dumps(&again.path).await;
    for ((table, before), (_, after)) in before.into_iter().zip(after) {
        // What was under way is left out, and what the rebuild itself did is new.
        let left_out =
            |line: &String| table != "custody_events" && line.contains(&arriving.to_string());
        let before: Vec<String> = before.into_iter().filter(|line| !left_out(line)).collect();
        let new = |line: &String| table == "custody_events" && line.contains("leaf_index=NULL");
        let after: Vec<String> = after.into_iter().filter(|line| !new(line)).collect();
        assert_eq!(before, after, "{table}");
        assert!(!after.is_empty(), "{table} was never filled");
    }

    // A daemon takes it up, goes on with the log, and finds it in order.
    let ingest = open(
        again.catalog.clone(),
        &instance.vault,
        &instance.key,
        &instance.clock,
        &instance.random,
    )
    .await;
    let mut instance = instance;
    instance.ingest = ingest;
    instance.publish().await;
    let report = instance.check().await;
    // Its bytes were acknowledged, and nobody knows any more what they belong to.
    assert_eq!(
        report.what(),
        [(Finding::OriginalUnlogged, format!("open/{arriving}"))]
    );
    let ingest = &instance.ingest;
    let same = ingest
        .receipts
        .get(sealed, &key, ReceiptLevel::Verified)
        .await
        .unwrap();
    assert_eq!(same, receipt);
    let own = instance.row(duplicate).await.vault_key.unwrap();
    ingest
        .receipts
        .get(duplicate, &own.parse().unwrap(), ReceiptLevel::Stored)
        .await
        .unwrap();
    let custody = ingest.catalog.custody(sealed, None, 100).await.unwrap();
    assert!(custody.items.len() >= 6);
    let filter = Filter {
        text: Some("执法".to_owned()),
        // Its clip has the same name.
        kinds: vec![RecordingKind::Video],
        ..Filter::default()
    };
    let found = ingest
        .catalog
        .recordings(&filter, &Scope::Everything, None, 10)
        .await
        .unwrap();
    assert_eq!(found.items[0].recording.id, sealed);
    assert_eq!(
        instance.row(quarantined).await.state,
        RecordingState::Quarantined
    );
}

#[tokio::test]
async fn nobody_signs_in_with_what_was_restored() {
    let instance = Instance::new().await;
    instance.live().await;
    let again = Again::new(&instance).await;
    again.rebuild(&instance).await.unwrap();
    let users = again
        .catalog
        .users(&Scope::Everything, None, 10)
        .await
        .unwrap();
    assert_eq!(users.items.len(), 2);
    for user in users.items.into_iter().map(|user| user.row) {
        assert!(user.disabled && user.password_hash.starts_with("$argon2id$v=19$"));
    }
    let secret = docket_base::Sha256Digest::of(b"secret");
    assert_eq!(again.catalog.token_by_secret(secret).await.unwrap(), None);
    // Both are in the log: a second rebuild needs not say it again.
    let parts = (
        &instance.vault,
        &instance.key,
        &instance.clock,
        &instance.random,
    );
    let ingest = open(again.catalog.clone(), parts.0, parts.1, parts.2, parts.3).await;
    while ingest.sequencer.round().await.unwrap() > 0 {}
    let path = instance.dir.path().join("third.sqlite");
    let third = Catalog::open_sqlite(&path, &*instance.clock).await.unwrap();
    let catalog = Again {
        path,
        catalog: third,
    };
    let rebuilt = catalog.rebuild(&instance).await.unwrap();
    assert_eq!(
        (rebuilt.disabled_users_count, rebuilt.revoked_tokens_count),
        (0, 0)
    );
}

#[tokio::test]
async fn what_the_log_never_heard_of_is_sealed_again() {
    let instance = Instance::new().await;
    instance.fill().await;
    // Sealed, read back and shared, but never published.
    let lost = instance
        .upload("late.mp4", b"after the last checkpoint")
        .await;
    instance.verify(lost).await;
    let twin = instance
        .upload("twin.mp4", b"after the last checkpoint")
        .await;
    assert_eq!(instance.row(twin).await.duplicate_of, Some(lost));
    let damaged = instance.upload("bad.mp4", b"and one that is damaged").await;
    flip(&instance.original(damaged).await, 2);

    let again = Again::new(&instance).await;
    instance.tick();
    let rebuilt = again.rebuild(&instance).await.unwrap();
    assert_eq!(rebuilt.resealed, [lost, twin]);
    let places: Vec<_> = rebuilt
        .notes
        .iter()
        .map(|note| note.place.clone())
        .collect();
    assert_eq!(
        places,
        [instance.row(damaged).await.vault_key.unwrap()],
        "{:?}",
        rebuilt.notes
    );
    let row = again.catalog.recording(lost).await.unwrap().unwrap();
    let known = instance.row(lost).await;
    assert_eq!(
        (
            row.state,
            row.sha256,
            row.file_name,
            row.notes,
            row.vault_key
        ),
        (
            RecordingState::Sealed,
            known.sha256,
            known.file_name,
            known.notes,
            known.vault_key
        )
    );
    let event = again
        .catalog
        .recording_event(lost, "recording.sealed")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event.actor_kind.as_str(), "system");
    assert_eq!((event.leaf_index, Some(event.at)), (None, row.sealed_at));
    let row = again.catalog.recording(twin).await.unwrap().unwrap();
    assert_eq!(row.duplicate_of, Some(lost));
}

#[tokio::test]
async fn a_damaged_log_and_a_filled_catalog_are_refused() {
    let instance = Instance::new().await;
    instance.fill().await;
    let size = instance.ingest.sequencer.published().borrow().head.size;
    let again = Again::new(&instance).await;
    for file in [
        format!("tile/entries/000.p/{size}"),
        format!("tile/0/000.p/{size}"),
        "checkpoint".to_owned(),
    ] {
        let path = instance.file(&format!("log/{file}"));
        flip(&path, 60);
        let refused = again.rebuild(&instance).await;
        assert!(
            matches!(refused, Err(RebuildError::Damaged { .. })),
            "{file}: {refused:?}"
        );
        flip(&path, 60);
    }
    // Nothing was written: it still counts as empty.
    again.rebuild(&instance).await.unwrap();
    let refused = again.rebuild(&instance).await;
    assert!(
        matches!(refused, Err(RebuildError::NotEmpty)),
        "{refused:?}"
    );

    let bare = tempfile::tempdir().unwrap();
    let empty = Catalog::open_sqlite(&bare.path().join("c.sqlite"), &*instance.clock)
        .await
        .unwrap();
    std::fs::remove_file(instance.file("log/checkpoint")).unwrap();
    let again = Again {
        path: bare.path().join("c.sqlite"),
        catalog: empty,
    };
    let refused = again.rebuild(&instance).await;
    assert!(matches!(refused, Err(RebuildError::NoLog)), "{refused:?}");
}

#[tokio::test]
async fn files_that_are_gone_cost_their_names_and_nothing_else() {
    let instance = Instance::new().await;
    let [sealed, ..] = instance.live().await;
    let original = instance.original(sealed).await;
    std::fs::remove_file(original.parent().unwrap().join("meta.json")).unwrap();
    let page = instance
        .ingest
        .catalog
        .officers(None, &Scope::Everything, None, 10)
        .await
        .unwrap();
    let officer = page.items[0].row.id;
    let row = RegisterId::from_bytes(*officer.as_bytes());
    std::fs::remove_dir_all(instance.file(&format!("log/register/officer/{row}"))).unwrap();

    let again = Again::new(&instance).await;
    let rebuilt = again.rebuild(&instance).await.unwrap();
    assert_eq!(rebuilt.notes_count, 3, "{:?}", rebuilt.notes);
    let restored = again.catalog.officer(officer).await.unwrap().unwrap().row;
    assert_eq!(restored.name, officer.to_string());
    let row = again.catalog.recording(sealed).await.unwrap().unwrap();
    let known = instance.row(sealed).await;
    assert_eq!(row.file_name, "");
    assert_eq!(
        (row.sha256, row.officer_id, row.marks),
        (known.sha256, known.officer_id, known.marks)
    );
}

#[tokio::test]
async fn an_entry_that_fits_nowhere_keeps_nothing_else_back() {
    let instance = Instance::new().await;
    let [sealed, ..] = instance.fill().await;
    // The log says that something was unheld that was never held.
    let stray = docket_base::ids::HoldId::fresh(&*instance.clock, &*instance.random);
    let body = kinds::HoldLifted {
        hold: stray,
        recording: Some(sealed),
        case: None,
        reason: None,
    };
    let ingest = &instance.ingest;
    let event = ingest
        .event(
            Actor::System,
            Some(instance.unit),
            Subject::recording(sealed),
            body,
        )
        .unwrap();
    let change = ingest.catalog.change().await.unwrap();
    ingest.commit(change, &[event]).await.unwrap();
    instance.publish().await;
    let again = Again::new(&instance).await;
    let rebuilt = again.rebuild(&instance).await.unwrap();
    assert_eq!((rebuilt.recordings_count, rebuilt.notes_count), (4, 1));
    let head = again.catalog.tree_head().await.unwrap();
    let size = instance.ingest.sequencer.published().borrow().head.size;
    assert_eq!((head.sequenced_size, head.published_size), (size, size));
}

#[tokio::test]
async fn a_log_of_several_bundles() {
    let instance = Instance::new().await;
    let id: RecordingId = instance.upload("one.mp4", b"one").await;
    let row = instance.row(id).await;
    for _ in 0..300 {
        instance
            .ingest
            .downloaded(Actor::System, &row, 0..3)
            .await
            .unwrap();
    }
    instance.publish().await;
    assert_eq!(instance.check().await.what(), []);
    let again = Again::new(&instance).await;
    let rebuilt = again.rebuild(&instance).await.unwrap();
    assert!(rebuilt.entries_count > 303, "{rebuilt:?}");
    let all = again
        .catalog
        .custody(id, None, docket_catalog::MAX_PAGE)
        .await
        .unwrap();
    assert!(all.next.is_some());
    let late = instance.clock.now();
    assert!(all.items.iter().all(|event| event.at <= late));
}
