//! How long to wait before the next try.

use std::time::Duration;

use docket_base::Random;
use docket_base::random::bytes;

/// How patiently a call is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Tries in a row without progress before giving up; `None` never gives up.
    pub attempts: Option<u32>,
    /// The first wait lies between 0 and this; each following one may be twice as long.
    pub first: Duration,
    /// No wait is longer, unless the server asks for it.
    pub longest: Duration,
}

impl Patience {
    /// A person waits for the answer: five tries.
    pub const INTERACTIVE: Self = Self {
        attempts: Some(5),
        first: Duration::from_millis(250),
        longest: Duration::from_secs(5),
    };

    /// A machine waits: for ever, up to 30 s at a time.
    pub const ENDLESS: Self = Self {
        attempts: None,
        first: Duration::from_millis(250),
        longest: Duration::from_secs(30),
    };

    /// One try.
    pub const NONE: Self = Self {
        attempts: Some(1),
        first: Duration::ZERO,
        longest: Duration::ZERO,
    };
}

/// What a server may ask for at most with `Retry-After`: a broken clock or a hostile answer must not
/// put a station to sleep for a year.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// Exponential backoff with full jitter: stations that lost the same daemon do not return together.
#[derive(Debug)]
pub struct Backoff {
    patience: Patience,
    failures: u32,
}

impl Backoff {
    /// No failure yet.
    pub fn new(patience: Patience) -> Self {
        Self {
            patience,
            failures: 0,
        }
    }

    /// There was progress: the next failure counts as the first.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after another failure; `None` when patience is at its end. What the server asks for
    /// is the least that is waited.
    pub fn next(&mut self, random: &dyn Random, asked: Option<Duration>) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        if self
            .patience
            .attempts
            .is_some_and(|attempts| self.failures >= attempts)
        {
            return None;
        }
        let doubled = self
            .patience
            .first
            .saturating_mul(1_u32 << (self.failures - 1).min(20));
        let ceiling = doubled.min(self.patience.longest);
        let share = u32::from_be_bytes(bytes(random));
        let jittered = ceiling.mul_f64(f64::from(share) / f64::from(u32::MAX));
        Some(jittered.max(asked.unwrap_or_default().min(LONGEST_ASKED)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Constant(u8);
    impl Random for Constant {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn grows_to_the_longest_and_resets() {
        let mut backoff = Backoff::new(Patience::ENDLESS);
        let waits: Vec<_> = (0..9)
            .map(|_| backoff.next(&Constant(255), None).expect("endless"))
            .collect();
        assert_eq!(waits[0], Duration::from_millis(250));
        assert_eq!(waits[1], Duration::from_millis(500));
        assert_eq!(waits[8], Duration::from_secs(30));
        backoff.reset();
        assert_eq!(
            backoff.next(&Constant(255), None),
            Some(Duration::from_millis(250))
        );
        assert_eq!(backoff.next(&Constant(0), None), Some(Duration::ZERO));
    }

    #[test]
    fn the_server_may_ask_for_more_but_not_for_a_year() {
        let mut backoff = Backoff::new(Patience::INTERACTIVE);
        let asked = backoff.next(&Constant(0), Some(Duration::from_secs(7)));
        assert_eq!(asked, Some(Duration::from_secs(7)));
        let year = backoff.next(&Constant(0), Some(Duration::from_secs(31_536_000)));
        assert_eq!(year, Some(LONGEST_ASKED));
    }

    #[test]
    fn patience_ends() {
        let mut backoff = Backoff::new(Patience::NONE);
        assert_eq!(backoff.next(&Constant(255), None), None);
    }
}
