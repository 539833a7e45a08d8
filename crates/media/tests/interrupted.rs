//! Recordings that end early, or whose clock starts anew: they play as far as they go, and say so.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{decoded, footage, id, join, packets, pool, source};
use docket_playback::{Mode, Playback, PlaybackIndex, ReasonCode, StreamKind, Variant, Verdict};

const SECONDS: u32 = 6;

/// Init and all segments, made or cut, in one file.
async fn played(pool: &Playback, number: u8, path: &Path, index: &PlaybackIndex, to: &Path) {
    let from = source(path);
    if !index.is_made() {
        join(index, &from, to).await;
        return;
    }
    let mut joined = index.init().to_vec();
    for at in 0..index.segments().len() {
        let made = pool.segment(id(number), from.clone(), index, at, Variant::First);
        joined.extend_from_slice(&made.await.expect("a segment"));
    }
    std::fs::write(to, joined).expect("writes");
}

fn codes(verdict: &Verdict) -> Vec<ReasonCode> {
    match verdict {
        Verdict::Playable { notes } => notes.iter().map(|note| note.code).collect(),
        Verdict::NotPlayable { reason } => vec![reason.code],
    }
}

fn cut(path: &Path, at: usize) -> PathBuf {
    let bytes = std::fs::read(path).expect("footage");
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("bin");
    let cut = path.with_file_name(format!("cut.{extension}"));
    std::fs::write(&cut, &bytes[..at.min(bytes.len())]).expect("writes");
    cut
}

const STREAMS: [(&str, &str); 6] = [
    (
        "a.ts",
        "-c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac",
    ),
    ("a.mpg", "-c:v mpeg2video -g 12 -bf 2 -c:a mp2 -f vob"),
    (
        "a.mkv",
        "-c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac",
    ),
    (
        "a.avi",
        "-c:v libx264 -preset ultrafast -g 25 -ar 8000 -c:a pcm_mulaw",
    ),
    (
        "fragmented.mp4",
        "-c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac -movflags frag_keyframe+empty_moov+default_base_moof",
    ),
    (
        "index first.mp4",
        "-c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac -movflags faststart",
    ),
];

/// Cut at a third and two thirds what plays is as long as what is there, within a fragment.
#[tokio::test]
async fn what_is_cut_plays_as_far_as_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pool, all) = (pool(), SECONDS as usize * 25);
    let mut number = 0;
    for (name, arguments) in STREAMS {
        let whole = footage(folder.path(), name, SECONDS, arguments);
        let length = std::fs::metadata(&whole).expect("footage").len() as usize;
        for third in [1, 2] {
            number += 1;
            let path = cut(&whole, length * third / 3 + 1);
            let prepared = pool.prepare(id(number), source(&path), 160).await;
            let prepared = prepared.expect("an answer");
            let what = format!("{name}, {third} of 3: {:?}", prepared.facts.verdict);
            let index = prepared.index.as_ref().unwrap_or_else(|| panic!("{what}"));
            let joined = folder.path().join("joined.mp4");
            played(&pool, number, &path, index, &joined).await;
            let (pictures, _) = decoded(&joined);
            let there = all * third / 3;
            assert!(
                pictures + 40 > there && pictures < there + 40,
                "{pictures} of {there} pictures; {what}"
            );
            let ms = prepared.facts.duration_ms.expect("known") as usize;
            assert!(
                ms + 1600 > there * 40 && ms < there * 40 + 1600,
                "{ms} ms; {what}"
            );
        }
    }
}

/// Wherever it is cut there is an answer, the worker lives on, and what is said to play has segments.
#[tokio::test]
async fn a_cut_anywhere_never_costs_the_worker() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let powerless = (
        "last.mp4",
        "-c:v libx264 -preset ultrafast -g 25 -bsf:v dump_extra=freq=keyframe -c:a aac",
    );
    for (name, arguments) in STREAMS.into_iter().chain([powerless]) {
        let whole = footage(folder.path(), name, 2, arguments);
        let length = std::fs::metadata(&whole).expect("footage").len() as usize;
        // The headers closely, the rest here and there, each time at another place in a packet.
        let places = [0, 1, 7, 33, 187, 700].into_iter();
        let places = places.chain((1..8).map(|part| length * part / 8 + part * 5));
        for (number, place) in places.chain([length - 1]).enumerate() {
            let path = cut(&whole, place);
            let prepared = pool.prepare(id(number as u8), source(&path), 160).await;
            let prepared = prepared.expect("an answer");
            let what = format!("{name} cut at {place}: {:?}", prepared.facts.verdict);
            let dead = [
                ReasonCode::WorkerCrashed,
                ReasonCode::WorkerTimedOut,
                ReasonCode::WorkerOutOfMemory,
            ];
            let codes = codes(&prepared.facts.verdict);
            assert!(codes.iter().all(|code| !dead.contains(code)), "{what}");
            assert_eq!(
                prepared.index.is_some(),
                prepared.facts.verdict.is_playable(),
                "{what}"
            );
            if let Some(index) = &prepared.index {
                let joined = folder.path().join("joined.mp4");
                played(&pool, number as u8, &path, index, &joined).await;
            }
        }
    }
}

