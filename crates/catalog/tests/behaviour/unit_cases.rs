//! The tree of units.

use docket_base::ids::UnitId;
use docket_catalog::{Error, Filter, Scope};

use crate::fixture::Fixture;

pub async fn units_are_a_tree(f: &Fixture) {
    let c = &f.catalog;
    let codes =
        |units: Vec<docket_catalog::Unit>| units.into_iter().map(|u| u.code).collect::<Vec<_>>();
    assert_eq!(
        codes(c.units(&Scope::Everything).await.expect("units")),
        ["52", "5201", "5203", "520102"]
    );
    assert_eq!(
        codes(c.units(&Scope::subtree(f.city)).await.expect("units")),
        ["5201", "520102"]
    );
    assert!(
        c.unit_is_within(f.district, f.province)
            .await
            .expect("within")
    );
    assert!(
        !c.unit_is_within(f.province, f.district)
            .await
            .expect("within")
    );
    assert_eq!(
        c.unit_by_code("5203").await.expect("code").map(|u| u.id),
        Some(f.other_city)
    );

    let mut change = c.change().await.expect("change");
    let twin = f.unit(UnitId::fresh(&f.clock, &f.random), None, "52", "再");
    assert!(matches!(change.add_unit(&twin).await, Err(Error::Taken(_))));
    drop(change);
    let mut change = c.change().await.expect("change");
    let mut city = c.unit(f.city).await.expect("unit").expect("exists");
    city.parent_id = Some(f.district);
    assert!(
        matches!(change.update_unit(&city).await, Err(Error::Refused(_))),
        "no cycles"
    );
    drop(change);
    let mut change = c.change().await.expect("change");
    city.parent_id = Some(f.province);
    city.name = "贵阳".to_owned();
    let saved = change.update_unit(&city).await.expect("rename");
    assert_eq!(saved.version, 2);
    assert!(matches!(
        change.update_unit(&city).await,
        Err(Error::Stale { .. })
    ));
    f.commit(change, None).await;
    assert_eq!(c.unit(f.city).await.expect("unit"), Some(saved));
}

pub async fn a_moved_unit_takes_its_recordings_along(f: &Fixture) {
    let c = &f.catalog;
    let id = f.create(&f.new_recording(f.district, "a.mp4")).await;
    let listed = async |unit: UnitId| {
        let page = c
            .recordings(&Filter::default(), &Scope::subtree(unit), None, 10)
            .await
            .expect("page");
        page.items
            .iter()
            .map(|v| v.recording.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(f.city).await, [id]);
    let mut district = c.unit(f.district).await.expect("unit").expect("exists");
    district.parent_id = Some(f.other_city);
    let mut change = c.change().await.expect("change");
    change.update_unit(&district).await.expect("move");
    f.commit(change, None).await;
    assert!(listed(f.city).await.is_empty());
    assert_eq!(listed(f.other_city).await, [id]);
    assert_eq!(listed(f.province).await, [id]);
    assert!(!c.unit_is_within(f.district, f.city).await.expect("within"));
}
