//! `/problems/…`: what every problem type means, in both languages.

use axum::response::Response;

use super::html::{escape, page};
use crate::extract::Path;
use crate::problem::{KINDS, Kind, Problem};

/// The list of problem types.
#[utoipa::path(get, path = "/problems", tag = "about", responses((status = 200, description = "A page", content_type = "text/html")))]
pub async fn list() -> Response {
    let rows: String = KINDS
        .iter()
        .map(|kind| {
            format!(
                "<tr><td>{}<td><a href=\"/problems/{slug}\"><code>{slug}</code></a><td>{}</tr>",
                kind.status().as_u16(),
                escape(kind.title()),
                slug = kind.slug(),
            )
        })
        .collect();
    page(
        "en",
        "Problems",
        &format!("<h1>Problems</h1><table>{rows}</table>"),
    )
}

/// What one problem type means.
#[utoipa::path(get, path = "/problems/{slug}", tag = "about",
    params(("slug" = String, Path, description = "Last part of a problem's `type`")),
    responses((status = 200, description = "A page", content_type = "text/html"), (status = 404, description = "No such type")))]
pub async fn explain(Path(slug): Path<String>) -> Result<Response, Problem> {
    let kind = Kind::by_slug(&slug).ok_or(Kind::NotFound)?;
    let body = format!(
        "<h1>{}</h1><p><code>{} /problems/{}</code></p><p>{}</p><p lang=\"zh-CN\">{}</p>\
         <p><a href=\"/problems\">All problems</a></p>",
        escape(kind.title()),
        kind.status().as_u16(),
        kind.slug(),
        escape(kind.about()),
        escape(kind.about_zh()),
    );
    Ok(page("en", kind.title(), &body))
}
