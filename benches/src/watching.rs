//! What watching costs: processor time, segments a second, the index, many viewers, transcoding beside ingest.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::film::Films;
use crate::targets::{Target, say};
use crate::viewer::Viewer;
use crate::{Bench, ingest, median};

/// How many watch at once.
const VIEWERS: usize = 50;
/// What a player loads before it rests, in seconds of film.
const AHEAD_SECONDS: f64 = 30.0;

/// Prints all of it.
pub(crate) fn run(bench: &Bench, films: &Films) -> Result<()> {
    streaming(bench, films)?;
    crowd(bench, films)?;
    transcoding(bench, films)
}

/// All segments of an hour, by two viewers, each half.
fn streaming(bench: &Bench, films: &Films) -> Result<()> {
    say("\n## Streaming a sealed hour, 1080p H.264/AAC at 4.4 Mbit/s, two viewers at once\n");
    let target = Target::docketd(&bench.dir)?;
    let id = target.upload_film(&films.hour()?)?;
    let list = Viewer::of(&target, &id)?.await_playlist()?;
    let minutes = list.seconds() / 60.0;
    target.await_receipt(&id, "verified")?;
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds.min(5) {
        let cpu = target.server.cpu_seconds()?;
        let began = Instant::now();
        together(2, |at| {
            let mut viewer = Viewer::of(&target, &id)?;
            for (name, _) in list.segments.iter().skip(at).step_by(2) {
                viewer.bytes(name)?;
            }
            Ok(())
        })?;
        rates.push(list.segments.len() as f64 / began.elapsed().as_secs_f64());
        costs.push((target.server.cpu_seconds()? - cpu) / minutes);
    }
    let (rate, cost) = (median(&rates), median(&costs));
    let index_bytes = index_bytes(&target.dir)?;
    say(
        "| segments a second | minutes of film a second | CPU ms a streamed minute | index, KB a minute |",
    );
    say("|---|---|---|---|");
    say(&format!(
        "| {rate:.0} | {:.1} | {:.1} | {:.1} |",
        rate * minutes / list.segments.len() as f64,
        cost * 1e3,
        index_bytes as f64 / 1e3 / minutes
    ));
    Ok(())
}

/// Fifty who press play at the same moment: on one recording, and each on another.
fn crowd(bench: &Bench, films: &Films) -> Result<()> {
    say(&format!(
        "\n## {VIEWERS} viewers press play at once and load {AHEAD_SECONDS} s ahead, 1080p H.264/AAC\n"
    ));
    let target = Target::docketd(&bench.dir)?;
    let minute = films.minute()?;
    let mut ids = Vec::new();
    for number in 0..VIEWERS {
        let film = bench.dir.join("another.mp4");
        films.another(&minute, number, &film)?;
        ids.push(target.upload_film(&film)?);
    }
    for id in &ids {
        Viewer::of(&target, id)?.await_playlist()?;
        target.await_receipt(id, "verified")?;
    }
    say(
        "| watching | first segment, p50 ms | p95 ms | all have loaded after, s | viewers it could feed |",
    );
    say("|---|---|---|---|---|");
    for (name, distinct) in [("one recording", 1), ("fifty recordings", VIEWERS)] {
        let began = Instant::now();
        let mut firsts = together(VIEWERS, |at| load_ahead(&target, &ids[at % distinct]))?;
        let seconds = began.elapsed().as_secs_f64();
        firsts.sort_by(f64::total_cmp);
        say(&format!(
            "| {name} | {:.0} | {:.0} | {seconds:.2} | {:.0} |",
            median(&firsts) * 1e3,
            firsts[firsts.len() * 95 / 100] * 1e3,
            VIEWERS as f64 * AHEAD_SECONDS / seconds
        ));
    }
    Ok(())
}

/// As a player begins; how long the first segment took, in seconds.
fn load_ahead(target: &Target, id: &str) -> Result<f64> {
    let began = Instant::now();
    let mut viewer = Viewer::of(target, id)?;
    let list = viewer.playlist()?.context("not playable")?;
    viewer.bytes(&list.init)?;
    let (mut loaded, mut first) = (0.0, None);
    for (name, lasts) in &list.segments {
        viewer.bytes(name)?;
        first.get_or_insert_with(|| began.elapsed().as_secs_f64());
        loaded += lasts;
        if loaded >= AHEAD_SECONDS {
            break;
        }
    }
    first.context("no segment")
}

