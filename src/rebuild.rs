//! `docketd rebuild`: an empty catalog from vault and ledger.

use anyhow::Context;
use docket_ingest::rebuild::{RebuildProgress, Rebuilt, rebuild};

use crate::config::Config;
use crate::instance::DataDir;
use crate::parts::Bare;

/// Runs it, printing as it goes.
pub async fn run(config: &Config) -> anyhow::Result<u8> {
    let data = DataDir::open(&config.data)?;
    let _lock = data
        .try_lock()?
        .with_context(|| format!("a docketd runs on {}; stop it first", data.root().display()))?;
    let bare = Bare::open(config, &data).await?;
    let mut tell = |progress: RebuildProgress| match progress {
        RebuildProgress::Verified { entries, of } => {
            println!("{entries} of {of} entries read and verified")
        }
        RebuildProgress::Replayed { entries, of } => println!("{entries} of {of} entries replayed"),
        RebuildProgress::Resealed(id) => println!("{id}  sealed again from its side file"),
    };
    let key = bare.key.verifier();
    let rebuilt = rebuild(
        &bare.catalog,
        &*bare.vault,
        key,
        &*bare.clock,
        &*bare.random,
        &mut tell,
    )
    .await?;
    bare.catalog.close().await;
    print(&rebuilt);
    Ok(0)
}

fn print(rebuilt: &Rebuilt) {
    for id in &rebuilt.left_open {
        println!("{id}  was still arriving: left out, its bytes stay in the vault");
    }
    for note in &rebuilt.notes {
        println!("note: {}: {}", note.place, note.detail);
    }
    println!(
        "rebuilt {} recordings from {} entries; {} sealed again; {} users without a password and {} tokens \
         revoked, because their secrets are in no log; {} notes",
        rebuilt.recordings_count,
        rebuilt.entries_count,
        rebuilt.resealed.len(),
        rebuilt.disabled_users_count,
        rebuilt.revoked_tokens_count,
        rebuilt.notes_count
    );
}
