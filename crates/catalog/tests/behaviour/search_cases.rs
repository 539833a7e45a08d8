//! Listings.

use std::collections::BTreeSet;

use docket_base::ids::{RecordingId, UnitId};
use docket_base::{Clock, Micros};
use docket_catalog::{Cursor, Filter, RecordingKind, RecordingState, Scope};

use crate::fixture::Fixture;

async fn listed(f: &Fixture, filter: &Filter) -> Vec<RecordingId> {
    let page = f
        .catalog
        .recordings(filter, &Scope::Everything, None, 200)
        .await
        .expect("page");
    page.items.iter().map(|view| view.recording.id).collect()
}

fn text(question: &str) -> Filter {
    Filter {
        text: Some(question.to_owned()),
        ..Filter::default()
    }
}

pub async fn chinese_and_latin_are_found(f: &Fixture) {
    let mut first = f.new_recording(f.district, "李伟_VID20261123.MP4");
    first.notes = "南明区诊所 无证行医".to_owned();
    let first = f.create(&first).await;
    f.clock.advance_seconds(1);
    let second = f
        .create(&f.new_recording(f.district, "王伟 vid20261124.mp4"))
        .await;
    for (question, found) in [
        ("李", vec![first]),
        ("伟", vec![second, first]),
        ("李伟", vec![first]),
        ("诊所", vec![first]),
        ("无证行医", vec![first]),
        ("所无", vec![]),
        ("vid 2026112", vec![second, first]),
        ("20261124", vec![second]),
        ("李 mp4", vec![first]),
        ("张", vec![]),
    ] {
        assert_eq!(listed(f, &text(question)).await, found, "{question}");
    }
    let mut change = f.catalog.change().await.expect("change");
    change
        .describe(second, None, Some("已复核"), None)
        .await
        .expect("describe");
    change
        .describe(first, None, Some(""), None)
        .await
        .expect("describe");
    f.commit(change, Some(second)).await;
    assert_eq!(
        listed(f, &text("复核")).await,
        [second],
        "found by what was written since"
    );
    assert!(
        listed(f, &text("诊所")).await.is_empty(),
        "not found by what was taken back"
    );
}

pub async fn filters_narrow(f: &Fixture) {
    let at = |text| Micros::parse_rfc3339(text).expect("time");
    let mut new = f.new_recording(f.district, "a.mp4");
    new.recorded_at = Some(at("2026-01-02T00:00:00Z"));
    new.tags = vec!["Night 夜".to_owned()];
    new.marks = vec!["key".to_owned()];
    let night = f.create(&new).await;
    let mut new = f.new_recording(f.other_city, "b.jpg");
    new.kind = RecordingKind::Photo;
    let photo = f.create(&new).await;
    for (filter, found) in [
        (Filter::default(), vec![photo, night]),
        (
            Filter {
                from: Some(at("2026-01-02T00:00:00Z")),
                until: Some(at("2026-01-02T00:00:01Z")),
                ..Filter::default()
            },
            vec![night],
        ),
        (
            Filter {
                until: Some(at("2026-01-02T00:00:00Z")),
                ..Filter::default()
            },
            vec![],
        ),
        (
            Filter {
                tags: vec!["night 夜".to_owned()],
                ..Filter::default()
            },
            vec![night],
        ),
        (
            Filter {
                tags: vec!["night".to_owned()],
                ..Filter::default()
            },
            vec![],
        ),
        (
            Filter {
                marks: vec!["key".to_owned()],
                ..Filter::default()
            },
            vec![night],
        ),
        (
            Filter {
                kinds: vec![RecordingKind::Photo, RecordingKind::Audio],
                ..Filter::default()
            },
            vec![photo],
        ),
        (
            Filter {
                unit: Some(f.city),
                ..Filter::default()
            },
            vec![night],
        ),
        (
            Filter {
                states: vec![RecordingState::Receiving],
                ..Filter::default()
            },
            vec![photo, night],
        ),
        (
            Filter {
                states: vec![RecordingState::Sealed, RecordingState::Incomplete],
                ..Filter::default()
            },
            vec![],
        ),
    ] {
        assert_eq!(listed(f, &filter).await, found, "{filter:?}");
    }
    f.catalog.begin_sealing(photo).await.expect("sealing");
    let sealing = Filter {
        states: vec![RecordingState::Sealing],
        ..Filter::default()
    };
    assert_eq!(listed(f, &sealing).await, [photo]);
}

