//! HTTP: routes, sign-in, authorisation, problems, the API's description, the console's files.
//!
//! Every route decides through [`access::authorise`]; every refusal is a [`problem::Problem`].

pub mod access;
mod cutting;
mod describe;
mod extract;
mod layers;
pub mod metrics;
mod peer;
pub mod problem;
mod respond;
mod routes;
mod shapes;
pub mod signin;
pub mod state;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};

pub use describe::openapi;
pub use state::{AppState, Parts, Settings};

use problem::{Kind, Problem};

/// The daemon's whole service. Serve it with connect info (`SocketAddr`), or throttling by address and
/// `/metrics` for this machine do without.
pub fn router(app: AppState) -> Router {
    let hosts: Arc<[String]> = app.settings().allowed_hosts.clone().into();
    let random = Arc::clone(app.random());
    let stopping = app.ingest().shutdown.clone();
    let (routes, _) = routes::all().split_for_parts();
    routes
        .fallback(routes::console::fallback)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), layers::idempotency::layer))
        .layer(from_fn_with_state(hosts, layers::host::layer))
        .layer(from_fn(layers::headers::layer))
        .layer(from_fn(layers::trace::layer))
        .layer(from_fn_with_state(random, layers::request_id::layer))
        .layer(from_fn_with_state(stopping, layers::linger::layer))
        .with_state(app)
}

async fn method_not_allowed() -> Response {
    Problem::new(Kind::MethodNotAllowed).into_response()
}
