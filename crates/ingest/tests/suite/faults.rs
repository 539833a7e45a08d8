//! Each call of the vault failing once, done or not done: the step is told to have failed, trying again
//! in the same process succeeds, and everything that was told holds, also after the power goes.

use std::path::PathBuf;
use std::sync::Arc;

use docket_base::files::{Fault as FileFault, PowerLossFiles, Survival};

use super::faulty::{Fault, FaultyVault};
use super::scenario::{Everything, Scenario};
use super::site::Site;
use super::things::leftovers;

async fn site() -> (Site, PowerLossFiles) {
    let shm = std::path::Path::new("/dev/shm");
    let folder = if shm.is_dir() {
        tempfile::tempdir_in(shm)
    } else {
        tempfile::tempdir()
    };
    let files = PowerLossFiles::new();
    let folder = Arc::new(folder.expect("folder"));
    let root = PathBuf::from("data/vault");
    let mut site = Site::over(folder, Arc::new(files.clone()), root).await;
    site.flush_every_bytes = 2_000;
    (site, files)
}

/// Tries until it is through; how often it had to.
async fn to_the_end(
    scenario: &Scenario,
    site: &Site,
    ingest: &Arc<docket_ingest::Ingest>,
    what: &str,
) -> (Everything, usize) {
    let mut told = Everything::default();
    for tries in 1..=3 {
        match scenario.run(site, ingest, &mut told).await {
            Ok(()) => return (told, tries),
            Err(error) => println!("{what}: {error}"),
        }
    }
    panic!("{what}: one failure must not need three tries");
}

/// And once the power goes: nothing was told that had only seemed to be there.
async fn after_power_loss(
    scenario: &Scenario,
    mut site: Site,
    files: &PowerLossFiles,
    told: &Everything,
) {
    site.files = Arc::new(files.reopen(Survival::OnlySynced));
    let ingest = site.open().await;
    ingest.recover().await.expect("recovered");
    scenario.check(&site, &ingest, told).await;
    assert_eq!(leftovers(&ingest).await, 0);
    ingest.catalog.close().await;
}

#[tokio::test]
async fn every_failing_vault_call_is_told_and_can_be_repeated() {
    let scenario = Scenario::new();
    let calls = {
        let (site, _files) = site().await;
        let vault = FaultyVault::over(site.vault());
        let ingest = site.open_on(vault.clone()).await;
        let before = vault.control.calls("");
        to_the_end(&scenario, &site, &ingest, "undisturbed").await;
        vault.control.calls("") - before
    };
    assert!(calls > 50, "{calls}");
    for nth in 1..=calls {
        for fault in [Fault::Fails, Fault::FailsButPersists] {
            let (site, files) = site().await;
            let vault = FaultyVault::over(site.vault());
            let ingest = site.open_on(vault.clone()).await;
            vault.control.fail("", nth, fault);
            let what = format!("call {nth} of {calls}, {fault:?}");
            let (told, _) = to_the_end(&scenario, &site, &ingest, &what).await;
            assert!(vault.control.has_failed() || nth + 5 > calls, "{what}");
            scenario.check(&site, &ingest, &told).await;
            ingest.catalog.close().await;
            drop(ingest);
            after_power_loss(&scenario, site, &files, &told).await;
        }
    }
}

/// The same one layer below, where a failing sync also forgets.
#[tokio::test]
async fn failing_calls_of_the_file_system_are_told_and_can_be_repeated() {
    use std::io::ErrorKind::{Other, StorageFull};
    let scenario = Scenario::new();
    let mut nth = 1;
    loop {
        let fault = match nth % 3 {
            0 => FileFault::Fails(Other),
            1 => FileFault::FailsButPersists(Other),
            _ => FileFault::Fails(StorageFull),
        };
        let (site, files) = site().await;
        let ingest = site.open().await;
        files.fail_call(nth, fault);
        let before = files.calls();
        let what = format!("file call {nth}, {fault:?}");
        let (told, _) = to_the_end(&scenario, &site, &ingest, &what).await;
        if files.calls() - before < nth {
            break;
        }
        scenario.check(&site, &ingest, &told).await;
        ingest.catalog.close().await;
        drop(ingest);
        after_power_loss(&scenario, site, &files, &told).await;
        // Not every one, but every kind of fault in turn.
        nth += 4;
    }
    assert!(nth > 100, "{nth}");
}
