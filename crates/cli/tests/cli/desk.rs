//! A desk with a key, an original and its receipt on it.

use std::path::PathBuf;
use std::process::{Command, Output};

use docket_base::ids::RecordingId;
use docket_base::{Micros, OsRandom, RunningDigest, Sha256Digest};
use docket_ledger::kinds::{RecordingKind, RecordingSealed, SealedState};
use docket_ledger::proof::make_inclusion;
use docket_ledger::{
    Actor, ClockState, Entry, Integrator, Issue, LedgerKey, Receipt, Salt, Subject, TileMap,
};

pub const ORIGINAL: &[u8] = b"the exact bytes of a recording";

pub struct Desk {
    pub folder: tempfile::TempDir,
    pub key: LedgerKey,
}

impl Desk {
    pub fn new(with_sm3: bool) -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            key: LedgerKey::generate("docket.example/county", &OsRandom).unwrap(),
        };
        desk.put("original.mp4", ORIGINAL);
        desk.put("key", format!("{}\n", desk.key.verifier()).as_bytes());
        desk.put(
            "receipt.json",
            &receipt(
                &desk.key,
                RecordingId::from_bytes([5; 16]),
                ORIGINAL,
                with_sm3,
            )
            .to_bytes()
            .unwrap(),
        );
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn verify(&self, key: Option<&str>, lang: &str) -> (i32, String) {
        let mut command = docket(lang);
        command.arg("verify");
        if let Some(key) = key {
            command.arg("--key").arg(self.path(key));
        }
        result(
            command
                .arg(self.path("receipt.json"))
                .arg(self.path("original.mp4"))
                .output()
                .unwrap(),
        )
    }
}

pub fn docket(lang: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
    command
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env("LANG", lang);
    command
}

pub fn result(output: Output) -> (i32, String) {
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

pub fn receipt(key: &LedgerKey, id: RecordingId, original: &[u8], with_sm3: bool) -> Receipt {
    let mut running = RunningDigest::new(with_sm3);
    running.update(original);
    let event = RecordingSealed {
        state: SealedState::Sealed,
        kind: RecordingKind::Video,
        size_bytes: original.len() as u64,
        sha256: running.finish().sha256,
        sm3: running.finish().sm3,
        claimed_sha256: None,
        vault_key: "originals/\u{1b}[2J/original".to_owned(),
        side_file_sha256: Sha256Digest::of(b"side"),
        officer: None,
        recorder: None,
        station: None,
        token: None,
        docking: None,
        recorded_at: Some(Micros(1_700_000_000_000_000)),
        created_at: Micros(1_700_000_300_000_000),
        incomplete_reason: None,
        duplicate_of: None,
        key_mark: false,
        unknown_recorder: false,
        unknown_officer: false,
    };
    let entry = Entry {
        id: docket_base::ids::EventId::from_bytes([9; 16]),
        at: Micros(1_700_000_400_000_000),
        actor: Actor::System,
        unit: None,
        subject: Subject::recording(id),
        event: event.into(),
        salt: Salt::fresh(&OsRandom),
    };
    let (bytes, mut files) = (entry.to_bytes().unwrap(), TileMap::new());
    let log = Integrator::open(key.clone(), None, &files).unwrap();
    let batch = log
        .integrate(0, &[b"{}".as_slice(), &bytes, b"[]"])
        .unwrap();
    for file in &batch.files {
        files.insert(file.path.clone(), file.bytes.clone());
    }
    let issue = Issue {
        entry: &bytes,
        leaf_index: 1,
        inclusion_proof: make_inclusion(1, 3, &files).unwrap(),
        checkpoint: &batch.checkpoint,
        issued_at: Micros(1_700_000_401_000_000),
        clock: ClockState {
            synchronised: Some(true),
            max_error_us: Some(900),
        },
    };
    Receipt::issue(key, issue).unwrap()
}
