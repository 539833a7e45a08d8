//! From the last byte sent to the answer, and on to the `stored` receipt.

use std::time::Duration;

use anyhow::{Context, Result};
use docket_base::{OsRandom, random};

use crate::targets::{Target, Upload, say};
use crate::wire::Body;
use crate::{Bench, median};

/// Prints medians for a file of 1 MB and one of 4 GB, beside the sink's, whose answer waits for its
/// fsync alone.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    say("\n## Last byte sent to the answer, and to the stored receipt (medians, ms)\n");
    say("| file | rounds | sink answers after | docketd answers after | stored receipt after |");
    say("|---|---|---|---|---|");
    for (name, size_bytes, rounds) in [
        ("1 MB", 1_000_000, bench.rounds * 5),
        ("4 GB", 4_000_000_000, bench.rounds.min(3)),
    ] {
        let docketd = Target::docketd(&bench.dir)?;
        let (mut theirs, mut answers, mut receipts) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            // A new sink each time: its files go with it.
            let sink = Target::sink(&bench.dir)?;
            theirs.push(milliseconds(
                upload(&sink, size_bytes)?.reply.after_last_byte,
            ));
            drop(sink);
            let upload = upload(&docketd, size_bytes)?;
            let answer = upload.reply.after_last_byte;
            let id = upload.id.context("an upload without an id")?;
            let receipt = answer + docketd.await_receipt(&id, "stored")?;
            docketd.await_receipt(&id, "verified")?;
            answers.push(milliseconds(answer));
            receipts.push(milliseconds(receipt));
        }
        say(&format!(
            "| {name} | {rounds} | {:.1} | {:.1} | {:.1} |",
            median(&theirs),
            median(&answers),
            median(&receipts)
        ));
    }
    Ok(())
}

fn upload(target: &Target, size_bytes: u64) -> Result<Upload> {
    rustix::fs::sync();
    target.upload(&Body {
        size_bytes,
        block: &[0x5a; 256 * 1024],
        tag: random::bytes(&OsRandom),
    })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
