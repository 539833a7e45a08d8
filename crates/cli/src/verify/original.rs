//! The original: read once, in pieces, hashed as it passes.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use docket_base::{Digests, RunningDigest};
use indicatif::{ProgressBar, ProgressStyle};

/// All of the file that is ever in memory.
const PIECE_BYTES: usize = 1 << 20;

pub struct Original {
    file: File,
    path: PathBuf,
    length_bytes: Option<u64>,
}

impl Original {
    /// Opens a file, or anything else that can be read to an end (a device, a pipe).
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let file = File::open(path).with_context(cannot)?;
        let metadata = file.metadata().with_context(cannot)?;
        if metadata.is_dir() {
            bail!("cannot read {}: it is a folder", path.display());
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            length_bytes: metadata.is_file().then_some(metadata.len()),
        })
    }

    /// Its length, where that is known before reading.
    pub fn length_bytes(&self) -> Option<u64> {
        self.length_bytes
    }

    /// Reads it to its end. A bar shows the way on a terminal, on standard error.
    pub fn hash(&mut self, with_sm3: bool) -> anyhow::Result<(Digests, u64)> {
        let bar = match self.length_bytes {
            Some(length) => ProgressBar::new(length).with_style(style()),
            None => ProgressBar::new_spinner(),
        };
        let mut running = RunningDigest::new(with_sm3);
        let mut piece = vec![0; PIECE_BYTES];
        let mut size_bytes = 0;
        loop {
            let count = match self.file.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!(
                            "cannot read {} beyond byte {size_bytes}",
                            self.path.display()
                        )
                    });
                }
            };
            running.update(&piece[..count]);
            size_bytes += count as u64;
            bar.set_position(size_bytes);
        }
        bar.finish_and_clear();
        Ok((running.finish(), size_bytes))
    }
}

fn style() -> ProgressStyle {
    let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
