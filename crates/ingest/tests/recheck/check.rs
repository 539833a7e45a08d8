//! Damage of every sort, one at a time, and what a check says of it: that, and nothing else.

use docket_base::Clock;
use docket_base::ids::{RecordingId, RegisterId};
use docket_catalog::RecordingState;
use docket_ingest::check::{CheckLine, CheckOptions, Outcome, RecordingVerdict};
use docket_ledger::kinds::{self, Finding};
use docket_ledger::register::TextRow;
use docket_ledger::{Actor, Entry, Event, RegisterValue, Subject};

use crate::instance::{Instance, Report, flip, writable};

fn verdict(report: &Report, id: RecordingId) -> RecordingVerdict {
    let found = report.lines.iter().find_map(|line| match line {
        CheckLine::Recording {
            id: of, verdict, ..
        } if *of == id => Some(verdict.clone()),
        _ => None,
    });
    found.expect("every recording has a line")
}

#[tokio::test]
async fn nothing_is_no_success() {
    let instance = Instance::bare().await;
    let report = instance.check().await;
    assert_eq!(report.sum.outcome(), Outcome::NothingChecked);
    assert_eq!(report.sum.entries_count, 1);
    assert!(!report.sum.logged);
}

#[tokio::test]
async fn what_is_whole_is_found_whole_and_the_check_is_logged() {
    let instance = Instance::new().await;
    let [sealed, incomplete, quarantined, duplicate, open] = instance.fill().await;
    let report = instance.check().await;
    assert_eq!(report.what(), []);
    assert_eq!(report.sum.outcome(), Outcome::Clean);
    assert_eq!((report.sum.recordings_count, report.sum.open_count), (5, 1));
    assert!(report.sum.read_bytes > 0);
    for id in [sealed, incomplete, quarantined, duplicate] {
        assert_eq!(verdict(&report, id), RecordingVerdict::Ok);
    }
    assert_eq!(verdict(&report, open), RecordingVerdict::Open);
    assert!(report.sum.logged);

    // What it logged is published, and is no finding of the next.
    let again = instance.check_with(CheckOptions { quick: true }).await;
    assert_eq!(again.what(), []);
    assert_eq!(again.sum.read_bytes, 0);
    let events = instance
        .ingest
        .catalog
        .events_from_leaf(again.sum.entries_count - 1, 10)
        .await
        .unwrap();
    let finished = Entry::parse(&events[0].entry).unwrap();
    let Event::CheckFinished(body) = finished.event else {
        panic!("{finished:?}");
    };
    assert_eq!((body.recordings_count, body.findings_count), (5, 0));
    assert!(body.complete);
}

#[tokio::test]
async fn a_flipped_byte_of_an_original() {
    let instance = Instance::new().await;
    let id = instance.fill().await[1];
    flip(&instance.original(id).await, 3);
    let quick = instance.check_with(CheckOptions { quick: true }).await;
    assert_eq!(quick.what(), []);
    let report = instance.check().await;
    let key = instance.row(id).await.vault_key.unwrap();
    assert_eq!(report.what(), [(Finding::OriginalChanged, key.clone())]);
    assert!(report.findings()[0].actual_sha256.is_some());
    assert_eq!(report.sum.outcome(), Outcome::Findings);

    // It stands in the recording's own history.
    instance.publish().await;
    let found = instance
        .ingest
        .catalog
        .recording_event(id, "check.found")
        .await
        .unwrap()
        .unwrap();
    let Event::CheckFound(body) = Entry::parse(&found.entry).unwrap().event else {
        panic!("no finding");
    };
    assert_eq!((body.finding, body.place), (Finding::OriginalChanged, key));
}

#[tokio::test]
async fn a_missing_and_a_cut_original() {
    let instance = Instance::new().await;
    let [_, incomplete, quarantined, ..] = instance.fill().await;
    std::fs::remove_file(instance.original(incomplete).await).unwrap();
    let cut = instance.original(quarantined).await;
    writable(&cut);
    std::fs::write(&cut, b"not").unwrap();
    let report = instance.check_with(CheckOptions { quick: true }).await;
    let key = async |id| instance.row(id).await.vault_key.unwrap();
    assert_eq!(
        report.what(),
        [
            (Finding::OriginalMissing, key(incomplete).await),
            (Finding::OriginalChanged, key(quarantined).await),
        ]
    );
}

