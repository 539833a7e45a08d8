//! HTTP: routes, sign-in, authorisation, problems, the API's description, the console's files.
//!
//! Every route decides through [`access::authorise`]; every refusal is a [`problem::Problem`].

pub mod access;
mod cutting;
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
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, License, OpenApi, SecurityRequirement};

pub use state::{AppState, Parts, Settings};

use problem::{Kind, Problem};

/// The daemon's whole service. Serve it with connect info (`SocketAddr`), or throttling by address and
/// `/metrics` for this machine do without.
pub fn router(app: AppState) -> Router {
    let hosts: Arc<[String]> = app.settings().allowed_hosts.clone().into();
    let random = Arc::clone(app.random());
    let (routes, _) = routes::all().split_for_parts();
    routes
        .fallback(routes::console::fallback)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), layers::idempotency::layer))
        .layer(from_fn_with_state(hosts, layers::host::layer))
        .layer(from_fn(layers::headers::layer))
        .layer(from_fn(layers::trace::layer))
        .layer(from_fn_with_state(random, layers::request_id::layer))
        .with_state(app)
}

async fn method_not_allowed() -> Response {
    Problem::new(Kind::MethodNotAllowed).into_response()
}

/// The API's description.
pub fn openapi() -> OpenApi {
    let (_, mut document) = routes::all().split_for_parts();
    // axum's sign for "the rest of the path"; OpenAPI has none, its templates end at a slash.
    let paths = std::mem::take(&mut document.paths.paths);
    let plain = |(path, item): (String, _)| (path.replace("{*", "{"), item);
    document.paths.paths = paths.into_iter().map(plain).collect();
    document.info = InfoBuilder::new()
        .title("Docket")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Takes the recordings of enforcement recorders, proves what it received and when, ties it to cases. \
             Times are RFC 3339 in UTC, sizes bytes, lists pages with an opaque cursor, refusals RFC 9457 problems.",
        ))
        .license(Some(License::new("Apache-2.0")))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A token of a station or another system"))
                .build(),
        ),
    );
    let cookie = ApiKeyValue::with_description(
        signin::cookie::NAME,
        "A browser's session; changes need X-Docket-CSRF and a matching Origin too",
    );
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    document.security = Some(vec![
        SecurityRequirement::new("token", Vec::<String>::new()),
        SecurityRequirement::new("session", Vec::<String>::new()),
    ]);
    document
}
