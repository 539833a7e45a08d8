//! Officers, recorders and assignments, stations, retention rules, imports.

use docket_base::ids::{AssignmentId, OfficerId, RecorderId, RuleId, StationId, TokenId};
use docket_base::{Clock, Micros, Sha256Digest};
use docket_catalog::{
    Assignment, Error, Filter, Officer, Recorder, RegisterKind, RetentionRule, Scope, Station,
    Token,
};

use crate::fixture::Fixture;

pub fn officer(f: &Fixture, number: &str, name: &str) -> Officer {
    Officer {
        id: OfficerId::fresh(&f.clock, &f.random),
        name: name.to_owned(),
        certificate_number: number.to_owned(),
        unit_id: f.district,
        category: "卫生".to_owned(),
        area: "南明".to_owned(),
        version: 1,
        created_at: f.clock.now(),
    }
}

pub fn recorder(f: &Fixture, serial: &str) -> Recorder {
    Recorder {
        id: RecorderId::fresh(&f.clock, &f.random),
        serial: serial.to_owned(),
        model: "DSJ-1".to_owned(),
        unit_id: f.district,
        version: 1,
        created_at: f.clock.now(),
    }
}

pub async fn officers_are_kept_and_found(f: &Fixture) {
    let c = &f.catalog;
    let li = officer(f, "52-1", "李伟");
    f.clock.advance_seconds(1);
    let wang = officer(f, "52-2", "王芳");
    let mut change = c.change().await.expect("change");
    change.add_officer(&li).await.expect("add");
    change.add_officer(&wang).await.expect("add");
    f.commit(change, None).await;
    let mut change = c.change().await.expect("change");
    assert!(matches!(
        change.add_officer(&officer(f, "52-1", "twin")).await,
        Err(Error::Taken(_))
    ));
    drop(change);
    let mut change = c.change().await.expect("change");
    let renamed = change
        .update_officer(&Officer {
            name: "李威".to_owned(),
            ..li.clone()
        })
        .await
        .expect("update");
    assert_eq!((renamed.version, renamed.name.as_str()), (2, "李威"));
    assert!(matches!(
        change.update_officer(&li).await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, None).await;
    let scope = Scope::subtree(f.city);
    let found = async |question: Option<&str>| {
        let page = c.officers(question, &scope, None, 10).await.expect("page");
        page.items
            .into_iter()
            .map(|o| o.row.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(found(None).await, ["李威", "王芳"]);
    assert_eq!(found(Some("芳")).await, ["王芳"]);
    assert_eq!(found(Some("52-")).await.len(), 2);
    assert!(
        found(Some("%")).await.is_empty(),
        "a wildcard is a character"
    );
    assert!(
        c.officers(None, &Scope::subtree(f.other_city), None, 10)
            .await
            .expect("page")
            .items
            .is_empty()
    );
    let first = c.officers(None, &scope, None, 1).await.expect("page");
    let second = c
        .officers(None, &scope, first.next.as_ref(), 1)
        .await
        .expect("page");
    assert_eq!(
        (second.items[0].row.id, second.items[0].unit_name.as_str()),
        (wang.id, "南明区")
    );
    assert_eq!(
        c.officer_by_certificate("52-2")
            .await
            .expect("find")
            .map(|o| o.id),
        Some(wang.id)
    );
    assert_eq!(
        c.officer(li.id).await.expect("find").map(|o| o.row),
        Some(renamed)
    );
}

pub async fn assignments_do_not_overlap(f: &Fixture) {
    let c = &f.catalog;
    let (li, wang, device) = (
        officer(f, "1", "李"),
        officer(f, "2", "王"),
        recorder(f, "A-1"),
    );
    let at = |seconds: i64| Micros(0).plus_seconds(seconds);
    let assignment = |officer: &Officer, from: i64, until: Option<i64>| Assignment {
        id: AssignmentId::fresh(&f.clock, &f.random),
        recorder_id: device.id,
        officer_id: officer.id,
        from_at: at(from),
        until_at: until.map(at),
    };
    let mut change = c.change().await.expect("change");
    change.add_officer(&li).await.expect("add");
    change.add_officer(&wang).await.expect("add");
    change.add_recorder(&device).await.expect("add");
    change
        .assign(&assignment(&li, 100, Some(200)))
        .await
        .expect("assign");
    let open = assignment(&wang, 200, None);
    change.assign(&open).await.expect("touching is fine");
    for (from, until) in [
        (150, Some(160)),
        (50, Some(101)),
        (50, None),
        (199, Some(201)),
        (300, Some(400)),
        (90, Some(90)),
    ] {
        let refused = change.assign(&assignment(&li, from, until)).await;
        assert!(
            matches!(refused, Err(Error::Refused(_))),
            "{from} {until:?}"
        );
    }
    change
        .assign(&assignment(&li, 50, Some(100)))
        .await
        .expect("before");
    change
        .end_assignment(open.id, Some(at(250)))
        .await
        .expect("end");
    assert!(matches!(
        change.end_assignment(open.id, Some(at(200))).await,
        Err(Error::Refused(_))
    ));
    f.commit(change, None).await;
    let carrier = async |seconds: i64| {
        c.officer_at(device.id, at(seconds))
            .await
            .expect("find")
            .map(|o| o.id)
    };
    for (seconds, who) in [
        (49, None),
        (50, Some(li.id)),
        (199, Some(li.id)),
        (200, Some(wang.id)),
        (249, Some(wang.id)),
        (250, None),
    ] {
        assert_eq!(carrier(seconds).await, who, "{seconds}");
    }
    let listed = c.assignments(&[device.id]).await.expect("list");
    assert_eq!(
        listed
            .iter()
            .map(|a| a.officer_name.as_str())
            .collect::<Vec<_>>(),
        ["李", "李", "王"]
    );
    assert_eq!(
        c.recorder_by_serial("A-1")
            .await
            .expect("find")
            .map(|r| r.id),
        Some(device.id)
    );
    let mut change = c.change().await.expect("change");
    let moved = change
        .update_recorder(&Recorder {
            unit_id: f.city,
            ..device.clone()
        })
        .await
        .expect("update");
    assert_eq!((moved.version, moved.unit_id), (2, f.city));
    f.commit(change, None).await;
    let listed = c
        .recorders(Some("dsj"), &Scope::subtree(f.city), None, 10)
        .await
        .expect("page");
    assert_eq!(
        listed.items.into_iter().map(|r| r.row).collect::<Vec<_>>(),
        std::slice::from_ref(&moved)
    );
    assert_eq!(
        c.recorder(device.id).await.expect("find").map(|r| r.row),
        Some(moved)
    );
}

pub async fn listings_filter_by_officer_and_recorder(f: &Fixture) {
    let c = &f.catalog;
    let (li, device) = (officer(f, "1", "李"), recorder(f, "A-1"));
    let mut new = f.new_recording(f.district, "a.mp4");
    (new.officer_id, new.recorder_id) = (Some(li.id), Some(device.id));
    let mut change = c.change().await.expect("change");
    change.add_officer(&li).await.expect("add");
    change.add_recorder(&device).await.expect("add");
    change.insert_recording(&new).await.expect("insert");
    f.commit(change, None).await;
    f.create(&f.new_recording(f.district, "b.mp4")).await;
    for filter in [
        Filter {
            officer: Some(li.id),
            ..Filter::default()
        },
        Filter {
            recorder: Some(device.id),
            ..Filter::default()
        },
        Filter {
            officer: Some(li.id),
            recorder: Some(device.id),
            text: Some("a".to_owned()),
            ..Filter::default()
        },
    ] {
        let page = c
            .recordings(&filter, &Scope::Everything, None, 10)
            .await
            .expect("page");
        let view = &page.items;
        assert_eq!(view.len(), 1);
        assert_eq!(
            (
                view[0].officer_name.as_deref(),
                view[0].recorder_serial.as_deref()
            ),
            (Some("李"), Some("A-1"))
        );
    }
}

pub async fn stations_speak_for_themselves(f: &Fixture) {
    let c = &f.catalog;
    let token = Token {
        id: TokenId::fresh(&f.clock, &f.random),
        name: "station".to_owned(),
        secret_sha256: Sha256Digest::of(b"secret"),
        scopes: "upload".to_owned(),
        unit_id: f.district,
        station_id: None,
        created_at: f.clock.now(),
        revoked_at: None,
        last_used_at: None,
    };
    let station = Station {
        id: StationId::fresh(&f.clock, &f.random),
        name: "一楼".to_owned(),
        unit_id: f.district,
        token_id: Some(token.id),
        software_version: String::new(),
        status: "[]".to_owned(),
        last_seen_at: None,
        version: 1,
        created_at: f.clock.now(),
    };
    let mut change = c.change().await.expect("change");
    change.add_token(&token).await.expect("token");
    change.add_station(&station).await.expect("station");
    f.commit(change, None).await;
    assert_eq!(
        c.token(token.id)
            .await
            .expect("load")
            .and_then(|t| t.station_id),
        Some(station.id)
    );
    c.station_heard(station.id, "1.0", "[{}]", f.clock.now())
        .await
        .expect("heard");
    let mut change = c.change().await.expect("change");
    let renamed = change
        .update_station(&Station {
            name: "二楼".to_owned(),
            ..station.clone()
        })
        .await
        .expect("rename");
    assert!(matches!(
        change.update_station(&station).await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, None).await;
    assert_eq!(
        (renamed.status.as_str(), renamed.last_seen_at),
        ("[{}]", Some(f.clock.now()))
    );
    assert_eq!(
        c.station_of_token(token.id).await.expect("find"),
        Some(renamed.clone())
    );
    let listed = c
        .stations(&Scope::subtree(f.city), None, 10)
        .await
        .expect("page");
    assert_eq!(
        listed.items.iter().map(|s| &s.row).collect::<Vec<_>>(),
        [&renamed]
    );
    assert_eq!(
        c.station(station.id)
            .await
            .expect("find")
            .map(|s| s.unit_name),
        Some("南明区".to_owned())
    );
    let nobody = StationId::fresh(&f.clock, &f.random);
    assert!(matches!(
        c.station_heard(nobody, "", "", f.clock.now()).await,
        Err(Error::Missing { .. })
    ));
}

pub async fn retention_rules_are_rows(f: &Fixture) {
    let c = &f.catalog;
    let rule = RetentionRule {
        id: RuleId::fresh(&f.clock, &f.random),
        unit_id: f.city,
        name: "六个月".to_owned(),
        kind: None,
        tag: Some("案件".to_owned()),
        keep_days: Some(183),
        version: 1,
        created_at: f.clock.now(),
    };
    let mut change = c.change().await.expect("change");
    change.add_retention_rule(&rule).await.expect("add");
    let changed = RetentionRule {
        keep_days: None,
        ..rule.clone()
    };
    let changed = change
        .update_retention_rule(&changed)
        .await
        .expect("update");
    assert!(matches!(
        change.update_retention_rule(&rule).await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, None).await;
    assert_eq!(
        c.retention_rules(&Scope::subtree(f.province))
            .await
            .expect("list"),
        [changed]
    );
    assert!(
        c.retention_rules(&Scope::subtree(f.other_city))
            .await
            .expect("list")
            .is_empty()
    );
    let mut change = c.change().await.expect("change");
    change.remove_retention_rule(rule.id).await.expect("remove");
    assert!(matches!(
        change.remove_retention_rule(rule.id).await,
        Err(Error::Missing { .. })
    ));
}

async fn import(
    f: &Fixture,
    kind: RegisterKind,
    bytes: &[u8],
    scope: &Scope,
) -> Result<(usize, usize, usize), Error> {
    let mut change = f.catalog.change().await.expect("change");
    let done = change
        .import(kind, bytes, scope, &f.clock, &f.random)
        .await?;
    f.commit(change, None).await;
    Ok((done.created.len(), done.updated.len(), done.unchanged))
}

pub async fn registers_are_imported(f: &Fixture) {
    let all = &Scope::Everything;
    let units =
        "\u{feff}code,name,parent_code\n520103,云岩区,5201\n52010301,一所,520103\n5201,贵阳,52\n";
    assert_eq!(
        import(f, RegisterKind::Units, units.as_bytes(), all)
            .await
            .expect("units"),
        (2, 1, 0)
    );
    assert_eq!(
        import(f, RegisterKind::Units, units.as_bytes(), all)
            .await
            .expect("again"),
        (0, 0, 3)
    );
    let officers =
        "执法证号,姓名,所属单位编码,执法类别\n\"52-7\",李伟,520103,卫生\n52-8,王芳,520102,\n";
    let gb18030 = encode_gb18030(officers);
    assert_eq!(
        import(f, RegisterKind::Officers, &gb18030, all)
            .await
            .expect("officers"),
        (2, 0, 0)
    );
    assert_eq!(
        f.catalog
            .officer_by_certificate("52-7")
            .await
            .expect("find")
            .map(|o| o.name),
        Some("李伟".to_owned())
    );
    let recorders = "serial,model,unit_code\nA-1,DSJ,520103\n";
    assert_eq!(
        import(f, RegisterKind::Recorders, recorders.as_bytes(), all)
            .await
            .expect("recorders"),
        (1, 0, 0)
    );
    let recorders = "serial,model,unit_code\nA-1,DSJ-2,520103\n";
    assert_eq!(
        import(f, RegisterKind::Recorders, recorders.as_bytes(), all)
            .await
            .expect("recorders"),
        (0, 1, 0)
    );
    let assignments = "recorder_serial,certificate_number,from_at,until_at\nA-1,52-7,2026-01-01T00:00:00+08:00,\n";
    assert_eq!(
        import(f, RegisterKind::Assignments, assignments.as_bytes(), all)
            .await
            .expect("assignments"),
        (1, 0, 0)
    );
    assert_eq!(
        import(f, RegisterKind::Assignments, assignments.as_bytes(), all)
            .await
            .expect("again"),
        (0, 0, 1)
    );
    let device = f
        .catalog
        .recorder_by_serial("A-1")
        .await
        .expect("find")
        .expect("exists");
    let at = Micros::parse_rfc3339("2026-02-01T00:00:00Z").expect("time");
    let carrier = f.catalog.officer_at(device.id, at).await.expect("find");
    assert_eq!(
        carrier.map(|o| o.certificate_number),
        Some("52-7".to_owned())
    );
}

pub async fn a_bad_line_refuses_the_file(f: &Fixture) {
    let officers =
        "certificate_number,name,unit_code\n1,甲,520102\n2,,520102\n3,丙,999\n4,丁,5203\n";
    let scope = Scope::subtree(f.city);
    let Err(Error::Import(lines)) =
        import(f, RegisterKind::Officers, officers.as_bytes(), &scope).await
    else {
        panic!("bad lines were taken in");
    };
    assert_eq!(
        lines.iter().map(|l| l.line).collect::<Vec<_>>(),
        [3, 4, 5],
        "{lines:?}"
    );
    assert_eq!(
        f.catalog.officer_by_certificate("1").await.expect("find"),
        None,
        "all or nothing"
    );
    for bytes in [
        &b"\xff\xff\xff"[..],
        b"code,name\nx,y\n",
        b"",
        b"code,name,parent_code\n\"x",
    ] {
        let outcome = import(f, RegisterKind::Units, bytes, &scope).await;
        assert!(
            matches!(
                outcome,
                Err(Error::Import(_)) | Err(Error::NoEvent) | Ok((0, 0, 0))
            ),
            "{outcome:?}"
        );
    }
    let theirs = "serial,model,unit_code\nB-1,x,5203\n";
    import(
        f,
        RegisterKind::Recorders,
        theirs.as_bytes(),
        &Scope::Everything,
    )
    .await
    .expect("everything");
    let grab = "serial,model,unit_code\nB-1,x,520102\n";
    assert!(matches!(
        import(f, RegisterKind::Recorders, grab.as_bytes(), &scope).await,
        Err(Error::Import(_))
    ));
}

/// 执法证号,姓名,所属单位编码,执法类别 and the rest, as a spreadsheet here writes it.
fn encode_gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}
