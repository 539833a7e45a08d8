//! Ids: UUIDv7 (RFC 9562), one type a thing. Text form is lower-case and hyphenated, and only that
//! form is accepted, so that one thing has one address.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::clock::Clock;
use crate::random::{Random, bytes};

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an id: lower-case hyphenated UUID expected")]
pub struct BadId(pub String);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh id: the clock's milliseconds and 74 random bits.
            pub fn fresh(clock: &dyn Clock, random: &dyn Random) -> Self {
                let entropy: [u8; 10] = bytes(random);
                Self(uuid::Builder::from_unix_timestamp_millis(clock.now().unix_millis(), &entropy).into_uuid())
            }

            /// The id with these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes, big-endian.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                canonical(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

fn canonical(text: &str) -> Result<Uuid, BadId> {
    let bad = || BadId(text.chars().take(64).collect());
    if text.len() != 36 || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(bad());
    }
    Uuid::try_parse(text).map_err(|_| bad())
}

ids! {
    /// A recording 音像记录, and the upload it came by: the same id.
    RecordingId;
    /// One stay of a recorder in a bay.
    DockingId;
    /// One file named in a docking's list.
    DockingFileId;
    /// An officer 执法人员.
    OfficerId;
    /// A unit 单位, a node of the tree.
    UnitId;
    /// A recorder 记录仪.
    RecorderId;
    /// A recorder's assignment to an officer for a time.
    AssignmentId;
    /// A station 采集站.
    StationId;
    /// A case 案件.
    CaseId;
    /// A link 关联 of a recording to a case.
    LinkId;
    /// A hold 冻结.
    HoldId;
    /// A retention rule 保存期限.
    RuleId;
    /// A local user.
    UserId;
    /// A bearer token of a station or another system.
    TokenId;
    /// A browser session.
    SessionId;
    /// A custody event 保管事件.
    EventId;
    /// One viewing of one recording by one person.
    ViewingId;
    /// A marker on a recording.
    MarkerId;
    /// A background job.
    JobId;
    /// A row or file of a register (units, officers, recorders, stations, users).
    RegisterId;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Micros};
    use crate::random::CountingRandom;

    #[test]
    fn ids_sort_by_time_and_round_trip() {
        let (clock, random) = (
            ManualClock::at(Micros(1_700_000_000_000_000)),
            CountingRandom::default(),
        );
        let first = RecordingId::fresh(&clock, &random);
        clock.advance_seconds(1);
        let second = RecordingId::fresh(&clock, &random);
        assert!(first < second && first.to_string() < second.to_string());
        assert_eq!(first.to_string().parse::<RecordingId>(), Ok(first));
    }

    #[test]
    fn only_the_canonical_text_is_accepted() {
        for text in [
            "",
            "0190163d8694739aaea6966b6d7bd9a9",
            "0190163D-8694-739A-AEA6-966B6D7BD9A9",
            "../../etc/passwd",
        ] {
            assert!(text.parse::<RecordingId>().is_err(), "{text}");
        }
    }
}
