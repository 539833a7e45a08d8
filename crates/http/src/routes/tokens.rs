//! Bearer tokens. A secret is told once, when it is made.

use axum::extract::State;
use docket_base::ids::TokenId;
use docket_catalog::{Token as Row, WithUnit};
use http::StatusCode;

use crate::access::{Action, Principal};
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Result};
use crate::respond::page::{Page, PageQuery};
use crate::shapes::{Token, TokenCreated, TokenInput, UnitRef};
use crate::signin::token::{Wanted, issue};
use crate::state::AppState;

/// The tokens of one's units, taken back ones too.
#[utoipa::path(get, path = "/v1/tokens", tag = "administration", params(PageQuery),
    responses((status = 200, description = "A page", body = Page<Token>),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Token>>> {
    let (_, reach) = app.permit_listing(&who, Action::ManageTokens)?;
    let page = app
        .catalog()
        .tokens(&reach, query.cursor()?.as_ref(), query.limit())
        .await?;
    Ok(Json(Page::of(page, shape)))
}

/// Makes a token. No Idempotency-Key here: its answer would have to be kept, secret and all.
#[utoipa::path(post, path = "/v1/tokens", tag = "administration", request_body = TokenInput,
    responses((status = 201, description = "The token with its secret", body = TokenCreated),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No unit that you may see", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Json(input): Json<TokenInput>,
) -> Result<(StatusCode, Json<TokenCreated>)> {
    let unit = input.unit.unwrap_or(who.unit);
    let permit = app.permit(&who, Action::ManageTokens, unit).await?;
    let wanted = Wanted {
        name: input.name,
        scopes: input.scopes.join(","),
        unit,
    };
    let (row, secret) = issue(app.ingest(), permit.actor(), wanted).await?;
    let unit_name = app.catalog().unit(unit).await?.map(|unit| unit.name);
    let found = WithUnit {
        row,
        unit_name: unit_name.unwrap_or_default(),
    };
    let token = shape(found);
    Ok((StatusCode::CREATED, Json(TokenCreated { token, secret })))
}

/// Takes a token back for ever. Taken back before is fine.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "administration",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204, description = "It opens nothing any more"),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody)))]
pub async fn revoke(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<TokenId>,
) -> Result<StatusCode> {
    let row = app.catalog().token(id).await?.ok_or(Kind::NotFound)?;
    let permit = app.permit(&who, Action::ManageTokens, row.unit_id).await?;
    app.ingest().revoke_token(permit.actor(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shape(found: WithUnit<Row>) -> Token {
    let row = found.row;
    Token {
        id: row.id,
        name: row.name,
        scopes: row.scopes.split(',').map(str::to_owned).collect(),
        unit: UnitRef {
            id: row.unit_id,
            name: found.unit_name,
        },
        created_at: row.created_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
    }
}
