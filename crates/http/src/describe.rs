//! The API's description: OpenAPI 3.1, made from the routes themselves.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, License, OpenApi, SecurityRequirement};

use crate::routes;
use crate::signin::cookie;

/// The API's description.
pub fn openapi() -> OpenApi {
    let (_, mut document) = routes::all().split_for_parts();
    document.info = InfoBuilder::new()
        .title("Docket")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Takes the recordings of enforcement recorders, proves what it received and when, ties it to cases. \
             Times are RFC 3339 in UTC, sizes bytes, lists pages with an opaque cursor, refusals RFC 9457 problems.",
        ))
        .license(Some(License::new("Apache-2.0")))
        .build();
    let paths = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in paths {
        // axum's sign for "the rest of the path"; OpenAPI has none, its templates end at a slash.
        let path = path.replace("{*", "{");
        for (method, operation) in operations(&mut item) {
            operation.operation_id = Some(operation_id(method, &path));
        }
        document.paths.paths.insert(path, item);
    }
    describe_sign_in(&mut document);
    document
}

fn describe_sign_in(document: &mut OpenApi) {
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of a station or another system"))
        .build();
    let session = ApiKeyValue::with_description(
        cookie::NAME,
        "A browser's session; changes need X-Docket-CSRF and a matching Origin too",
    );
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("token", SecurityScheme::Http(token));
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    let either =
        ["token", "session"].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
    document.security = Some(either.into());
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
        ("options", &mut item.options),
        ("head", &mut item.head),
        ("patch", &mut item.patch),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Of method and path, so that it is unique and stays when a handler is renamed: `get_recordings_id_custody`.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty() && *word != "v1");
    words.fold(method.to_owned(), |id, word| format!("{id}_{word}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_names_of_their_own() {
        let mut document = openapi();
        let mut seen = std::collections::HashSet::new();
        for item in document.paths.paths.values_mut() {
            for (_, operation) in operations(item) {
                let id = operation.operation_id.clone().expect("named");
                assert!(seen.insert(id.clone()), "{id} twice");
            }
        }
        assert!(seen.contains("put_cases_number_evidence_recording"));
    }
}
