//! Events of users, tokens and sign-in. Never a name, an address or a secret.

use docket_base::Micros;
use docket_base::ids::{SessionId, StationId, TokenId, UnitId, UserId};

use super::{RegisterRef, bodies, words};

words! {
    /// What a user may do, within its unit's subtree.
    Role {
        /// Users, tokens, registers, rules.
        Administrator,
        /// Watches, reviews, corrects.
        Supervisor,
        /// Links recordings to cases.
        CaseHandler,
        /// Sees everything, the ledger's entries too; changes nothing.
        Auditor,
    }
    /// What a token may do.
    Scope {
        /// Send recordings.
        Upload,
        /// See them.
        Read,
        /// Link them to cases.
        Link,
        /// Manage.
        Admin,
        /// See the log.
        Audit,
    }
    /// Why a sign-in failed.
    RefusedReason {
        /// Nobody has that name.
        UnknownUser,
        /// The password is wrong.
        Password,
        /// The user is locked out.
        Locked,
        /// The user is disabled.
        Disabled,
    }
}

bodies! {
    /// See [`super::Event::UserCreated`]. The user's unit is the entry's.
    UserCreated {
        /// The user.
        user: UserId,
        /// What they may do.
        role: Role,
        /// Their name.
        register: RegisterRef,
    }
    /// See [`super::Event::UserChanged`].
    UserChanged {
        /// The user.
        user: UserId,
        /// What they may do now.
        role: Role,
        /// Where they may do it now.
        unit: UnitId,
        /// Their name, when it changed.
        register: Option<RegisterRef>,
    }
    /// See [`super::Event::UserDisabled`].
    UserDisabled {
        /// The user.
        user: UserId,
        /// `false` lets them sign in again.
        disabled: bool,
    }
    /// See [`super::Event::UserPasswordSet`].
    UserPasswordSet {
        /// The user.
        user: UserId,
    }
    /// See [`super::Event::TokenCreated`]. The token's unit is the entry's.
    TokenCreated {
        /// The token's id, not the secret.
        token: TokenId,
        /// What it may do, in the order of the list.
        scopes: Vec<Scope>,
        /// The station it is for.
        station: Option<StationId>,
        /// When it ends.
        expires_at: Option<Micros>,
        /// Its name.
        register: RegisterRef,
    }
    /// See [`super::Event::TokenRevoked`].
    TokenRevoked {
        /// The token.
        token: TokenId,
    }
    /// See [`super::Event::SessionOpened`].
    SessionOpened {
        /// Who.
        user: UserId,
        /// The session's id, not the secret.
        session: SessionId,
    }
    /// See [`super::Event::SessionClosed`].
    SessionClosed {
        /// Who.
        user: UserId,
        /// The session.
        session: SessionId,
    }
    /// See [`super::Event::SessionRefused`].
    SessionRefused {
        /// Who, where the name is somebody's.
        user: Option<UserId>,
        /// Why.
        reason: RefusedReason,
        /// How many in a row, this one included.
        attempts: u32,
    }
    /// See [`super::Event::SessionLocked`].
    SessionLocked {
        /// Who.
        user: UserId,
        /// Until when.
        until_at: Micros,
        /// How many failures led to it.
        attempts: u32,
    }
}
