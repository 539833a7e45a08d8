//! Asking for the decision with what the catalog knows, and the answer as a value.

use docket_base::ids::UnitId;
use docket_catalog::Scope as Reach;
use docket_ledger::Actor;

use super::{Action, Decision, Principal, Target, UnitPath, authorise, roots_of};
use crate::problem::{Kind, Problem, Result};
use crate::state::AppState;

/// Proof that [`authorise`] said yes. Only this file makes one.
#[derive(Debug, Clone, Copy)]
pub struct Permit {
    actor: Actor,
}

impl Permit {
    /// Who acts, for the custody event.
    pub fn actor(&self) -> Actor {
        self.actor
    }
}

impl AppState {
    /// May this principal do this to something of this unit?
    ///
    /// # Errors
    /// `not-found` where the thing must not even show, `forbidden` else.
    pub async fn permit(&self, who: &Principal, action: Action, unit: UnitId) -> Result<Permit> {
        let target = Target::In(self.path_of(unit).await?);
        decide(who, action, &target)
    }

    /// May this principal do this to the whole system?
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn permit_whole(&self, who: &Principal, action: Action) -> Result<Permit> {
        let own = self.path_of(who.unit).await?;
        let root = UnitPath::new(own.units().first().copied().into_iter().collect());
        decide(who, action, &Target::Whole(root))
    }

    /// Which part of the tree may a listing show? Always at least one unit.
    ///
    /// # Errors
    /// `forbidden` without the right.
    pub fn permit_listing(&self, who: &Principal, action: Action) -> Result<(Permit, Reach)> {
        let permit = decide(who, action, &Target::Listing)?;
        Ok((permit, Reach::Subtrees(roots_of(who, action))))
    }

    /// The unit's way from the root; empty for a unit that isn't there, which nobody reaches.
    pub(crate) async fn path_of(&self, unit: UnitId) -> Result<UnitPath> {
        Ok(UnitPath::new(self.catalog().unit_path(unit).await?))
    }
}

fn decide(who: &Principal, action: Action, target: &Target) -> Result<Permit> {
    match authorise(who, action, target) {
        Decision::Allowed => Ok(Permit { actor: who.actor() }),
        Decision::Forbidden => {
            Err(Problem::new(Kind::Forbidden).detail(format!("{} can't {action:?}", who.rights)))
        }
        Decision::Hidden => Err(Kind::NotFound.into()),
    }
}
