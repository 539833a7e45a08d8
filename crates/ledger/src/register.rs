//! Register files: what entries commit to by digest instead of holding it, because it is personal
//! data or free text. One immutable file a version, `register/<kind>/<id>/<version>.json` in the
//! log's folder. The salt keeps the digest from confirming a guess after the file was erased.

use docket_base::ids::{CaseId, DockingId, OfficerId, RecorderId, RegisterId, UnitId};
use docket_base::{Micros, Sha256Digest};
use serde::{Deserialize, Serialize};

use crate::canonical::{CanonicalError, from_canonical, to_canonical};
use crate::entry::Salt;
use crate::kinds::{RecordingKind, RegisterKind, RegisterRef, bodies, register_path};

/// The schema of register files made today.
const SCHEMA: u32 = 1;

/// One version of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterFile {
    /// When it was written.
    pub at: Micros,
    /// Which row: the 16 bytes of the thing's own id.
    pub id: RegisterId,
    /// Keeps the file's digest unguessable.
    pub salt: Salt,
    schema: u32,
    /// What it says.
    pub value: RegisterValue,
    /// Which version, from 1.
    pub version: u32,
}

/// The content of a register file; the variant is the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    content = "row",
    rename_all = "snake_case",
    deny_unknown_fields
)]
pub enum RegisterValue {
    /// A unit.
    Unit(UnitRow),
    /// An officer.
    Officer(OfficerRow),
    /// A recorder.
    Recorder(RecorderRow),
    /// A recorder's assignment.
    Assignment(AssignmentRow),
    /// A station.
    Station(StationRow),
    /// A user's name.
    User(NameRow),
    /// A token's name.
    Token(NameRow),
    /// A case's title.
    Case(CaseRow),
    /// Notes and tags.
    Annotation(AnnotationRow),
    /// The note on a link.
    LinkNote(TextRow),
    /// Why a hold stands.
    HoldReason(TextRow),
    /// A retention rule.
    Rule(RuleRow),
    /// What was on a recorder.
    Docking(DockingRow),
    /// What a marker says.
    Marker(TextRow),
    /// For what a clip was made.
    ClipReason(TextRow),
    /// A reason.
    Reason(TextRow),
}

bodies! {
    /// A unit 单位.
    UnitRow {
        /// What it is called.
        name: String,
        /// Its administrative code.
        code: Option<String>,
        /// The unit above it.
        parent: Option<UnitId>,
    }
    /// An officer 执法人员.
    OfficerRow {
        /// What they are called.
        name: String,
        /// Number of their certificate.
        certificate_number: Option<String>,
        /// Their unit.
        unit: UnitId,
        /// What they enforce.
        category: Option<String>,
        /// Where.
        area: Option<String>,
    }
    /// A recorder 记录仪.
    RecorderRow {
        /// Its serial number.
        serial: String,
        /// Its model.
        model: Option<String>,
        /// Whose it is.
        unit: UnitId,
    }
    /// Who carried a recorder from when until when.
    AssignmentRow {
        /// Which recorder.
        recorder: RecorderId,
        /// Who.
        officer: OfficerId,
        /// From when.
        from_at: Micros,
        /// Until when; open when absent.
        until_at: Option<Micros>,
    }
    /// A station 采集站.
    StationRow {
        /// What it is called.
        name: String,
        /// Whose it is.
        unit: UnitId,
    }
    /// Somebody's or something's name.
    NameRow {
        /// The name.
        name: String,
    }
    /// What a case is about.
    CaseRow {
        /// Which case.
        case: CaseId,
        /// Its title.
        title: Option<String>,
    }
    /// What people wrote on a recording.
    AnnotationRow {
        /// Free text.
        notes: String,
        /// In the order given.
        tags: Vec<String>,
    }
    /// Free text.
    TextRow {
        /// The text.
        text: String,
    }
    /// How long what is kept. Absent conditions hold for everything.
    RuleRow {
        /// What the rule is called.
        name: String,
        /// For recordings of this unit and those under it.
        unit: Option<UnitId>,
        /// For this kind.
        kind: Option<RecordingKind>,
        /// Only with this tag.
        tag: Option<String>,
        /// Only with (or without) a link to a case.
        linked: Option<bool>,
        /// Days from the seal on; for ever when absent.
        keep_days: Option<u32>,
    }
    /// What was on a recorder when it came into a bay.
    DockingRow {
        /// Which docking.
        docking: DockingId,
        /// The recorder's serial number, as it told.
        recorder_serial: Option<String>,
        /// Its files.
        files: Vec<DockedFile>,
    }
    /// One file on a recorder.
    DockedFile {
        /// Its path on the recorder.
        path: String,
        /// Its length.
        size_bytes: u64,
        /// Its modification time, by the recorder's clock.
        modified_at: Option<Micros>,
    }
}

