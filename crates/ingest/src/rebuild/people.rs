//! Registers, stations, rules, users and tokens. Where a register file is gone, the id stands for the
//! name: the row must be there, because others name it.

use docket_base::ids::{
    AssignmentId, OfficerId, RecorderId, RuleId, StationId, TokenId, UnitId, UserId,
};
use docket_base::{Sha256Digest, random};
use docket_catalog::{
    Assignment, Change, Error as CatalogError, Officer, Recorder, RetentionRule, Role, Station,
    Token, Unit, User,
};
use docket_ledger::kinds;
use docket_ledger::register::{AssignmentRow, NameRow, RuleRow};
use docket_ledger::{Entry, Event, RegisterKind, RegisterRef, RegisterValue};

use super::apply::no_unit;
use super::recording::catalog_kind;
use super::shelf::Shelf;
use super::{RebuildError, Work};
use crate::event::word;

type Done = Result<(), RebuildError>;

pub(super) async fn apply(
    work: Work<'_>,
    change: &mut Change,
    shelf: &Shelf,
    entry: &Entry,
) -> Done {
    match &entry.event {
        Event::RegisterChanged(body) => register(change, shelf, entry, &body.register).await,
        Event::StationSeen(body) => station(change, shelf, entry, body).await,
        Event::RetentionRuleSet(body) => {
            rule(change, shelf, entry, body.rule, &body.register).await
        }
        Event::RetentionRuleRemoved(body) => Ok(change.remove_retention_rule(body.rule).await?),
        Event::UserCreated(body) => user(work, change, shelf, entry, body).await,
        Event::UserChanged(body) => {
            let user = known(change.user(body.user).await?, "user", body.user)?;
            let after = User {
                name: match &body.register {
                    Some(register) => name(shelf, register).unwrap_or(user.name),
                    None => user.name,
                },
                role: role(body.role),
                unit_id: body.unit,
                ..user
            };
            change.update_user(&after).await?;
            Ok(())
        }
        Event::UserDisabled(body) => {
            let user = known(change.user(body.user).await?, "user", body.user)?;
            let disabled = body.disabled;
            change.update_user(&User { disabled, ..user }).await?;
            Ok(())
        }
        Event::TokenCreated(body) => token(work, change, shelf, entry, body).await,
        Event::TokenRevoked(body) => Ok(change.revoke_token(body.token, entry.at).await?),
        _ => Ok(()),
    }
}

fn known<T>(row: Option<T>, what: &'static str, id: impl ToString) -> Result<T, RebuildError> {
    let id = id.to_string();
    row.ok_or(RebuildError::Catalog(CatalogError::Missing { what, id }))
}

fn name(shelf: &Shelf, register: &RegisterRef) -> Option<String> {
    match shelf.value(register) {
        Some(RegisterValue::User(NameRow { name }) | RegisterValue::Token(NameRow { name })) => {
            Some(name.clone())
        }
        _ => None,
    }
}

async fn register(
    change: &mut Change,
    shelf: &Shelf,
    entry: &Entry,
    register: &RegisterRef,
) -> Done {
    let id = *register.id.as_bytes();
    let value = shelf.value(register);
    match (register.kind, value) {
        (RegisterKind::Unit, value) => unit(change, entry, UnitId::from_bytes(id), value).await,
        (RegisterKind::Officer, value) => {
            officer(change, entry, OfficerId::from_bytes(id), value).await
        }
        (RegisterKind::Recorder, value) => {
            recorder(change, entry, RecorderId::from_bytes(id), value).await
        }
        (RegisterKind::Assignment, Some(RegisterValue::Assignment(row))) => {
            assignment(change, AssignmentId::from_bytes(id), row).await
        }
        _ => Ok(()),
    }
}

async fn unit(
    change: &mut Change,
    entry: &Entry,
    id: UnitId,
    value: Option<&RegisterValue>,
) -> Done {
    let old = change.unit(id).await?;
    let (name, code, parent_id) = match (value, &old) {
        (Some(RegisterValue::Unit(row)), _) => (
            row.name.clone(),
            row.code.clone().unwrap_or_else(|| id.to_string()),
            row.parent,
        ),
        (_, Some(_)) => return Ok(()),
        _ => (id.to_string(), id.to_string(), None),
    };
    let new = Unit {
        id,
        parent_id,
        code,
        name,
        version: old.as_ref().map_or(1, |old| old.version),
        created_at: entry.at,
    };
    match old {
        None => change.add_unit(&new).await?,
        Some(_) => drop(change.update_unit(&new).await?),
    }
    Ok(())
}

async fn officer(
    change: &mut Change,
    entry: &Entry,
    id: OfficerId,
    value: Option<&RegisterValue>,
) -> Done {
    let old = change.officer(id).await?;
    let row = match value {
        Some(RegisterValue::Officer(row)) => Some(row),
        _ if old.is_some() => return Ok(()),
        _ => None,
    };
    let text = |of: Option<&String>| of.cloned().unwrap_or_default();
    let new = Officer {
        id,
        name: row.map_or_else(|| id.to_string(), |row| row.name.clone()),
        certificate_number: row
            .and_then(|row| row.certificate_number.clone())
            .unwrap_or_else(|| id.to_string()),
        unit_id: row
            .map(|row| row.unit)
            .or(entry.unit)
            .ok_or_else(|| no_unit("officer", id))?,
        category: text(row.and_then(|row| row.category.as_ref())),
        area: text(row.and_then(|row| row.area.as_ref())),
        version: old.as_ref().map_or(1, |old| old.version),
        created_at: entry.at,
    };
    match old {
        None => change.add_officer(&new).await?,
        Some(_) => drop(change.update_officer(&new).await?),
    }
    Ok(())
}

