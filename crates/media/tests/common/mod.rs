//! What the tests of the real worker share: pools, footage made by the ffmpeg program, ffprobe's view.
#![allow(dead_code)] // every test binary uses its own part

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use docket_base::ids::RecordingId;
use docket_playback::{BlockSource, Config, Playback, PlaybackIndex, Reason, ReasonCode, Source};

pub fn config() -> Config {
    Config {
        worker: Some(env!("CARGO_BIN_EXE_docket-media").into()),
        max_workers: 2,
        worker_arguments: vec!["--misbehave".into()],
        ..Config::default()
    }
}

pub fn pool() -> Playback {
    Playback::new(config()).expect("the worker is built")
}

pub fn id(number: u8) -> RecordingId {
    RecordingId::from_bytes([number; 16])
}

pub fn source(path: &Path) -> Source {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Source::descriptor(file.into()).expect("read-only")
}

/// A file as an object store would give it, counting what is asked for.
#[derive(Debug)]
pub struct Store {
    pub bytes: Bytes,
    pub asked_bytes: AtomicU64,
    pub requests: AtomicU64,
    pub fails: bool,
}

impl Store {
    pub fn of(path: &Path) -> Arc<Self> {
        let bytes = std::fs::read(path).expect("readable").into();
        Arc::new(Self {
            bytes,
            asked_bytes: 0.into(),
            requests: 0.into(),
            fails: false,
        })
    }
}

#[async_trait]
impl BlockSource for Store {
    fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        if self.fails {
            return Err(io::Error::other("the store is away"));
        }
        self.asked_bytes
            .fetch_add(range.end - range.start, Ordering::SeqCst);
        self.requests.fetch_add(1, Ordering::SeqCst);
        Ok(self.bytes.slice(range.start as usize..range.end as usize))
    }
}

/// The folder of recordings to test with, where it is present.
pub fn cases() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases");
    let folder = std::env::var_os("DOCKET_CASES").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        eprintln!(
            "SKIPPED: no recordings at {} (DOCKET_CASES)",
            folder.display()
        );
        return None;
    }
    Some(folder)
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found.sort();
    found
}

/// Footage: `input` are lavfi sources, `output` the codecs and format. Made in `folder`.
pub fn footage(folder: &Path, name: &str, seconds: u32, arguments: &str) -> PathBuf {
    let path = folder.join(name);
    let video = format!("testsrc2=size=320x240:rate=25:duration={seconds}");
    let audio = format!("sine=frequency=440:sample_rate=48000:duration={seconds}");
    let done = Command::new("ffmpeg")
        .args([
            "-v", "error", "-y", "-f", "lavfi", "-i", &video, "-f", "lavfi", "-i", &audio,
        ])
        .args(arguments.split_whitespace())
        .arg(&path)
        .status()
        .expect("the ffmpeg program is installed");
    assert!(done.success(), "ffmpeg made no {name}");
    path
}

pub const H264_AAC: &str = "-c:v libx264 -preset ultrafast -bf 2 -g 50 -c:a aac -b:a 64k";

/// One packet by ffprobe's account.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbedPacket {
    pub pts_s: f64,
    pub hash: String,
    pub key: bool,
}

/// Packets of each stream, by ffprobe's account, sorted by time of showing; and the picture's rotation.
pub fn packets(path: &Path) -> (BTreeMap<u32, Vec<ProbedPacket>>, Option<i64>) {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "quiet",
            "-show_packets",
            "-show_data_hash",
            "crc32",
            "-of",
            "json",
        ])
        .args([
            "-show_entries",
            "packet=stream_index,pts_time,dts_time,flags,data_hash:stream=index:stream_side_data=rotation",
        ])
        .arg(path)
        .output()
        .expect("the ffprobe program is installed");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let mut streams: BTreeMap<u32, Vec<ProbedPacket>> = BTreeMap::new();
    for packet in json["packets"].as_array().into_iter().flatten() {
        let text = |key: &str| packet[key].as_str().unwrap_or_default();
        let flags = text("flags");
        if flags.contains('C') {
            continue; // cut off at the end of the file
        }
        let time = Some(text("pts_time"))
            .filter(|t| !t.is_empty())
            .unwrap_or(text("dts_time"));
        let one = ProbedPacket {
            pts_s: time.parse().unwrap_or(f64::NAN),
            hash: text("data_hash").to_owned(),
            key: flags.contains('K'),
        };
        streams
            .entry(packet["stream_index"].as_u64().unwrap_or(99) as u32)
            .or_default()
            .push(one);
    }
    for packets in streams.values_mut() {
        packets.sort_by(|a, b| a.pts_s.total_cmp(&b.pts_s));
    }
    let side_data = json["streams"].as_array().into_iter().flatten();
    let mut side_data = side_data
        .flat_map(|stream| stream["side_data_list"].as_array())
        .flatten();
    (
        streams,
        side_data.find_map(|data| data["rotation"].as_i64()),
    )
}

