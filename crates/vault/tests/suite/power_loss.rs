//! The local vault at every possible power cut, and with every possible failing call.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use docket_base::files::{Fault, Files, PowerLossFiles, Survival};
use docket_base::ids::RecordingId;
use docket_vault::{
    BesideName, Durable, LocalConfig, LocalVault, PutOnce, Result, Sealed, ShareRequest, Vault,
};

use crate::things::{Ids, begin_request, collect, content, day, seal_request};

const ROOT: &str = "data/vault";

/// What somebody was told.
#[derive(Default)]
struct Told {
    durable: Option<Durable>,
    sealed: Option<Sealed>,
    shared: Option<Sealed>,
    receipt: bool,
    tile: bool,
    checkpoint: usize,
    /// What was begun, as far as it may show without having been told.
    checkpoint_tried: usize,
}

struct Scenario {
    first: RecordingId,
    second: RecordingId,
    bytes: Vec<u8>,
}

const CHECKPOINTS: [&[u8]; 3] = [b"", b"size 1", b"size 2"];

impl Scenario {
    fn new() -> Self {
        let ids = Ids::default();
        Self {
            first: ids.next(),
            second: ids.next(),
            bytes: content(11, 9_000),
        }
    }

    fn share_request(&self, of: &Sealed) -> ShareRequest {
        ShareRequest {
            id: self.second,
            created_at: day(),
            of: of.key.clone(),
            side_file: b"{\"second\":1}".to_vec(),
        }
    }

    /// Goes on from what was told, to the end or to the first error.
    async fn run(&self, files: &PowerLossFiles, told: &mut Told) -> Result<()> {
        let config = LocalConfig {
            write_threads: 1,
            sync_threads: 1,
            read_threads: 1,
            ..LocalConfig::default()
        };
        let files: Arc<dyn Files> = Arc::new(files.clone());
        let vault = LocalVault::open(files, Path::new(ROOT), config)?;
        if told.sealed.is_none() {
            self.upload(&vault, told).await?;
            let Some(durable) = &told.durable else {
                unreachable!("uploaded")
            };
            let seal = seal_request(self.first, &self.bytes);
            told.sealed = Some(vault.seal(&durable.state, &seal).await?);
        }
        let Some(sealed) = &told.sealed else {
            unreachable!("sealed")
        };
        let put = vault
            .put_beside(&sealed.key, BesideName::ReceiptStored, b"receipt")
            .await?;
        assert_eq!(put, PutOnce::Stored);
        told.receipt = true;
        vault.log_create("tile/0/000", b"tile").await?;
        told.tile = true;
        while told.checkpoint + 1 < CHECKPOINTS.len() {
            // After an error the writer looks what stands there, as the ledger does.
            let there = vault.log_read("checkpoint").await?;
            let next = told.checkpoint + 1;
            told.checkpoint_tried = next;
            if there.as_deref() != Some(CHECKPOINTS[next]) {
                vault
                    .log_replace("checkpoint", there.as_deref(), CHECKPOINTS[next])
                    .await?;
            }
            told.checkpoint = next;
        }
        told.shared = Some(vault.share(&self.share_request(sealed)).await?);
        Ok(())
    }

    async fn upload(&self, vault: &LocalVault, told: &mut Told) -> Result<()> {
        let mut assembly = match &told.durable {
            None => vault.begin(&begin_request(self.first)).await?,
            // A seal may have been begun: then only it is left to do.
            Some(durable) if durable.offset_bytes == self.bytes.len() as u64 => return Ok(()),
            Some(durable) => vault.resume(&durable.state, durable.offset_bytes).await?,
        };
        let from = assembly.appended_bytes() as usize;
        for stretch in self.bytes[from..].chunks(3_000) {
            for piece in stretch.chunks(1_100) {
                assembly.append(Bytes::copy_from_slice(piece)).await?;
            }
            told.durable = Some(assembly.flush().await?);
        }
        Ok(())
    }

    /// Everything that was told is there, byte for byte.
    async fn check(&self, files: &PowerLossFiles, told: &Told) {
        let vault = crate::local::open(Arc::new(files.clone()), Path::new(ROOT));
        match (&told.sealed, &told.durable) {
            (Some(sealed), _) => {
                let back = vault.read_back(&sealed.key).await.expect("sealed");
                assert!(collect(back).await.expect("sealed") == self.bytes);
                let side_file = vault.get_beside(&sealed.key, BesideName::SideFile).await;
                let expected = seal_request(self.first, &self.bytes).side_file;
                assert_eq!(side_file.expect("side file"), Some(expected));
                let path = Path::new(ROOT).join(sealed.key.as_str());
                let file = files.metadata(&path).expect("stat").expect("there");
                assert!(file.is_readonly);
            }
            (None, Some(durable)) => {
                let length = durable.offset_bytes;
                let read = vault.read_assembly(&durable.state, 0..length).await;
                if let Ok(read) = read {
                    let read = collect(read).await.expect("acknowledged");
                    assert!(read == self.bytes[..length as usize]);
                } else {
                    // The seal had begun; it may have moved the bytes without having said so.
                    let originals = vault.originals(None, 10).await.expect("list");
                    let moved = originals.iter().find(|found| found.id == self.first);
                    let key = &moved.expect("under one of its names").key;
                    let back = vault.read_back(key).await.expect("moved");
                    assert!(collect(back).await.expect("moved") == self.bytes);
                }
            }
            (None, None) => {}
        }
        self.check_small(&vault, told).await;
    }