/// H.265, made for viewing: how soon, how fast, and what ingest keeps meanwhile.
fn transcoding(bench: &Bench, films: &Films) -> Result<()> {
    say("\n## H.265 1080p, transcoded for viewing at 720p\n");
    // No cache: each segment asked for is made, however often it was before.
    let target = Target::docketd_with(&bench.dir, &[("DOCKET_PLAYBACK__MADE_CACHE_BYTES", "0")])?;
    let id = target.upload_film(&films.hevc()?)?;
    let mut viewer = Viewer::of(&target, &id)?;
    let list = viewer.await_playlist()?;
    target.await_receipt(&id, "verified")?;
    let mut firsts = Vec::new();
    for _ in 0..bench.rounds {
        let began = Instant::now();
        viewer.playlist()?;
        viewer.bytes(&list.init)?;
        viewer.bytes(&list.segments[0].0)?;
        firsts.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = target.server.tree_cpu_seconds()?;
    let began = Instant::now();
    together(2, |at| {
        let mut viewer = Viewer::of(&target, &id)?;
        for (name, _) in list.segments.iter().skip(at).step_by(2) {
            viewer.bytes(name)?;
        }
        Ok(())
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = target.server.tree_cpu_seconds()? - cpu;
    say("| first segment, ms | times as fast as it plays, two at once | CPU s a streamed minute |");
    say("|---|---|---|");
    say(&format!(
        "| {:.0} | {:.1} | {:.1} |",
        median(&firsts),
        list.seconds() / seconds,
        cpu / (list.seconds() / 60.0)
    ));
    beside_ingest(bench, &target, &id)
}

fn beside_ingest(bench: &Bench, target: &Target, id: &str) -> Result<()> {
    say("\n## Ingest of 1 GiB over one connection while two viewers have H.265 transcoded\n");
    ingest::measure(target, 1)?;
    let (mut alone, mut beside, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut made = 0;
    for _ in 0..bench.rounds.min(5) {
        alone.push(ingest::measure(target, 1)?.megabytes_per_second);
        let (run, segments) = while_watched(target, id)?;
        beside.push(run.megabytes_per_second);
        made += segments;
        ratios.push(run.megabytes_per_second / alone[alone.len() - 1]);
    }
    say("| alone, MB/s | while transcoding, MB/s | ratio | segments made meanwhile |");
    say("|---|---|---|---|");
    say(&format!(
        "| {:.0} | {:.0} | {:.2} | {made} |",
        median(&alone),
        median(&beside),
        median(&ratios)
    ));
    Ok(())
}

/// One upload while two viewers load as fast as they can; how many segments they got.
fn while_watched(target: &Target, id: &str) -> Result<(ingest::Run, usize)> {
    let (ended, segments) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let watchers: Vec<_> = (0..2)
            .map(|at| {
                scope.spawn({
                    let (ended, segments) = (&ended, &segments);
                    move || -> Result<()> {
                        let mut viewer = Viewer::of(target, id)?;
                        let list = viewer.await_playlist()?;
                        for (name, _) in list.segments.iter().cycle().skip(at * 7) {
                            if ended.load(Ordering::Relaxed) {
                                break;
                            }
                            viewer.bytes(name)?;
                            segments.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(())
                    }
                })
            })
            .collect();
        // Both workers are at it before the upload begins.
        while segments.load(Ordering::Relaxed) < 2
            && !watchers
                .iter()
                .any(std::thread::ScopedJoinHandle::is_finished)
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        let run = ingest::measure(target, 1);
        ended.store(true, Ordering::Relaxed);
        for watcher in watchers {
            watcher
                .join()
                .unwrap_or_else(|_| anyhow::bail!("a viewer panicked"))?;
        }
        Ok((run?, segments.load(Ordering::Relaxed)))
    })
}

/// What each of `count` threads gave.
fn together<T: Send>(count: usize, each: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    std::thread::scope(|scope| {
        let each = &each;
        let threads: Vec<_> = (0..count).map(|at| scope.spawn(move || each(at))).collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| anyhow::bail!("a viewer panicked"))
            })
            .collect()
    })
}

/// The size of the one playback index below a folder.
fn index_bytes(dir: &Path) -> Result<u64> {
    fn find(dir: &Path) -> Result<Option<PathBuf>> {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                if let Some(found) = find(&entry.path())? {
                    return Ok(Some(found));
                }
            } else if entry.file_name() == "index.bin" {
                return Ok(Some(entry.path()));
            }
        }
        Ok(None)
    }
    let path = find(dir)?.context("no playback index on disk")?;
    Ok(std::fs::metadata(path)?.len())
}
