//! `docketd user`.

use std::sync::Arc;

use clap::Subcommand;
use docket_catalog::{Role, Scope};
use docket_http::signin::password::hash_now;
use docket_ingest::users::{NewUser, UserChange};
use docket_ledger::Actor;
use serde::{Deserialize, Serialize};

use super::{Output, password_from_stdin};
use crate::parts::Parts;

/// Local users.
#[derive(Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserCommand {
    /// Add a user.
    Add {
        /// The name to sign in with.
        #[arg(long)]
        name: String,
        /// administrator, supervisor, case_handler or auditor.
        #[arg(long)]
        role: String,
        /// The unit (id, code or name) within whose subtree the role holds; default the root.
        #[arg(long)]
        unit: Option<String>,
        /// Read the password from standard input.
        #[arg(long, required = true)]
        password_stdin: bool,
        /// Filled from standard input, never from the command line.
        #[arg(skip)]
        password: String,
    },
    /// List the users.
    List,
    /// Set a user's password.
    Password {
        /// Whose.
        #[arg(long)]
        name: String,
        /// Read the password from standard input.
        #[arg(long, required = true)]
        password_stdin: bool,
        /// Filled from standard input, never from the command line.
        #[arg(skip)]
        password: String,
    },
    /// Keep a user from signing in.
    Disable {
        /// Whom.
        #[arg(long)]
        name: String,
    },
    /// Let a disabled user sign in again.
    Enable {
        /// Whom.
        #[arg(long)]
        name: String,
    },
}

impl std::fmt::Debug for UserCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A derived one would print passwords.
        f.write_str("UserCommand")
    }
}

impl UserCommand {
    /// Reads what comes from standard input, in the process whose standard input it is.
    pub fn read_input(mut self) -> anyhow::Result<Self> {
        if let Self::Add { password, .. } | Self::Password { password, .. } = &mut self {
            *password = password_from_stdin()?;
        }
        Ok(self)
    }
}

/// Runs it.
pub async fn run(command: UserCommand, parts: &Arc<Parts>, out: &Output) -> anyhow::Result<u8> {
    let ingest = &parts.ingest;
    match command {
        UserCommand::Add {
            name,
            role,
            unit,
            password,
            ..
        } => {
            let role: Role = role.parse()?;
            let unit = parts.unit_named(unit.as_deref()).await?;
            let password_hash = hash(parts, password).await?;
            let new = NewUser {
                name,
                role,
                unit: unit.id,
                password_hash,
            };
            let user = ingest.add_user(Actor::System, new).await?;
            out.line(format!("added {} ({role}) in {}", user.name, unit.name))
                .await;
        }
        UserCommand::List => {
            let mut cursor = None;
            loop {
                let page = ingest
                    .catalog
                    .users(&Scope::Everything, cursor.as_ref(), 200)
                    .await?;
                for user in page.items {
                    let state = if user.row.disabled {
                        "disabled"
                    } else {
                        "active"
                    };
                    let line = format!(
                        "{}\t{}\t{}\t{state}",
                        user.row.name, user.row.role, user.unit_name
                    );
                    out.line(line).await;
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        UserCommand::Password { name, password, .. } => {
            let user = user_named(parts, &name).await?;
            let hash = hash(parts, password).await?;
            ingest.set_password(Actor::System, user.id, &hash).await?;
            out.line(format!(
                "the password of {} is set; their sessions have ended",
                user.name
            ))
            .await;
        }
        UserCommand::Disable { name } => set_disabled(parts, &name, true, out).await?,
        UserCommand::Enable { name } => set_disabled(parts, &name, false, out).await?,
    }
    Ok(0)
}

async fn set_disabled(
    parts: &Arc<Parts>,
    name: &str,
    disabled: bool,
    out: &Output,
) -> anyhow::Result<()> {
    let user = user_named(parts, name).await?;
    let change = UserChange {
        disabled: Some(disabled),
        ..UserChange::default()
    };
    parts
        .ingest
        .change_user(Actor::System, user.id, change)
        .await?;
    let word = if disabled { "disabled" } else { "enabled" };
    out.line(format!("{} is {word}", user.name)).await;
    Ok(())
}

async fn user_named(parts: &Arc<Parts>, name: &str) -> anyhow::Result<docket_catalog::User> {
    let found = parts.ingest.catalog.user_by_name(name).await?;
    found.ok_or_else(|| anyhow::anyhow!("no user is called {name:?}"))
}

async fn hash(parts: &Arc<Parts>, password: String) -> anyhow::Result<String> {
    let random = Arc::clone(&parts.ingest.random);
    Ok(tokio::task::spawn_blocking(move || hash_now(&password, &*random)).await??)
}
