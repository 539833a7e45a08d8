//! Who asks.

use std::fmt;

use docket_base::ids::{StationId, TokenId, UnitId, UserId};
use docket_ledger::Actor;

use super::action::{Role, Scopes};

/// Somebody who signed in or showed a token: who it is, and what comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Which user or token.
    pub who: Who,
    /// The unit whose subtree the rights hold in.
    pub unit: UnitId,
    /// What it may do there.
    pub rights: Rights,
}

/// Which user or token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A local user with a browser session.
    User(UserId),
    /// A bearer token, and the station it belongs to, if it has reported as one.
    Token(TokenId, Option<StationId>),
}

/// What a principal may do within its unit's subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// A user's.
    Role(Role),
    /// A token's.
    Scopes(Scopes),
}

impl Principal {
    /// As events name who acts. A station's token acts as the station.
    pub fn actor(&self) -> Actor {
        match self.who {
            Who::User(id) => Actor::User(id),
            Who::Token(_, Some(station)) => Actor::Station(station),
            Who::Token(id, None) => Actor::Token(id),
        }
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "the role {role}"),
            Self::Scopes(scopes) => write!(f, "a token with {scopes}"),
        }
    }
}
