//! `docket-bench`: ingest, memory, latency and watching of `docketd`, measured beside a bare sink, another
//! tus server and a web server in alternating runs, so that what is compared met the same machine.
//!
//! `docket-bench [ingest] [memory] [latency] [docking] [browser] [watching]` (all without a name);
//! `DOCKET_BENCH_ROUNDS` sets how often each is repeated, `DOCKET_BENCH_DIR` where the bytes go.

mod browser;
mod docking;
mod film;
mod ingest;
mod latency;
mod memory;
mod process;
mod relay;
mod sink;
mod targets;
mod viewer;
mod warm;
mod watching;
mod wire;

use std::path::PathBuf;

use anyhow::Result;

/// Bytes of a MiB.
pub(crate) const MIB: u64 = 1 << 20;

/// What every measurement needs to know.
pub(crate) struct Bench {
    /// Where uploaded bytes go; removed afterwards.
    pub dir: PathBuf,
    /// How often each pair is measured.
    pub rounds: usize,
}

fn main() -> Result<()> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, dir] = names.as_slice()
        && mode == "sink"
    {
        return sink::serve(dir.into());
    }
    let root = std::env::var_os("DOCKET_BENCH_DIR").map_or_else(|| "target".into(), PathBuf::from);
    std::fs::create_dir_all(&root)?;
    let dir = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(&root)?;
    let rounds = match std::env::var("DOCKET_BENCH_ROUNDS") {
        Ok(text) => text.parse()?,
        Err(_) => 7,
    };
    let bench = Bench {
        dir: dir.path().canonicalize()?,
        rounds,
    };
    let wanted = |name: &str| names.is_empty() || names.iter().any(|other| other == name);
    if wanted("ingest") {
        warm::fill_page_cache(&bench.dir)?;
        ingest::run(&bench)?;
    }
    if wanted("memory") {
        memory::run(&bench)?;
    }
    if wanted("latency") {
        latency::run(&bench)?;
    }
    let films = || film::Films::kept_in(&root);
    if wanted("docking") {
        docking::run(&bench, &films()?)?;
    }
    if wanted("browser") {
        browser::run(&bench, &films()?)?;
    }
    if wanted("watching") {
        watching::run(&bench, &films()?)?;
    }
    Ok(())
}

/// The middle one; the mean of the two middle ones of an even number.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}