    async fn check_small(&self, vault: &Arc<dyn Vault>, told: &Told) {
        if let (true, Some(sealed)) = (told.receipt, &told.sealed) {
            let receipt = vault
                .get_beside(&sealed.key, BesideName::ReceiptStored)
                .await;
            assert_eq!(receipt.expect("receipt"), Some(b"receipt".to_vec()));
        }
        if told.tile {
            let tile = vault.log_read("tile/0/000").await.expect("tile");
            assert_eq!(tile, Some(b"tile".to_vec()));
        }
        let checkpoint = vault.log_read("checkpoint").await.expect("checkpoint");
        let allowed = told.checkpoint..=told.checkpoint_tried.max(told.checkpoint);
        let shown = checkpoint.as_deref().unwrap_or(b"");
        assert!(
            allowed.clone().any(|n| CHECKPOINTS[n] == shown),
            "{allowed:?} {shown:?}"
        );
        if let Some(shared) = &told.shared {
            let back = vault.read_back(&shared.key).await.expect("shared");
            assert!(collect(back).await.expect("shared") == self.bytes);
        }
    }
}

fn survivals(n: u64) -> impl Iterator<Item = Survival> {
    let random = (0..6).map(move |seed| Survival::Random(n * 1_000 + seed));
    std::iter::once(Survival::OnlySynced).chain(random)
}

/// Calls of one undisturbed run.
async fn calls(scenario: &Scenario) -> u64 {
    let files = PowerLossFiles::new();
    let mut told = Told::default();
    scenario.run(&files, &mut told).await.expect("undisturbed");
    let calls = files.calls();
    scenario.check(&files, &told).await;
    assert!(told.shared.is_some() && told.checkpoint == 2);
    calls
}

#[tokio::test]
async fn what_was_told_survives_every_cut_and_the_work_goes_on() {
    let scenario = Scenario::new();
    let calls = calls(&scenario).await;
    assert!(calls > 60, "{calls}");
    for cut in 0..calls {
        for survival in survivals(cut) {
            let files = PowerLossFiles::new();
            files.cut_after(cut);
            let mut told = Told::default();
            let outcome = scenario.run(&files, &mut told).await;
            assert!(outcome.is_err() && files.is_cut(), "cut at {cut}");
            println!("cut at {cut}, {survival:?}");
            let files = files.reopen(survival);
            scenario.check(&files, &told).await;
            scenario.run(&files, &mut told).await.expect("goes on");
            scenario.check(&files, &told).await;
            // And what was told after the cut survives the next one.
            scenario
                .check(&files.reopen(Survival::OnlySynced), &told)
                .await;
        }
    }
}

#[tokio::test]
async fn a_second_cut_during_recovery_loses_nothing_either() {
    let scenario = Scenario::new();
    let calls = calls(&scenario).await;
    for first in (0..calls).step_by(3) {
        for second in (1..30).step_by(4) {
            let files = PowerLossFiles::new();
            files.cut_after(first);
            let mut told = Told::default();
            assert!(scenario.run(&files, &mut told).await.is_err());
            println!("cut at {first} and {second}");
            let files = files.reopen(Survival::Random(first));
            files.cut_after(second);
            let _ = scenario.run(&files, &mut told).await;
            let files = files.reopen(Survival::Random(second));
            scenario.check(&files, &told).await;
            scenario.run(&files, &mut told).await.expect("goes on");
            scenario
                .check(&files.reopen(Survival::OnlySynced), &told)
                .await;
        }
    }
}

#[tokio::test]
async fn every_failing_call_is_told_and_can_be_repeated() {
    use std::io::ErrorKind::{Other, StorageFull};
    let scenario = Scenario::new();
    let calls = calls(&scenario).await;
    for nth in 1..=calls {
        for fault in [
            Fault::Fails(Other),
            Fault::Fails(StorageFull),
            Fault::FailsButPersists(Other),
        ] {
            println!("call {nth}: {fault:?}");
            let files = PowerLossFiles::new();
            files.fail_call(nth, fault);
            let mut told = Told::default();
            // Some calls may fail without harm (a temporary that was not there).
            let _ = scenario.run(&files, &mut told).await;
            // The same process goes on: nothing that only seemed to be there may be built upon.
            scenario.run(&files, &mut told).await.expect("goes on");
            scenario.check(&files, &told).await;
            scenario
                .check(&files.reopen(Survival::OnlySynced), &told)
                .await;
        }
    }
}
