//! Cases and their evidence.

use docket_base::Micros;
use docket_base::ids::{CaseId, OfficerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ActorRef, Recording, UnitRef};

/// A case 案件 with what is tied to it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Case {
    #[serde(flatten)]
    pub head: CaseHead,
    /// Recordings tied to it, oldest link first; only those within the reader's units.
    pub evidence: Vec<Evidence>,
}

/// A case without its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CaseHead {
    #[schema(value_type = String, format = "uuid")]
    pub id: CaseId,
    /// As it was first given; compared without regard to the form of brackets and widths.
    pub number: String,
    pub unit: UnitRef,
    pub title: String,
    /// `open` or `closed`.
    pub state: String,
    /// Its ETag is this number in quotes.
    pub version: i64,
}

/// A recording tied to a case 关联.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Evidence {
    pub recording: Recording,
    /// `linked`, or `proposed` until someone with the right to link confirms.
    pub state: String,
    pub note: String,
    #[schema(value_type = String, format = DateTime)]
    pub linked_at: Micros,
    pub by: ActorRef,
}

/// A case as it shall be; what is left out stays (new cases: empty title, open).
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseInput {
    #[serde(default)]
    pub title: Option<String>,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: Option<String>,
}

/// About a link.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkInput {
    #[serde(default)]
    pub note: Option<String>,
}

/// Everything one officer recorded in a time.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowInput {
    #[schema(value_type = String, format = "uuid")]
    pub officer: OfficerId,
    #[schema(value_type = String, format = DateTime)]
    pub from_at: Micros,
    /// Exclusive.
    #[schema(value_type = String, format = DateTime)]
    pub until_at: Micros,
    #[serde(default)]
    pub note: Option<String>,
}

/// What attaching a window did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Attached {
    /// The links of the window, made now or before.
    pub items: Vec<Evidence>,
    /// How many of them are new.
    pub created: u64,
}
