//! The stay that is under way in a bay, so that a restarted station goes on with the same docking
//! instead of reporting another.

use docket_base::ids::DockingId;
use docket_base::random::bytes;
use docket_base::{Micros, Random};
use serde::{Deserialize, Serialize};

use super::BayRun;
use crate::card::Listing;
use crate::state::{StateDirectory, StateError};
use crate::station::on_pool;

/// Files a docking's list may hold; the daemon takes twice as many.
const PART_FILES: usize = 10_000;
/// Bytes that a list's text may take; the daemon takes 4 MiB.
const PART_BYTES: usize = 3 * 1024 * 1024;
/// What a file's line takes besides its path.
const LINE_BYTES: usize = 120;

/// A stay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stay {
    /// The recorder's serial.
    pub recorder: String,
    /// When it was listed.
    pub started_at: Micros,
    /// Whether its end is told or in the outbox.
    pub is_over: bool,
    /// What was listed. One part, but for recorders with very many files: each part is reported as a
    /// docking of its own.
    pub parts: Vec<Part>,
}

/// What is reported as one docking.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    /// Made before the docking is reported: reported again after a crash, it is the same docking.
    pub idempotency_key: String,
    /// The docking, once the daemon named it.
    pub docking: Option<DockingId>,
    /// What was listed, by token, sorted.
    files: Vec<u64>,
}

impl Part {
    pub(super) fn holds(&self, token: u64) -> bool {
        self.files.binary_search(&token).is_ok()
    }
}

impl Stay {
    /// A recorder that was just listed.
    pub(super) fn begin(
        recorder: &str,
        started_at: Micros,
        random: &dyn Random,
        listing: &Listing,
    ) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut room = 0;
        for file in &listing.files {
            // JSON may write a character of a path as two.
            let line = 2 * file.path.to_text().len() + LINE_BYTES;
            let is_full = parts
                .last()
                .is_none_or(|part| part.files.len() >= PART_FILES);
            if is_full || line > room {
                parts.push(Part {
                    idempotency_key: fresh_key(random),
                    docking: None,
                    files: Vec::new(),
                });
                room = PART_BYTES;
            }
            room = room.saturating_sub(line);
            if let Some(part) = parts.last_mut() {
                part.files.push(file.token());
            }
        }
        for part in &mut parts {
            part.files.sort_unstable();
        }
        Self {
            recorder: recorder.to_owned(),
            started_at,
            is_over: false,
            parts,
        }
    }

    /// The part a file was listed in.
    pub(super) fn part_of(&self, token: u64) -> Option<&Part> {
        self.parts.iter().find(|part| part.holds(token))
    }

    /// Whether the recorder and list now belong to this stay: what is there was there before. Less
    /// may be there, because files were erased.
    pub(super) fn includes(&self, recorder: &str, listing: &Listing) -> bool {
        let is_known = |token| self.part_of(token).is_some();
        self.recorder == recorder && listing.files.iter().all(|file| is_known(file.token()))
    }
}

/// An idempotency key nobody has used.
pub(super) fn fresh_key(random: &dyn Random) -> String {
    let key: [u8; 16] = bytes(random);
    format!("{:032x}", u128::from_be_bytes(key))
}

/// Loads a bay's stay. A damaged file is no stay: a docking more is reported, nothing is lost.
pub(super) fn load(state: &StateDirectory, bay: &str) -> Option<Stay> {
    match state.load(&state.bay(bay)) {
        Ok(stay) => stay,
        Err(error) => {
            tracing::warn!(bay, %error, "the bay's stay is forgotten");
            None
        }
    }
}

/// Keeps a bay's stay.
pub(super) fn store(state: &StateDirectory, bay: &str, stay: &Stay) -> Result<(), StateError> {
    state.store(&state.bay(bay), stay)
}

/// The recorder has gone: what comes next is another stay.
pub(super) async fn forget(run: &BayRun) {
    let (state, path) = (
        run.station.state.clone(),
        run.station.state.bay(&run.bay.name),
    );
    let removed = on_pool(&run.pool, move || state.files().remove_file(&path)).await;
    if let Ok(Err(error)) = removed
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(bay = run.bay.name, %error, "the bay's stay cannot be forgotten");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{CardFile, CardPath};
    use docket_base::random::CountingRandom;

    fn listing(count: usize, name_length: usize) -> Listing {
        let file = |n: usize| CardFile {
            path: CardPath::root()
                .join(format!("{n:0name_length$}").as_bytes())
                .expect("name"),
            size_bytes: 1,
            modified_ns: 0,
            is_key: false,
            device: 1,
            inode: n as u64,
        };
        Listing {
            files: (0..count).map(file).collect(),
            ..Listing::default()
        }
    }

    #[test]
    fn long_lists_are_reported_in_parts_the_daemon_takes() {
        for (count, name_length, parts) in [(0, 8, 0), (3, 8, 1), (25_000, 8, 3), (9_000, 250, 2)] {
            let listing = listing(count, name_length);
            let random = CountingRandom::default();
            let stay = Stay::begin("R", Micros(0), &random, &listing);
            assert_eq!(stay.parts.len(), parts, "{count} of {name_length}");
            assert!(stay.includes("R", &listing));
            assert!(!stay.includes("S", &listing));
            let listed: usize = stay.parts.iter().map(|part| part.files.len()).sum();
            assert_eq!(listed, count);
        }
    }

    #[test]
    fn less_is_the_same_stay_and_more_is_another() {
        let stay = Stay::begin("R", Micros(0), &CountingRandom::default(), &listing(5, 8));
        assert!(stay.includes("R", &listing(3, 8)));
        assert!(!stay.includes("R", &listing(6, 8)));
    }
}
