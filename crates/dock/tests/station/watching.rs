//! What supervisors wait for comes first, and can be watched at once.

use crate::scene::{Scene, footage};

/// A film whose index is at its end.
fn film(media_bytes: usize, seed: u64) -> (Vec<u8>, usize) {
    let boxed = |kind: &[u8; 4], content: &[u8]| {
        let length = u32::try_from(8 + content.len()).expect("fits");
        [&length.to_be_bytes()[..], kind, content].concat()
    };
    let front = [
        boxed(b"ftyp", b"isom0000"),
        boxed(b"mdat", &footage(media_bytes, seed)),
    ]
    .concat();
    let index_at = front.len();
    (
        [front, boxed(b"moov", &footage(9_000, 5))].concat(),
        index_at,
    )
}

#[tokio::test]
async fn a_films_index_goes_ahead_of_it() {
    let scene = Scene::new(&["1"], "").await;
    let shared = std::sync::Arc::clone(&scene.daemon.shared);
    let (bytes, index_at) = film(3_000_000, 1);
    scene.put("1", b"film.mp4", &bytes);
    scene.put("1", b"other.mp4", &footage(2_000_000, 2));
    shared.change(|world| world.hold_at = Some(500_000));
    let mut child = scene.start(&["once"]);
    shared
        .until("the index comes while the film does", |world| {
            !world.hints.is_empty()
        })
        .await;
    shared.change(|world| world.hold_at = None);
    assert!(child.wait().await.expect("end").success());
    let world = shared.world();
    let [(id, range, hint)] = &world.hints[..] else {
        panic!("one file has an index to send: {}", world.hints.len());
    };
    assert_eq!(world.uploads[id].metadata["filename"], "film.mp4");
    let (last, size) = (bytes.len() - 1, bytes.len());
    assert_eq!(*range, format!("bytes {index_at}-{last}/{size}"));
    assert_eq!(hint[..], bytes[index_at..]);
    assert!(world.uploads[id].bytes == bytes);
}

#[tokio::test]
async fn who_is_waited_for_goes_first() {
    let scene = Scene::new(&["1"], "").await;
    let shared = std::sync::Arc::clone(&scene.daemon.shared);
    let names = ["a.mp4", "b.mp4", "c.mp4"];
    for (seed, name) in (1_u64..).zip(names) {
        scene.put("1", name.as_bytes(), &footage(3_000_000, seed));
    }
    shared.change(|world| world.hold_at = Some(1_000_000));
    let mut child = scene.start(&["run"]);
    shared
        .until("the first film is on its way", |world| {
            world.received == 1_000_000
        })
        .await;
    shared.change(|world| {
        let docking = world.dockings[0].0;
        world.first = vec![(docking, "c.mp4".to_owned())];
    });
    shared
        .until("the one that is waited for begins", |world| {
            world.names_in_order() == ["a.mp4", "c.mp4"]
        })
        .await;
    shared.change(|world| world.hold_at = None);
    shared.until("all arrive", |world| world.whole() == 3).await;
    scene.kill(&mut child).await;
    let world = shared.world();
    let name = |id| world.uploads[id].metadata["filename"].clone();
    let finished: Vec<String> = world.finished.iter().map(name).collect();
    assert_eq!(finished, ["c.mp4", "a.mp4", "b.mp4"]);
    for (seed, file) in (1_u64..).zip(names) {
        let upload = world.upload_named(file).expect("there");
        assert!(upload.bytes == footage(3_000_000, seed), "{file}");
    }
    assert_eq!(world.uploads.len(), 3, "each is resumed, none begun anew");
}
