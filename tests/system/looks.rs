//! Storyboards and waveforms of real films: the right picture at the right time, sound where there is sound.

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::growing::{Upload, film};
use crate::harness::api::Answer;
use crate::harness::programs::run;
use crate::harness::{Api, Daemon, until};
use crate::playback::upload_file;

/// Ten seconds red with a tone, ten green and silent, ten blue with a tone.
async fn colours(path: &Path, codecs: &str) {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-loglevel", "error", "-y"]);
    for colour in ["red", "lime", "blue"] {
        let source = format!("color=c={colour}:size=320x180:rate=25:duration=10");
        command.args(["-f", "lavfi", "-i", &source]);
    }
    command
        .args(["-f", "lavfi", "-i"])
        .arg("sine=frequency=440:sample_rate=48000:duration=30")
        .args([
            "-filter_complex",
            "[0][1][2]concat=n=3[v];[3]volume=6,volume=0:enable='between(t,10,20)'[a]",
        ])
        .args(["-map", "[v]", "-map", "[a]"])
        .args(codecs.split_whitespace())
        .arg(path);
    run(command, "").await.succeeded();
}

#[derive(Debug, Clone, PartialEq)]
struct Cue {
    from_s: f64,
    until_s: f64,
    sheet: String,
    place: Vec<u32>,
}

fn seconds(text: &str) -> f64 {
    let parts = text.split(':').map(|part| part.parse::<f64>());
    parts.fold(0.0, |all, part| all * 60.0 + part.expect("a number"))
}

fn cues(vtt: &str) -> Vec<Cue> {
    assert!(vtt.starts_with("WEBVTT\n"), "{vtt}");
    let lines: Vec<&str> = vtt.lines().collect();
    let pairs = lines.windows(2).filter(|pair| pair[0].contains(" --> "));
    pairs
        .map(|pair| {
            let (from, until) = pair[0].split_once(" --> ").expect("two times");
            let (sheet, place) = pair[1].split_once("#xywh=").expect("a place");
            let numbers = place.split(',').map(|n| n.parse().expect("a number"));
            Cue {
                from_s: seconds(from),
                until_s: seconds(until),
                sheet: sheet.to_owned(),
                place: numbers.collect(),
            }
        })
        .collect()
}

async fn look(api: &Api, id: &str, name: &str) -> Option<Answer> {
    let answer = api.get(&format!("/v1/recordings/{id}/{name}")).await;
    assert!(matches!(answer.status, 200 | 404), "{}", answer.text());
    (answer.status == 200).then_some(answer)
}

/// Once nothing is added any more.
async fn whole(api: &Api, id: &str, name: &str) -> Answer {
    until(&format!("{name} is whole"), || async {
        let answer = look(api, id, name).await?;
        (answer.header("cache-control") == Some("private, max-age=300")).then_some(answer)
    })
    .await
}

/// The mean colour of a picture.
async fn colour(api: &Api, id: &str, cue: &Cue, folder: &Path) -> [u8; 3] {
    let sheet = look(api, id, &cue.sheet).await.expect("it is named");
    let (jpeg, raw) = (folder.join("sheet.jpg"), folder.join("pixel.rgb"));
    std::fs::write(&jpeg, &sheet.body).expect("written");
    let [x, y, width, height] = cue.place[..] else {
        panic!("four numbers: {cue:?}");
    };
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-loglevel", "error", "-y", "-i"])
        .arg(&jpeg)
        .arg("-vf")
        .arg(format!(
            "crop={width}:{height}:{x}:{y}:exact=1,scale=1:1:flags=area"
        ))
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24"])
        .arg(&raw);
    run(command, "").await.succeeded();
    std::fs::read(&raw).expect("made")[..3]
        .try_into()
        .expect("one pixel")
}

