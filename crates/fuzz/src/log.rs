//! A log whose files were damaged: it is noticed, or it makes no difference.

use std::sync::LazyLock;

use docket_base::clock::ManualClock;
use docket_base::ids::{EventId, RecordingId};
use docket_base::random::CountingRandom;
use docket_base::{Micros, Sha256Digest};
use docket_ledger::integrate::check_continues;
use docket_ledger::kinds::{RecordingVerified, SealedState};
use docket_ledger::proof::{make_inclusion, verify_inclusion};
use docket_ledger::{Actor, Entry, Integrator, LedgerKey, Subject, TileMap, TreeHash, TreeHead};

use crate::number;

/// Leaves of the log: more than one tile of them.
const LEAVES: u64 = 300;

/// A small log, the same in every run, whose first entry is about a recording.
pub struct Honest {
    /// Its key.
    pub key: LedgerKey,
    /// Its first entry.
    pub entry: Vec<u8>,
    /// Its files.
    pub files: TileMap,
    /// What is published.
    pub checkpoint: String,
    /// What that says.
    pub head: TreeHead,
    /// And when it had 100 leaves.
    pub earlier: TreeHead,
    /// What one more entry leads to.
    next: String,
}

/// The log.
pub static HONEST: LazyLock<Honest> = LazyLock::new(honest);

/// The recording that the first entry is about.
pub fn recording() -> RecordingId {
    RecordingId::from_bytes([2; 16])
}

fn first_entry(random: &CountingRandom) -> Vec<u8> {
    let event = RecordingVerified {
        state: SealedState::Sealed,
        size_bytes: 3,
        sha256: Sha256Digest::of(b"abc"),
        sm3: None,
        vault_key: "originals/2026/11/23/02020202-0202-0202-0202-020202020202/original".into(),
        sealed_by: EventId::from_bytes([1; 16]),
    };
    let clock = ManualClock::at(Micros(1_795_000_000_000_000));
    let subject = Subject::recording(recording());
    let entry = Entry::new(&clock, random, Actor::System, None, subject, event);
    entry.to_bytes().expect("small")
}

fn leaf(entry: &[u8], index: u64) -> Vec<u8> {
    match index {
        0 => entry.to_vec(),
        index => format!("entry {index}").into_bytes(),
    }
}

fn honest() -> Honest {
    let random = CountingRandom::default();
    let key = LedgerKey::generate("docket.example/log", &random).expect("a name");
    let entry = first_entry(&random);
    let mut files = TileMap::new();
    let mut log = Integrator::open(key.clone(), None, &files).expect("a new log");
    let mut earlier = log.head();
    for until in [100, LEAVES] {
        let first = log.head().size;
        earlier = log.head();
        let leaves: Vec<Vec<u8>> = (first..until).map(|index| leaf(&entry, index)).collect();
        let batch = log.integrate(first, &leaves).expect("they follow");
        batch
            .files
            .iter()
            .for_each(|file| files.insert(file.path.clone(), file.bytes.clone()));
        log.accept(batch);
    }
    Honest {
        head: log.head(),
        checkpoint: log.published().expect("published").to_owned(),
        next: log
            .integrate(LEAVES, &[b"next"])
            .expect("it follows")
            .checkpoint,
        key,
        entry,
        files,
        earlier,
    }
}

/// The input are changes: which file, where in it, what stands there instead; a place behind the end cuts the file.
pub fn damage(bytes: &[u8]) {
    let honest = &*HONEST;
    let mut files: Vec<(String, Vec<u8>)> = honest
        .files
        .iter()
        .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
        .collect();
    let (asked, mut rest) = number::<2>(bytes);
    while let Some((change, more)) = rest.split_first_chunk::<4>() {
        rest = more;
        let [file, high, low, value] = *change;
        let count = files.len();
        let (_, content) = &mut files[usize::from(file) % count];
        let at = usize::from(u16::from_be_bytes([high, low]));
        match content.get_mut(at) {
            Some(byte) => *byte = value,
            None => content.truncate(usize::from(value)),
        }
    }
    let mut damaged = TileMap::new();
    files
        .into_iter()
        .for_each(|(path, bytes)| damaged.insert(path, bytes));
    // Taken up, it goes on as it would have.
    if let Ok(log) = Integrator::open(honest.key.clone(), Some(&honest.checkpoint), &damaged) {
        assert_eq!(log.head(), honest.head);
        let next = log.integrate(LEAVES, &[b"next"]).expect("it follows");
        assert_eq!(next.checkpoint, honest.next);
    }
    proofs(&damaged, asked);
}

/// A proof made of damaged files proves nothing else than what is true.
fn proofs(files: &TileMap, asked: u64) {
    let honest = &*HONEST;
    let index = asked % (LEAVES + 1);
    if let Ok(proof) = make_inclusion(index, LEAVES, files) {
        let prove =
            |leaf: &[u8]| verify_inclusion(index, &TreeHash::of_leaf(leaf), &proof, &honest.head);
        assert!(prove(b"another").is_err());
        let other = verify_inclusion(
            index,
            &TreeHash::of_leaf(b"another"),
            &proof,
            &honest.earlier,
        );
        assert!(other.is_err());
        let whole = make_inclusion(index, LEAVES, &honest.files).expect("undamaged");
        assert_eq!(prove(&leaf(&honest.entry, index)).is_ok(), proof == whole);
    }
    if check_continues(&honest.earlier, &honest.head, files).is_ok() {
        let forked = TreeHead {
            root: TreeHash::of_leaf(b"forked"),
            ..honest.earlier
        };
        assert!(check_continues(&forked, &honest.head, files).is_err());
    }
}

/// To begin with.
pub mod seeds {
    /// No damage, and some.
    pub fn damage() -> Vec<Vec<u8>> {
        vec![
            vec![0, 0],
            vec![1, 43, 0, 0, 0, 9],
            vec![0, 7, 5, 0, 1, 2, 3, 255, 255, 10],
        ]
    }
}
