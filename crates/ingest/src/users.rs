//! Local users. Passwords come here as hashes only; entries name users by id.

use docket_base::ids::{RegisterId, UnitId, UserId};
use docket_catalog::{Role, User};
use docket_ledger::register::NameRow;
use docket_ledger::{Actor, RegisterRef, RegisterValue, Subject, kinds};

use crate::text::{Limit, version_number};
use crate::{Ingest, IngestError, Result};

/// A user to be.
#[derive(Clone)]
pub struct NewUser {
    /// Unique when folded.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Where: this unit and all below.
    pub unit: UnitId,
    /// Argon2 in its text form.
    pub password_hash: String,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewUser({:?}, {}, {})", self.name, self.role, self.unit)
    }
}

/// What changes of a user; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// What they may do.
    pub role: Option<Role>,
    /// Where.
    pub unit: Option<UnitId>,
    /// Whether they are kept out.
    pub disabled: Option<bool>,
}

impl Ingest {
    /// Enters a user.
    ///
    /// # Errors
    /// Taken name; refused without one.
    pub async fn add_user(&self, actor: Actor, new: NewUser) -> Result<User> {
        let user = User {
            id: UserId::fresh(&*self.clock, &*self.random),
            name: Limit::NAME.require("name", &new.name)?,
            password_hash: new.password_hash,
            role: new.role,
            unit_id: new.unit,
            disabled: false,
            failed_count: 0,
            locked_until: None,
            version: 1,
            created_at: self.clock.now(),
        };
        let register = self.user_register(&user, 1).await?;
        let mut change = self.catalog.change().await?;
        change.add_user(&user).await?;
        let body = kinds::UserCreated {
            user: user.id,
            role: ledger_role(user.role),
            register,
        };
        let event = self.event(actor, Some(user.unit_id), subject(user.id), body)?;
        self.commit(change, &[event]).await?;
        Ok(user)
    }

    /// Changes a user's role, unit or state; their sessions end.
    ///
    /// # Errors
    /// Not found.
    pub async fn change_user(&self, actor: Actor, id: UserId, wanted: UserChange) -> Result<User> {
        let before = self
            .catalog
            .user(id)
            .await?
            .ok_or_else(|| IngestError::not_found("user", id))?
            .row;
        let after = User {
            role: wanted.role.unwrap_or(before.role),
            unit_id: wanted.unit.unwrap_or(before.unit_id),
            disabled: wanted.disabled.unwrap_or(before.disabled),
            ..before.clone()
        };
        let mut events = Vec::new();
        if (before.role, before.unit_id) != (after.role, after.unit_id) {
            let role = ledger_role(after.role);
            let body = kinds::UserChanged {
                user: id,
                role,
                unit: after.unit_id,
                register: None,
            };
            events.push(self.event(actor, Some(before.unit_id), subject(id), body)?);
        }
        if before.disabled != after.disabled {
            let body = kinds::UserDisabled {
                user: id,
                disabled: after.disabled,
            };
            events.push(self.event(actor, Some(after.unit_id), subject(id), body)?);
        }
        if events.is_empty() {
            return Ok(before);
        }
        let mut change = self.catalog.change().await?;
        let after = change.update_user(&after).await?;
        self.commit(change, &events).await?;
        Ok(after)
    }

    /// Sets a user's password; all their sessions end.
    ///
    /// # Errors
    /// Not found.
    pub async fn set_password(&self, actor: Actor, id: UserId, password_hash: &str) -> Result<()> {
        let user = self
            .catalog
            .user(id)
            .await?
            .ok_or_else(|| IngestError::not_found("user", id))?
            .row;
        let mut change = self.catalog.change().await?;
        change.set_password(id, password_hash).await?;
        let event = self.event(
            actor,
            Some(user.unit_id),
            subject(id),
            kinds::UserPasswordSet { user: id },
        )?;
        self.commit(change, &[event]).await
    }

    async fn user_register(&self, user: &User, version: i64) -> Result<RegisterRef> {
        let row = RegisterId::from_bytes(*user.id.as_bytes());
        let value = RegisterValue::User(NameRow {
            name: user.name.clone(),
        });
        self.put_register(row, version_number(version)?, value)
            .await
    }
}

fn ledger_role(role: Role) -> kinds::Role {
    match role {
        Role::Administrator => kinds::Role::Administrator,
        Role::Supervisor => kinds::Role::Supervisor,
        Role::CaseHandler => kinds::Role::CaseHandler,
        Role::Auditor => kinds::Role::Auditor,
    }
}

pub(crate) fn subject(user: UserId) -> Subject {
    Subject {
        user: Some(user),
        ..Subject::default()
    }
}
