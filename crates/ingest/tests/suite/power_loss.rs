//! The whole way under power loss: the vault and the log forget what was not synced, the catalog keeps
//! what was committed. Cut at mutating calls all along, opened again, recovered, and finished. (The
//! vault's own suite cuts at every single one.)

use std::path::PathBuf;
use std::sync::Arc;

use docket_base::files::{PowerLossFiles, Survival};

use super::scenario::{Everything, Scenario};
use super::site::Site;

/// A prepared catalog, to begin from many times.
struct Start {
    site: Site,
}

impl Start {
    async fn new() -> Self {
        // In memory where there is such a place: what is tried here is the vault's disk.
        let shm = std::path::Path::new("/dev/shm");
        let folder = if shm.is_dir() {
            tempfile::tempdir_in(shm)
        } else {
            tempfile::tempdir()
        };
        let files = Arc::new(PowerLossFiles::new());
        let folder = Arc::new(folder.expect("folder"));
        let site = Site::over(folder, files, PathBuf::from("data/vault")).await;
        Self { site }
    }

    /// The same installation with these files, and the catalog as it is in `from`.
    fn site(&self, name: &str, files: &PowerLossFiles, from: &Site) -> Site {
        let catalog = self.site.folder.path().join(name);
        std::fs::copy(&from.catalog, &catalog).expect("copied");
        Site {
            catalog,
            files: Arc::new(files.clone()),
            root: self.site.root.clone(),
            folder: Arc::clone(&self.site.folder),
            clock: Arc::clone(&self.site.clock),
            random: Arc::clone(&self.site.random),
            key: self.site.key.clone(),
            flush_every_bytes: 2_000,
            ..self.site
        }
    }
}

fn remove(site: &Site) {
    for suffix in ["", "-wal", "-shm"] {
        let mut path = site.catalog.clone().into_os_string();
        path.push(suffix);
        let _ = std::fs::remove_file(path);
    }
}

/// Runs until the power goes; what was told, and the catalog at that moment.
async fn until_cut(
    start: &Start,
    scenario: &Scenario,
    files: &PowerLossFiles,
) -> (Everything, Site) {
    let mut told = Everything::default();
    let site = start.site("cut.sqlite", files, &start.site);
    let catalog = site.open_catalog().await;
    let Ok(vault) = site.try_vault() else {
        catalog.close().await;
        return (told, site);
    };
    if let Ok(ingest) = docket_ingest::Ingest::open(site.parts(catalog.clone(), vault)).await {
        let outcome = scenario.run(&site, &ingest, &mut told).await;
        assert_eq!(outcome.is_err(), files.is_cut(), "{outcome:?}");
    }
    catalog.close().await;
    (told, site)
}

/// What is left after the cut holds, and the work goes on to its end on it.
async fn after(scenario: &Scenario, told: &Everything, site: Site) {
    let mut told = told.clone();
    let ingest = site.open().await;
    ingest.recover().await.expect("recovered");
    super::things::publish(&ingest).await;
    scenario.check(&site, &ingest, &told).await;
    scenario
        .run(&site, &ingest, &mut told)
        .await
        .expect("goes on");
    scenario.check(&site, &ingest, &told).await;
    let unknown = ingest.recover().await.expect("looked").unknown;
    assert_eq!((unknown, super::things::leftovers(&ingest).await), (0, 0));
    ingest.catalog.close().await;
    drop(ingest);
    remove(&site);
}

async fn sweep(step: usize, first: u64, survivals: impl Fn(u64) -> Vec<Survival>) {
    let start = Start::new().await;
    let scenario = Scenario::new();
    let mut cuts = 0;
    for cut in (first..).step_by(step) {
        let files = PowerLossFiles::new();
        files.cut_after(cut);
        let (told, site) = until_cut(&start, &scenario, &files).await;
        if !files.is_cut() {
            assert!(told.is_done);
            break;
        }
        cuts += 1;
        for survival in survivals(cut) {
            println!("cut at {cut}, {survival:?}, {told:?}");
            let files = files.reopen(survival);
            let site = start.site("after.sqlite", &files, &site);
            after(&scenario, &told, site).await;
        }
        remove(&site);
    }
    assert!(cuts * step > 100, "{cuts} cuts");
}

#[tokio::test]
async fn what_was_told_survives_a_cut_that_keeps_only_what_was_synced() {
    sweep(2, 0, |_| vec![Survival::OnlySynced]).await;
}

#[tokio::test]
async fn what_was_told_survives_a_cut_that_keeps_this_and_that() {
    sweep(2, 1, |cut| {
        (0..2)
            .map(|seed| Survival::Random(cut * 1_000 + seed))
            .collect()
    })
    .await;
}

/// The second cut comes while the first is being made good.
#[tokio::test]
async fn a_cut_during_recovery_loses_nothing_either() {
    let start = Start::new().await;
    let scenario = Scenario::new();
    for first in (3..).step_by(19) {
        let files = PowerLossFiles::new();
        files.cut_after(first);
        let (told, site) = until_cut(&start, &scenario, &files).await;
        if !files.is_cut() {
            break;
        }
        let files = files.reopen(Survival::Random(first));
        files.cut_after(first % 23);
        println!("cut at {first} and {}, {told:?}", first % 23);
        let again = start.site("again.sqlite", &files, &site);
        let catalog = again.open_catalog().await;
        let mut told = told;
        if let Ok(vault) = again.try_vault()
            && let Ok(ingest) =
                docket_ingest::Ingest::open(again.parts(catalog.clone(), vault)).await
            && ingest.recover().await.is_ok()
        {
            let _ = scenario.run(&again, &ingest, &mut told).await;
        }
        catalog.close().await;
        let files = files.reopen(Survival::OnlySynced);
        let last = start.site("after.sqlite", &files, &again);
        after(&scenario, &told, last).await;
        remove(&site);
        remove(&again);
    }
}
