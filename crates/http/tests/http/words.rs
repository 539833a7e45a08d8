//! The console has words, in both languages, for whatever the daemon may say.

use std::path::Path;

use docket_http::problem::KINDS;
use docket_ingest::growing::reason;
use docket_ledger::Event;
use docket_playback::ReasonCode;

fn assert_worded(keys: &[String]) {
    let catalogs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../console/src/i18n");
    for language in ["zh.ts", "en.ts"] {
        let catalog = std::fs::read_to_string(catalogs.join(language)).expect("a catalog");
        let missing: Vec<&String> = keys
            .iter()
            .filter(|key| !catalog.contains(&format!("'{key}': '")))
            .collect();
        assert!(missing.is_empty(), "{language} lacks {missing:?}");
    }
}

#[test]
fn why_something_does_not_play() {
    let codes = ReasonCode::ALL.iter().map(|code| {
        let word = serde_json::to_value(code).expect("serialises");
        word.as_str().expect("a word").to_owned()
    });
    let arriving = reason::ALL.iter().map(|word| (*word).to_owned());
    let keys: Vec<String> = codes
        .chain(arriving)
        .map(|word| format!("reason.{word}"))
        .collect();
    assert!(keys.len() > 20);
    assert_worded(&keys);
}

#[test]
fn what_went_wrong() {
    let keys: Vec<String> = KINDS
        .iter()
        .map(|kind| format!("problem.{}", kind.slug()))
        .collect();
    assert_worded(&keys);
}

#[test]
fn what_stands_in_a_recording_s_custody() {
    let about = [
        "recording.",
        "viewing.",
        "link.",
        "hold.",
        "clip.",
        "marker.",
    ];
    let keys: Vec<String> = Event::KINDS
        .iter()
        .filter(|kind| about.iter().any(|prefix| kind.starts_with(prefix)))
        .map(|kind| format!("custody.{kind}"))
        .collect();
    assert!(keys.len() > 10);
    assert_worded(&keys);
}
