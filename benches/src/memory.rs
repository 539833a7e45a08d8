//! Peak memory of `docketd` under sixteen uploads at once, of large files and of small ones.

use anyhow::Result;

use crate::ingest::parallel;
use crate::targets::{Target, say};
use crate::{Bench, MIB};

const UPLOADS: u64 = 16;

/// Prints VmHWM for files of 64 MiB and of 1 GiB, each of a fresh daemon.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    say("\n## Peak memory (VmHWM) of docketd, 16 uploads at once\n");
    say("| each | at rest, MiB | peak, MiB |");
    say("|---|---|---|");
    for size_bytes in [64 * MIB, 1024 * MIB] {
        let target = Target::docketd(&bench.dir)?;
        let rest = target.server.peak_bytes()?;
        let block = vec![0x5a; 256 * 1024];
        for id in parallel(&target, UPLOADS, size_bytes, &block)? {
            target.await_receipt(&id, "verified")?;
        }
        let peak = target.server.peak_bytes()?;
        say(&format!(
            "| {} MiB | {:.0} | {:.0} |",
            size_bytes / MIB,
            rest as f64 / MIB as f64,
            peak as f64 / MIB as f64
        ));
    }
    Ok(())
}