async fn recorder(
    change: &mut Change,
    entry: &Entry,
    id: RecorderId,
    value: Option<&RegisterValue>,
) -> Done {
    let old = change.recorder(id).await?;
    let row = match value {
        Some(RegisterValue::Recorder(row)) => Some(row),
        _ if old.is_some() => return Ok(()),
        _ => None,
    };
    let new = Recorder {
        id,
        serial: row.map_or_else(|| id.to_string(), |row| row.serial.clone()),
        model: row.and_then(|row| row.model.clone()).unwrap_or_default(),
        unit_id: row
            .map(|row| row.unit)
            .or(entry.unit)
            .ok_or_else(|| no_unit("recorder", id))?,
        version: old.as_ref().map_or(1, |old| old.version),
        created_at: entry.at,
    };
    match old {
        None => change.add_recorder(&new).await?,
        Some(_) => drop(change.update_recorder(&new).await?),
    }
    Ok(())
}

async fn assignment(change: &mut Change, id: AssignmentId, row: &AssignmentRow) -> Done {
    match change.end_assignment(id, row.until_at).await {
        Ok(_) => Ok(()),
        Err(CatalogError::Missing { .. }) => {
            let new = Assignment {
                id,
                recorder_id: row.recorder,
                officer_id: row.officer,
                from_at: row.from_at,
                until_at: row.until_at,
            };
            Ok(change.assign(&new).await?)
        }
        Err(error) => Err(error.into()),
    }
}

async fn station(
    change: &mut Change,
    shelf: &Shelf,
    entry: &Entry,
    body: &kinds::StationSeen,
) -> Done {
    let id = StationId::from_bytes(*body.register.id.as_bytes());
    let row = match shelf.value(&body.register) {
        Some(RegisterValue::Station(row)) => Some(row),
        _ => None,
    };
    let unit = row.map(|row| row.unit).or(entry.unit);
    let unit_id = unit.ok_or_else(|| no_unit("station", id))?;
    let name = row.map(|row| row.name.clone());
    if let Some(old) = change.station(id).await? {
        let name = name.unwrap_or_else(|| old.name.clone());
        let after = Station {
            name,
            unit_id,
            ..old
        };
        change.update_station(&after).await?;
        return Ok(());
    }
    let new = Station {
        id,
        name: name.unwrap_or_else(|| id.to_string()),
        unit_id,
        token_id: body.token,
        software_version: String::new(),
        status: "[]".to_owned(),
        last_seen_at: None,
        version: 1,
        created_at: entry.at,
    };
    Ok(change.add_station(&new).await?)
}

async fn rule(
    change: &mut Change,
    shelf: &Shelf,
    entry: &Entry,
    id: RuleId,
    register: &RegisterRef,
) -> Done {
    let old = change.retention_rule(id).await?;
    let row = match shelf.value(register) {
        Some(RegisterValue::Rule(row)) => row.clone(),
        _ if old.is_some() => return Ok(()),
        // Without its content a rule keeps everything for ever: nothing is deleted by mistake.
        _ => RuleRow {
            name: id.to_string(),
            unit: None,
            kind: None,
            tag: None,
            linked: None,
            keep_days: None,
        },
    };
    let new = RetentionRule {
        id,
        unit_id: row
            .unit
            .or(entry.unit)
            .ok_or_else(|| no_unit("retention rule", id))?,
        name: row.name,
        kind: row.kind.map(catalog_kind),
        tag: row.tag,
        keep_days: row.keep_days,
        version: old.as_ref().map_or(1, |old| old.version),
        created_at: entry.at,
    };
    match old {
        None => change.add_retention_rule(&new).await?,
        Some(_) => drop(change.update_retention_rule(&new).await?),
    }
    Ok(())
}

async fn user(
    work: Work<'_>,
    change: &mut Change,
    shelf: &Shelf,
    entry: &Entry,
    body: &kinds::UserCreated,
) -> Done {
    let id: UserId = body.user;
    let new = User {
        id,
        name: name(shelf, &body.register).unwrap_or_else(|| id.to_string()),
        password_hash: unknown_password(work.random),
        role: role(body.role),
        unit_id: entry.unit.ok_or_else(|| no_unit("user", id))?,
        disabled: false,
        failed_count: 0,
        locked_until: None,
        version: 1,
        created_at: entry.at,
    };
    Ok(change.add_user(&new).await?)
}

/// A well-formed Argon2 text whose hash was drawn, not computed: nobody knows a password for it.
fn unknown_password(source: &dyn docket_base::Random) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let drawn: [u8; 64] = random::bytes(source);
    let letters: String = drawn
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte & 63)]))
        .collect();
    let (salt, hash) = letters.split_at(32);
    format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${hash}")
}

async fn token(
    work: Work<'_>,
    change: &mut Change,
    shelf: &Shelf,
    entry: &Entry,
    body: &kinds::TokenCreated,
) -> Done {
    let id: TokenId = body.token;
    let words: Vec<String> = body.scopes.iter().map(word).collect();
    let new = Token {
        id,
        name: name(shelf, &body.register).unwrap_or_else(|| id.to_string()),
        // Of no secret: it was drawn, not computed.
        secret_sha256: Sha256Digest(random::bytes(work.random)),
        scopes: words.join(","),
        unit_id: entry.unit.ok_or_else(|| no_unit("token", id))?,
        station_id: body.station,
        created_at: entry.at,
        revoked_at: None,
        last_used_at: None,
    };
    Ok(change.add_token(&new).await?)
}

fn role(role: kinds::Role) -> Role {
    match role {
        kinds::Role::Administrator => Role::Administrator,
        kinds::Role::Supervisor => Role::Supervisor,
        kinds::Role::CaseHandler => Role::CaseHandler,
        kinds::Role::Auditor => Role::Auditor,
    }
}
