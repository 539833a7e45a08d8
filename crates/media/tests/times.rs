//! Frame times are the original's, as ffprobe tells them (edit lists respected), to the millisecond: read
//! from the boxes of the segments as a player reads them.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use common::{footage, id, pool, source};
use docket_playback::{Playback, PlaybackIndex, Source, Variant};

/// The boxes that lie in these bytes.
fn boxes(mut bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut found = Vec::new();
    while bytes.len() >= 8 {
        let length = word(bytes, 0) as usize;
        found.push((
            String::from_utf8_lossy(&bytes[4..8]).into(),
            &bytes[8..length],
        ));
        bytes = &bytes[length..];
    }
    found
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// All boxes at the end of a path.
fn all<'a>(bytes: &'a [u8], path: &[&str]) -> Vec<&'a [u8]> {
    let Some((first, rest)) = path.split_first() else {
        return vec![bytes];
    };
    let inner = boxes(bytes).into_iter().filter(|(kind, _)| kind == first);
    inner.flat_map(|(_, content)| all(content, rest)).collect()
}

/// Times of showing in milliseconds, sorted, of each track.
fn served(init: &[u8], segments: &[Vec<u8>], index: &PlaybackIndex) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::new(); index.tracks().len()];
    let edits: Vec<u32> = all(init, &["moov", "trak"])
        .iter()
        .map(|track| {
            let edit = all(track, &["edts", "elst"]);
            edit.first().map_or(0, |edit| word(edit, 12))
        })
        .collect();
    for segment in segments {
        for fragment in all(segment, &["moof", "traf"]) {
            let track = word(all(fragment, &["tfhd"])[0], 4) as usize - 1;
            let start = &all(fragment, &["tfdt"])[0][4..12];
            let mut decode = i64::from_be_bytes(start.try_into().expect("eight bytes"));
            for run in all(fragment, &["trun"]) {
                let composed = word(run, 0) & 0x800 != 0;
                let row_bytes = if composed { 16 } else { 12 };
                for row in run[12..].chunks_exact(row_bytes) {
                    let later = if composed {
                        word(row, 12).cast_signed()
                    } else {
                        0
                    };
                    let ticks = decode + i64::from(later) - i64::from(edits[track]);
                    let scale = f64::from(index.tracks()[track].timescale);
                    times[track].push(ticks as f64 * 1000.0 / scale);
                    decode += i64::from(word(row, 0));
                }
            }
        }
    }
    times.iter_mut().for_each(|t| t.sort_by(f64::total_cmp));
    times
}

/// ffprobe's times of showing in milliseconds, sorted, of each stream, without what isn't shown.
fn told(path: &Path) -> BTreeMap<u32, Vec<f64>> {
    let output = Command::new("ffprobe")
        .args(["-v", "quiet", "-of", "csv=p=0", "-show_entries"])
        .args(["packet=stream_index,pts_time,flags"])
        .arg(path)
        .output()
        .expect("the ffprobe program is installed");
    let mut streams: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let [stream, time, flags, ..] = fields[..] else {
            continue;
        };
        if let (Ok(stream), Ok(time), false) =
            (stream.parse(), time.parse::<f64>(), flags.contains('D'))
        {
            streams.entry(stream).or_default().push(time * 1000.0);
        }
    }
    streams.values_mut().for_each(|t| t.sort_by(f64::total_cmp));
    streams
}

async fn segments(
    pool: &Playback,
    number: u8,
    from: &Source,
    index: &PlaybackIndex,
) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for at in 0..index.segments().len() {
        let segment = match index.is_made() {
            true => {
                pool.segment(id(number), from.clone(), index, at, Variant::First)
                    .await
            }
            false => index.plan(at).expect("plans").fetch(from).await,
        };
        all.push(segment.expect("a segment").to_vec());
    }
    all
}