/// The power went: media data and no index. What was in the pictures themselves is enough.
#[tokio::test]
async fn without_an_index_the_pictures_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let films = [
        (
            "h264.mp4",
            "-c:v libx264 -preset ultrafast -bf 2 -g 25 -bsf:v dump_extra=freq=keyframe -c:a aac -b:a 256k",
            Mode::Raw,
        ),
        (
            "h264.mov",
            "-c:v libx264 -preset ultrafast -g 25 -bsf:v dump_extra=freq=keyframe -c:a pcm_s16le",
            Mode::Raw,
        ),
        (
            "h265.mp4",
            "-c:v libx265 -preset ultrafast -x265-params log-level=error:repeat-headers=1:keyint=25 -c:a aac",
            Mode::Transcoded,
        ),
    ];
    for (at, (name, arguments, mode)) in films.into_iter().enumerate() {
        let whole = footage(folder.path(), name, SECONDS, arguments);
        let mut bytes = std::fs::read(&whole).expect("footage");
        let media = bytes
            .windows(4)
            .position(|w| w == b"mdat")
            .expect("media data");
        bytes.truncate(bytes.len() * 2 / 3);
        for (variant, length) in [(0, None), (1, Some([0; 4])), (2, Some([0, 0, 0, 8]))] {
            // As it was meant to be; not known yet; still empty.
            if let Some(length) = length {
                bytes[media - 4..media].copy_from_slice(&length);
            }
            let path = folder.path().join(format!("cut {name}"));
            std::fs::write(&path, &bytes).expect("writes");
            let number = (at * 3 + variant) as u8;
            let prepared = pool.prepare(id(number), source(&path), 160).await;
            let prepared = prepared.expect("an answer");
            let what = format!("{name}, {variant}: {:?}", prepared.facts.verdict);
            let index = prepared.index.as_ref().unwrap_or_else(|| panic!("{what}"));
            assert_eq!(
                codes(&prepared.facts.verdict)[0],
                ReasonCode::RecoveredByScan,
                "{what}"
            );
            assert!(what.contains("(25 pictures a second)"), "{what}");
            assert!(prepared.poster.is_some(), "{what}");
            assert_eq!(prepared.facts.size_bytes, bytes.len() as u64);
            let tracks = index.tracks();
            assert_eq!(
                (tracks.len(), tracks[0].kind, tracks[0].mode),
                (1, StreamKind::Video, mode)
            );
            let joined = folder.path().join("joined.mp4");
            played(&pool, number, &path, index, &joined).await;
            let (pictures, complaints) = decoded(&joined);
            assert!(
                pictures > 75 && complaints.is_empty(),
                "{pictures}: {complaints} {what}"
            );
            if mode == Mode::Raw {
                assert_same_pictures(&whole, &joined, pictures);
            }
        }
    }
}

/// Two encoders in one file: no one init segment fits both, so the picture is made anew.
#[tokio::test]
async fn pictures_whose_parameters_change_are_transcoded() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let film = |name: &str, more: &str| {
        let arguments = format!(
            "-c:v libx264 -preset ultrafast -g 25 -bsf:v dump_extra=freq=keyframe -an {more}"
        );
        let path = footage(folder.path(), name, 2, &arguments);
        std::fs::read(path).expect("footage")
    };
    let media = |bytes: &[u8]| {
        let at = bytes
            .windows(4)
            .position(|w| w == b"mdat")
            .expect("media data");
        let length = u32::from_be_bytes(bytes[at - 4..at].try_into().expect("four")) as usize;
        bytes[at + 4..at - 4 + length].to_vec()
    };
    let (one, other) = (film("one.mp4", ""), film("other.mp4", "-s 160x120"));
    let path = folder.path().join("both.mp4");
    let front = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\0mdat".to_vec();
    std::fs::write(&path, [front, media(&one), media(&other)].concat()).expect("writes");
    let prepared = pool
        .prepare(id(1), source(&path), 160)
        .await
        .expect("an answer");
    let index = prepared
        .index
        .unwrap_or_else(|| panic!("{:?}", prepared.facts.verdict));
    assert_eq!(index.tracks()[0].mode, Mode::Transcoded);
    let joined = folder.path().join("joined.mp4");
    played(&pool, 1, &path, &index, &joined).await;
    let (pictures, complaints) = decoded(&joined);
    assert!(
        pictures > 95 && complaints.is_empty(),
        "{pictures}: {complaints}"
    );
}

