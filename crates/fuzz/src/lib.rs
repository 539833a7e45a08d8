//! What must hold of every parser written here, whatever it is given: one function a parser, which panics where it
//! doesn't. The tests of this crate feed each with its seeds and with some thousands of changed ones, always the same;
//! `.ci/fuzz.sh` lets libFuzzer search on with the same functions. See docs/fuzzing.md.
//!
//! Everything goes through the rooms' public face. Parsers that have none are fed through what calls them.

pub mod base;
pub mod catalog;
pub mod change;
pub mod client;
pub mod container;
pub mod dock;
pub mod http;
pub mod ledger;
pub mod log;
pub mod media;
pub mod playback;
pub mod receipt;
pub mod tus;
pub mod vault;
mod wait;
pub mod worker;

/// One parser, or a few that are written alike.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As `.ci/fuzz.sh` and the test call it.
    pub name: &'static str,
    /// Panics where something does not hold.
    pub holds: fn(&[u8]),
    /// Inputs that are parsed, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many changed seeds a test takes: some thousands, fewer where one takes long.
    pub cases: u32,
}

/// Calls a macro with all targets, each as `room name cases`.
#[macro_export]
macro_rules! every_target {
    ($macro:ident) => {
        $macro! {
            base ids 50_000;
            base midstate 20_000;
            catalog import 3_000;
            catalog keys 30_000;
            client address 50_000;
            client metadata 30_000;
            container rescue 1_000;
            container resume 50_000;
            container top_level 50_000;
            container track 50_000;
            dock config 20_000;
            dock identity 5_000;
            dock journal 10_000;
            dock marks 10_000;
            dock paths 50_000;
            http credentials 50_000;
            http requests 2_000;
            ledger entry 30_000;
            ledger note 50_000;
            ledger tiles 50_000;
            ledger verifier 50_000;
            log damage 1_000;
            media edits 50_000;
            media frames 50_000;
            playback feeds 30_000;
            playback index 30_000;
            playback rows 30_000;
            receipt judged 20_000;
            tus headers 30_000;
            tus pairs 30_000;
            vault names 50_000;
            worker answers 20_000;
            worker asked 30_000;
        }
    };
}

macro_rules! list {
    ($($room:ident $name:ident $cases:literal;)*) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            holds: $room::$name,
            seeds: $room::seeds::$name,
            cases: $cases,
        },)*];
    };
}
every_target!(list);

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}

/// The seeds, and changed ones: the same in every run.
pub fn quick(name: &str) {
    let Some(target) = target(name) else {
        panic!("no target {name}");
    };
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{name} has nothing to begin with");
    seeds.iter().for_each(|seed| (target.holds)(seed));
    let mut changing = change::Changing::new(name, seeds);
    for _ in 0..target.cases {
        let input = changing.next_input();
        let held = std::panic::catch_unwind(|| (target.holds)(&input));
        if let Err(panic) = held {
            eprintln!("{name} does not hold of {}", input.escape_ascii());
            std::panic::resume_unwind(panic);
        }
    }
}

/// Bytes as text, where they are.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The first so many bytes as a number, and the rest.
fn number<const N: usize>(bytes: &[u8]) -> (u64, &[u8]) {
    match bytes.split_first_chunk::<N>() {
        Some((first, rest)) => (first.iter().fold(0, |n, b| n << 8 | u64::from(*b)), rest),
        None => (0, bytes),
    }
}

/// Texts as seeds.
fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}
