//! Units, officers, recorders, and their import.

use docket_catalog::Role;
use serde_json::{Value, json};

use crate::call::Answer;
use crate::world::{Place, World, world};

async fn import(world: &World, place: Place, kind: &str, csv: &str) -> Answer {
    let admin = world.signed_in(Role::Administrator, place).await;
    let body = ("text/csv; charset=utf-8".to_owned(), csv.to_owned());
    let path = format!("/v1/registers/import?kind={kind}");
    admin.send_body("POST", &path, Some(body)).await
}

#[tokio::test]
async fn a_whole_register_comes_in_or_nothing_of_it() {
    let world = world().await;
    let units = "code,name,parent_code\nO1,一科,O\nO2,二科,O1\n";
    let done = import(&world, Place::Own, "units", units)
        .await
        .expect(200)
        .json();
    assert_eq!(done, json!({"created": 2, "changed": 0, "unchanged": 0}));
    let officers = "执法证号,姓名,所属单位编码,执法类别,执法区域\n黔1,王强,O1,医疗,花溪\n黔2,李梅,O2,医疗,花溪\n";
    import(&world, Place::Own, "officers", officers)
        .await
        .expect(200);
    let again = import(&world, Place::Own, "officers", officers)
        .await
        .expect(200)
        .json();
    assert_eq!(again, json!({"created": 0, "changed": 0, "unchanged": 2}));
    let recorders = "serial,model,unit_code\nR1,DSJ,O1\n";
    import(&world, Place::Own, "recorders", recorders)
        .await
        .expect(200);
    let assignments =
        "recorder_serial,certificate_number,from_at,until_at\nR1,黔1,2026-01-01T00:00:00Z,\n";
    import(&world, Place::Own, "assignments", assignments)
        .await
        .expect(200);

    let broken = "certificate_number,name,unit_code\n黔3,赵,O1\n黔4,,O1\n黔5,钱,NOWHERE\n";
    let refused = import(&world, Place::Own, "officers", broken)
        .await
        .expect(422);
    let lines = refused.json()["lines"].clone();
    let numbers: Vec<&Value> = lines
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| &line["line"])
        .collect();
    assert_eq!(numbers, [&json!(3), &json!(4)]);
    let admin = world.token("admin", Place::Own).await;
    let list = admin.get("/v1/officers").await.json();
    assert_eq!(
        list["items"].as_array().expect("list").len(),
        2,
        "nothing of the broken file"
    );
    let list = admin.get("/v1/recorders").await.json();
    assert_eq!(
        list["items"][0]["assignments"][0]["officer"]["name"],
        "王强"
    );
    // Every row is in the ledger, and its file in the vault.
    world.published().await;
    let events = world
        .app
        .catalog()
        .events_from_leaf(0, 1_000)
        .await
        .expect("events");
    let changed = events
        .iter()
        .filter(|event| event.kind == "register.changed")
        .count();
    assert_eq!(changed, 4 + 2 + 2 + 1 + 1);
}

#[tokio::test]
async fn an_import_reaches_no_other_unit() {
    let world = world().await;
    world.officer(Place::Sibling, "黔9").await;
    let theirs = "certificate_number,name,unit_code\n黔9,王强,O\n";
    import(&world, Place::Own, "officers", theirs)
        .await
        .expect(422);
    let into = "certificate_number,name,unit_code\n黔8,王强,B\n";
    import(&world, Place::Own, "officers", into)
        .await
        .expect(422);
    let unit = "code,name,parent_code\nX,新,B\n";
    import(&world, Place::Own, "units", unit).await.expect(422);
}

#[tokio::test]
async fn rows_are_entered_changed_and_unique() {
    let world = world().await;
    let admin = world.signed_in(Role::Administrator, Place::Own).await;
    let officer = json!({"name": "王强", "certificate_number": "黔1", "category": "医疗"});
    let made = admin
        .post("/v1/officers", officer.clone())
        .await
        .expect(201)
        .json();
    assert_eq!(made["unit"]["name"], "单位O");
    assert_eq!(
        admin
            .post("/v1/officers", officer)
            .await
            .expect(409)
            .problem(),
        "already-exists"
    );
    let path = format!("/v1/officers/{}", made["id"].as_str().expect("id"));
    let sibling = world.unit_at(Place::Sibling);
    let away = json!({"name": "王强", "certificate_number": "黔1", "unit": sibling});
    admin.put(&path, away).await.expect(404);
    let sub = world.unit_at(Place::Sub);
    let moved = json!({"name": "王小强", "certificate_number": "黔1", "unit": sub});
    let moved = admin.put(&path, moved).await.expect(200).json();
    assert_eq!(
        (&moved["name"], &moved["unit"]["name"]),
        (&json!("王小强"), &json!("单位S"))
    );
    let found = admin.get("/v1/officers?q=%E5%B0%8F").await.json();
    assert_eq!(found["items"].as_array().expect("list").len(), 1);
}

#[tokio::test]
async fn a_unit_moves_only_where_both_ends_are_ones_own() {
    let world = world().await;
    let admin = world.signed_in(Role::Administrator, Place::Own).await;
    let unit = |place| format!("/v1/units/{}", world.unit_at(place));
    let body = |parent: Place| json!({"name": "n", "code": format!("k{}", world.fresh()), "parent_id": world.unit_at(parent)});
    admin
        .put(&unit(Place::Sub), body(Place::Sibling))
        .await
        .expect(404);
    // Not even within reach: one's own unit is moved from above.
    admin
        .put(&unit(Place::Own), body(Place::Sub))
        .await
        .expect(403);
    let above = world.signed_in(Role::Administrator, Place::Parent).await;
    above
        .put(&unit(Place::Own), body(Place::Sub))
        .await
        .expect(422);
    above
        .put(&unit(Place::Sub), body(Place::Sibling))
        .await
        .expect(200);
    // Rights follow at once.
    admin
        .put(&unit(Place::Sub), body(Place::Own))
        .await
        .expect(404);
    let listed = admin.get("/v1/units").await.json();
    assert_eq!(listed["items"].as_array().expect("list").len(), 1);
}
