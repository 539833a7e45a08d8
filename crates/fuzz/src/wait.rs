//! Futures from functions that are not: parsers don't wait, and what does waits here.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

/// A runtime of its own thread.
pub(crate) fn runtime() -> Runtime {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("no runtime: {error}"),
    }
}

/// What a future over bytes in memory comes to: it never waits.
pub(crate) fn at_once<F: Future>(future: F) -> F::Output {
    match futures_util::FutureExt::now_or_never(future) {
        Some(output) => output,
        None => panic!("bytes in memory let nobody wait"),
    }
}
