//! What plays is what was recorded: init and all segments joined hold every frame of the original with
//! its time and its bytes.

mod common;

use common::{
    H264_AAC, Store, cases, compare, decoded, files, footage, id, join, packets, pool, source,
};
use docket_playback::{Reason, ReasonCode, Source, Verdict};

#[tokio::test]
async fn generated_footage_survives_cutting() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pool, at) = (pool(), folder.path());
    let recordings = [
        footage(at, "moov last.mp4", 13, H264_AAC),
        footage(
            at,
            "moov first.mp4",
            7,
            &format!("{H264_AAC} -movflags +faststart"),
        ),
        footage(
            at,
            "fragmented.mp4",
            7,
            &format!("{H264_AAC} -movflags frag_keyframe+empty_moov"),
        ),
        footage(at, "quicktime.mov", 7, H264_AAC),
        footage(at, "matroska.mkv", 7, H264_AAC),
        footage(
            at,
            "variable.mp4",
            7,
            &format!("{H264_AAC} -vf select='not(mod(n\\,3))' -vsync vfr"),
        ),
        footage(at, "silent.mp4", 5, "-c:v libx264 -preset ultrafast -an"),
        footage(at, "sound.m4a", 20, "-vn -c:a aac"),
        footage(
            at,
            "sound goes on.mp4",
            40,
            &format!("{H264_AAC} -vf trim=end=5"),
        ),
        footage(
            at,
            "late sound.mp4",
            6,
            &format!("{H264_AAC} -af adelay=1500"),
        ),
        footage(
            at,
            "one keyframe.mp4",
            20,
            "-c:v libx264 -preset ultrafast -g 9999 -c:a aac",
        ),
    ];
    for (number, path) in recordings.into_iter().enumerate() {
        let name = path
            .file_name()
            .expect("named")
            .to_string_lossy()
            .into_owned();
        let prepared = pool
            .prepare(id(number as u8), source(&path), 320)
            .await
            .expect("prepares");
        assert_eq!(prepared.facts.verdict, Verdict::playable(), "{name}");
        let index = prepared.index.unwrap_or_else(|| panic!("{name}: no index"));
        let joined = at.join("joined.mp4");
        join(&index, &source(&path), &joined).await;
        compare(&name, &path, &joined, &index);
        let ends_us: Vec<u64> = index
            .segments()
            .iter()
            .map(|s| s.start_us + s.duration_us)
            .collect();
        let starts_us = index.segments().iter().skip(1).map(|s| s.start_us);
        assert!(
            ends_us
                .iter()
                .zip(starts_us)
                .all(|(end, start)| *end == start),
            "{name}: gaps"
        );
        assert!(index.segments()[0].independent, "{name}");
        assert_eq!(prepared.poster.is_some(), name != "sound.m4a", "{name}");
    }
}

#[tokio::test]
async fn the_same_index_comes_out_of_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let mp4 = footage(
        folder.path(),
        "long.mp4",
        60,
        "-c:v libx264 -preset ultrafast -b:v 3M -minrate 3M -maxrate 3M -bufsize 1M -x264-params nal-hrd=cbr -g 50 -c:a aac",
    );
    let mkv = footage(folder.path(), "short.mkv", 6, H264_AAC);
    for (number, path) in [&mp4, &mkv].into_iter().enumerate() {
        let store = Store::of(path);
        let blocks = Source::blocks(store.clone());
        let (_, from_store) = pool
            .index(id(number as u8), blocks.clone())
            .await
            .expect("answers");
        let (_, from_disk) = pool
            .index(id(10 + number as u8), source(path))
            .await
            .expect("answers");
        let index = from_store.expect("plays");
        assert_eq!(Some(&index), from_disk.as_ref());
        let asked = store.asked_bytes.load(std::sync::atomic::Ordering::SeqCst);
        // The media data of an MP4 is not fetched, beyond what opening it probes.
        assert!(
            path == &mkv || asked < store.bytes.len() as u64 / 3,
            "{asked} of {}",
            store.bytes.len()
        );
        let joined = folder.path().join("joined.mp4");
        join(&index, &blocks, &joined).await;
        compare("from a store", path, &joined, &index);
    }
}

#[tokio::test]
async fn real_recordings_of_many_containers_survive_cutting() {
    survives("container", 10).await;
}

#[tokio::test]
async fn real_recordings_of_devices_survive_cutting() {
    survives("device", 9).await;
}

#[tokio::test]
async fn interrupted_and_odd_recordings_survive_cutting() {
    survives("derived", 4).await;
}

/// Cuts all of a folder's recordings; at least so many of them play.
async fn survives(part: &str, least: usize) {
    let Some(folder) = cases() else { return };
    let (pool, scratch) = (pool(), tempfile::tempdir().expect("a folder"));
    let mut compared = 0;
    for (number, path) in files(&folder.join(part)).iter().enumerate() {
        let name = path
            .file_name()
            .expect("named")
            .to_string_lossy()
            .into_owned();
        let prepared = pool
            .prepare(id(number as u8), source(path), 320)
            .await
            .expect("prepares");
        println!("{name}: {:?}", prepared.facts.verdict);
        let Some(index) = prepared.index else {
            assert!(!prepared.facts.verdict.is_playable(), "{name}");
            continue;
        };
        if index.is_made() {
            continue; // held to its original by the test of what is made
        }
        let joined = scratch.path().join("joined.mp4");
        join(&index, &source(path), &joined).await;
        let found = |note: &Reason| note.code == ReasonCode::RecoveredByScan;
        match prepared.facts.verdict.first_reason().is_some_and(found) {
            // ffprobe can't read it: the tests of interrupted recordings hold such to their original.
            true => {
                assert!(packets(path).0.is_empty(), "{name}");
                let (pictures, complaints) = decoded(&joined);
                let sent = packets(&joined).0[&0].len();
                assert!(complaints.is_empty(), "{name}: {complaints}");
                assert_eq!(pictures, sent, "{name}");
            }
            false => compare(&name, path, &joined, &index),
        }
        let (segments, index_bytes) = (index.segments().len(), index.to_bytes().len());
        println!("{name}: {segments} segments, index {index_bytes} B");
        compared += 1;
    }
    assert!(compared >= least, "only {compared} of the recordings play");
}
