//! Cases: put by number, idempotently.

use docket_base::ids::{CaseId, RegisterId, UnitId};
use docket_catalog::{Case, CaseState, Change, Error as CatalogError, EventRow};
use docket_ledger::register::CaseRow;
use docket_ledger::{Actor, RegisterRef, RegisterValue, Subject, kinds};

use crate::text::{Limit, version_number};
use crate::{Ingest, IngestError, Result};

/// A case as it shall be; `None` leaves a thing as it is.
#[derive(Debug, Clone, Default)]
pub struct CaseWanted {
    /// What it is about.
    pub title: Option<String>,
    /// Open or closed.
    pub state: Option<CaseState>,
    /// The version that the writer saw, where the writer says so.
    pub seen_version: Option<i64>,
}

/// A case that may have to be entered: its register file is written before any transaction begins.
#[derive(Debug, Clone)]
pub(crate) struct PlannedCase {
    case: Case,
    register: RegisterRef,
}

impl Ingest {
    /// Enters a case, or changes what is different. True when it is new.
    ///
    /// # Errors
    /// Refused without a number; stale when the seen version is no longer the present one.
    pub async fn put_case(
        &self,
        actor: Actor,
        unit: UnitId,
        number: &str,
        wanted: CaseWanted,
    ) -> Result<(Case, bool)> {
        let number = Limit::NAME.require("number", number)?;
        let title = wanted
            .title
            .map(|title| Limit::NAME.check("title", title))
            .transpose()?;
        let present = self.catalog.case_by_number(unit, &number).await?;
        let present = match present {
            Some(case) => case,
            None if wanted.seen_version.is_some() => return Err(stale(&number)),
            None => {
                let planned = self
                    .plan_case(unit, &number, title.as_deref().unwrap_or_default())
                    .await?;
                let mut change = self.catalog.change().await?;
                // Somebody else may have been quicker: then it is changed like any other.
                match change.case_by_number(unit, &number).await? {
                    Some(case) => case,
                    None => {
                        let (mut case, mut events) =
                            self.enter_case(&mut change, actor, &planned).await?;
                        if wanted.state == Some(CaseState::Closed) {
                            case = self
                                .close_new(&mut change, actor, case, &mut events)
                                .await?;
                        }
                        self.commit(change, &events).await?;
                        return Ok((case, true));
                    }
                }
            }
        };
        if wanted
            .seen_version
            .is_some_and(|seen| seen != present.version)
        {
            return Err(stale(&number));
        }
        let after = Case {
            title: title.unwrap_or_else(|| present.title.clone()),
            state: wanted.state.unwrap_or(present.state),
            ..present.clone()
        };
        Ok((self.change_case(actor, present, after).await?, false))
    }

    async fn change_case(&self, actor: Actor, before: Case, wanted: Case) -> Result<Case> {
        if before == wanted {
            return Ok(before);
        }
        let version = version_number(before.version + 1)?;
        let register = match before.title == wanted.title {
            true => None,
            false => Some(
                self.put_register(row_of(before.id), version, title_row(&wanted))
                    .await?,
            ),
        };
        let mut change = self.catalog.change().await?;
        let after = change.update_case(&wanted).await?;
        let subject = || Subject::case(after.id);
        let mut events = Vec::new();
        if let Some(register) = register {
            let body = kinds::CasePut {
                case: after.id,
                number: after.number.clone(),
                register,
                version,
            };
            events.push(self.event(actor, Some(after.unit_id), subject(), body)?);
        }
        if before.state != after.state {
            events.push(match after.state {
                CaseState::Closed => self.event(
                    actor,
                    Some(after.unit_id),
                    subject(),
                    kinds::CaseClosed {
                        case: after.id,
                        version,
                    },
                )?,
                CaseState::Open => self.event(
                    actor,
                    Some(after.unit_id),
                    subject(),
                    kinds::CaseReopened {
                        case: after.id,
                        version,
                    },
                )?,
            });
        }
        self.commit(change, &events).await?;
        Ok(after)
    }

    async fn close_new(
        &self,
        change: &mut Change,
        actor: Actor,
        case: Case,
        events: &mut Vec<EventRow>,
    ) -> Result<Case> {
        let closed = change
            .update_case(&Case {
                state: CaseState::Closed,
                ..case
            })
            .await?;
        let body = kinds::CaseClosed {
            case: closed.id,
            version: version_number(closed.version)?,
        };
        events.push(self.event(actor, Some(closed.unit_id), Subject::case(closed.id), body)?);
        Ok(closed)
    }

    /// Writes what a new case needs in the vault. Where it turns out to exist already, this leaves a file that
    /// no entry names.
    pub(crate) async fn plan_case(
        &self,
        unit: UnitId,
        number: &str,
        title: &str,
    ) -> Result<PlannedCase> {
        let case = Case {
            id: CaseId::fresh(&*self.clock, &*self.random),
            unit_id: unit,
            number: Limit::NAME.require("number", number)?,
            title: title.to_owned(),
            state: CaseState::Open,
            version: 1,
            created_at: self.clock.now(),
        };
        let register = self
            .put_register(row_of(case.id), 1, title_row(&case))
            .await?;
        Ok(PlannedCase { case, register })
    }

    /// Enters a planned case in a change.
    pub(crate) async fn enter_case(
        &self,
        change: &mut Change,
        actor: Actor,
        planned: &PlannedCase,
    ) -> Result<(Case, Vec<EventRow>)> {
        let case = &planned.case;
        change.add_case(case).await?;
        let body = kinds::CasePut {
            case: case.id,
            number: case.number.clone(),
            register: planned.register.clone(),
            version: 1,
        };
        let event = self.event(actor, Some(case.unit_id), Subject::case(case.id), body)?;
        Ok((case.clone(), vec![event]))
    }
}

fn row_of(case: CaseId) -> RegisterId {
    RegisterId::from_bytes(*case.as_bytes())
}

fn title_row(case: &Case) -> RegisterValue {
    let title = Some(case.title.clone()).filter(|title| !title.is_empty());
    RegisterValue::Case(CaseRow {
        case: case.id,
        title,
    })
}

fn stale(number: &str) -> IngestError {
    CatalogError::Stale {
        what: "case",
        id: number.to_owned(),
    }
    .into()
}
