//! Recordings: their states, what people say about them, corrections.

use docket_base::ids::{RecordingId, RegisterId};
use docket_base::{Clock, Micros};
use docket_catalog::{
    CorrectionField, Error, Filter, Playback, PlaybackState, RecordingState, Scope, Seal,
    UploadKind,
};

use crate::fixture::Fixture;

pub async fn a_recording_goes_its_way(f: &Fixture) {
    let c = &f.catalog;
    let id = f.create_with_upload(f.district).await;
    c.begin_sealing(id).await.expect("sealing");
    c.begin_sealing(id).await.expect("again, after a crash");
    f.clock.advance_seconds(1);
    let seal = f.seal(b"content", "originals/x/original");
    let mut change = c.change().await.expect("change");
    change.seal(id, &seal).await.expect("seal");
    change.delete_upload(id).await.expect("delete");
    f.commit(change, Some(id)).await;
    assert_eq!(c.unverified(None, 10).await.expect("list").len(), 1);
    let mut change = c.change().await.expect("change");
    change
        .set_verified(id, f.clock.now())
        .await
        .expect("verify");
    f.commit(change, Some(id)).await;
    let playback = Playback {
        state: PlaybackState::Ready,
        reason: None,
        duration_ms: Some(5),
        width: Some(1920),
        height: Some(1080),
        made_video: None,
        made_audio: Some("pcm_mulaw".to_owned()),
    };
    c.set_playback(id, &playback).await.expect("playback");

    let view = c.recording_view(id).await.expect("view").expect("exists");
    let row = &view.recording;
    assert_eq!(
        (row.state, row.size_bytes, row.received_bytes),
        (RecordingState::Sealed, Some(7), 7)
    );
    assert_eq!(
        (row.sha256, row.sealed_at, row.verified_at),
        (Some(seal.digests.sha256), Some(seal.at), Some(seal.at))
    );
    assert_eq!(
        (row.duration_ms, row.width, row.playback_state),
        (Some(5), Some(1920), PlaybackState::Ready)
    );
    assert_eq!((view.unit_name.as_str(), row.version), ("南明区", 5));
    assert_eq!(c.upload(id).await.expect("load"), None);
    assert!(c.unverified(None, 10).await.expect("list").is_empty());
    assert!(c.unfinished(None, 10).await.expect("list").is_empty());

    let mut change = c.change().await.expect("change");
    change
        .mark_deleted(id, f.clock.now())
        .await
        .expect("delete");
    f.commit(change, Some(id)).await;
    assert_eq!(
        c.recording(id).await.expect("load").map(|r| r.state),
        Some(RecordingState::Deleted)
    );
}

