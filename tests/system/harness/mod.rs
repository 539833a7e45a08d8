//! What the tests share: a daemon in a folder of its own, an API client that hides nothing, content
//! that needs no storing, and waiting for conditions.

pub mod api;
pub mod content;
pub mod daemon;
pub mod programs;
pub mod station;

use std::future::Future;
use std::time::{Duration, Instant};

pub use api::Api;
pub use content::Content;
pub use daemon::Daemon;
pub use station::Station;

/// How long anything may take before it counts as not happening. The machine is shared and slow;
/// nothing here measures speed.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Asks until there is an answer.
///
/// # Panics
/// After [`PATIENCE`].
pub async fn until<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
