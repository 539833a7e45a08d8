//! The decision. Pure: no database, no clock, no request.

use docket_base::ids::UnitId;

use super::action::Action;
use super::principal::{Principal, Rights};

/// A unit and those above it, the root first, the unit itself last. Empty: nothing, or the whole system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitPath(Vec<UnitId>);

impl UnitPath {
    /// From the root down to the unit.
    pub fn new(from_root: Vec<UnitId>) -> Self {
        Self(from_root)
    }

    /// The units from the root down.
    pub fn units(&self) -> &[UnitId] {
        &self.0
    }

    fn lies_under(&self, unit: UnitId) -> bool {
        self.0.contains(&unit)
    }
}

/// What it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Something that belongs to a unit.
    In(UnitPath),
    /// Something above every unit; named with the root's path.
    Whole(UnitPath),
    /// Nothing in particular: a listing, which is narrowed to [`roots_of`].
    Listing,
}

/// Yes, or how to say no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go ahead.
    Allowed,
    /// No, and it may be said that the thing exists.
    Forbidden,
    /// No, and whether the thing exists must not show: it lies in a unit that is none of the asker's business.
    Hidden,
}

/// The one authorisation decision of this daemon.
///
/// Rights hold from the principal's unit downward, never sideways or up. What lies elsewhere is hidden, so that
/// identifiers and case numbers of other units can't be tried out.
pub fn authorise(principal: &Principal, action: Action, target: &Target) -> Decision {
    let has_right = match principal.rights {
        Rights::Role(role) => action.roles().contains(&role),
        Rights::Scopes(scopes) => action.open_to_scopes(scopes),
    };
    let reaches = match target {
        Target::Listing => true,
        Target::In(path) => path.lies_under(principal.unit),
        Target::Whole(root) => root.units() == [principal.unit],
    };
    match (has_right, reaches, target) {
        (true, true, _) => Decision::Allowed,
        (_, false, Target::In(_)) => Decision::Hidden,
        _ => Decision::Forbidden,
    }
}

/// [`authorise`] where the answer is only yes or no, as for events of a stream.
pub fn authorise_units(principal: &Principal, action: Action, path: &UnitPath) -> bool {
    authorise(principal, action, &Target::In(path.clone())) == Decision::Allowed
}

/// The units in whose subtrees a listing may look: none without the right.
pub fn roots_of(principal: &Principal, action: Action) -> Vec<UnitId> {
    match authorise(principal, action, &Target::Listing) {
        Decision::Allowed => vec![principal.unit],
        Decision::Forbidden | Decision::Hidden => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::action::{Role, Scope, Scopes};
    use super::super::principal::Who;
    use super::*;
    use docket_base::ids::{TokenId, UserId};

    fn unit(n: u8) -> UnitId {
        UnitId::from_bytes([n; 16])
    }

    /// Root 1 over 2 and 3; 2 over 4.
    fn path(n: u8) -> UnitPath {
        UnitPath::new(match n {
            1 => vec![unit(1)],
            4 => vec![unit(1), unit(2), unit(4)],
            n => vec![unit(1), unit(n)],
        })
    }

    fn everyone(at: UnitId) -> Vec<Principal> {
        let user = Who::User(UserId::from_bytes([1; 16]));
        let token = Who::Token(TokenId::from_bytes([2; 16]), None);
        let with = |who, rights| Principal {
            who,
            unit: at,
            rights,
        };
        let roles = Role::ALL.iter().map(|role| with(user, Rights::Role(*role)));
        let scopes = Scope::ALL
            .iter()
            .map(|scope| with(token, Rights::Scopes(Scopes::default().with(*scope))));
        roles.chain(scopes).collect()
    }

    #[test]
    fn nobody_reaches_sideways_or_up() {
        for principal in everyone(unit(2)) {
            for action in Action::ALL {
                for (other, reach) in [(1, false), (3, false), (2, true), (4, true)] {
                    let decision = authorise(&principal, *action, &Target::In(path(other)));
                    match reach {
                        false => assert_eq!(decision, Decision::Hidden),
                        true => assert_ne!(decision, Decision::Hidden),
                    }
                }
            }
        }
    }

    #[test]
    fn what_stands_above_units_is_for_the_root_only() {
        let auditor = |at| everyone(at).remove(3);
        let whole = Target::Whole(path(1));
        assert_eq!(
            authorise(&auditor(unit(1)), Action::ReadEntries, &whole),
            Decision::Allowed
        );
        assert_eq!(
            authorise(&auditor(unit(2)), Action::ReadEntries, &whole),
            Decision::Forbidden
        );
    }

    #[test]
    fn a_target_without_a_unit_is_reached_by_nobody() {
        for principal in everyone(unit(1)) {
            for action in Action::ALL {
                let nowhere = Target::In(UnitPath::default());
                assert_eq!(authorise(&principal, *action, &nowhere), Decision::Hidden);
            }
        }
    }

    #[test]
    fn listings_start_at_the_own_unit_or_nowhere() {
        for principal in everyone(unit(2)) {
            for action in Action::ALL {
                let roots = roots_of(&principal, *action);
                let allowed = authorise(&principal, *action, &Target::Listing) == Decision::Allowed;
                assert_eq!(roots == vec![unit(2)], allowed);
                assert_eq!(roots.is_empty(), !allowed);
            }
        }
    }
}
