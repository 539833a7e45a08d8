//! A damaged row is an error that names it, never a panic. On SQLite, whose rows can hold anything.

use docket_catalog::{Error, Filter, Scope};

use crate::fixture::Fixture;

#[tokio::test]
async fn a_damaged_row_is_named() {
    let damages = [
        "state = 'melted'",
        "tags = 'not json'",
        "size_bytes = -5",
        "sha256 = 'short'",
        "kind = 7",
        "held = 'x'",
        "marks = '{}'",
        "created_by_kind = ''",
    ];
    for damage in damages {
        let (f, dir) = Fixture::sqlite().await;
        let id = f.create(&f.new_recording(f.district, "a.mp4")).await;
        f.damage(dir.path(), &format!("UPDATE recordings SET {damage}"))
            .await;
        let outcome = f.catalog.recording(id).await;
        match outcome {
            Err(Error::Corrupt { table, row, reason }) => {
                assert_eq!(
                    (table, row),
                    ("recordings", id.to_string()),
                    "{damage}: {reason}"
                );
            }
            other => panic!("{damage}: {other:?}"),
        }
        let listed = f
            .catalog
            .recordings(&Filter::default(), &Scope::Everything, None, 10)
            .await;
        assert!(
            matches!(
                listed,
                Err(Error::Corrupt {
                    table: "recordings",
                    ..
                })
            ),
            "{damage}: {listed:?}"
        );
    }
}

#[tokio::test]
async fn a_schema_from_elsewhere_is_refused() {
    for damage in [
        "UPDATE schema_migrations SET sha256 = printf('%064d', 0)",
        "INSERT INTO schema_migrations VALUES (99, 'future', printf('%064d', 0), 0)",
    ] {
        let (f, dir) = Fixture::sqlite().await;
        f.damage(dir.path(), damage).await;
        f.catalog.close().await;
        let again =
            docket_catalog::Catalog::open_sqlite(&dir.path().join("catalog.sqlite"), &f.clock)
                .await;
        assert!(matches!(again, Err(Error::Schema(_))), "{again:?}");
    }
}

#[tokio::test]
async fn a_closed_catalog_opens_again() {
    let (f, dir) = Fixture::sqlite().await;
    let id = f.create(&f.new_recording(f.district, "a.mp4")).await;
    f.catalog.close().await;
    let again = docket_catalog::Catalog::open_sqlite(&dir.path().join("catalog.sqlite"), &f.clock)
        .await
        .expect("open");
    assert!(again.recording(id).await.expect("load").is_some());
}
