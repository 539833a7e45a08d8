//! After the replay: nobody can sign in with what nobody knows, and the log says so. These are changes
//! like any other, with events of their own.

use docket_catalog::{MAX_PAGE, Scope, User};
use docket_ledger::{Actor, Entry, Event, Subject, kinds};

use super::replay::State;
use super::{RebuildError, Work};
use crate::event::event_row;

fn event(
    work: Work<'_>,
    unit: docket_base::ids::UnitId,
    subject: Subject,
    event: impl Into<Event>,
) -> Result<docket_catalog::EventRow, RebuildError> {
    let entry = Entry::new(
        work.clock,
        work.random,
        Actor::System,
        Some(unit),
        subject,
        event,
    );
    Ok(event_row(&entry)?)
}

/// Users were restored without a password: they are disabled until somebody gives them one.
pub(super) async fn lock_users_out(work: Work<'_>, state: &mut State) -> Result<(), RebuildError> {
    let mut cursor = None;
    loop {
        let page = work
            .catalog
            .users(&Scope::Everything, cursor.as_ref(), MAX_PAGE)
            .await?;
        let mut change = work.catalog.change().await?;
        let mut events = Vec::new();
        for user in page.items.into_iter().map(|user| user.row) {
            if user.disabled {
                continue;
            }
            let (id, unit) = (user.id, user.unit_id);
            let disabled = true;
            change.update_user(&User { disabled, ..user }).await?;
            let subject = Subject {
                user: Some(id),
                ..Subject::default()
            };
            let body = kinds::UserDisabled { user: id, disabled };
            events.push(event(work, unit, subject, body)?);
        }
        state.sum.disabled_users_count += events.len() as u64;
        if !events.is_empty() {
            change.commit(&events).await?;
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// Tokens were restored without their secret: they are taken back.
pub(super) async fn revoke_tokens(work: Work<'_>, state: &mut State) -> Result<(), RebuildError> {
    let mut cursor = None;
    loop {
        let page = work
            .catalog
            .tokens(&Scope::Everything, cursor.as_ref(), MAX_PAGE)
            .await?;
        let mut change = work.catalog.change().await?;
        let mut events = Vec::new();
        for token in page.items.into_iter().map(|token| token.row) {
            if token.revoked_at.is_some() {
                continue;
            }
            let subject = Subject {
                token: Some(token.id),
                ..Subject::default()
            };
            let body = kinds::TokenRevoked { token: token.id };
            let row = event(work, token.unit_id, subject, body)?;
            change.revoke_token(token.id, row.at).await?;
            events.push(row);
        }
        state.sum.revoked_tokens_count += events.len() as u64;
        if !events.is_empty() {
            change.commit(&events).await?;
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}
