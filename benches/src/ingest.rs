//! Rate and processor time of taking in 1 GiB, over one connection and over four.

use std::time::Instant;

use anyhow::Result;
use docket_base::{OsRandom, random};

use crate::targets::{Target, say};
use crate::wire::Body;
use crate::{Bench, MIB, median};

const TOTAL_BYTES: u64 = 1024 * MIB;

/// What one run of one server gave.
pub(crate) struct Run {
    /// Bytes of the files by the time until the last answer.
    pub megabytes_per_second: f64,
    cpu_seconds_per_gb: f64,
}

/// Runs the servers in turn, `rounds` times, and prints medians and the ratios of each round.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    say(&format!(
        "\n## Ingest of 1 GiB: rate in MB/s and CPU seconds per GB, medians of {} alternating runs\n",
        bench.rounds
    ));
    let targets = [
        Target::docketd(&bench.dir)?,
        Target::sink(&bench.dir)?,
        Target::tus_node(&bench.dir)?,
    ];
    // The first large write after boot is slower than all that follow.
    for target in &targets {
        measure(target, 1)?;
    }
    say(
        "| connections | server | MB/s | docketd is … times it | CPU s/GB | docketd takes … times it |",
    );
    say("|---|---|---|---|---|---|");
    for connections in [1, 4] {
        let mut runs: Vec<Vec<Run>> = targets.iter().map(|_| Vec::new()).collect();
        for _ in 0..bench.rounds {
            for (target, runs) in targets.iter().zip(&mut runs) {
                runs.push(measure(target, connections)?);
            }
        }
        for (target, theirs) in targets.iter().zip(&runs) {
            let column = |of: fn(&Run) -> f64| median(&theirs.iter().map(of).collect::<Vec<_>>());
            let ratio = |of: fn(&Run) -> f64| {
                let pairs = runs[0].iter().zip(theirs);
                median(
                    &pairs
                        .map(|(ours, other)| of(ours) / of(other))
                        .collect::<Vec<_>>(),
                )
            };
            say(&format!(
                "| {connections} | {} | {:.0} | {:.2} | {:.2} | {:.2} |",
                target.name,
                column(|run| run.megabytes_per_second),
                ratio(|run| run.megabytes_per_second),
                column(|run| run.cpu_seconds_per_gb),
                ratio(|run| run.cpu_seconds_per_gb),
            ));
        }
    }
    Ok(())
}

/// One upload of 1 GiB in so many parts at once.
pub(crate) fn measure(target: &Target, connections: u64) -> Result<Run> {
    // What earlier runs left dirty must not be written out in this one.
    rustix::fs::sync();
    let block: Vec<u8> = random::bytes::<4096>(&OsRandom).repeat(64);
    let size_bytes = TOTAL_BYTES / connections;
    let cpu = target.server.cpu_seconds()?;
    let began = Instant::now();
    let ids = parallel(target, connections, size_bytes, &block)?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = target.server.cpu_seconds()? - cpu;
    // The read-back after sealing is not ingest: it must be over before another is measured.
    for id in ids {
        target.await_receipt(&id, "verified")?;
    }
    Ok(Run {
        megabytes_per_second: TOTAL_BYTES as f64 / 1e6 / seconds,
        cpu_seconds_per_gb: cpu / (TOTAL_BYTES as f64 / 1e9),
    })
}

/// Uploads `count` files at once; the ids of those that have one to ask a receipt for.
pub(crate) fn parallel(
    target: &Target,
    count: u64,
    size_bytes: u64,
    block: &[u8],
) -> Result<Vec<String>> {
    let uploads = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..count)
            .map(|_| {
                scope.spawn(|| {
                    target.upload(&Body {
                        size_bytes,
                        block,
                        tag: random::bytes(&OsRandom),
                    })
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|_| anyhow::bail!("an upload panicked"))
            })
            .collect::<Result<Vec<_>>>()
    })?;
    let mut ids = Vec::new();
    if target.name == "docketd" {
        ids.extend(uploads.into_iter().filter_map(|upload| upload.id));
    }
    Ok(ids)
}
