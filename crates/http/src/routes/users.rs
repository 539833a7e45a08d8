//! Users: entered, changed and kept out by administrators of their unit or one above.

use axum::extract::State;
use docket_base::ids::UserId;
use docket_catalog::{Role, User as Row, WithUnit};
use docket_ingest::users::{NewUser, UserChange as Change};
use http::StatusCode;

use crate::access::{Action, Principal, Who};
use crate::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem, Result};
use crate::respond::page::{Page, PageQuery};
use crate::shapes::{UnitRef, User, UserChange, UserInput};
use crate::state::AppState;

/// The users of one's units.
#[utoipa::path(get, path = "/v1/users", tag = "administration", params(PageQuery),
    responses((status = 200, description = "A page", body = Page<User>),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody)))]
pub async fn list(
    State(app): State<AppState>,
    who: Principal,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<User>>> {
    let (_, reach) = app.permit_listing(&who, Action::ManageUsers)?;
    let page = app
        .catalog()
        .users(&reach, query.cursor()?.as_ref(), query.limit())
        .await?;
    Ok(Json(Page::of(page, shape)))
}

/// Enters a user.
#[utoipa::path(post, path = "/v1/users", tag = "administration", request_body = UserInput,
    responses((status = 201, description = "The user", body = User),
        (status = 403, description = "No right to", body = crate::problem::ProblemBody),
        (status = 404, description = "No unit that you may see", body = crate::problem::ProblemBody),
        (status = 409, description = "The name is in use", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn create(
    State(app): State<AppState>,
    who: Principal,
    Json(input): Json<UserInput>,
) -> Result<(StatusCode, Json<User>)> {
    let unit = input.unit.unwrap_or(who.unit);
    let permit = app.permit(&who, Action::ManageUsers, unit).await?;
    let role: Role = input.role.parse()?;
    let new = NewUser {
        name: input.name,
        role,
        unit,
        password_hash: app.passwords().hash(input.password).await?,
    };
    let row = app.ingest().add_user(permit.actor(), new).await?;
    Ok((StatusCode::CREATED, Json(read(&app, row.id).await?)))
}

/// Changes a user; what is left out stays. All sessions of the user end.
#[utoipa::path(patch, path = "/v1/users/{id}", tag = "administration", request_body = UserChange,
    params(("id" = String, Path, description = "The user's id")),
    responses((status = 200, description = "As it is now", body = User),
        (status = 403, description = "No right to, or it is you who would be kept out", body = crate::problem::ProblemBody),
        (status = 404, description = "None that you may see", body = crate::problem::ProblemBody),
        (status = 422, description = "A value is not acceptable", body = crate::problem::ProblemBody)))]
pub async fn change(
    State(app): State<AppState>,
    who: Principal,
    Path(id): Path<UserId>,
    Json(input): Json<UserChange>,
) -> Result<Json<User>> {
    let before = app.catalog().user(id).await?.ok_or(Kind::NotFound)?.row;
    let permit = app
        .permit(&who, Action::ManageUsers, before.unit_id)
        .await?;
    if let Some(unit) = input.unit {
        app.permit(&who, Action::ManageUsers, unit).await?;
    }
    if matches!(who.who, Who::User(own) if own == id) && input.disabled == Some(true) {
        return Err(Problem::new(Kind::Forbidden).detail("nobody keeps themselves out"));
    }
    let change = Change {
        role: input.role.map(|role| role.parse()).transpose()?,
        unit: input.unit,
        disabled: input.disabled,
    };
    // The password first: where it is not acceptable nothing changes.
    if let Some(password) = input.password {
        let hash = app.passwords().hash(password).await?;
        app.ingest().set_password(permit.actor(), id, &hash).await?;
    }
    app.ingest().change_user(permit.actor(), id, change).await?;
    Ok(Json(read(&app, id).await?))
}

async fn read(app: &AppState, id: UserId) -> Result<User> {
    let found = app.catalog().user(id).await?.ok_or(Kind::NotFound)?;
    Ok(shape(found))
}

fn shape(found: WithUnit<Row>) -> User {
    let row = found.row;
    User {
        id: row.id,
        name: row.name,
        role: row.role.to_string(),
        unit: UnitRef {
            id: row.unit_id,
            name: found.unit_name,
        },
        disabled: row.disabled,
        created_at: row.created_at,
    }
}