/// The same pictures at the same times, as far as they go.
fn assert_same_pictures(whole: &Path, joined: &Path, count: usize) {
    let ((old, _), (new, _)) = (packets(whole), packets(joined));
    let (old, new) = (&old[&0], &new[&0]);
    assert_eq!(new.len(), count);
    let hashes: BTreeSet<&str> = old.iter().map(|packet| packet.hash.as_str()).collect();
    assert!(
        new.iter()
            .all(|packet| hashes.contains(packet.hash.as_str()))
    );
    // The last group lacks some that others were shown around.
    for (old, new) in old.iter().zip(&new[..count - 25]) {
        assert_eq!(old.hash, new.hash);
        assert!(
            (old.pts_s - new.pts_s).abs() < 0.001,
            "{old:?} became {new:?}"
        );
    }
}

/// What encoders keep to the index alone can't be decoded without it; and while it still arrives nobody
/// searches.
#[tokio::test]
async fn without_parameter_sets_nothing_is_claimed() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let plain = footage(folder.path(), "plain.mp4", 2, common::H264_AAC);
    let length = std::fs::metadata(&plain).expect("footage").len() as usize;
    let path = cut(&plain, length / 2);
    let prepared = pool
        .prepare(id(1), source(&path), 160)
        .await
        .expect("an answer");
    assert_eq!(codes(&prepared.facts.verdict), [ReasonCode::IndexMissing]);
    let arguments = "-c:v libx264 -preset ultrafast -g 25 -bsf:v dump_extra=freq=keyframe -an";
    let with_sets = footage(folder.path(), "sets.mp4", 2, arguments);
    let length = std::fs::metadata(&with_sets).expect("footage").len() as usize;
    let path = cut(&with_sets, length / 2);
    let (facts, index) = pool.index(id(2), source(&path)).await.expect("an answer");
    assert!(index.is_none());
    assert_eq!(codes(&facts.verdict), [ReasonCode::IndexMissing]);
}

/// Milliseconds at which each stream's frames are shown, sorted.
fn times(path: &Path) -> Vec<Vec<f64>> {
    let (streams, _) = packets(path);
    let times =
        |packets: &Vec<common::ProbedPacket>| packets.iter().map(|p| p.pts_s * 1000.0).collect();
    streams.values().map(times).collect()
}

/// A recorder that starts anew within a file, and one whose counter goes round.
#[tokio::test]
async fn a_clock_that_jumps_gives_one_time_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let h264 = "-c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac";
    let film =
        |name: &str, seconds, arguments: &str| footage(folder.path(), name, seconds, arguments);
    let joined_bytes = |name: &str, parts: &[&Path]| {
        let parts = parts
            .iter()
            .map(|part| std::fs::read(part).expect("footage"));
        let path = folder.path().join(name);
        std::fs::write(&path, parts.collect::<Vec<_>>().concat()).expect("writes");
        path
    };
    // 2^33 ticks are 95,443.7 s.
    let round = film("round.ts", 8, &format!("{h264} -output_ts_offset 95440"));
    let late = film("late.ts", 5, &format!("{h264} -output_ts_offset 5000"));
    let early = film("early.ts", 4, h264);
    let anew = joined_bytes("anew.ts", &[&late, &early]);
    let twice = joined_bytes("twice.ts", &[&early, &early]);
    let onwards = joined_bytes("onwards.ts", &[&early, &late]);
    let mpeg2 = "-c:v mpeg2video -g 12 -bf 2 -c:a mp2 -f vob";
    let program = film("program.mpg", 4, mpeg2);
    let programs = joined_bytes("programs.mpg", &[&program, &program]);
    let films = [
        (round, 8),
        (anew, 9),
        (twice, 8),
        (onwards, 9),
        (programs, 8),
    ];
    for (number, (path, seconds)) in films.into_iter().enumerate() {
        let number = number as u8;
        let (facts, index) = pool
            .index(id(number), source(&path))
            .await
            .expect("an answer");
        let index = index.unwrap_or_else(|| panic!("{}: {:?}", path.display(), facts.verdict));
        let to = folder.path().join("joined.mp4");
        played(&pool, number, &path, &index, &to).await;
        let (pictures, complaints) = decoded(&to);
        let name = path.display();
        // Where two films meet, pictures that were shown around the border may be lost.
        assert!(
            pictures + 6 > seconds * 25,
            "{name}: {pictures} pictures, {complaints}"
        );
        for (stream, times) in times(&to).into_iter().enumerate() {
            let widest = times
                .windows(2)
                .map(|pair| pair[1] - pair[0])
                .fold(0.0, f64::max);
            assert!(
                widest < 250.0,
                "{name}: a gap of {widest} ms in stream {stream}"
            );
            let lasts = times[times.len() - 1] - times[0];
            let apart = (lasts - seconds as f64 * 1000.0).abs();
            assert!(apart < 400.0, "{name}: stream {stream} lasts {lasts} ms");
        }
    }
}