/// Init and all segments joined into one file.
pub async fn join(index: &PlaybackIndex, source: &Source, to: &Path) -> u64 {
    let mut joined = index.init().to_vec();
    for number in 0..index.segments().len() {
        let plan = index.plan(number).expect("plans");
        let segment = plan.fetch(source).await.expect("reads");
        assert_eq!(segment.len() as u64, plan.size_bytes, "segment {number}");
        joined.extend_from_slice(&segment);
    }
    std::fs::write(to, &joined).expect("writes");
    joined.len() as u64
}

/// Holds what plays against the original, frame by frame.
pub fn compare(name: &str, original: &Path, joined: &Path, index: &PlaybackIndex) {
    let ((before, turned_before), (after, turned)) = (packets(original), packets(joined));
    assert_eq!(turned_before, turned, "{name}: turned");
    let origin_s = index.origin_us() as f64 / 1e6;
    for (number, track) in index.tracks().iter().enumerate() {
        let none = Vec::new();
        let old = before.get(&track.stream).unwrap_or(&none);
        let new = after.get(&(number as u32)).unwrap_or(&none);
        assert!(!new.is_empty(), "{name}: nothing in track {number}");
        // ffprobe also counts the frame that the end of a truncated file cuts in two.
        let is_cut = |note: &Reason| note.code == ReasonCode::Truncated;
        let old: Vec<_> = match index.facts().verdict.first_reason().is_some_and(is_cut) {
            true => whole(old, new),
            false => old.clone(),
        };
        assert_eq!(old.len(), new.len(), "{name}: frames of track {number}");
        for (at, (old, new)) in old.iter().zip(new).enumerate() {
            // ffprobe prints microseconds; Matroska's own times are milliseconds.
            let tolerance = if index.facts().container == "matroska" {
                0.0011
            } else {
                0.000_05
            };
            let apart = (old.pts_s - origin_s - new.pts_s).abs();
            assert!(
                apart <= tolerance,
                "{name}: track {number} frame {at}: {old:?} became {new:?} ({origin_s})"
            );
            assert_eq!(
                old.hash, new.hash,
                "{name}: track {number} frame {at}: other bytes"
            );
            assert_eq!(old.key, new.key, "{name}: track {number} frame {at}");
        }
    }
}

/// How many pictures decode, and whether the decoder complained.
pub fn decoded(path: &Path) -> (usize, String) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:v", "-f", "framemd5", "-"])
        .output()
        .expect("the ffmpeg program is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    let pictures = text.lines().filter(|line| !line.starts_with('#')).count();
    (
        pictures,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// All but at most one frame whose bytes are cut off.
fn whole(old: &[ProbedPacket], new: &[ProbedPacket]) -> Vec<ProbedPacket> {
    let kept = |packet: &&ProbedPacket| new.iter().any(|other| other.hash == packet.hash);
    let whole: Vec<_> = old.iter().filter(kept).cloned().collect();
    assert!(old.len() - whole.len() <= 1);
    whole
}

/// This process's workers that have restricted themselves.
pub fn workers() -> Vec<u32> {
    let mut found = Vec::new();
    for task in std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten()
    {
        let list = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(
            list.split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    found.retain(|process| {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        status.contains("Name:\tdocket-media") && status.contains("NoNewPrivs:\t1")
    });
    found
}

/// Waits for a worker to be at work.
pub async fn a_worker() -> u32 {
    let look = async {
        loop {
            match workers().first() {
                Some(process) => return *process,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), look)
        .await
        .expect("a worker starts")
}
