//! Uploads.

use docket_base::ids::RecordingId;
use docket_base::{Clock, Micros, RunningDigest};
use docket_catalog::{Error, RecordingState, Scope, UploadKind};

use crate::fixture::Fixture;

pub async fn the_offset_moves_once(f: &Fixture) {
    let id = f.create_with_upload(f.district).await;
    let mut running = RunningDigest::new(true);
    running.update(b"0123456789");
    let state = running.midstate();
    let c = &f.catalog;
    f.clock.advance_seconds(1);
    c.advance_upload(id, 0, 10, Some(&state), "{\"a\":1}", f.clock.now())
        .await
        .expect("first");
    let second = c
        .advance_upload(id, 0, 12, Some(&state), "{}", f.clock.now())
        .await;
    assert!(matches!(second, Err(Error::Stale { .. })), "{second:?}");
    let back = c
        .advance_upload(id, 10, 9, Some(&state), "{}", f.clock.now())
        .await;
    assert!(
        matches!(back, Err(Error::Stale { .. })),
        "an offset never goes back"
    );
    let beyond = c
        .advance_upload(id, 10, 1_001, Some(&state), "{}", f.clock.now())
        .await;
    assert!(
        matches!(beyond, Err(Error::Stale { .. })),
        "an offset never passes the length"
    );

    let upload = c.upload(id).await.expect("load").expect("exists");
    assert_eq!(
        (upload.offset_bytes, upload.length_bytes),
        (10, Some(1_000))
    );
    assert_eq!(upload.midstate(), Some(state));
    assert_eq!(upload.assembly_state, "{\"a\":1}");
    assert_eq!(upload.updated_at, f.clock.now());
    let view = c.recording_view(id).await.expect("view").expect("exists");
    assert_eq!(
        (view.recording.received_bytes, view.recording.state),
        (10, RecordingState::Receiving)
    );
    let progress = c
        .upload_progress(&Scope::subtree(f.city), Micros(0), 10)
        .await
        .expect("progress");
    assert_eq!(
        progress
            .iter()
            .map(|p| (p.id, p.offset_bytes))
            .collect::<Vec<_>>(),
        [(id, 10)]
    );
    assert!(
        c.upload_progress(&Scope::subtree(f.other_city), Micros(0), 10)
            .await
            .expect("progress")
            .is_empty()
    );
}

pub async fn a_deferred_length_is_set_once(f: &Fixture) {
    let new = f.new_recording(f.district, "a.mp4");
    let new = docket_catalog::NewRecording {
        size_bytes: None,
        ..new
    };
    let mut change = f.catalog.change().await.expect("change");
    change.insert_recording(&new).await.expect("insert");
    let mut upload = f.new_upload(new.id, UploadKind::Whole);
    upload.length_bytes = None;
    change.insert_upload(&upload).await.expect("upload");
    f.commit(change, Some(new.id)).await;
    let c = &f.catalog;
    c.advance_upload(new.id, 0, 50, None, "{}", f.clock.now())
        .await
        .expect("advance");
    assert!(matches!(
        c.set_upload_length(new.id, 49).await,
        Err(Error::Stale { .. })
    ));
    c.set_upload_length(new.id, 70).await.expect("first");
    c.set_upload_length(new.id, 70)
        .await
        .expect("the same again");
    assert!(matches!(
        c.set_upload_length(new.id, 71).await,
        Err(Error::Stale { .. })
    ));
    assert_eq!(
        c.recording(new.id)
            .await
            .expect("load")
            .expect("exists")
            .size_bytes,
        Some(70)
    );
}

pub async fn uploads_expire_and_are_listed(f: &Fixture) {
    let first = f.create_with_upload(f.district).await;
    f.clock.advance_seconds(60);
    let second = f.create_with_upload(f.district).await;
    let ids =
        |uploads: Vec<docket_catalog::Upload>| uploads.iter().map(|u| u.id).collect::<Vec<_>>();
    let c = &f.catalog;
    assert!(
        c.expired_uploads(f.clock.now(), 10)
            .await
            .expect("list")
            .is_empty()
    );
    f.clock.advance_seconds(40);
    assert_eq!(
        ids(c.expired_uploads(f.clock.now(), 10).await.expect("list")),
        [first]
    );
    assert_eq!(
        ids(c.open_uploads(None, 10).await.expect("list")),
        [first, second]
    );
    assert_eq!(
        ids(c.open_uploads(Some(first), 10).await.expect("list")),
        [second]
    );
    let unfinished = c.unfinished(None, 10).await.expect("list");
    assert_eq!(
        unfinished.iter().map(|r| r.id).collect::<Vec<_>>(),
        [first, second]
    );
}

pub async fn partial_uploads_are_no_recordings(f: &Fixture) {
    let part = |n: u8| RecordingId::from_bytes([n; 16]);
    let c = &f.catalog;
    for n in [1, 2] {
        c.insert_partial_upload(&f.new_upload(part(n), UploadKind::Partial))
            .await
            .expect("partial");
        assert_eq!(c.recording(part(n)).await.expect("load"), None);
    }
    let new = f.new_recording(f.district, "joined.mp4");
    let mut upload = f.new_upload(new.id, UploadKind::Final);
    upload.parts = vec![part(2), part(1)];
    assert!(matches!(
        c.insert_partial_upload(&upload).await,
        Err(Error::Refused(_))
    ));
    let mut change = c.change().await.expect("change");
    change.insert_recording(&new).await.expect("insert");
    change.insert_upload(&upload).await.expect("upload");
    f.commit(change, Some(new.id)).await;
    assert_eq!(
        c.upload_parts(new.id).await.expect("parts"),
        [part(2), part(1)]
    );
    assert!(c.part_is_needed(part(1)).await.expect("needed"));
    assert!(matches!(
        c.delete_partial_upload(new.id).await,
        Err(Error::Refused(_))
    ));

    let mut change = c.change().await.expect("change");
    change.delete_upload(new.id).await.expect("delete");
    f.commit(change, Some(new.id)).await;
    assert!(!c.part_is_needed(part(1)).await.expect("needed"));
    c.delete_partial_upload(part(1)).await.expect("delete");
    assert_eq!(c.upload(part(1)).await.expect("load"), None);
}

pub async fn an_uncommitted_change_never_happened(f: &Fixture) {
    let new = f.new_recording(f.district, "gone.mp4");
    let mut change = f.catalog.change().await.expect("change");
    change.insert_recording(&new).await.expect("insert");
    drop(change);
    assert_eq!(f.catalog.recording(new.id).await.expect("load"), None);
    let page = f
        .catalog
        .recordings(&Default::default(), &Scope::Everything, None, 10)
        .await
        .expect("page");
    assert!(page.items.is_empty());
}
