//! `kill -9` at any byte.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::scene::{Scene, footage, stderr};

#[tokio::test]
async fn thirty_kills_and_every_file_arrives_once() {
    let scene = Scene::new(&["1", "2"], "").await;
    let shared = std::sync::Arc::clone(&scene.daemon.shared);
    let mut files = Vec::new();
    for (number, (bay, size)) in [
        ("1", 9_000_000),
        ("1", 700_000),
        ("1", 4_500_000),
        ("2", 6_000_000),
        ("2", 10),
        ("2", 1_048_577),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("现场_{number}.mp4");
        let content = footage(size, number as u64 + 1);
        scene.put(bay, name.as_bytes(), &content);
        files.push((name, content));
    }
    let total: usize = files.iter().map(|(_, content)| content.len()).sum();
    let mut points: Vec<usize> = footage(8 * 30, 77)
        .chunks(8)
        .map(|chunk| u64::from_le_bytes(chunk.try_into().expect("eight")) as usize % total)
        .collect();
    points.sort_unstable();
    for point in points {
        shared.change(|world| world.hold_at = Some(point.max(1)));
        let mut child = scene.start(&["once"]);
        shared
            .until("the byte is reached", |world| {
                world.received >= point.max(1)
            })
            .await;
        scene.kill(&mut child).await;
    }
    shared.change(|world| world.hold_at = None);
    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    let world = shared.world();
    assert_eq!(world.uploads.len(), files.len(), "one upload a file");
    assert_eq!(world.dockings.len(), 2, "one docking a bay");
    assert_eq!(world.received, total, "no byte was sent twice");
    for (name, content) in &files {
        let upload = world.upload_named(name).expect("arrived");
        assert!(upload.bytes == *content, "{name} differs");
    }
}

#[tokio::test]
async fn a_resumed_upload_reads_nothing_again() {
    let scene = Scene::new(&["1"], "").await;
    let shared = std::sync::Arc::clone(&scene.daemon.shared);
    let film = footage(20_000_000, 5);
    let path = scene.put("1", b"film.mp4", &film);
    shared.change(|world| world.hold_at = Some(13_000_000));
    let mut child = scene.start(&["once"]);
    shared
        .until("13 MB arrive", |world| world.received == 13_000_000)
        .await;
    scene.kill(&mut child).await;
    // Whoever reads the first 12 MB again now reads something else.
    let file = File::options().write(true).open(&path).expect("open");
    let modified = file
        .metadata()
        .and_then(|meta| meta.modified())
        .expect("time");
    let hole = vec![0; 12_000_000 - 100_000];
    file.write_all_at(&hole, 100_000).expect("write");
    file.set_modified(modified).expect("time");
    drop(file);
    shared.change(|world| world.hold_at = None);
    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    let world = shared.world();
    assert!(world.upload_named("film.mp4").expect("there").bytes == film);
    assert_eq!(world.received, film.len());
}

#[tokio::test]
async fn a_card_with_other_content_under_the_same_names_is_sent_anew() {
    let scene = Scene::new(&["1"], "").await;
    let shared = std::sync::Arc::clone(&scene.daemon.shared);
    let (one, two) = (footage(6_000_000, 1), footage(6_000_000, 2));
    let path = scene.put("1", b"film.mp4", &one);
    shared.change(|world| world.hold_at = Some(3_000_000));
    let mut child = scene.start(&["once"]);
    shared
        .until("half arrives", |world| world.received == 3_000_000)
        .await;
    scene.kill(&mut child).await;
    let file = File::options().write(true).open(&path).expect("open");
    let modified = file
        .metadata()
        .and_then(|meta| meta.modified())
        .expect("time");
    file.write_all_at(&two, 0).expect("write");
    file.set_modified(modified).expect("time");
    shared.change(|world| world.hold_at = None);
    let ended = scene.finish(&["once"]).await;
    assert!(ended.status.success(), "{}", stderr(&ended));
    let world = shared.world();
    assert_eq!(
        world.uploads.len(),
        2,
        "the old upload is not mixed with the new content"
    );
    assert!(world.uploads.values().any(|upload| upload.bytes == two));
}
