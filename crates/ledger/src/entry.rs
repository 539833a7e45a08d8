//! An entry: one custody event as the bytes that the log holds for ever.
//!
//! Canonical JSON with a schema version and a random salt. Events are easy to guess (there are few
//! kinds, and ids are no secrets), so without the salt the public hash tiles would confirm guesses.

use std::fmt;
use std::str::FromStr;

use docket_base::ids::{
    CaseId, DockingId, EventId, HoldId, LinkId, OfficerId, RecorderId, RecordingId, RuleId,
    StationId, TokenId, UnitId, UserId, ViewingId,
};
use docket_base::{Clock, Micros, Random, random};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::canonical::{CanonicalError, from_canonical, to_canonical};
use crate::hash::TreeHash;
use crate::kinds::Event;
use crate::tile::MAX_ENTRY_BYTES;

/// The schema of entries made today.
pub const SCHEMA: u32 = 1;

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(
    tag = "type",
    content = "id",
    rename_all = "snake_case",
    deny_unknown_fields
)]
pub enum Actor {
    /// A station, by its token.
    Station(StationId),
    /// A person who signed in.
    User(UserId),
    /// Another system, by its token.
    Token(TokenId),
    /// The daemon itself: expiry, read-back, recovery, the command line on its machine.
    System,
}

impl Actor {
    /// `station`, `user`, `token` or `system`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Station(_) => "station",
            Self::User(_) => "user",
            Self::Token(_) => "token",
            Self::System => "system",
        }
    }

    /// The id's text; the system has none.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::Station(id) => Some(id.to_string()),
            Self::User(id) => Some(id.to_string()),
            Self::Token(id) => Some(id.to_string()),
            Self::System => None,
        }
    }
}

/// What the event is about, as ids. Whoever looks for a thing's history looks here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The recording.
    pub recording: Option<RecordingId>,
    /// The case.
    pub case: Option<CaseId>,
    /// The link between them.
    pub link: Option<LinkId>,
    /// The hold.
    pub hold: Option<HoldId>,
    /// The retention rule.
    pub rule: Option<RuleId>,
    /// The station.
    pub station: Option<StationId>,
    /// The docking.
    pub docking: Option<DockingId>,
    /// The recorder.
    pub recorder: Option<RecorderId>,
    /// The officer.
    pub officer: Option<OfficerId>,
    /// The user who was acted upon (not the actor).
    pub user: Option<UserId>,
    /// The token that was acted upon.
    pub token: Option<TokenId>,
    /// The viewing.
    pub viewing: Option<ViewingId>,
}

impl Subject {
    /// About a recording.
    pub fn recording(id: RecordingId) -> Self {
        Self {
            recording: Some(id),
            ..Self::default()
        }
    }

    /// About a case.
    pub fn case(id: CaseId) -> Self {
        Self {
            case: Some(id),
            ..Self::default()
        }
    }

    /// About a station.
    pub fn station(id: StationId) -> Self {
        Self {
            station: Some(id),
            ..Self::default()
        }
    }
}

/// 128 random bits that make an entry unguessable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 16]);

impl Salt {
    /// A fresh one.
    pub fn fresh(source: &dyn Random) -> Self {
        Self(random::bytes(source))
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a salt is 32 hexadecimal digits")]
pub struct BadSalt;

impl FromStr for Salt {
    type Err = BadSalt;
    fn from_str(text: &str) -> Result<Self, BadSalt> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(BadSalt);
        }
        let bits = u128::from_str_radix(text, 16).map_err(|_| BadSalt)?;
        Ok(Self(bits.to_be_bytes()))
    }
}

impl Serialize for Salt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One custody event 保管事件.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id, unique in the log.
    pub id: EventId,
    /// When it was committed, by the daemon's clock.
    pub at: Micros,
    /// Who did it.
    pub actor: Actor,
    /// The unit whose people may see it; `None` for what concerns the whole installation.
    pub unit: Option<UnitId>,
    /// What it is about.
    pub subject: Subject,
    /// What happened.
    pub event: Event,
    /// Makes the entry unguessable.
    pub salt: Salt,
}

/// Why bytes are no entry, or an entry has no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not canonical JSON of an entry's form.
    #[error("entry: {0}")]
    Form(#[from] CanonicalError),
    /// Made by a newer Docket.
    #[error("entry of schema {0}, this program knows {SCHEMA}")]
    Schema(u32),
    /// A kind that is not in the vocabulary.
    #[error("unknown kind of event {0:?}")]
    Kind(String),
    /// A body that does not fit its kind.
    #[error("body of {kind}: {reason}")]
    Body {
        /// The kind.
        kind: String,
        /// What is wrong.
        reason: String,
    },
    /// Entry bundles give lengths in two bytes.
    #[error("an entry of {0} bytes is over the limit of {MAX_ENTRY_BYTES}")]
    TooLong(usize),
}

/// The members as they stand in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    actor: Actor,
    at: Micros,
    body: Value,
    id: EventId,
    kind: String,
    salt: Salt,
    schema: u32,
    subject: Subject,
    unit: Option<UnitId>,
}

impl Entry {
    /// A new event, now.
    pub fn new(
        clock: &dyn Clock,
        source: &dyn Random,
        actor: Actor,
        unit: Option<UnitId>,
        subject: Subject,
        event: impl Into<Event>,
    ) -> Self {
        Self {
            id: EventId::fresh(clock, source),
            at: clock.now(),
            actor,
            unit,
            subject,
            event: event.into(),
            salt: Salt::fresh(source),
        }
    }

    /// The bytes that go into the log. They are read back before they are given out, so that no
    /// entry enters the log that could not be read from it.
    ///
    /// # Errors
    /// [`EntryError`]: too long, or a number that JSON cannot hold exactly.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EntryError> {
        let bytes = to_canonical(&self.form()?)?;
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong(bytes.len()));
        }
        if Self::parse(&bytes)? == *self {
            Ok(bytes)
        } else {
            Err(CanonicalError::NotCanonical.into())
        }
    }

    /// Reads an entry; every other spelling of the same event is refused.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong(bytes.len()));
        }
        let form: Form = from_canonical(bytes)?;
        if form.schema != SCHEMA {
            return Err(EntryError::Schema(form.schema));
        }
        let entry = Self {
            id: form.id,
            at: form.at,
            actor: form.actor,
            unit: form.unit,
            subject: form.subject,
            event: Event::from_parts(&form.kind, form.body)?,
            salt: form.salt,
        };
        // The body went through as a value above; typed, it must still say the same bytes.
        if to_canonical(&entry.form()?)? == bytes {
            Ok(entry)
        } else {
            Err(CanonicalError::NotCanonical.into())
        }
    }

    fn form(&self) -> Result<Form, EntryError> {
        Ok(Form {
            actor: self.actor,
            at: self.at,
            body: self.event.body()?,
            id: self.id,
            kind: self.event.kind().to_owned(),
            salt: self.salt,
            schema: SCHEMA,
            subject: self.subject.clone(),
            unit: self.unit,
        })
    }

    /// The leaf hash of an entry's bytes.
    pub fn leaf_hash(bytes: &[u8]) -> TreeHash {
        TreeHash::of_leaf(bytes)
    }
}
