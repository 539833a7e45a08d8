//! `/openapi.json`, and `/api`, the same for people: written out here, so that nothing is loaded from elsewhere
//! and no script runs.

use std::fmt::Write;
use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use super::html::{escape, page};

static TEXT: OnceLock<String> = OnceLock::new();

fn text() -> &'static str {
    TEXT.get_or_init(|| crate::openapi().to_pretty_json().unwrap_or_default())
}

/// The API's description, OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", tag = "about",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub async fn json() -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text()).into_response()
}

/// The API's description as a page.
#[utoipa::path(get, path = "/api", tag = "about",
    responses((status = 200, description = "A page", content_type = "text/html")))]
pub async fn read() -> Response {
    let document: Value = serde_json::from_str(text()).unwrap_or_default();
    page("en", "Docket API", &render(&document))
}

fn render(document: &Value) -> String {
    let mut out = String::new();
    let info = &document["info"];
    let _ = write!(
        out,
        "<h1>{} {}</h1><p>{}</p><p><a href=\"/openapi.json\">openapi.json</a> · <a href=\"/problems\">problems</a></p>",
        string(&info["title"]),
        string(&info["version"]),
        string(&info["description"]),
    );
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            if operation.is_object() {
                operation_section(&mut out, method, path, operation);
            }
        }
    }
    out.push_str("<h2>Schemas</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let name = escape(name);
        let _ = write!(
            out,
            "<h3 id=\"schema-{name}\">{name}</h3><pre>{}</pre>",
            pretty(schema)
        );
    }
    out
}

fn operation_section(out: &mut String, method: &str, path: &str, operation: &Value) {
    let _ = write!(
        out,
        "<h3><code>{} {}</code></h3><p>{}</p><p>{}</p>",
        escape(&method.to_ascii_uppercase()),
        escape(path),
        string(&operation["summary"]),
        string(&operation["description"]),
    );
    if let Some(parameters) = operation["parameters"].as_array() {
        out.push_str("<table><tr><th>Parameter<th>In<th>Meaning</tr>");
        for parameter in parameters {
            let _ = write!(
                out,
                "<tr><td><code>{}</code><td>{}<td>{}</tr>",
                string(&parameter["name"]),
                string(&parameter["in"]),
                string(&parameter["description"]),
            );
        }
        out.push_str("</table>");
    }
    for (kind, content) in entries(&operation["requestBody"]["content"]) {
        let _ = write!(
            out,
            "<p>Body: {} {}</p>",
            escape(kind),
            schema_link(&content["schema"])
        );
    }
    out.push_str("<table><tr><th>Status<th>Meaning<th>Body</tr>");
    for (status, response) in entries(&operation["responses"]) {
        let bodies: String = entries(&response["content"])
            .map(|(kind, content)| format!("{} {} ", escape(kind), schema_link(&content["schema"])))
            .collect();
        let _ = write!(
            out,
            "<tr><td>{}<td>{}<td>{bodies}</tr>",
            escape(status),
            string(&response["description"]),
        );
    }
    out.push_str("</table>");
}

fn schema_link(schema: &Value) -> String {
    match schema["$ref"]
        .as_str()
        .and_then(|text| text.rsplit('/').next())
    {
        Some(name) => format!("<a href=\"#schema-{0}\">{0}</a>", escape(name)),
        None if schema.is_object() => format!("<code>{}</code>", escape(&schema.to_string())),
        None => String::new(),
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
}

fn string(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn pretty(value: &Value) -> String {
    escape(&serde_json::to_string_pretty(value).unwrap_or_default())
}
