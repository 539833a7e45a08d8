//! Bearer tokens of stations and other systems. Secrets come here as hashes only.

use docket_base::Sha256Digest;
use docket_base::ids::{RegisterId, TokenId, UnitId};
use docket_catalog::Token;
use docket_ledger::kinds::{self, Scope};
use docket_ledger::register::NameRow;
use docket_ledger::{Actor, RegisterValue, Subject};

use crate::text::Limit;
use crate::{Ingest, IngestError, Result};

/// A token to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// SHA-256 of its secret.
    pub secret_sha256: Sha256Digest,
    /// What people call it.
    pub name: String,
    /// What it may do: words with commas between.
    pub scopes: String,
    /// Where: this unit and all below.
    pub unit: UnitId,
}

impl Ingest {
    /// Enters a token.
    ///
    /// # Errors
    /// Refused without a name or scope.
    pub async fn add_token(&self, actor: Actor, new: NewToken) -> Result<Token> {
        let (words, scopes) = read_scopes(&new.scopes)?;
        let token = Token {
            id: new.id,
            name: Limit::NAME.require("name", &new.name)?,
            secret_sha256: new.secret_sha256,
            scopes: words,
            unit_id: new.unit,
            station_id: None,
            created_at: self.clock.now(),
            revoked_at: None,
            last_used_at: None,
        };
        let row = RegisterId::from_bytes(*token.id.as_bytes());
        let value = RegisterValue::Token(NameRow {
            name: token.name.clone(),
        });
        let register = self.put_register(row, 1, value).await?;
        let mut change = self.catalog.change().await?;
        change.add_token(&token).await?;
        let body = kinds::TokenCreated {
            token: token.id,
            scopes,
            station: None,
            expires_at: None,
            register,
        };
        let event = self.event(actor, Some(token.unit_id), subject(token.id), body)?;
        self.commit(change, &[event]).await?;
        Ok(token)
    }

    /// Takes a token back for ever. One that was taken back before stays so.
    ///
    /// # Errors
    /// Not found.
    pub async fn revoke_token(&self, actor: Actor, id: TokenId) -> Result<()> {
        let token = self
            .catalog
            .token(id)
            .await?
            .ok_or_else(|| IngestError::not_found("token", id))?;
        if token.revoked_at.is_some() {
            return Ok(());
        }
        let mut change = self.catalog.change().await?;
        change.revoke_token(id, self.clock.now()).await?;
        let event = self.event(
            actor,
            Some(token.unit_id),
            subject(id),
            kinds::TokenRevoked { token: id },
        )?;
        self.commit(change, &[event]).await
    }
}

/// The words in the order of the list, each once, and what they mean.
fn read_scopes(text: &str) -> Result<(String, Vec<Scope>)> {
    let read = |word: &str| -> Result<Scope> {
        serde_json::from_value(serde_json::Value::String(word.to_owned()))
            .map_err(|_| IngestError::Refused(format!("scopes: unknown scope {word:?}")))
    };
    let mut scopes = text
        .split(',')
        .map(|word| read(word.trim()))
        .collect::<Result<Vec<_>>>()?;
    scopes.sort_unstable();
    scopes.dedup();
    let words: Vec<&str> = scopes.iter().map(|scope| word(*scope)).collect();
    Ok((words.join(","), scopes))
}

fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Upload => "upload",
        Scope::Read => "read",
        Scope::Link => "link",
        Scope::Admin => "admin",
        Scope::Audit => "audit",
    }
}

fn subject(token: TokenId) -> Subject {
    Subject {
        token: Some(token),
        ..Subject::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_put_in_order_and_checked() {
        let (words, scopes) = read_scopes("read, upload,read").expect("known");
        assert_eq!(words, "upload,read");
        assert_eq!(scopes, [Scope::Upload, Scope::Read]);
        assert!(read_scopes("").is_err());
        assert!(read_scopes("upload,root").is_err());
    }
}
