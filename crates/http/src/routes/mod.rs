//! Every route of the daemon, in one list. A handler's `utoipa::path` is its address; a route without one would
//! be missing from the API's description and from the test that tries every role on every route.

pub mod about;
pub mod api_page;
pub mod cases;
pub mod console;
pub mod dockings;
pub mod events;
pub mod evidence;
pub mod files;
mod html;
pub mod ledger;
pub mod officers;
pub mod problems;
pub mod recorders;
pub mod recordings;
pub mod registers;
pub mod session;
pub mod stations;
pub mod tokens;
pub mod units;
pub mod users;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

/// Largest body of an ordinary request: a docking's list.
const LARGEST_BODY: usize = 4 << 20;
/// Largest register that is imported.
const LARGEST_IMPORT: usize = 8 << 20;

/// All routes, without the layers around them.
pub fn all() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(people())
        .merge(registers())
        .merge(evidence())
        .merge(playback())
        .merge(about())
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .merge(large())
        .merge(files())
}

fn people() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(session::sign_in, session::read, session::sign_out))
        .routes(routes!(session::password))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::change))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
}

fn registers() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(units::list, units::create))
        .routes(routes!(units::change))
        .routes(routes!(officers::list, officers::create))
        .routes(routes!(officers::change))
        .routes(routes!(recorders::list, recorders::create))
        .routes(routes!(recorders::change))
        .routes(routes!(recorders::assign))
        .routes(routes!(recorders::end))
        .routes(routes!(stations::list))
        .routes(routes!(stations::report))
        .routes(routes!(stations::get))
        .routes(routes!(dockings::list, dockings::create))
        .routes(routes!(dockings::get))
        .routes(routes!(dockings::finish))
        .routes(routes!(dockings::first))
}

fn evidence() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(recordings::list::list))
        .routes(routes!(
            recordings::list::get,
            recordings::annotate::annotate
        ))
        .routes(routes!(
            recordings::corrections::list,
            recordings::corrections::create
        ))
        .routes(routes!(recordings::holds::list, recordings::holds::create))
        .routes(routes!(recordings::holds::lift))
        .routes(routes!(recordings::clips::list, recordings::clips::create))
        .routes(routes!(
            recordings::markers::list,
            recordings::markers::create
        ))
        .routes(routes!(recordings::markers::withdraw))
        .routes(routes!(recordings::custody::custody))
        .routes(routes!(recordings::receipt::receipt))
        .routes(routes!(cases::list))
        .routes(routes!(cases::get, cases::put))
        .routes(routes!(evidence::attach))
        .routes(routes!(evidence::put, evidence::delete))
        .routes(routes!(events::events))
        .routes(routes!(ledger::key))
        .routes(routes!(ledger::checkpoint))
        .routes(routes!(ledger::tile))
}

fn playback() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(recordings::original::original))
        .routes(routes!(recordings::token::create))
        .routes(routes!(recordings::play::poster))
        .routes(routes!(recordings::looks::storyboard))
        .routes(routes!(recordings::looks::sheet))
        .routes(routes!(recordings::looks::waveform))
        .routes(routes!(recordings::looks::track))
        .routes(routes!(recordings::play::playlist))
        .routes(routes!(recordings::play::init))
        .routes(routes!(recordings::play::segment))
        .routes(routes!(recordings::shown::shown))
}

fn about() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(about::healthz))
        .routes(routes!(about::readyz))
        .routes(routes!(about::metrics))
        .routes(routes!(api_page::json))
        .routes(routes!(api_page::read))
        .routes(routes!(problems::list))
        .routes(routes!(problems::explain))
}

/// Bodies here are recordings: bounded by their upload's length, never held in memory.
fn files() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(files::create::create, files::options))
        .routes(routes!(
            files::standing::head,
            files::patch::append,
            files::standing::terminate,
            files::bytes::read,
            files::create::overridden,
            files::options_of
        ))
        .layer(DefaultBodyLimit::disable())
}

/// Bounded by their handler, before anything is read.
fn hints() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(recordings::hint::put))
        .layer(DefaultBodyLimit::disable())
}

fn large() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(registers::import))
        .layer(DefaultBodyLimit::max(LARGEST_IMPORT))
        .merge(hints())
}