#[tokio::test]
async fn pictures_and_peaks_are_of_their_time() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    for (name, codecs) in [
        (
            "h264.mp4",
            "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac",
        ),
        (
            "h264.ts",
            "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac",
        ),
        (
            "hevc.mp4",
            "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=50 -c:a aac",
        ),
        ("mpeg2.mpg", "-c:v mpeg2video -g 12 -bf 2 -c:a mp2 -f vob"),
        ("mjpeg.avi", "-c:v mjpeg -c:a pcm_s16le"),
        ("mpeg4.mkv", "-c:v mpeg4 -g 50 -c:a pcm_mulaw -ar 8000"),
    ] {
        let file = daemon.folder().join(name);
        colours(&file, codecs).await;
        let id = upload_file(&api, &file).await;
        let vtt = whole(&api, &id, "storyboard.vtt").await;
        let cues = cues(&vtt.text());
        assert!((12..=16).contains(&cues.len()), "{name}: {cues:?}");
        assert_eq!(cues[0].from_s, 0.0, "{name}");
        assert!(
            (29.5..31.0).contains(&cues[cues.len() - 1].until_s),
            "{name}: {cues:?}"
        );
        assert!(
            cues.windows(2)
                .all(|pair| pair[0].until_s == pair[1].from_s),
            "{name}"
        );
        assert_eq!(cues[0].place[2..], [160, 90], "{name}");
        for (at_s, most) in [(4.5, 0), (14.5, 1), (24.5, 2)] {
            let cue = cues
                .iter()
                .find(|cue| (cue.from_s..cue.until_s).contains(&at_s));
            let seen = colour(&api, &id, cue.expect("a cue"), daemon.folder()).await;
            for (channel, value) in seen.into_iter().enumerate() {
                let right = if channel == most {
                    value > 180
                } else {
                    value < 70
                };
                assert!(right, "{name} at {at_s} s: {seen:?}");
            }
        }
        let wave: Value = whole(&api, &id, "waveform.json").await.json();
        assert_eq!(wave["peaks_per_s"], 10, "{name}");
        let peaks = wave["peaks"].as_array().expect("peaks");
        assert!((295..310).contains(&peaks.len()), "{name}: {}", peaks.len());
        let loud = |range: std::ops::Range<usize>| {
            let some = peaks[range]
                .iter()
                .map(|peak| peak.as_u64().expect("a number"));
            some.collect::<Vec<u64>>()
        };
        assert!(
            loud(10..90).iter().all(|peak| *peak > 120),
            "{name}: {:?}",
            loud(0..100)
        );
        assert!(
            loud(110..190).iter().all(|peak| *peak < 6),
            "{name}: {:?}",
            loud(100..200)
        );
        assert!(
            loud(210..290).iter().all(|peak| *peak > 120),
            "{name}: {:?}",
            loud(200..300)
        );
    }
}

#[tokio::test]
async fn they_grow_with_the_upload_and_keep_their_places() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    for (name, options, hinted) in [
        (
            "fragmented.mp4",
            &["-movflags", "frag_keyframe+empty_moov"][..],
            false,
        ),
        ("index last.mp4", &[][..], true),
    ] {
        let file = film(&daemon, name, options).await;
        let mut upload = Upload::begin(api.clone(), name, file).await;
        if hinted {
            upload.true_hint().await;
        }
        upload.to(50).await;
        let id = upload.id.clone();
        let early = until("a storyboard of what came", || async {
            let found = cues(&look(&api, &id, "storyboard.vtt").await?.text());
            (found.len() >= 5).then_some(found)
        })
        .await;
        assert!(early[early.len() - 1].until_s < 25.0, "{name}: {early:?}");
        look(&api, &id, "storyboard-0.jpg").await.expect("a sheet");
        until("a waveform of what came", || {
            look(&api, &id, "waveform.json")
        })
        .await;
        until("a poster of what came", || look(&api, &id, "poster.jpg")).await;
        upload.to(100).await;
        api.await_state(&id, "sealed").await;
        let late = cues(&whole(&api, &id, "storyboard.vtt").await.text());
        assert!(
            late.len() > early.len() && late[late.len() - 1].until_s > 39.0,
            "{name}: {late:?}"
        );
        for (before, after) in early.iter().zip(&late) {
            let same = (&before.sheet, &before.place, before.from_s);
            assert_eq!(same, (&after.sheet, &after.place, after.from_s), "{name}");
        }
        let wave = whole(&api, &id, "waveform.json").await.json();
        let peaks = wave["peaks"].as_array().expect("peaks");
        assert!((398..406).contains(&peaks.len()), "{name}: {}", peaks.len());
        assert!(
            peaks[5..390].iter().all(|peak| peak.as_u64() > Some(20)),
            "{name}: {peaks:?}"
        );
    }
}
