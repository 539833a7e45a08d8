//! The vocabulary: every kind of custody event, with its body as a type. It is closed: what is not
//! here is not written and not read. Kinds may be added; a kind that was ever written never changes.
//!
//! No body holds personal data or free text. What persons are called, what files were called, why
//! someone did something stands in register files ([`crate::register`]) and side files
//! ([`crate::side`]) in the vault; a body holds their digests. So a lawful erasure breaks no log, and
//! entries plus those files are enough to build the catalog again.

mod case;
mod custody;
mod people;
mod station;
mod upkeep;

use docket_base::Sha256Digest;
use docket_base::ids::RegisterId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::entry::EntryError;

pub use case::*;
pub use custody::*;
pub use people::*;
pub use station::*;
pub use upkeep::*;

/// Derives what every body has. Bodies refuse unknown members.
macro_rules! bodies {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type),* }
    )*};
}

/// Derives what every closed list of words has; words are snake_case in JSON.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$word_meta:meta])* $word:ident),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$word_meta])* $word),* }
    )*};
}

pub(crate) use {bodies, words};

macro_rules! events {
    ($($(#[$meta:meta])* $kind:literal => $body:ident;)*) => {
        /// What happened: one of the kinds, with its body.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(clippy::large_enum_variant)] // one event at a time is in memory, seldom many
        pub enum Event { $($(#[$meta])* $body($body)),* }

        impl Event {
            /// All kinds.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            /// The kind's name.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$body(_) => $kind),* }
            }

            /// The body as JSON; absent members are `null` here and left out of an entry's bytes.
            ///
            /// # Errors
            /// [`EntryError::Body`] for what JSON cannot say.
            pub fn body(&self) -> Result<Value, EntryError> {
                match self { $(Self::$body(body) => to_value($kind, body)),* }
            }

            /// From a kind's name and a body.
            ///
            /// # Errors
            /// [`EntryError::Kind`], [`EntryError::Body`].
            pub fn from_parts(kind: &str, body: Value) -> Result<Self, EntryError> {
                match kind {
                    $($kind => from_value($kind, body).map(Self::$body),)*
                    other => Err(EntryError::Kind(other.chars().take(64).collect())),
                }
            }
        }

        $(impl From<$body> for Event {
            fn from(body: $body) -> Self { Self::$body(body) }
        })*
    };
}

fn to_value<T: Serialize>(kind: &str, body: &T) -> Result<Value, EntryError> {
    serde_json::to_value(body).map_err(|error| bad_body(kind, &error))
}

fn from_value<T: DeserializeOwned>(kind: &str, body: Value) -> Result<T, EntryError> {
    serde_json::from_value(body).map_err(|error| bad_body(kind, &error))
}

fn bad_body(kind: &str, error: &serde_json::Error) -> EntryError {
    EntryError::Body {
        kind: kind.to_owned(),
        reason: error.to_string(),
    }
}

events! {
    /// The first entry of a log: its origin and key.
    "ledger.created" => LedgerCreated;
    /// Another key may sign from here on (rotation).
    "ledger.key_added" => LedgerKeyAdded;

    /// A station was seen for the first time, or under a new name.
    "station.seen" => StationSeen;
    /// A recorder came into a bay; what was on it.
    "docking.listed" => DockingListed;
    /// It left, or its upload ended.
    "docking.finished" => DockingFinished;

    /// An upload was created: from here on the recording exists.
    "recording.announced" => RecordingAnnounced;
    /// An upload ended before any byte came: there is no recording.
    "recording.withdrawn" => RecordingWithdrawn;
    /// The bytes are complete (or are all that will come) and never change again.
    "recording.sealed" => RecordingSealed;
    /// The sealed original was read back from the vault and is the same.
    "recording.verified" => RecordingVerified;
    /// The sealed original was read back and is not, or cannot be read.
    "recording.verify_failed" => RecordingVerifyFailed;
    /// The index that was sent ahead of it is not what came.
    "recording.hint_differed" => RecordingHintDiffered;
    /// A fact about it was corrected.
    "recording.corrected" => RecordingCorrected;
    /// Its notes and tags were written.
    "recording.annotated" => RecordingAnnotated;
    /// A clip was made of a stretch of it; or: this is the clip.
    "clip.made" => ClipMade;
    /// Someone marked a time in it.
    "marker.placed" => MarkerPlaced;
    /// A marker no longer stands.
    "marker.withdrawn" => MarkerWithdrawn;
    /// A person began to watch it: committed before the first byte went out.
    "viewing.opened" => ViewingOpened;
    /// They stopped, or were idle; what was served to them.
    "viewing.closed" => ViewingClosed;
    /// Someone took the original, or a stretch of it.
    "recording.downloaded" => RecordingDownloaded;
    /// It went into a package for somebody else.
    "recording.exported" => RecordingExported;
    /// Its original was deleted; this stays.
    "recording.deleted" => RecordingDeleted;

    /// A case was opened, or its number or title changed.
    "case.put" => CasePut;
    /// A case was closed.
    "case.closed" => CaseClosed;
    /// A closed case was opened again.
    "case.reopened" => CaseReopened;
    /// A recording belongs to a case.
    "link.made" => LinkMade;
    /// Someone without the right to link says that it does.
    "link.proposed" => LinkProposed;
    /// It no longer does, or the proposal was refused.
    "link.removed" => LinkRemoved;
    /// A recording or a case must not be deleted.
    "hold.placed" => HoldPlaced;
    /// It may again.
    "hold.lifted" => HoldLifted;
    /// A retention rule was made or changed.
    "retention.rule_set" => RetentionRuleSet;
    /// A retention rule ended.
    "retention.rule_removed" => RetentionRuleRemoved;

    /// A register (units, officers, recorders, assignments) has a new version of a row.
    "register.changed" => RegisterChanged;
    /// A register row ended.
    "register.withdrawn" => RegisterWithdrawn;
    /// A register file was lawfully erased: its digest stays, its content is gone.
    "register.erased" => RegisterErased;

    /// A user was created.
    "user.created" => UserCreated;
    /// A user's role or unit changed.
    "user.changed" => UserChanged;
    /// A user may no longer sign in, or may again.
    "user.disabled" => UserDisabled;
    /// A user's password was set.
    "user.password_set" => UserPasswordSet;
    /// A bearer token was made.
    "token.created" => TokenCreated;
    /// A bearer token is no longer valid.
    "token.revoked" => TokenRevoked;
    /// A user signed in.
    "session.opened" => SessionOpened;
    /// A user signed out.
    "session.closed" => SessionClosed;
    /// A sign-in failed.
    "session.refused" => SessionRefused;
    /// A user is locked out for a time.
    "session.locked" => SessionLocked;

    /// A check found something.
    "check.found" => CheckFound;
    /// A check ended.
    "check.finished" => CheckFinished;
}

/// Points to one version of a register file and commits to its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterRef {
    /// Which register.
    pub kind: RegisterKind,
    /// Which row: the 16 bytes of the thing's own id.
    pub id: RegisterId,
    /// Which version, from 1.
    pub version: u32,
    /// SHA-256 of the file.
    pub sha256: Sha256Digest,
}

impl RegisterRef {
    /// The file's path within the log's folder.
    pub fn path(&self) -> String {
        register_path(self.kind, self.id, self.version)
    }
}

/// `register/<kind>/<id>/<version>.json`, within the log's folder.
pub fn register_path(kind: RegisterKind, id: RegisterId, version: u32) -> String {
    format!("register/{}/{id}/{version}.json", kind.as_str())
}

macro_rules! register_kinds {
    ($($(#[$meta:meta])* $name:ident => $text:literal;)*) => {
        /// What is kept in register files rather than in entries.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum RegisterKind { $($(#[$meta])* $name),* }

        impl RegisterKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in JSON and in paths.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

register_kinds! {
    /// A unit's name, code and parent.
    Unit => "unit";
    /// An officer's name, certificate, unit.
    Officer => "officer";
    /// A recorder's serial number, model, unit.
    Recorder => "recorder";
    /// Who carried a recorder from when until when.
    Assignment => "assignment";
    /// A station's name and unit.
    Station => "station";
    /// A user's name.
    User => "user";
    /// A token's name.
    Token => "token";
    /// A case's title.
    Case => "case";
    /// A recording's notes and tags (row: the recording).
    Annotation => "annotation";
    /// The note on a link (row: the link).
    LinkNote => "link_note";
    /// Why a hold stands (row: the hold).
    HoldReason => "hold_reason";
    /// A retention rule's content.
    Rule => "rule";
    /// What was on a recorder (row: the docking).
    Docking => "docking";
    /// What a marker says (row: the marker).
    Marker => "marker";
    /// For what a clip was made (row: the clip).
    ClipReason => "clip_reason";
    /// Free text that someone gave as a reason (row: the event's id).
    Reason => "reason";
}
