//! The machine before the first measurement.
//!
//! A virtual machine gives memory that is free for a while back to its host, and each page's first use
//! afterwards costs several microseconds: tried, a server then takes in a quarter of what it can, and whoever
//! is measured first pays. So the page cache is filled beforehand; what is measured then reuses its pages, as
//! on a machine that has been at work for a day.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

/// Left to the programs.
const SPARED_BYTES: u64 = 2 << 30;

/// Fills the page cache from a file that has a length and no bytes, so that no disk is read.
pub(crate) fn fill_page_cache(dir: &Path) -> Result<()> {
    let size_bytes = available_bytes()?.saturating_sub(SPARED_BYTES);
    let path = dir.join("nothing");
    let file = std::fs::File::create(&path)?;
    file.set_len(size_bytes)?;
    let mut file = std::fs::File::open(&path)?;
    let mut buffer = vec![0; 1 << 20];
    while file.read(&mut buffer)? > 0 {}
    // Kept until the folder goes: removing it would free the pages again.
    Ok(())
}

fn available_bytes() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/meminfo")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .context("MemAvailable")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}
