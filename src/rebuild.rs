//! `docketd rebuild`: a catalog from vault and ledger, where there is none.
//!
//! It is made in a file of its own and gets the catalog's name once it is whole, so that no daemon ever starts
//! on half of one. A crash before leaves that file, which the next try makes anew.

use std::path::{Path, PathBuf};

use anyhow::Context;
use docket_base::files::{Files, OsFiles};
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
    let (place, making) = (data.catalog(), data.catalog_in_the_making());
    for file in with_companions(&place) {
        anyhow::ensure!(
            !file.exists(),
            "{} is there: move it away first, a rebuild begins without a catalog",
            file.display()
        );
    }
    for file in with_companions(&making) {
        match OsFiles.remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", file.display()));
            }
            _ => {}
        }
    }
    let bare = Bare::open_with(config, &data, &making).await?;
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
    name(&making, &place).with_context(|| format!("naming {}", place.display()))?;
    print(&rebuilt);
    Ok(0)
}

/// A database and what SQLite keeps beside one that is open: without those of its own it is damaged, and by those of
/// another.
fn with_companions(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        name.into()
    })
}

/// Durably. A crash before the rename leaves no catalog, one after it the whole.
fn name(making: &Path, place: &Path) -> anyhow::Result<()> {
    let [_, log, _] = with_companions(making);
    anyhow::ensure!(!log.exists(), "{} was not closed", making.display());
    OsFiles.open_write(making)?.sync_data()?;
    OsFiles.rename_new(making, place)?;
    Ok(OsFiles.sync_dir(place.parent().unwrap_or(Path::new(".")))?)
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
