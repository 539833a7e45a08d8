//! Cuts a recording into an HLS folder and says what each step took:
//! `cargo run -p docket-media --example cut -- RECORDING FOLDER`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail};
use docket_base::ids::RecordingId;
use docket_playback::{Config, Playback, PlaybackIndex, Source, Variant};

fn worker() -> anyhow::Result<PathBuf> {
    let executable = std::env::current_exe()?;
    let folder = executable
        .ancestors()
        .nth(2)
        .context("no folder above the examples")?;
    Ok(folder.join("docket-media"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(recording), Some(folder)) = (arguments.next(), arguments.next()) else {
        bail!("usage: cut RECORDING FOLDER");
    };
    let open = || -> anyhow::Result<Source> {
        Ok(Source::descriptor(std::fs::File::open(&recording)?.into())?)
    };
    let pool = Playback::new(Config {
        worker: Some(worker()?),
        ..Config::default()
    })?;
    println!("{:?}", pool.check().await?);
    let id = RecordingId::from_bytes([1; 16]);
    let begin = Instant::now();
    let facts = pool.probe(id, open()?).await?;
    println!("start and probe {:?}: {:?}", begin.elapsed(), facts.verdict);
    let begin = Instant::now();
    let (facts, index) = pool.index(id, open()?).await?;
    println!("index {:?}: {:?} ms", begin.elapsed(), facts.duration_ms);
    let begin = Instant::now();
    let poster = pool
        .poster(id, open()?, None, 640)
        .await
        .unwrap_or_default();
    println!("poster {:?}: {} B", begin.elapsed(), poster.len());
    let stored = index.context("does not play")?.to_bytes();
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("poster.jpg"), poster)?;
    let begin = Instant::now();
    let index = PlaybackIndex::from_bytes(stored)?;
    println!(
        "index read {:?}: {} B",
        begin.elapsed(),
        index.to_bytes().len()
    );
    let begin = Instant::now();
    let playlist = index.playlist();
    println!(
        "playlist {:?}: {} segments",
        begin.elapsed(),
        index.segments().len()
    );
    std::fs::write(folder.join("index.m3u8"), playlist)?;
    let first = index.playlist_of(Variant::First).unwrap_or_default();
    std::fs::write(folder.join("low.m3u8"), first)?;
    std::fs::write(folder.join("init.mp4"), index.init())?;
    let (mut times, source) = (Vec::new(), open()?);
    for number in 0..index.segments().len() {
        let begin = Instant::now();
        let segment = match index.is_made() {
            true => {
                let made = pool.segment(id, source.clone(), &index, number, Variant::First);
                made.await?
            }
            false => index.plan(number)?.fetch(&source).await?,
        };
        times.push(begin.elapsed());
        std::fs::write(folder.join(format!("{number}.m4s")), segment)?;
    }
    println!("first segment {:?}", times[0]);
    times.sort();
    println!(
        "segment median {:?}, worst {:?}",
        times[times.len() / 2],
        times[times.len() - 1]
    );
    Ok(())
}