pub async fn scope_is_the_subtree(f: &Fixture) {
    let district = f.create(&f.new_recording(f.district, "甲.mp4")).await;
    f.clock.advance_seconds(1);
    let other = f.create(&f.new_recording(f.other_city, "乙.mp4")).await;
    let seen = async |roots: Vec<UnitId>, filter: Filter| {
        let page = f
            .catalog
            .recordings(&filter, &Scope::Subtrees(roots), None, 10)
            .await
            .expect("page");
        page.items
            .iter()
            .map(|view| view.recording.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        seen(vec![f.province], Filter::default()).await,
        [other, district]
    );
    assert_eq!(seen(vec![f.city], Filter::default()).await, [district]);
    assert_eq!(
        seen(vec![f.city, f.other_city], text("mp4")).await,
        [other, district]
    );
    assert!(seen(vec![f.city], text("乙")).await.is_empty());
    assert!(
        seen(
            vec![f.city],
            Filter {
                unit: Some(f.other_city),
                ..Filter::default()
            }
        )
        .await
        .is_empty()
    );
    assert!(seen(vec![], Filter::default()).await.is_empty());
}

/// New recordings arrive between the pages, at both ends and amid equal times.
pub async fn pages_neither_skip_nor_repeat(f: &Fixture) {
    let base = f.clock.now();
    let add = async |seconds: i64| {
        let mut new = f.new_recording(f.district, "页.mp4");
        new.recorded_at = Some(base.plus_seconds(seconds));
        f.create(&new).await
    };
    let mut before = BTreeSet::new();
    for n in 0..40 {
        before.insert(add(n % 5).await); // eight at each time
    }
    for filter in [Filter::default(), text("页")] {
        let mut seen: Vec<RecordingId> = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let page = f
                .catalog
                .recordings(&filter, &Scope::subtree(f.province), cursor.as_ref(), 7)
                .await
                .expect("page");
            seen.extend(page.items.iter().map(|view| view.recording.id));
            add(2).await;
            add(100).await;
            add(-100).await;
            cursor = match page.next {
                Some(next) => Some(next.to_string().parse().expect("own cursor")),
                None => break,
            };
            assert!(seen.len() < 500, "paging does not end");
            if before.iter().all(|id| seen.contains(id)) {
                break;
            }
        }
        let unique: BTreeSet<_> = seen.iter().copied().collect();
        assert_eq!(unique.len(), seen.len(), "nothing twice");
        assert!(before.is_subset(&unique), "nothing skipped");
    }
}

pub async fn hostile_questions_are_harmless(f: &Fixture) {
    f.create(&f.new_recording(f.district, "a\"b' OR 1=1 --.mp4"))
        .await;
    for question in [
        "\"",
        "a\" OR \"b",
        "*",
        "NEAR(",
        "'); DROP TABLE recordings; --",
        "\u{0}",
        "〔〕",
        "",
        "%",
        "tokens:x",
    ] {
        let found = f
            .catalog
            .recordings(&text(question), &Scope::Everything, None, 10)
            .await;
        assert!(found.is_ok(), "{question:?}: {found:?}");
    }
    let long: String = ('\u{4e00}'..'\u{5e00}').collect();
    assert!(listed(f, &text(&long)).await.is_empty());
    let many = (0..1_000).map(|_| UnitId::fresh(&f.clock, &f.random));
    let many = Scope::Subtrees(many.chain([f.district]).collect());
    let page = f.catalog.recordings(&text("mp4"), &many, None, 10).await;
    assert_eq!(page.expect("page").items.len(), 1);
    assert_eq!(listed(f, &text("mp4")).await.len(), 1);
    let forged: Cursor = "zz".parse().expect("well-formed");
    assert!(
        f.catalog
            .recordings(&Filter::default(), &Scope::Everything, Some(&forged), 10)
            .await
            .is_err()
    );
    assert!("a'b".parse::<Cursor>().is_err());
}
