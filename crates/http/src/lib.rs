//! HTTP: routes, sign-in, authorisation, problems, the API's description, the console's files.
//!
//! Every route decides through [`access::authorise`]; every refusal is a [`problem::Problem`].

pub mod access;
pub mod extract;
pub mod layers;
pub mod problem;
pub mod respond;
pub mod signin;
