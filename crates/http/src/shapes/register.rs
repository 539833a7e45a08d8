//! Units, officers, recorders, users, tokens.

use docket_base::Micros;
use docket_base::ids::{AssignmentId, OfficerId, RecorderId, TokenId, UnitId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A unit, by id and name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UnitRef {
    #[schema(value_type = String, format = "uuid")]
    pub id: UnitId,
    pub name: String,
}

/// An officer, by id and name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OfficerRef {
    #[schema(value_type = String, format = "uuid")]
    pub id: OfficerId,
    pub name: String,
}

/// A node of the tree of units.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Unit {
    #[schema(value_type = String, format = "uuid")]
    pub id: UnitId,
    pub name: String,
    /// The agency's own code for the unit; unique.
    pub code: String,
    /// Null for the root.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub parent_id: Option<UnitId>,
}

/// A unit as it shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitInput {
    pub name: String,
    pub code: String,
    /// The unit above. Left out in a change: stays where it is.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub parent_id: Option<UnitId>,
}

/// An officer of the register.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Officer {
    #[schema(value_type = String, format = "uuid")]
    pub id: OfficerId,
    pub name: String,
    pub certificate_number: String,
    pub unit: UnitRef,
    /// Category of enforcement.
    pub category: String,
    /// Area of enforcement.
    pub area: String,
}

/// An officer as it shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfficerInput {
    pub name: String,
    pub certificate_number: String,
    /// Default: the caller's unit.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub unit: Option<UnitId>,
    #[serde(default)]
    pub category: String,
    #[serde(default)]
    pub area: String,
}

/// A recorder of the register.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Recorder {
    #[schema(value_type = String, format = "uuid")]
    pub id: RecorderId,
    pub serial: String,
    pub model: String,
    pub unit: UnitRef,
    /// Who carried it when, oldest first.
    pub assignments: Vec<Assignment>,
}

/// A recorder in an officer's hands for a time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Assignment {
    #[schema(value_type = String, format = "uuid")]
    pub id: AssignmentId,
    pub officer: OfficerRef,
    #[schema(value_type = String, format = DateTime)]
    pub from_at: Micros,
    /// Null: until now and on. The moment itself is no longer part of it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until_at: Option<Micros>,
}

/// A recorder as it shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecorderInput {
    pub serial: String,
    #[serde(default)]
    pub model: String,
    /// Default: the caller's unit.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub unit: Option<UnitId>,
}

/// An assignment as it shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentInput {
    #[schema(value_type = String, format = "uuid")]
    pub officer: OfficerId,
    #[schema(value_type = String, format = DateTime)]
    pub from_at: Micros,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until_at: Option<Micros>,
}

/// The end of an assignment; null leaves it open.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentEnd {
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until_at: Option<Micros>,
}

/// What an import did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Imported {
    /// Rows that were new.
    pub created: u64,
    /// Rows that were there and are now different.
    pub changed: u64,
    /// Rows that were there already, the same.
    pub unchanged: u64,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct User {
    #[schema(value_type = String, format = "uuid")]
    pub id: UserId,
    pub name: String,
    /// `administrator`, `supervisor`, `case_handler` or `auditor`.
    pub role: String,
    pub unit: UnitRef,
    /// May not sign in.
    pub disabled: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Micros,
}

/// A new user.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserInput {
    pub name: String,
    /// `administrator`, `supervisor`, `case_handler` or `auditor`.
    pub role: String,
    /// Default: the caller's unit.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub unit: Option<UnitId>,
    pub password: String,
}

/// What changes of a user; what is left out stays.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    #[serde(default)]
    pub role: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub unit: Option<UnitId>,
    #[serde(default)]
    pub disabled: Option<bool>,
    /// A new password; all of the user's sessions end.
    #[serde(default)]
    pub password: Option<String>,
}

/// A bearer token, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Token {
    #[schema(value_type = String, format = "uuid")]
    pub id: TokenId,
    pub name: String,
    /// Of `upload`, `read`, `link`, `admin`, `audit`.
    pub scopes: Vec<String>,
    pub unit: UnitRef,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Micros,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Micros>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Micros>,
}

/// A new token.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenInput {
    pub name: String,
    /// Of `upload`, `read`, `link`, `admin`, `audit`.
    pub scopes: Vec<String>,
    /// Default: the caller's unit.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub unit: Option<UnitId>,
}

/// A token just made: the only time its secret is told.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TokenCreated {
    #[serde(flatten)]
    pub token: Token,
    /// Send it as `Authorization: Bearer …`.
    pub secret: String,
}