#[tokio::test]
async fn what_a_duplicate_shares_is_missed_by_both() {
    let instance = Instance::new().await;
    let [sealed, _, _, duplicate, _] = instance.fill().await;
    std::fs::remove_file(instance.original(sealed).await).unwrap();
    let report = instance.check().await;
    let places: Vec<_> = report.findings().iter().map(|f| f.recording).collect();
    let unit = instance.unit;
    assert_eq!(places, [Some((sealed, unit)), Some((duplicate, unit))]);
    assert!(
        report
            .findings()
            .iter()
            .all(|f| f.finding == Finding::OriginalMissing)
    );
}

#[tokio::test]
async fn side_files_and_receipts() {
    let instance = Instance::new().await;
    let [sealed, incomplete, ..] = instance.fill().await;
    let folder = |path: std::path::PathBuf| path.parent().unwrap().to_owned();
    flip(
        &folder(instance.original(sealed).await).join("meta.json"),
        40,
    );
    std::fs::remove_file(folder(instance.original(incomplete).await).join("meta.json")).unwrap();
    let receipt = folder(instance.original(sealed).await).join("receipt-verified.json");
    flip(&receipt, 300);
    let report = instance.check().await;
    let found: Vec<_> = report.findings();
    let what: Vec<_> = found
        .iter()
        .map(|f| (f.finding, f.place.rsplit('/').next().unwrap_or_default()))
        .collect();
    assert_eq!(
        what,
        [
            (Finding::FileChanged, "meta.json"),
            (Finding::FileChanged, "receipt-verified.json"),
            (Finding::FileMissing, "meta.json"),
        ]
    );
}

#[tokio::test]
async fn a_tile_a_bundle_and_the_checkpoint() {
    let instance = Instance::new().await;
    instance.fill().await;
    let size = instance.ingest.sequencer.published().borrow().head.size;
    for file in [
        format!("tile/0/000.p/{size}"),
        format!("tile/entries/000.p/{size}"),
    ] {
        let path = instance.file(&format!("log/{file}"));
        flip(&path, 70);
        let parts = report_without_publishing(&instance).await;
        assert_eq!(parts.what(), [(Finding::LedgerDiffers, file)]);
        flip(&path, 70);
    }
    let checkpoint = instance.file("log/checkpoint");
    let length = std::fs::read(&checkpoint).unwrap().len();
    flip(&checkpoint, length - 20);
    let report = report_without_publishing(&instance).await;
    let place = "checkpoint".to_owned();
    assert_eq!(report.what(), [(Finding::LedgerDiffers, place)]);
}

/// Without an `Ingest`, as where none opens; the catalog gets no further events, so the log stays.
async fn report_without_publishing(instance: &Instance) -> Report {
    let parts = docket_ingest::check::CheckParts {
        catalog: &instance.ingest.catalog,
        vault: &*instance.vault,
        key: instance.key.verifier(),
        clock: &*instance.clock,
        random: &*instance.random,
        read_bytes_per_s: 0,
    };
    let mut lines = Vec::new();
    let options = CheckOptions { quick: true };
    let report = &mut |line: &CheckLine| lines.push(line.clone());
    let sum = docket_ingest::check::check(parts, options, report)
        .await
        .unwrap();
    Report { lines, sum }
}

#[tokio::test]
async fn rows_that_are_gone_or_say_something_else() {
    let instance = Instance::new().await;
    let [sealed, incomplete, quarantined, ..] = instance.fill().await;
    instance
        .damage_catalog(&format!(
            "DELETE FROM recordings WHERE id = '{quarantined}';
             UPDATE recordings SET sha256 = claimed_sha256 WHERE id = '{incomplete}';
             UPDATE custody_events SET unit_id = NULL WHERE kind = 'recording.sealed' AND recording_id = '{sealed}'"
        ))
        .await;
    let report = instance.check().await;
    let event = instance
        .ingest
        .catalog
        .recording_event(sealed, "recording.sealed")
        .await
        .unwrap()
        .unwrap();
    let key = kept_at(&instance, quarantined).await;
    let differs = |place: String| (Finding::CatalogDiffers, place);
    assert_eq!(
        report.what(),
        [
            differs(format!("custody_events/{}", event.id)),
            differs(format!("recordings/{quarantined}")),
            // The seal's unit is read from the event's row.
            differs(format!("recordings/{sealed}")),
            differs(format!("recordings/{incomplete}")),
            (Finding::OriginalUnlogged, key),
        ]
    );
}

