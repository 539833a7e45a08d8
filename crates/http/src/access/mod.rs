//! Who may do what. One pure function decides: [`authorise`]. Everything else here only brings it its
//! arguments, or carries its answer ([`Permit`]) to where it is needed.

mod action;
mod authorise;
mod permit;
mod principal;

pub use action::{Action, Role, Scope, Scopes, UnknownName};
pub use authorise::{Decision, Target, UnitPath, authorise, authorise_units, roots_of};
pub use permit::Permit;
pub use principal::{Principal, Rights, Who};
