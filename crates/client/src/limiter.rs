//! Sharing one uplink: a token bucket for the rate, and turns so that every bay gets its share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// A rate that all uploads of a process share. Reservations are served in the order they are made.
#[derive(Debug)]
pub struct Limiter {
    /// Bytes a second; 0 is unlimited.
    rate: AtomicU64,
    /// When everything reserved so far will have gone out.
    free_from: Mutex<Option<Instant>>,
}

impl Limiter {
    /// `None` is unlimited.
    pub fn new(bytes_per_s: Option<u64>) -> Self {
        Self {
            rate: AtomicU64::new(bytes_per_s.unwrap_or(0)),
            free_from: Mutex::new(None),
        }
    }

    /// Changes the rate; what already waits keeps its appointment.
    pub fn set_rate(&self, bytes_per_s: Option<u64>) {
        self.rate.store(bytes_per_s.unwrap_or(0), Ordering::Relaxed);
    }

    /// Waits until `bytes` may go out. Nothing is saved up while idle: a schedule that promises the
    /// rest of a line to others promises it every second.
    pub async fn pass(&self, bytes: usize) {
        let Some(until) = self.reserve(bytes) else {
            return;
        };
        tokio::time::sleep_until(until).await;
    }

    fn reserve(&self, bytes: usize) -> Option<Instant> {
        let rate = self.rate.load(Ordering::Relaxed);
        let mut free_from = self
            .free_from
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if rate == 0 {
            *free_from = None;
            return None;
        }
        let now = Instant::now();
        let start = free_from.map_or(now, |free| free.max(now));
        *free_from = Some(start + Duration::from_secs_f64(bytes as f64 / rate as f64));
        Some(start)
    }
}

/// Turns at the uplink: at most so many uploads send at once, and who waits longest is next.
#[derive(Debug)]
pub struct Turns {
    permits: Semaphore,
    waiting: AtomicUsize,
}

/// A turn others wait for is short, so that a recorder with small files is not behind 40 GB.
const SHARED_TURN_BYTES: u64 = 32 * 1024 * 1024;
/// A turn nobody waits for still ends: the answer to a request is what makes its bytes acknowledged.
const LONE_TURN_BYTES: u64 = 256 * 1024 * 1024;

impl Turns {
    /// At most `at_once` uploads send at the same time.
    pub fn new(at_once: usize) -> Self {
        Self {
            permits: Semaphore::new(at_once.max(1)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Waits for a turn and says how many bytes it has.
    pub(crate) async fn take(&self) -> (Option<SemaphorePermit<'_>>, u64) {
        let waiting = Waiting::enter(&self.waiting);
        // The semaphore is never closed; a permit missing would only make sharing less fair.
        let permit = self.permits.acquire().await.ok();
        drop(waiting);
        let others_wait = self.waiting.load(Ordering::Relaxed) > 0;
        let bytes = if others_wait {
            SHARED_TURN_BYTES
        } else {
            LONE_TURN_BYTES
        };
        (permit, bytes)
    }

    /// The turn of somebody who shares with nobody.
    pub(crate) const fn alone() -> u64 {
        LONE_TURN_BYTES
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_pending(future: std::pin::Pin<&mut impl Future>) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        future.poll(&mut context).is_pending()
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_holds_over_time() {
        let limiter = Limiter::new(Some(1_000_000));
        let start = Instant::now();
        for _ in 0..11 {
            limiter.pass(500_000).await;
        }
        let took = start.elapsed().as_secs_f64();
        assert!((4.9..5.2).contains(&took), "{took}");
        limiter.set_rate(None);
        let start = Instant::now();
        limiter.pass(500_000_000).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_is_not_saved_up() {
        let limiter = Limiter::new(Some(1_000_000));
        tokio::time::advance(Duration::from_secs(60)).await;
        let start = Instant::now();
        limiter.pass(1_000_000).await;
        limiter.pass(1_000_000).await;
        assert!(start.elapsed() >= Duration::from_millis(999));
    }

    #[tokio::test]
    async fn a_turn_is_short_when_others_wait() {
        let turns = Turns::new(1);
        let (first, bytes) = turns.take().await;
        assert_eq!(bytes, LONE_TURN_BYTES);
        let second = turns.take();
        let third = turns.take();
        tokio::pin!(second, third);
        assert!(is_pending(second.as_mut()));
        assert!(is_pending(third.as_mut()));
        drop(first);
        let (_permit, bytes) = second.await;
        assert_eq!(bytes, SHARED_TURN_BYTES);
        assert!(is_pending(third.as_mut()));
    }
}
