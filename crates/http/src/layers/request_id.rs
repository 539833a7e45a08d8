//! A request id for every request: in the log, in the answer's `X-Request-Id`, in every problem.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use docket_base::Random;
use docket_base::random::bytes;
use http::header::{HeaderName, HeaderValue};

/// The header it travels in.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id taken over from a caller, in bytes.
const LONGEST: usize = 64;

tokio::task_local! {
    static CURRENT: Arc<str>;
}

/// The id of the request this task is answering.
pub fn current() -> Option<String> {
    CURRENT.try_with(|id| id.to_string()).ok()
}

/// A future that goes on under the present request's id on another task.
pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let id: Arc<str> = CURRENT.try_with(Arc::clone).unwrap_or_else(|_| "".into());
    CURRENT.scope(id, work)
}

/// Takes over a caller's id when it is harmless text, else makes one.
pub async fn layer(
    State(random): State<Arc<dyn Random>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id: Arc<str> = match request.headers().get(&HEADER).and_then(usable) {
        Some(given) => given.into(),
        None => hex_of(&bytes::<8>(random.as_ref())).into(),
    };
    // Ids are 16 hexadecimal digits or were checked by `usable`: always a valid header value.
    let value = HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("unknown"));
    request.headers_mut().insert(HEADER, value.clone());
    let mut response = CURRENT.scope(id, next.run(request)).await;
    response.headers_mut().insert(HEADER, value);
    response
}

/// Letters, digits and `-_.` only: an id is printed into logs.
fn usable(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    let harmless = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (!text.is_empty() && text.len() <= LONGEST && text.bytes().all(harmless)).then_some(text)
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_ids_are_taken_over() {
        assert_eq!(
            usable(&HeaderValue::from_static("a-1_B.c")),
            Some("a-1_B.c")
        );
        assert_eq!(usable(&HeaderValue::from_static("")), None);
        assert_eq!(usable(&HeaderValue::from_static("a b")), None);
        let long = HeaderValue::from_str(&"a".repeat(65)).expect("ascii");
        assert_eq!(usable(&long), None);
    }
}
