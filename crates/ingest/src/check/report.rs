//! What a check says: line by line while it runs, and in sum.

use docket_base::Sha256Digest;
use docket_base::ids::{RecordingId, UnitId};
use docket_catalog::RecordingState;
use docket_ledger::kinds::Finding;

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub finding: Finding,
    /// Where: a vault key, a path within the log, or a table and row id.
    pub place: String,
    /// In words.
    pub detail: String,
    /// The recording it is about, with its unit.
    pub recording: Option<(RecordingId, UnitId)>,
    /// SHA-256 as it should be.
    pub expected_sha256: Option<Sha256Digest>,
    /// SHA-256 as it is.
    pub actual_sha256: Option<Sha256Digest>,
}

impl Found {
    pub(super) fn new(
        finding: Finding,
        place: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            finding,
            place: place.into(),
            detail: detail.into(),
            recording: None,
            expected_sha256: None,
            actual_sha256: None,
        }
    }

    pub(super) fn digests(mut self, expected: Sha256Digest, actual: Option<Sha256Digest>) -> Self {
        self.expected_sha256 = Some(expected);
        self.actual_sha256 = actual;
        self
    }
}

/// What a check made of one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingVerdict {
    /// Row, entry, side file, original and receipts agree.
    Ok,
    /// It is still arriving, and what it was told to have is there.
    Open,
    /// They don't agree.
    Findings(Vec<Found>),
}

/// One line of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckLine {
    /// A recording was checked.
    Recording {
        /// Which.
        id: RecordingId,
        /// Where it stands.
        state: RecordingState,
        /// What was made of it.
        verdict: RecordingVerdict,
    },
    /// Something that is no recording's.
    Found(Found),
    /// So many of the log's entries were checked (told once in a while).
    Entries {
        /// Checked.
        checked: u64,
        /// Published.
        of: u64,
    },
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything agrees.
    Clean,
    /// Something doesn't.
    Findings,
    /// There is no recording: that proves nothing.
    NothingChecked,
}

/// A check in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Entries of the log, published or about to be.
    pub entries_count: u64,
    /// Recordings.
    pub recordings_count: u64,
    /// Those among them that are still arriving.
    pub open_count: u64,
    /// Folders of originals found in the vault.
    pub originals_count: u64,
    /// Bytes of originals that were read.
    pub read_bytes: u64,
    /// What is not as it should be.
    pub findings_count: u64,
    /// Whether the check itself stands in the catalog as an event. False when the catalog could not be
    /// written, or nothing was checked.
    pub logged: bool,
}

impl Checked {
    /// In a word.
    pub fn outcome(&self) -> Outcome {
        if self.findings_count > 0 {
            Outcome::Findings
        } else if self.recordings_count == 0 {
            Outcome::NothingChecked
        } else {
            Outcome::Clean
        }
    }
}
