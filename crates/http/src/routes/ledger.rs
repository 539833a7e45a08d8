//! The ledger as files: C2SP tlog-tiles. Hash tiles, checkpoint and key are for everyone, so that anybody can
//! mirror and witness the log; entry bundles hold every unit's entries and are for auditors of the whole.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use docket_ledger::checkpoint::CHECKPOINT_PATH;
use docket_ledger::tile::{Tile, TileKind};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use crate::access::{Action, Principal};
use crate::extract::Path;
use crate::problem::{Kind, Problem, Result};
use crate::state::AppState;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The ledger's signed-note verifier key: pin it.
#[utoipa::path(get, path = "/v1/ledger/key", tag = "ledger", security(()),
    responses((status = 200, description = "`name+hash+base64`, one line", content_type = "text/plain", body = String)))]
pub async fn key(State(app): State<AppState>) -> Response {
    let line = format!("{}\n", app.ingest().key.verifier());
    ([(CONTENT_TYPE, TEXT)], line).into_response()
}

/// The newest signed checkpoint (C2SP tlog-checkpoint).
#[utoipa::path(get, path = "/v1/ledger/checkpoint", tag = "ledger", security(()),
    responses((status = 200, description = "A signed note", content_type = "text/plain", body = String),
        (status = 404, description = "Nothing was published yet")))]
pub async fn checkpoint(State(app): State<AppState>) -> Result<Response> {
    let text = app
        .vault()
        .log_read(CHECKPOINT_PATH)
        .await?
        .ok_or(Kind::NotFound)?;
    let headers = [
        (CONTENT_TYPE, TEXT),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((headers, text).into_response())
}

/// A tile (C2SP tlog-tiles): `{L}/{N}`, `{L}/{N}.p/{W}`, or an entry bundle `entries/{N}`.
#[utoipa::path(get, path = "/v1/ledger/tile/{*path}", tag = "ledger",
    params(("path" = String, Path, description = "Level and index, e.g. `0/x001/067`; may hold slashes")),
    responses((status = 200, description = "Hashes or entries, as tlog-tiles says", content_type = "application/octet-stream"),
        (status = 401, description = "An entry bundle without sign-in", body = crate::problem::ProblemBody),
        (status = 403, description = "An entry bundle, but you are no auditor of the whole", body = crate::problem::ProblemBody),
        (status = 404, description = "No such tile", body = crate::problem::ProblemBody)))]
pub async fn tile(
    State(app): State<AppState>,
    who: Result<Principal, Problem>,
    Path(path): Path<String>,
) -> Result<Response> {
    let path = format!("tile/{path}");
    let tile = Tile::parse_path(&path).map_err(|_| Kind::NotFound)?;
    let shared = match tile.kind {
        TileKind::Entries => {
            app.permit_whole(&who?, Action::ReadEntries).await?;
            "private"
        }
        TileKind::Hashes(_) => "public",
    };
    let bytes = app.vault().log_read(&path).await?.ok_or(Kind::NotFound)?;
    // What a tile's name says never changes.
    let caching = HeaderValue::from_str(&format!("{shared}, max-age=31536000, immutable"))
        .unwrap_or(HeaderValue::from_static("no-store"));
    Ok(([(CONTENT_TYPE, BYTES), (CACHE_CONTROL, caching)], bytes).into_response())
}
