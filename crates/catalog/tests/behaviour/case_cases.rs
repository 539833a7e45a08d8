//! Cases, links, holds, dockings.

use docket_base::Clock;
use docket_base::ids::{
    CaseId, DockingFileId, DockingId, HoldId, LinkId, RecordingId, StationId, UnitId,
};
use docket_catalog::{
    Case, CaseState, Docking, DockingFile, Error, Filter, Link, LinkOutcome, LinkState,
    RecordingState, Scope, Station,
};

use crate::fixture::Fixture;

fn case(f: &Fixture, unit_id: UnitId, number: &str) -> Case {
    Case {
        id: CaseId::fresh(&f.clock, &f.random),
        unit_id,
        number: number.to_owned(),
        title: "某诊所无证行医案".to_owned(),
        state: CaseState::Open,
        version: 1,
        created_at: f.clock.now(),
    }
}

fn link(f: &Fixture, case_id: CaseId, recording_id: RecordingId, state: LinkState) -> Link {
    let by = f.actor();
    Link {
        id: LinkId::fresh(&f.clock, &f.random),
        case_id,
        recording_id,
        state,
        note: String::new(),
        linked_at: f.clock.now(),
        by_kind: by.kind,
        by_id: by.id,
    }
}

pub async fn a_number_is_unique_within_its_unit(f: &Fixture) {
    let c = &f.catalog;
    let first = case(f, f.district, "贵卫医罚〔2026〕12号");
    let mut change = c.change().await.expect("change");
    change.add_case(&first).await.expect("add");
    f.clock.advance_seconds(1);
    let elsewhere = case(f, f.other_city, "贵卫医罚[2026]12号");
    change.add_case(&elsewhere).await.expect("another unit's");
    assert!(matches!(
        change.add_case(&case(f, f.district, " ")).await,
        Err(Error::Refused(_))
    ));
    f.commit(change, None).await;
    let mut change = c.change().await.expect("change");
    let twin = case(f, f.district, "贵卫医罚（２０２６）12号");
    assert!(matches!(change.add_case(&twin).await, Err(Error::Taken(_))));
    drop(change);
    let found = c
        .case_by_number(f.district, "贵卫医罚(2026)12号")
        .await
        .expect("find")
        .expect("exists");
    assert_eq!(
        (found.id, found.number.as_str()),
        (first.id, "贵卫医罚〔2026〕12号"),
        "stored as given"
    );
    let listed = async |question: Option<&str>, scope: &Scope| {
        let page = c.cases(question, scope, None, 10).await.expect("page");
        page.items
            .into_iter()
            .map(|case| case.row.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        listed(None, &Scope::Everything).await,
        [elsewhere.id, first.id]
    );
    assert_eq!(
        listed(Some("［2026］12"), &Scope::subtree(f.city)).await,
        [first.id]
    );
    assert_eq!(listed(Some("无证"), &Scope::Everything).await.len(), 2);
    assert!(listed(Some("13号"), &Scope::Everything).await.is_empty());
    let mut change = c.change().await.expect("change");
    assert_eq!(
        change
            .case_by_number(f.district, &first.number)
            .await
            .expect("find"),
        Some(first.clone())
    );
    let closed = change
        .update_case(&Case {
            state: CaseState::Closed,
            ..first.clone()
        })
        .await
        .expect("close");
    assert!(matches!(
        change.update_case(&first).await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, None).await;
    assert_eq!(
        c.case(first.id).await.expect("load").map(|c| c.row),
        Some(closed)
    );
    let page = c
        .cases(None, &Scope::Everything, None, 1)
        .await
        .expect("page");
    let rest = c
        .cases(None, &Scope::Everything, page.next.as_ref(), 1)
        .await
        .expect("page");
    assert_eq!((rest.items[0].row.id, rest.next), (first.id, None));
}

pub async fn links_are_idempotent(f: &Fixture) {
    let c = &f.catalog;
    let recording = f.create(&f.new_recording(f.district, "a.mp4")).await;
    let case = case(f, f.district, "1号");
    let mut change = c.change().await.expect("change");
    change.add_case(&case).await.expect("add");
    let proposed = link(f, case.id, recording, LinkState::Proposed);
    assert_eq!(
        change.link(&proposed).await.expect("propose"),
        LinkOutcome::Created
    );
    assert_eq!(
        change
            .link(&link(f, case.id, recording, LinkState::Proposed))
            .await
            .expect("again"),
        LinkOutcome::Unchanged
    );
    let firm = link(f, case.id, recording, LinkState::Linked);
    assert_eq!(
        change.link(&firm).await.expect("confirm"),
        LinkOutcome::Confirmed
    );
    assert_eq!(
        change.link(&firm).await.expect("again"),
        LinkOutcome::Unchanged
    );
    assert_eq!(
        change.link(&proposed).await.expect("weaker"),
        LinkOutcome::Unchanged
    );
    f.commit(change, Some(recording)).await;
    let stored = c
        .link(case.id, recording)
        .await
        .expect("load")
        .expect("exists");
    assert_eq!(
        (stored.id, stored.state),
        (proposed.id, LinkState::Linked),
        "a link keeps its id"
    );
    assert_eq!(
        c.evidence(case.id).await.expect("list"),
        std::slice::from_ref(&stored)
    );
    let view = c
        .recording_view(recording)
        .await
        .expect("view")
        .expect("exists");
    assert_eq!(
        view.cases
            .iter()
            .map(|c| (c.number.as_str(), c.state))
            .collect::<Vec<_>>(),
        [("1号", LinkState::Linked)]
    );
    let filter = Filter {
        case: Some(case.id),
        ..Filter::default()
    };
    assert_eq!(
        c.recordings(&filter, &Scope::Everything, None, 10)
            .await
            .expect("page")
            .items,
        std::slice::from_ref(&view)
    );

    let mut change = c.change().await.expect("change");
    assert_eq!(
        change.unlink(case.id, recording).await.expect("unlink"),
        Some(stored)
    );
    assert_eq!(
        change.unlink(case.id, recording).await.expect("again"),
        None
    );
    f.commit(change, Some(recording)).await;
    assert!(
        c.recordings(&filter, &Scope::Everything, None, 10)
            .await
            .expect("page")
            .items
            .is_empty()
    );
    assert_eq!(
        c.recording(recording)
            .await
            .expect("load")
            .map(|r| r.version),
        Some(view.recording.version + 1)
    );
    let mut change = c.change().await.expect("change");
    let nowhere = link(
        f,
        CaseId::fresh(&f.clock, &f.random),
        recording,
        LinkState::Linked,
    );
    assert!(change.link(&nowhere).await.is_err());
}

pub async fn a_held_recording_is_not_deleted(f: &Fixture) {
    let c = &f.catalog;
    let id = f.create_with_upload(f.district).await;
    let mut change = c.change().await.expect("change");
    change.seal(id, &f.seal(b"x", "k")).await.expect("seal");
    let one = HoldId::fresh(&f.clock, &f.random);
    f.clock.advance_seconds(1);
    let two = HoldId::fresh(&f.clock, &f.random);
    let now = (f.clock.now(), &f.actor());
    change
        .place_hold(one, id, "复议", now)
        .await
        .expect("place");
    change
        .place_hold(two, id, "诉讼", now)
        .await
        .expect("place");
    assert!(matches!(
        change.mark_deleted(id, now.0).await,
        Err(Error::Stale { .. })
    ));
    change.lift_hold(one, "结束", now).await.expect("lift");
    assert!(matches!(
        change.lift_hold(one, "", now).await,
        Err(Error::Stale { .. })
    ));
    assert!(
        matches!(
            change.mark_deleted(id, now.0).await,
            Err(Error::Stale { .. })
        ),
        "the other still stands"
    );
    let lifted = change.lift_hold(two, "结束", now).await.expect("lift");
    assert_eq!(
        (lifted.recording_id, lifted.lifted_reason.as_deref()),
        (id, Some("结束"))
    );
    change.mark_deleted(id, now.0).await.expect("delete");
    let nothing = RecordingId::from_bytes([0; 16]);
    assert!(matches!(
        change.place_hold(one, nothing, "", now).await,
        Err(Error::Missing { .. })
    ));
    f.commit(change, Some(id)).await;
    assert_eq!(
        c.holds(id)
            .await
            .expect("list")
            .iter()
            .map(|h| h.id)
            .collect::<Vec<_>>(),
        [one, two]
    );
    let row = c.recording(id).await.expect("load").expect("exists");
    assert_eq!((row.held, row.state), (false, RecordingState::Deleted));
}

pub async fn what_never_arrived_is_known(f: &Fixture) {
    let c = &f.catalog;
    let now = f.clock.now();
    let station = Station {
        id: StationId::fresh(&f.clock, &f.random),
        name: "一楼".to_owned(),
        unit_id: f.district,
        token_id: None,
        software_version: String::new(),
        status: "[]".to_owned(),
        last_seen_at: None,
        version: 1,
        created_at: now,
    };
    let docking = Docking {
        id: DockingId::fresh(&f.clock, &f.random),
        station_id: station.id,
        unit_id: f.district,
        bay: "1".to_owned(),
        recorder_id: None,
        recorder_serial: "A-1".to_owned(),
        recorder_clock_offset_ms: Some(-1_500),
        started_at: now,
        finished_at: None,
        outcome: None,
        created_at: now,
    };
    let file = |path: &str| DockingFile {
        id: DockingFileId::fresh(&f.clock, &f.random),
        docking_id: docking.id,
        path: path.to_owned(),
        size_bytes: 5,
        modified_at: Some(now),
        recording_id: None,
    };
    let files = [file("DCIM/甲.mp4"), file("DCIM/乙.mp4")];
    let mut change = c.change().await.expect("change");
    change.add_station(&station).await.expect("station");
    change.add_docking(&docking, &files).await.expect("docking");
    let mut new = f.new_recording(f.district, "甲.mp4");
    (new.docking_id, new.station_id) = (Some(docking.id), Some(station.id));
    change.insert_recording(&new).await.expect("insert");
    assert!(
        change
            .docking_file_arrives(docking.id, "DCIM/甲.mp4", new.id)
            .await
            .expect("arrives")
    );
    assert!(
        !change
            .docking_file_arrives(docking.id, "elsewhere", new.id)
            .await
            .expect("not listed")
    );
    f.commit(change, None).await;
    let mut beside = f.new_recording(f.district, "丁.mp4");
    (beside.docking_id, beside.station_id) = (Some(docking.id), Some(station.id));
    beside.device_path = Some("DCIM/丁.mp4".to_owned());
    let mut change = c.change().await.expect("change");
    change.insert_recording(&beside).await.expect("insert");
    f.commit(change, None).await;
    let paths = ["DCIM/丁.mp4", "DCIM/丁.srt"].map(str::to_owned);
    let found = async || {
        let found = c
            .recordings_beside(docking.id, &paths)
            .await
            .expect("beside");
        found.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert!(found().await.is_empty(), "it is still arriving");
    let mut change = c.change().await.expect("change");
    let sealed = f.seal(b"beside", "sealed/beside");
    change.seal(beside.id, &sealed).await.expect("seal");
    f.commit(change, None).await;
    assert_eq!(found().await, [beside.id]);
    let wanted = async || {
        let wanted = c.wanted_first(station.id, 10).await.expect("wanted");
        let path = |file: docket_catalog::WantedFile| file.path;
        wanted.into_iter().map(path).collect::<Vec<_>>()
    };
    assert!(wanted().await.is_empty());
    for (path, at, listed) in [
        ("DCIM/甲.mp4", 1, true),
        ("DCIM/乙.mp4", 2, true),
        ("DCIM/丙.mp4", 3, false),
    ] {
        let found = c.want_first(docking.id, path, now.plus_seconds(at)).await;
        assert_eq!(found.expect("wanted"), listed, "{path}");
    }
    assert_eq!(
        wanted().await,
        ["DCIM/乙.mp4", "DCIM/甲.mp4"],
        "the last wish first"
    );
    let mut change = c.change().await.expect("change");
    change
        .finish_docking(docking.id, now.plus_seconds(9), "complete")
        .await
        .expect("finish");
    assert!(matches!(
        change.finish_docking(docking.id, now, "").await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, None).await;
    assert!(wanted().await.is_empty(), "the recorder is gone");
    let listed = c.docking_files(docking.id).await.expect("files");
    let arrived = listed
        .iter()
        .find(|file| file.path == "DCIM/甲.mp4")
        .expect("listed");
    assert_eq!(
        (arrived.recording_id, arrived.recording_state),
        (Some(new.id), Some(RecordingState::Receiving))
    );
    let missing = async |scope: &Scope| {
        c.missing_files(scope, now, now.plus_seconds(1), 10)
            .await
            .expect("missing")
    };
    assert_eq!(missing(&Scope::subtree(f.city)).await, [files[1].clone()]);
    assert!(missing(&Scope::subtree(f.other_city)).await.is_empty());
    let stored = c.docking(docking.id).await.expect("load").expect("exists");
    assert_eq!(
        (stored.outcome.as_deref(), stored.recorder_clock_offset_ms),
        (Some("complete"), Some(-1_500))
    );
    let page = c
        .dockings(Some(station.id), &Scope::subtree(f.city), None, 10)
        .await
        .expect("page");
    assert_eq!(page.items, [stored]);
    let view = c
        .recording_view(new.id)
        .await
        .expect("view")
        .expect("exists");
    assert_eq!(view.station_name.as_deref(), Some("一楼"));
}