const FOOTAGE: [(&str, &str); 12] = [
    (
        "b-frames.mp4",
        "-c:v libx264 -preset ultrafast -bf 3 -g 50 -c:a aac",
    ),
    (
        "pyramid.mov",
        "-c:v libx264 -preset ultrafast -bf 7 -b_strategy 0 -x264-params b-pyramid=normal -g 50 -c:a aac",
    ),
    (
        "variable.mp4",
        "-vf select='not(mod(n\\,3))+not(mod(n\\,7))' -vsync vfr -c:v libx264 -preset ultrafast -bf 2 -c:a aac",
    ),
    (
        "slower and slower.mp4",
        "-vf setpts=PTS+N*N/90000/TB -vsync vfr -c:v libx264 -preset ultrafast -bf 2 -c:a aac",
    ),
    (
        "odd ticks.mov",
        "-r 30000/1001 -video_track_timescale 600 -c:v libx264 -preset ultrafast -bf 2 -c:a aac",
    ),
    (
        "late picture.mp4",
        "-filter_complex [0:v]setpts=PTS+0.7/TB[v] -map [v] -map 1:a -c:v libx264 -preset ultrafast -bf 2 -c:a aac",
    ),
    (
        "late sound.mp4",
        "-filter_complex [1:a]asetpts=PTS+0.7/TB[a] -map 0:v -map [a] -c:v libx264 -preset ultrafast -bf 2 -c:a aac",
    ),
    (
        "fragmented.mp4",
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac -movflags frag_keyframe+empty_moov+delay_moov",
    ),
    (
        "matroska.mkv",
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac",
    ),
    (
        "stream.ts",
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac",
    ),
    (
        "hevc.mp4",
        "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=3 -c:a aac",
    ),
    ("mpeg4.avi", "-c:v mpeg4 -an"),
];

#[tokio::test]
async fn frame_times_are_the_originals() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    for (number, (name, arguments)) in FOOTAGE.into_iter().enumerate() {
        let (number, path) = (number as u8, footage(folder.path(), name, 5, arguments));
        holds(&pool, number, &path, name).await;
    }
}

/// An edit list that begins between keyframes: what lies before is decoded and not seen.
#[tokio::test]
async fn an_edit_list_that_begins_between_keyframes_is_respected() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = footage(
        folder.path(),
        "whole.mp4",
        6,
        "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac",
    );
    let trimmed = folder.path().join("trimmed.mp4");
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-ss", "1.2", "-i"])
        .arg(&whole)
        .args(["-c", "copy"])
        .arg(&trimmed)
        .status();
    assert!(done.expect("the ffmpeg program is installed").success());
    holds(&pool(), 1, &trimmed, "trimmed").await;
}

/// Compares what is served with what ffprobe tells. The time line of a file that begins elsewhere (a
/// transport stream) is moved to 0, picture and sound alike.
async fn holds(pool: &Playback, number: u8, path: &Path, name: &str) {
    let from = source(path);
    let (facts, index) = pool.index(id(number), from.clone()).await.expect("answers");
    let index = index.unwrap_or_else(|| panic!("{name}: {:?}", facts.verdict));
    let segments = segments(pool, number, &from, &index).await;
    let (served, told) = (served(&index.init(), &segments, &index), told(path));
    let carried = index.tracks().iter().map(|track| &told[&track.stream]);
    let heard = |times: &Vec<f64>| times.iter().copied().find(|ms| *ms >= -0.5);
    let first = carried.filter_map(heard).reduce(f64::min).expect("frames");
    let origin = index.origin_us() as f64 / 1000.0;
    let first = match name {
        // What is only there to be decoded takes a tick each, which picture and sound are moved by.
        "trimmed" if (origin - first).abs() < 5.0 => origin,
        _ => first,
    };
    for (track, times) in index.tracks().iter().zip(&served) {
        let told = &told[&track.stream];
        let shown: Vec<f64> = told.iter().map(|ms| ms - first).collect();
        // Those that are there for others to be decoded come before, within a tick each.
        let hidden = times.len().saturating_sub(shown.len());
        assert!(hidden <= 1 || name == "trimmed", "{name}: {hidden}");
        let apart = |(served, told): (&f64, &f64)| (served - told).abs();
        let worst = times[hidden..]
            .iter()
            .zip(&shown)
            .map(apart)
            .fold(0.0, f64::max);
        assert_eq!(
            times[hidden..].len(),
            shown.len(),
            "{name}: {:?}",
            track.kind
        );
        let tolerance = 1.0 + hidden as f64 * 1000.0 / f64::from(track.timescale);
        assert!(
            worst <= tolerance,
            "{name}: {:?} is {worst} ms off: {:?} for {:?}",
            track.kind,
            &times[..times.len().min(8)],
            &shown[..shown.len().min(8)],
        );
    }
}
