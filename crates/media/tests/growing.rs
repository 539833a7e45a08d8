//! Beginnings of recordings: what is listed of one is listed of every longer one, and is made from its own
//! bytes alone, by the real worker.

mod common;

use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use common::{Store, footage, id, pool};
use docket_playback::looks::storyboard;
use docket_playback::{BlockSource, Mode, Playback, PlaybackIndex, Source, Variant, growth};

const SECONDS: u32 = 20;
/// As docketd lists: the last segment, and what ends close to the end, may yet change.
const MARGIN_US: u64 = 2_000_000;

/// What recorders write whose segments are made, by container.
const FILMS: [(&str, &str); 11] = [
    (
        "g711.avi",
        "-c:v libx264 -preset ultrafast -g 50 -ar 8000 -c:a pcm_mulaw",
    ),
    (
        "b.avi",
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -ar 8000 -c:a pcm_alaw",
    ),
    (
        "pcm.avi",
        "-c:v mjpeg -q:v 8 -ar 16000 -ac 1 -c:a pcm_s16le",
    ),
    ("mp3.avi", "-c:v mpeg4 -g 50 -bf 2 -c:a libmp3lame"),
    ("ms.avi", "-c:v msmpeg4 -g 50 -ar 8000 -c:a adpcm_ima_wav"),
    ("mpeg2.mpg", "-c:v mpeg2video -g 25 -bf 2 -c:a mp2 -f vob"),
    (
        "h264.mpg",
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a ac3 -f vob",
    ),
    (
        "mute.mpg",
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -an -f vob",
    ),
    (
        "hevc.mkv",
        "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=50 -c:a aac",
    ),
    (
        "ac3.mkv",
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a ac3",
    ),
    (
        "aac.ts",
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac",
    ),
];

fn beginning(file: &Bytes, length: u64) -> Arc<Store> {
    Arc::new(Store {
        bytes: file.slice(..length as usize),
        asked_bytes: 0.into(),
        requests: 0.into(),
        fails: false,
    })
}

fn settled(index: &PlaybackIndex) -> Range<usize> {
    0..growth::settled(index, MARGIN_US).expect("whole")
}

async fn index_of(pool: &Playback, number: u8, file: &Bytes, length: u64) -> PlaybackIndex {
    let source = Source::blocks(beginning(file, length));
    let (facts, index) = pool.index(id(number), source).await.expect("an answer");
    index.unwrap_or_else(|| panic!("{length} bytes: {:?}", facts.verdict))
}

async fn grows(pool: &Playback, folder: &Path, name: &str, arguments: &str) {
    let path = footage(folder, name, SECONDS, arguments);
    let file = Bytes::from(std::fs::read(&path).expect("footage"));
    let size = file.len() as u64;
    let mut indexes = Vec::new();
    for (number, percent) in [12, 25, 40, 55, 70, 85, 100].into_iter().enumerate() {
        let length = size * percent / 100 + 1;
        indexes.push(index_of(pool, number as u8, &file, length.min(size)).await);
    }
    let (whole, beginnings) = indexes.split_last().expect("not empty");
    assert!(whole.is_made(), "{name}");
    for (number, earlier) in beginnings.iter().enumerate() {
        let listed = settled(earlier).end;
        let seconds = earlier.end_us(listed) as f64 / 1e6;
        let came = earlier.facts().size_bytes as f64 / size as f64 * f64::from(SECONDS);
        assert!(seconds > came - 9.0, "{name}: of {came} s {seconds} s");
        for later in &indexes[number + 1..] {
            let what = later.facts().size_bytes;
            assert!(
                growth::goes_on(earlier, later, listed),
                "{name}: {listed} segments of {} bytes, {what} bytes",
                earlier.facts().size_bytes
            );
        }
    }
    for (number, earlier) in beginnings.iter().enumerate().skip(2).step_by(3) {
        let made = made_alone(pool, &file, earlier, 20 * number as u8, name).await;
        let joined = folder.join("joined.mp4");
        std::fs::write(&joined, made).expect("writes");
        plays(name, earlier, &path, &joined);
    }
}

/// Every listed segment, made of the bytes it is said to need, which is how it is made of the whole.
async fn made_alone(
    pool: &Playback,
    file: &Bytes,
    index: &PlaybackIndex,
    number: u8,
    name: &str,
) -> Vec<u8> {
    let reach = growth::reach(index).expect("whole");
    let mut joined = index.init().to_vec();
    for at in settled(index) {
        let length = reach[at];
        assert!(length <= index.facts().size_bytes, "{name}: {at}");
        let make = async |number: u8, length: u64| {
            let source = Source::blocks(beginning(file, length));
            let made = pool.segment(id(number), source, index, at, Variant::First);
            made.await.expect("a segment")
        };
        let alone = make(number + at as u8, length).await;
        let same = alone == make(200, file.len() as u64).await;
        assert!(same, "{name}: segment {at} of {length} bytes");
        joined.extend_from_slice(&alone);
    }
    joined
}

