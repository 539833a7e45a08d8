//! An answer must reach a client that is still sending.
//!
//! A refusal (507, 413, 401, ...) often stands before the body has come. Over HTTP/1 the connection then
//! closes with bytes unread, the system answers those with a reset, and the reset throws away the answer on
//! the client's side: a station would see a broken network instead of "too little room". So the rest of the
//! body is read and thrown away for a while, until the client has sent it, stops, or reads the answer and
//! goes. HTTP/2 needs none of this: it ends one stream, not the connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use http::Version;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio_util::sync::CancellationToken;

/// The longest the rest of a body is read after the answer.
const LONGEST: Duration = Duration::from_secs(10);
/// A client that sends nothing for this long has stopped.
const IDLE: Duration = Duration::from_secs(2);
/// What is left of both when the daemon stops.
const STOPPING: Duration = Duration::from_secs(1);

/// Reads on after an answer that came before the body's end. `stopping` is set when the daemon stops.
pub async fn layer(
    State(stopping): State<CancellationToken>,
    request: Request,
    next: Next,
) -> Response {
    if request.version() >= Version::HTTP_2 || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let kept = Arc::new(Mutex::new(Some(body)));
    let lent = Body::new(Lent(Arc::clone(&kept)));
    let response = next.run(Request::from_parts(parts, lent)).await;
    let rest = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(rest) = rest
        && !rest.is_end_stream()
    {
        tokio::spawn(discard(rest, stopping));
    }
    response
}

/// The connection goes on to its next request when the body ends here, and is closed when it is dropped.
async fn discard(rest: Body, stopping: CancellationToken) {
    let mut rest = rest.into_data_stream();
    let reading =
        async { while let Ok(Some(Ok(_))) = tokio::time::timeout(IDLE, rest.next()).await {} };
    let stopped = async {
        stopping.cancelled().await;
        tokio::time::sleep(STOPPING).await;
    };
    tokio::select! {
        () = reading => {}
        () = tokio::time::sleep(LONGEST) => {}
        () = stopped => {}
    }
}

/// A body that its reader can drop without ending it.
struct Lent(Arc<Mutex<Option<Body>>>);

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(body) = kept.as_mut() else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            *kept = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref()
            .map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}