impl RegisterValue {
    /// Which register it belongs to.
    pub fn kind(&self) -> RegisterKind {
        match self {
            Self::Unit(_) => RegisterKind::Unit,
            Self::Officer(_) => RegisterKind::Officer,
            Self::Recorder(_) => RegisterKind::Recorder,
            Self::Assignment(_) => RegisterKind::Assignment,
            Self::Station(_) => RegisterKind::Station,
            Self::User(_) => RegisterKind::User,
            Self::Token(_) => RegisterKind::Token,
            Self::Case(_) => RegisterKind::Case,
            Self::Annotation(_) => RegisterKind::Annotation,
            Self::LinkNote(_) => RegisterKind::LinkNote,
            Self::HoldReason(_) => RegisterKind::HoldReason,
            Self::Rule(_) => RegisterKind::Rule,
            Self::Docking(_) => RegisterKind::Docking,
            Self::Marker(_) => RegisterKind::Marker,
            Self::ClipReason(_) => RegisterKind::ClipReason,
            Self::Reason(_) => RegisterKind::Reason,
        }
    }
}

impl RegisterFile {
    /// A version of a row.
    pub fn new(id: RegisterId, version: u32, at: Micros, salt: Salt, value: RegisterValue) -> Self {
        Self {
            at,
            id,
            salt,
            schema: SCHEMA,
            value,
            version,
        }
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`CanonicalError`] for a number that JSON cannot hold exactly.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        to_canonical(self)
    }

    /// The file's bytes and what an entry says about them.
    ///
    /// # Errors
    /// As [`RegisterFile::to_bytes`].
    pub fn seal(&self) -> Result<(Vec<u8>, RegisterRef), CanonicalError> {
        let bytes = self.to_bytes()?;
        let reference = RegisterRef {
            kind: self.value.kind(),
            id: self.id,
            version: self.version,
            sha256: Sha256Digest::of(&bytes),
        };
        Ok((bytes, reference))
    }

    /// The file's path within the log's folder.
    pub fn path(&self) -> String {
        register_path(self.value.kind(), self.id, self.version)
    }

    /// Reads the file that an entry points to, and checks that it is that file.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn open(bytes: &[u8], reference: &RegisterRef) -> Result<Self, RegisterError> {
        if Sha256Digest::of(bytes) != reference.sha256 {
            return Err(RegisterError::Digest);
        }
        let file: Self = from_canonical(bytes)?;
        let fits = file.schema == SCHEMA
            && file.value.kind() == reference.kind
            && file.id == reference.id
            && file.version == reference.version;
        if fits {
            Ok(file)
        } else {
            Err(RegisterError::Place)
        }
    }
}

/// Why a file is not what an entry points to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Other bytes.
    #[error("the register file's digest is not the entry's")]
    Digest,
    /// Not a register file's form.
    #[error("register file: {0}")]
    Form(#[from] CanonicalError),
    /// A register file of another row, version or schema.
    #[error("the register file says it is another one")]
    Place,
}