/// The pictures are the original's first ones, to the bit where they are only copied; sound has no hole.
fn plays(name: &str, index: &PlaybackIndex, original: &Path, joined: &Path) {
    let (made, complaints) = pictures(joined);
    assert_eq!(complaints, "", "{name}");
    let seconds = index.end_us(settled(index).end) as f64 / 1e6;
    let missing = seconds * 25.0 - made.len() as f64;
    assert!(
        missing.abs() <= 2.0,
        "{name}: {} in {seconds} s",
        made.len()
    );
    if index.tracks()[0].mode == Mode::Copied {
        let (all, _) = pictures(original);
        assert_eq!(made[..], all[..made.len()], "{name}");
    }
    if index.tracks().len() > 1 {
        let silence = "silencedetect=noise=-40dB:d=0.02";
        let (_, told) = ffmpeg(
            joined,
            "info",
            &["-map", "0:a", "-af", silence, "-f", "null"],
        );
        assert!(told.contains("audio:"), "{name}: {told}");
        let starts = told.split("silence_start: ").skip(1);
        let starts = starts.filter_map(|rest| rest.split_whitespace().next()?.parse().ok());
        // Decoders and encoders need a moment at the very beginning.
        let holes: Vec<f64> = starts.filter(|at| *at > 0.05).collect();
        assert!(holes.is_empty(), "{name}: {holes:?}");
    }
}

/// What each picture looks like, and whether the decoder complained.
fn pictures(path: &Path) -> (Vec<String>, String) {
    let (text, complaints) = ffmpeg(path, "error", &["-map", "0:v", "-f", "framemd5"]);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let hash = |line: &str| {
        line.rsplit(',')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    (lines.map(hash).collect(), complaints)
}

fn ffmpeg(path: &Path, level: &str, arguments: &[&str]) -> (String, String) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", level, "-i"])
        .arg(path)
        .args(arguments)
        .arg("-")
        .output()
        .expect("the ffmpeg program is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

async fn films(container: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let ours = FILMS.iter().filter(|(name, _)| name.ends_with(container));
    for (name, arguments) in ours {
        grows(&pool, folder.path(), name, arguments).await;
    }
}

#[tokio::test]
async fn avi_plays_from_its_beginning() {
    films(".avi").await;
}

#[tokio::test]
async fn program_streams_play_from_their_beginning() {
    films(".mpg").await;
}

#[tokio::test]
async fn matroska_plays_from_its_beginning() {
    films(".mkv").await;
}

#[tokio::test]
async fn transport_streams_play_from_their_beginning() {
    films(".ts").await;
}

/// Without an index at its end, a late segment costs what an early one does.
#[tokio::test]
async fn a_late_segment_costs_no_more_than_an_early_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let sound = "-ar 16000 -ac 1 -c:a pcm_s16le";
    for (name, picture) in [
        ("a.avi", "-c:v mjpeg -q:v 1"),
        ("a.mkv", "-c:v mjpeg -q:v 1"),
    ] {
        let path = footage(folder.path(), name, 60, &format!("{picture} {sound}"));
        let file = Bytes::from(std::fs::read(&path).expect("footage"));
        let length = file.len() as u64 * 9 / 10;
        let index = index_of(&pool, 1, &file, length).await;
        let asked = async |at: usize| {
            let store = beginning(&file, length);
            let source = Source::blocks(Arc::clone(&store) as Arc<dyn BlockSource>);
            let made = pool.segment(id(10 + at as u8), source, &index, at, Variant::First);
            made.await.expect("a segment");
            store.asked_bytes.load(Ordering::SeqCst)
        };
        let last = settled(&index).end - 1;
        let (early, late) = (asked(3).await, asked(last).await);
        let what = format!("{name} of {length} bytes: segment 3 {early}, segment {last} {late}");
        eprintln!("{what}");
        assert!(late < early + (4 << 20) && late < length / 2, "{what}");
    }
}

/// Keyframes in the middle of what is read for a segment: AVI counts from its beginning, Matroska says times.
#[tokio::test]
async fn the_storyboard_of_a_beginning_shows_the_right_pictures() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let avi = footage(folder.path(), "a.avi", 24, "-c:v mjpeg -q:v 8 -an");
    let mkv = folder.path().join("a.mkv");
    let copied = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&avi)
        .args(["-c", "copy"])
        .arg(&mkv)
        .status();
    assert!(copied.expect("the ffmpeg program is installed").success());
    let mut sheets = Vec::new();
    for (number, path) in [&avi, &mkv].into_iter().enumerate() {
        let file = Bytes::from(std::fs::read(path).expect("footage"));
        let length = file.len() as u64 * 9 / 10;
        let index = index_of(&pool, number as u8, &file, length).await;
        let frames = storyboard::frames(&index, settled(&index).end).expect("whole");
        assert!(frames.iter().any(|frame| frame.first != frame.stamp));
        let source = Source::blocks(beginning(&file, length));
        let track = &index.tracks()[0];
        let sheet = pool.sheet(id(10 + number as u8), source, track, &frames, (0, &[]));
        let sheet = sheet.await.expect("a sheet");
        assert!(sheet.decoded.iter().all(|decoded| *decoded), "{frames:?}");
        sheets.push(sheet.pictures);
    }
    assert!(sheets[0] == sheets[1], "other pictures");
}
