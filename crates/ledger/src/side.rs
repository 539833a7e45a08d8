//! The side file (`meta.json`) beside every original: what the entry of its seal commits to by
//! digest. An original that was sealed when the catalog was lost is found and re-sealed from it.

use docket_base::ids::{DockingId, OfficerId, RecorderId, RecordingId, StationId, TokenId, UnitId};
use docket_base::{Micros, Sha256Digest, Sm3Digest};

use crate::canonical::{CanonicalError, from_canonical, to_canonical};
use crate::entry::Salt;
use crate::kinds::{IncompleteReason, RecordingKind, SealedState, bodies};

bodies! {
    /// The side file. Personal data stands here and not in the ledger. Make the salt once, when the
    /// upload is created: sealing again after a crash must give the same bytes.
    SideFile {
        /// 1.
        schema: u32,
        /// Keeps the file's digest unguessable.
        salt: Salt,
        /// Whose side file it is.
        recording: RecordingId,
        /// Whole, incomplete or quarantined.
        state: SealedState,
        /// What kind of thing it is.
        kind: RecordingKind,
        /// What the sender called the file.
        file_name: Option<String>,
        /// What the sender said it is.
        media_type: Option<String>,
        /// Length of the original.
        size_bytes: u64,
        /// SHA-256 of the original.
        sha256: Sha256Digest,
        /// SM3 of the original, where configured.
        sm3: Option<Sm3Digest>,
        /// The SHA-256 the sender gave.
        claimed_sha256: Option<Sha256Digest>,
        /// Its unit.
        unit: UnitId,
        /// The officer it is attributed to.
        officer: Option<OfficerId>,
        /// The certificate number the sender gave.
        officer_claimed: Option<String>,
        /// The recorder it came from.
        recorder: Option<RecorderId>,
        /// The serial number the sender gave.
        recorder_claimed: Option<String>,
        /// The station that sent it.
        station: Option<StationId>,
        /// The token that sent it.
        token: Option<TokenId>,
        /// The docking it came in.
        docking: Option<DockingId>,
        /// Its path on the recorder.
        path: Option<String>,
        /// When it was recorded, by the recorder's clock.
        recorded_at: Option<Micros>,
        /// When its upload began, by the daemon's clock.
        created_at: Micros,
        /// Why it is incomplete.
        incomplete_reason: Option<IncompleteReason>,
        /// The recording with the same content whose stored object it shares.
        duplicate_of: Option<RecordingId>,
        /// `key`, `unknown_recorder`, `unknown_officer`.
        marks: Vec<String>,
        /// What the sender noted.
        note: Option<String>,
        /// The case number the sender gave.
        case_number: Option<String>,
        /// The unit of that case, where the sender gave one.
        case_unit: Option<UnitId>,
        /// Of a clip: what it was made of. Absent of what is itself an original.
        derived_from: Option<DerivedFrom>,
    }
    /// What a clip was made of.
    DerivedFrom {
        /// The source.
        recording: RecordingId,
        /// SHA-256 of the source's original.
        sha256: Sha256Digest,
        /// Where in the source it begins: microseconds of what a player shows.
        from_us: u64,
        /// Where in the source it ends.
        until_us: u64,
        /// Its frames are not the original's.
        transcoded: bool,
        /// For what it was made.
        reason: String,
    }
}

impl SideFile {
    /// The schema of side files made today.
    pub const SCHEMA: u32 = 1;

    /// The file's bytes, and the digest that goes into the entry.
    ///
    /// # Errors
    /// [`CanonicalError`] for a number that JSON cannot hold exactly.
    pub fn seal(&self) -> Result<(Vec<u8>, Sha256Digest), CanonicalError> {
        let bytes = to_canonical(self)?;
        let digest = Sha256Digest::of(&bytes);
        Ok((bytes, digest))
    }

    /// Reads a side file.
    ///
    /// # Errors
    /// [`CanonicalError`] when it is none, or was edited.
    pub fn parse(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let file: Self = from_canonical(bytes)?;
        if file.schema == Self::SCHEMA {
            Ok(file)
        } else {
            Err(CanonicalError::Structure(format!(
                "side file of schema {}",
                file.schema
            )))
        }
    }
}