async fn kept_at(instance: &Instance, id: RecordingId) -> String {
    let all = instance.vault.originals(None, 100).await.unwrap();
    let stored = all.into_iter().find(|stored| stored.id == id).unwrap();
    stored.key.to_string()
}

#[tokio::test]
async fn an_event_that_is_gone_or_another() {
    let instance = Instance::new().await;
    instance.fill().await;
    instance
        .damage_catalog("DELETE FROM custody_events WHERE leaf_index = 2")
        .await;
    let report = report_without_publishing(&instance).await;
    let what = report.what();
    assert!(what.contains(&(Finding::CatalogDiffers, "custody_events/leaf-2".to_owned())));
    assert!(
        what.iter()
            .all(|(finding, _)| *finding == Finding::CatalogDiffers)
    );
}

#[tokio::test]
async fn acknowledged_bytes_of_an_open_upload() {
    let instance = Instance::new().await;
    let open = instance.fill().await[4];
    let path = instance.file(&format!("open/{open}"));
    std::fs::write(&path, b"so").unwrap();
    let report = instance.check().await;
    let place = format!("open/{open}");
    assert_eq!(report.what(), [(Finding::OriginalMissing, place)]);
    let state = report.lines.iter().find_map(|line| match line {
        CheckLine::Recording { id, state, .. } if *id == open => Some(*state),
        _ => None,
    });
    assert_eq!(state, Some(RecordingState::Receiving));
}

#[tokio::test]
async fn what_the_vault_has_and_nobody_knows() {
    let instance = Instance::new().await;
    let [sealed, ..] = instance.fill().await;
    let stray = RecordingId::fresh(&*instance.clock, &*instance.random);
    let original = instance.original(sealed).await;
    let day = original.parent().unwrap().parent().unwrap();
    let folder = day.join(stray.to_string());
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("original"), b"who put this here").unwrap();
    let upload = RecordingId::fresh(&*instance.clock, &*instance.random);
    std::fs::write(instance.file(&format!("open/{upload}")), b"and this").unwrap();
    let report = instance.check().await;
    assert_eq!(
        report.what(),
        [
            (Finding::OriginalUnlogged, kept_at(&instance, stray).await),
            (Finding::OriginalUnlogged, format!("open/{upload}")),
        ]
    );
}

#[tokio::test]
async fn register_files_and_their_erasure() {
    let instance = Instance::new().await;
    let [sealed, ..] = instance.fill().await;
    let ingest = &instance.ingest;
    let row = RegisterId::from_bytes(*sealed.as_bytes());
    let text = "原因".to_owned();
    let value = RegisterValue::Reason(TextRow { text });
    let register = ingest.put_register(row, 1, value).await.unwrap();
    let hold = docket_base::ids::HoldId::fresh(&*instance.clock, &*instance.random);
    let by = docket_catalog::ActorRef::new(docket_catalog::ActorKind::System, "");
    let mut change = ingest.catalog.change().await.unwrap();
    change
        .place_hold(hold, sealed, "原因", (instance.clock.now(), &by))
        .await
        .unwrap();
    let body = kinds::HoldPlaced {
        hold,
        recording: Some(sealed),
        case: None,
        until_at: None,
        reason: register.clone(),
    };
    let event = ingest
        .event(
            Actor::System,
            Some(instance.unit),
            Subject::recording(sealed),
            body,
        )
        .unwrap();
    ingest.commit(change, &[event]).await.unwrap();
    assert_eq!(instance.check().await.what(), []);

    let path = instance.file(&format!("log/{}", register.path()));
    flip(&path, 20);
    let changed = instance.check().await;
    assert_eq!(changed.what(), [(Finding::FileChanged, register.path())]);
    std::fs::remove_file(&path).unwrap();
    let gone = instance.check().await;
    assert_eq!(gone.what(), [(Finding::FileMissing, register.path())]);

    let erased = kinds::RegisterErased {
        register,
        reason: kinds::ErasedReason::Lawful,
    };
    let event = ingest
        .event(Actor::System, None, Subject::default(), erased)
        .unwrap();
    let change = ingest.catalog.change().await.unwrap();
    ingest.commit(change, &[event]).await.unwrap();
    assert_eq!(instance.check().await.what(), []);
}
