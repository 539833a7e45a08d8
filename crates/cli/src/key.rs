//! `docket key`: verifier keys for people to compare.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use docket_ledger::VerifierKey;

use crate::exit::Exit;
use crate::screen;
use crate::verify::read_bounded;

/// A key is one line.
const LIMIT_BYTES: u64 = 4096;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print a verifier key's name and fingerprint, to compare with one on paper
    Fingerprint {
        /// File with the verifier key (name+hash+base64)
        file: PathBuf,
    },
}

pub fn run(command: &Command) -> anyhow::Result<Exit> {
    let Command::Fingerprint { file } = command;
    let key = read_key(file)?;
    screen::say(&format!("{}\n{}", key.name(), key.fingerprint()));
    Ok(Exit::Proven)
}

/// Reads a verifier key's file.
pub fn read_key(file: &std::path::Path) -> anyhow::Result<VerifierKey> {
    let bytes = read_bounded(file, LIMIT_BYTES)?;
    let text = String::from_utf8_lossy(&bytes);
    if text.trim_start().starts_with("PRIVATE+KEY+") {
        bail!(
            "{} holds a PRIVATE key: it belongs on the daemon's machine alone, and is not what verifies",
            file.display()
        );
    }
    text.parse()
        .with_context(|| format!("{} holds no verifier key", file.display()))
}
