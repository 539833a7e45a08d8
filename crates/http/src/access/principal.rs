//! Who asks.

use docket_base::ids::{SessionId, TokenId, UnitId, UserId};

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
    User(UserId, SessionId),
    /// A bearer token.
    Token(TokenId),
}

/// What a principal may do within its unit's subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// A user's.
    Role(Role),
    /// A token's.
    Scopes(Scopes),
}
