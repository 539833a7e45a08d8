//! Recorders are worn on the side, upside down: what their files say of how to turn the picture is kept,
//! also where the picture is made anew.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{footage, id, join, packets, pool, source};
use docket_playback::{Mode, Playback, StreamKind, Variant};

/// Four quarters, each of its own colour.
const QUARTERS: &str = "-vf drawbox=x=0:y=0:w=160:h=120:color=red:t=fill,drawbox=x=160:y=0:w=160:h=120:color=lime:t=fill,\
drawbox=x=0:y=120:w=160:h=120:color=blue:t=fill,drawbox=x=160:y=120:w=160:h=120:color=white:t=fill";

/// The quarters' colours as a player shows them: top left, top right, bottom left, bottom right.
fn seen(path: &Path) -> String {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-frames:v", "1", "-vf", "scale=4:4:flags=neighbor"])
        .args(["-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
        .output()
        .expect("the ffmpeg program is installed");
    let name = |pixel: &[u8]| match [pixel[0] > 128, pixel[1] > 128, pixel[2] > 128] {
        [true, false, false] => 'R',
        [false, true, false] => 'G',
        [false, false, true] => 'B',
        [true, true, true] => 'W',
        _ => '?',
    };
    let pixels: Vec<char> = output.stdout.chunks_exact(3).map(name).collect();
    [0, 3, 12, 15].map(|corner| pixels[corner]).iter().collect()
}

fn turned(film: &Path, degrees: u16) -> PathBuf {
    let path = film.with_file_name(format!(
        "{degrees} {}",
        film.file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
    ));
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-i"])
        .arg(film)
        .args([
            "-c",
            "copy",
            "-metadata:s:v:0",
            &format!("rotate={degrees}"),
        ])
        .arg(&path)
        .status();
    assert!(done.expect("the ffmpeg program is installed").success());
    path
}

async fn played(pool: &Playback, number: u8, path: &Path, to: &Path, mode: Mode) -> u16 {
    let (facts, index) = pool
        .index(id(number), source(path))
        .await
        .expect("an answer");
    let index = index.unwrap_or_else(|| panic!("{}: {:?}", path.display(), facts.verdict));
    let picture = &index.tracks()[0];
    assert_eq!(
        (picture.kind, picture.mode),
        (StreamKind::Video, mode),
        "{}",
        path.display()
    );
    if index.is_made() {
        let mut joined = index.init().to_vec();
        for at in 0..index.segments().len() {
            let made = pool.segment(id(number), source(path), &index, at, Variant::First);
            joined.extend_from_slice(&made.await.expect("a segment"));
        }
        std::fs::write(to, joined).expect("writes");
    } else {
        join(&index, &source(path), to).await;
    }
    facts.streams[picture.stream as usize].rotation_degrees
}

#[tokio::test]
async fn what_was_worn_sideways_is_seen_upright() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = pool();
    let films = [
        (
            "h264.mp4",
            "-c:v libx264 -preset ultrafast -c:a aac",
            Mode::Raw,
        ),
        (
            "h264.mov",
            "-c:v libx264 -preset ultrafast -c:a pcm_s16le",
            Mode::Copied,
        ),
        (
            "h265.mp4",
            "-c:v libx265 -preset ultrafast -x265-params log-level=error -c:a aac",
            Mode::Transcoded,
        ),
        (
            "mpeg4.mp4",
            "-c:v mpeg4 -qscale:v 3 -c:a aac",
            Mode::Transcoded,
        ),
    ];
    // The ffmpeg program counts the other way round than players turn.
    let ways = [(90, "GWRB", 270), (180, "WBGR", 180), (270, "BRWG", 90)];
    let mut number = 0;
    for (name, arguments, mode) in films {
        let film = footage(folder.path(), name, 1, &format!("{QUARTERS} {arguments}"));
        assert_eq!(seen(&film), "RGBW");
        for (degrees, upright, clockwise) in ways {
            number += 1;
            let path = turned(&film, degrees);
            assert_eq!(seen(&path), upright, "{name} as it was recorded");
            let to = folder.path().join("played.mp4");
            let told = played(&pool, number, &path, &to, mode).await;
            assert_eq!(told, clockwise, "{name}");
            assert_eq!(seen(&to), upright, "{name} by {degrees} as it is played");
            assert_eq!(packets(&to).1, packets(&path).1, "{name} by {degrees}");
        }
    }
}