pub async fn what_is_closed_stays_closed(f: &Fixture) {
    let c = &f.catalog;
    let id = f.create_with_upload(f.district).await;
    let seal = f.seal(b"x", "k");
    let mut change = c.change().await.expect("change");
    let open = Seal {
        state: RecordingState::Sealing,
        ..seal.clone()
    };
    assert!(matches!(
        change.seal(id, &open).await,
        Err(Error::Refused(_))
    ));
    assert!(matches!(
        change.set_verified(id, seal.at).await,
        Err(Error::Stale { .. })
    ));
    change
        .seal(
            id,
            &Seal {
                state: RecordingState::Quarantined,
                ..seal.clone()
            },
        )
        .await
        .expect("seal");
    assert!(matches!(
        change.seal(id, &seal).await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, Some(id)).await;
    assert!(matches!(
        c.begin_sealing(id).await,
        Err(Error::Stale { .. })
    ));
    let other = f.create_with_upload(f.district).await;
    let mut change = c.change().await.expect("change");
    assert!(
        matches!(change.seal(other, &seal).await, Err(Error::Taken(_))),
        "a place in the vault is one recording's"
    );
}

pub async fn duplicates_are_found_within_the_unit(f: &Fixture) {
    let c = &f.catalog;
    let first = f.create_with_upload(f.district).await;
    let seal = f.seal(b"same", "k1");
    let mut change = c.change().await.expect("change");
    change.seal(first, &seal).await.expect("seal");
    f.commit(change, Some(first)).await;
    let (sha256, size) = (seal.digests.sha256, seal.size_bytes);
    let found = c
        .sealed_with_content(f.district, sha256, size)
        .await
        .expect("find");
    assert_eq!(found.map(|r| r.id), Some(first));
    assert_eq!(
        c.sealed_with_content(f.city, sha256, size)
            .await
            .expect("find"),
        None
    );
    assert_eq!(
        c.sealed_with_content(f.district, sha256, size + 1)
            .await
            .expect("find"),
        None
    );

    let second = f.create_with_upload(f.district).await;
    let mut change = c.change().await.expect("change");
    let twin = change
        .sealed_with_content(f.district, sha256, size)
        .await
        .expect("find")
        .map(|r| r.id);
    let seal = Seal {
        duplicate_of: twin,
        vault_key: Some("k2".to_owned()),
        ..seal
    };
    change.seal(second, &seal).await.expect("seal");
    f.commit(change, Some(second)).await;
    let found = c
        .sealed_with_content(f.district, sha256, size)
        .await
        .expect("find");
    assert_eq!(
        found.map(|r| r.id),
        Some(first),
        "a duplicate is never another's original"
    );
}

pub async fn describing_checks_the_version(f: &Fixture) {
    let c = &f.catalog;
    let id = f.create(&f.new_recording(f.district, "a.mp4")).await;
    let mut change = c.change().await.expect("change");
    let tags = vec!["现场检查".to_owned()];
    let row = change
        .describe(id, Some(1), Some("在诊所"), Some(&tags))
        .await
        .expect("describe");
    assert_eq!(
        (row.version, row.notes.as_str(), &row.tags),
        (2, "在诊所", &tags)
    );
    assert!(matches!(
        change.describe(id, Some(1), None, None).await,
        Err(Error::Stale { .. })
    ));
    let row = change
        .describe(id, None, Some(""), None)
        .await
        .expect("describe");
    assert_eq!((row.notes.as_str(), &row.tags), ("", &tags));
    let nothing = RecordingId::from_bytes([0; 16]);
    assert!(matches!(
        change.describe(nothing, None, None, None).await,
        Err(Error::Missing { .. })
    ));
    f.commit(change, Some(id)).await;
}

pub async fn corrections_are_appended(f: &Fixture) {
    let c = &f.catalog;
    let device = Micros::parse_rfc3339("2000-01-01T00:00:00Z").expect("time");
    let mut new = f.new_recording(f.district, "a.mp4");
    new.recorded_at = Some(device);
    let id = f.create(&new).await;
    let mut change = c.change().await.expect("change");
    let by = f.actor();
    let mut made = Vec::new();
    for value in [
        Some("2026-11-23T01:00:00Z"),
        Some("2026-11-23T02:00:00Z"),
        None,
    ] {
        let key = RegisterId::fresh(&f.clock, &f.random);
        let what = (CorrectionField::RecordedAt, value);
        made.push(
            change
                .correct(key, id, what, "clock was off", (f.clock.now(), &by))
                .await
                .expect("correct"),
        );
        f.clock.advance_seconds(1);
    }
    let key = RegisterId::fresh(&f.clock, &f.random);
    let city = f.city.to_string();
    let what = (CorrectionField::Unit, Some(city.as_str()));
    made.push(
        change
            .correct(key, id, what, "wrong unit", (f.clock.now(), &by))
            .await
            .expect("correct"),
    );
    for (field, value) in [
        (CorrectionField::Unit, None),
        (CorrectionField::Kind, Some("opera")),
        (CorrectionField::RecordedAt, Some("yesterday")),
        (CorrectionField::Officer, Some("x")),
    ] {
        let key = RegisterId::fresh(&f.clock, &f.random);
        let bad = change
            .correct(key, id, (field, value), "", (f.clock.now(), &by))
            .await;
        assert!(matches!(bad, Err(Error::Refused(_))), "{field}: {bad:?}");
    }
    f.commit(change, Some(id)).await;
    assert_eq!(c.corrections(id).await.expect("list"), made);
    assert_eq!(made[1].predecessor_id, Some(made[0].id));
    assert_eq!(
        made[1].old_value.as_deref(),
        Some("2026-11-23T01:00:00.000000Z")
    );
    assert_eq!(made[3].predecessor_id, None);
    let row = c.recording(id).await.expect("load").expect("exists");
    assert_eq!(
        (row.recorded_at, row.corrected_recorded_at, row.unit_id),
        (Some(device), None, f.city)
    );
    let filter = Filter {
        until: Some(device.plus_seconds(1)),
        unit: Some(f.city),
        ..Filter::default()
    };
    let page = c
        .recordings(&filter, &Scope::Everything, None, 10)
        .await
        .expect("page");
    assert_eq!(
        page.items.len(),
        1,
        "back at the device's time, in the other unit"
    );
}

pub async fn only_what_is_empty_is_withdrawn(f: &Fixture) {
    let c = &f.catalog;
    let (empty, begun) = (
        f.create_with_upload(f.district).await,
        f.create_with_upload(f.district).await,
    );
    let now = f.clock.now();
    c.advance_upload(begun, 0, 1, None, "{}", now)
        .await
        .expect("advance");
    let joined = f.new_recording(f.district, "joined.mp4");
    let mut upload = f.new_upload(joined.id, UploadKind::Final);
    upload.parts = vec![empty];
    let mut change = c.change().await.expect("change");
    change.insert_recording(&joined).await.expect("insert");
    change.insert_upload(&upload).await.expect("upload");
    change
        .mark_deleted(empty, now)
        .await
        .expect("nothing was acknowledged");
    for id in [begun, joined.id, empty] {
        assert!(
            matches!(change.mark_deleted(id, now).await, Err(Error::Stale { .. })),
            "{id}"
        );
    }
    f.commit(change, Some(empty)).await;
    assert_eq!(
        c.recording(empty).await.expect("load").map(|r| r.state),
        Some(RecordingState::Deleted)
    );
    assert_eq!(
        c.recording(begun).await.expect("load").map(|r| r.state),
        Some(RecordingState::Receiving)
    );
}
