//! `docketd token`.

use std::sync::Arc;

use clap::Subcommand;
use docket_base::ids::TokenId;
use docket_catalog::Scope;
use docket_http::signin::token::{Wanted, issue};
use docket_ledger::Actor;
use serde::{Deserialize, Serialize};

use super::Output;
use crate::parts::Parts;

/// Tokens of stations and other systems.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenCommand {
    /// Create a token and print it on the last line; it is shown only this once.
    Create {
        /// What people call it, e.g. the station's name.
        #[arg(long)]
        name: String,
        /// Comma-separated: upload, read, link, admin, audit.
        #[arg(long)]
        scope: String,
        /// The unit (id, code or name) within whose subtree it is good; default the root.
        #[arg(long)]
        unit: Option<String>,
    },
    /// List the tokens; their secrets are not known here.
    List,
    /// Take a token back for ever.
    Revoke {
        /// Its id, as `token list` shows it.
        #[arg(long)]
        id: String,
    },
}

/// Runs it.
pub async fn run(command: TokenCommand, parts: &Arc<Parts>, out: &Output) -> anyhow::Result<u8> {
    let ingest = &parts.ingest;
    match command {
        TokenCommand::Create { name, scope, unit } => {
            let unit = parts.unit_named(unit.as_deref()).await?;
            let wanted = Wanted {
                name,
                scopes: scope,
                unit: unit.id,
            };
            let (_, text) = issue(ingest, Actor::System, wanted).await?;
            out.line(text).await;
        }
        TokenCommand::List => {
            let mut cursor = None;
            loop {
                let page = ingest
                    .catalog
                    .tokens(&Scope::Everything, cursor.as_ref(), 200)
                    .await?;
                for token in page.items {
                    let state = if token.row.revoked_at.is_some() {
                        "revoked"
                    } else {
                        "active"
                    };
                    let (id, name, scopes) = (token.row.id, &token.row.name, &token.row.scopes);
                    out.line(format!(
                        "{id}\t{name}\t{scopes}\t{}\t{state}",
                        token.unit_name
                    ))
                    .await;
                }
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        TokenCommand::Revoke { id } => {
            let id: TokenId = id.parse()?;
            ingest.revoke_token(Actor::System, id).await?;
            out.line(format!("revoked {id}")).await;
        }
    }
    Ok(0)
}
