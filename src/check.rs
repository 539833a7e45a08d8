//! `docketd check`: prints what docket_ingest's fsck finds, a line a recording.

use std::sync::Arc;

use docket_ingest::check::{
    CheckLine, CheckParts, Checked, Found, Outcome, RecordingVerdict, check,
};
use tokio::sync::mpsc;

use crate::commands::{CheckOptions, Output};
use crate::parts::{Bare, Parts};

/// Everything agrees.
const CLEAN: u8 = 0;
/// Something doesn't.
const FINDINGS: u8 = 1;
/// There was nothing to check, which proves nothing.
const NOTHING: u8 = 2;

/// Checks a running or startable installation.
pub async fn run(parts: &Arc<Parts>, options: &CheckOptions, out: &Output) -> anyhow::Result<u8> {
    let (mut report, printed) = printer(out);
    let options = docket_ingest::check::CheckOptions {
        quick: options.quick,
    };
    let checked = parts.ingest.check(options, &mut report).await;
    drop(report);
    printed.await?;
    conclude(&checked?, out).await
}

/// Checks an installation whose log can't be continued, so that no daemon starts on it.
pub async fn run_bare(bare: &Bare, options: &CheckOptions, out: &Output) -> anyhow::Result<u8> {
    let (mut report, printed) = printer(out);
    let parts = CheckParts {
        catalog: &bare.catalog,
        vault: &*bare.vault,
        key: bare.key.verifier(),
        clock: &*bare.clock,
        random: &*bare.random,
        read_bytes_per_s: 0,
    };
    let checked = check(
        parts,
        docket_ingest::check::CheckOptions {
            quick: options.quick,
        },
        &mut report,
    )
    .await;
    drop(report);
    printed.await?;
    conclude(&checked?, out).await
}

/// The check tells its lines from within; they are printed by a task of their own, so that a slow
/// terminal does not hold the check up.
fn printer(
    out: &Output,
) -> (
    impl FnMut(&CheckLine) + Send + Sync + use<>,
    tokio::task::JoinHandle<()>,
) {
    let (send, mut lines) = mpsc::unbounded_channel::<String>();
    let out = out.clone();
    let task = tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            out.line(line).await;
        }
    });
    let report = move |line: &CheckLine| {
        for text in texts(line) {
            // The printer ends only after this closure is dropped.
            let _ = send.send(text);
        }
    };
    (report, task)
}

fn texts(line: &CheckLine) -> Vec<String> {
    match line {
        CheckLine::Recording { id, state, verdict } => match verdict {
            RecordingVerdict::Ok => vec![format!("{id}  ok  {state}")],
            RecordingVerdict::Open => vec![format!("{id}  open  {state}")],
            RecordingVerdict::Findings(all) => {
                let mut out = vec![format!("{id}  FINDINGS  {state}")];
                out.extend(all.iter().map(|found| format!("    {}", found_text(found))));
                out
            }
        },
        CheckLine::Found(found) => vec![format!("FINDING  {}", found_text(found))],
        CheckLine::Entries { checked, of } => {
            vec![format!("ledger: {checked} of {of} entries checked")]
        }
    }
}

fn found_text(found: &Found) -> String {
    let mut text = format!("{:?} at {}: {}", found.finding, found.place, found.detail);
    if let Some(expected) = found.expected_sha256 {
        text.push_str(&format!("; expected sha256 {expected}"));
    }
    if let Some(actual) = found.actual_sha256 {
        text.push_str(&format!(", found {actual}"));
    }
    text
}

async fn conclude(sum: &Checked, out: &Output) -> anyhow::Result<u8> {
    let (word, code) = match sum.outcome() {
        Outcome::Clean => ("clean", CLEAN),
        Outcome::Findings => ("FINDINGS", FINDINGS),
        Outcome::NothingChecked => ("nothing was there to check, which proves nothing", NOTHING),
    };
    let line = format!(
        "{word}: {} recordings ({} open), {} ledger entries, {} bytes read, {} findings",
        sum.recordings_count, sum.open_count, sum.entries_count, sum.read_bytes, sum.findings_count
    );
    out.line(line).await;
    Ok(code)
}
