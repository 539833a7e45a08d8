//! Custody events as the API shows them.

use docket_base::Micros;
use docket_base::ids::EventId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ActorRef {
    /// `user`, `token`, `station` or `system`.
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    /// Null when the name was erased or there is none.
    pub name: Option<String>,
}

/// A custody event 保管事件.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CustodyEvent {
    /// Its place in the ledger; null for the moment before it has one.
    pub leaf_index: Option<u64>,
    #[schema(value_type = String, format = "uuid")]
    pub id: EventId,
    /// e.g. `recording.sealed`.
    pub kind: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Micros,
    pub actor: ActorRef,
    /// What happened, as the ledger has it.
    #[schema(value_type = Object)]
    pub body: Value,
}
