//! Slows down guessing: per name and per address. Pure counting; time is passed in.
//!
//! Names that don't exist are counted like those that do, or the lock itself would tell them apart. Counters
//! live in memory and are few: when the table is full the oldest goes, and a restart forgets them all, which
//! nobody outside can cause.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use docket_base::{Micros, Sha256Digest};

/// How many wrong tries are free, and what follows.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Wrong tries before the first wait.
    pub free: u32,
    /// The first wait, in seconds; every further wrong try doubles it.
    pub first_wait_s: i64,
    /// The longest wait, in seconds.
    pub longest_wait_s: i64,
    /// After this long without a wrong try all is forgotten, in seconds.
    pub forget_after_s: i64,
}

/// For a name: five tries, then one, two, four ... minutes, at most fifteen.
pub const PER_NAME: Rule = Rule {
    free: 5,
    first_wait_s: 60,
    longest_wait_s: 900,
    forget_after_s: 3_600,
};

/// For an address, behind which a whole office may sit.
pub const PER_ADDRESS: Rule = Rule {
    free: 30,
    first_wait_s: 10,
    longest_wait_s: 300,
    forget_after_s: 900,
};

/// Counters kept of each sort.
const MOST: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Tries {
    wrong: u32,
    last_at: Micros,
    open_at: Micros,
}

/// Counts wrong tries under keys of one sort.
#[derive(Debug)]
struct Counters<K> {
    rule: Rule,
    tries: HashMap<K, Tries>,
}

impl<K: Eq + Hash + Clone> Counters<K> {
    fn new(rule: Rule) -> Self {
        Self {
            rule,
            tries: HashMap::new(),
        }
    }

    fn wait_s(&self, key: &K, now: Micros) -> Option<u64> {
        let open_at = self.tries.get(key)?.open_at;
        let left = open_at.0.saturating_sub(now.0);
        let seconds = left.div_euclid(Micros::PER_SECOND) + 1;
        (left > 0).then(|| seconds.unsigned_abs())
    }

    /// Counts a try before its outcome is known, so that many at once gain nothing.
    fn count(&mut self, key: &K, now: Micros) {
        let rule = self.rule;
        let fresh = Tries {
            wrong: 0,
            last_at: now,
            open_at: now,
        };
        if !self.tries.contains_key(key) {
            self.make_room(now);
        }
        let tries = self.tries.entry(key.clone()).or_insert(fresh);
        if now > tries.last_at.plus_seconds(rule.forget_after_s) {
            *tries = fresh;
        }
        tries.wrong = tries.wrong.saturating_add(1);
        tries.last_at = now;
        if let Some(beyond) = tries.wrong.checked_sub(rule.free) {
            let wait = rule.first_wait_s << beyond.min(16);
            tries.open_at = now.plus_seconds(wait.min(rule.longest_wait_s));
        }
    }

    fn uncount(&mut self, key: &K) {
        if let Some(tries) = self.tries.get_mut(key) {
            tries.wrong = tries.wrong.saturating_sub(1);
            tries.open_at = tries.last_at;
        }
    }

    fn make_room(&mut self, now: Micros) {
        if self.tries.len() < MOST {
            return;
        }
        let forget_after_s = self.rule.forget_after_s;
        self.tries
            .retain(|_, tries| now <= tries.last_at.plus_seconds(forget_after_s));
        if self.tries.len() >= MOST {
            let oldest = self.tries.iter().min_by_key(|(_, tries)| tries.last_at);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.tries.remove(&key);
            }
        }
    }
}

/// Why a try is not even looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// This name has had too many; seconds to wait.
    Name(u64),
    /// This address has had too many; seconds to wait.
    Address(u64),
}

/// The throttle of one daemon.
#[derive(Debug)]
pub struct Throttle {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    names: Counters<Sha256Digest>,
    addresses: Counters<IpAddr>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                names: Counters::new(PER_NAME),
                addresses: Counters::new(PER_ADDRESS),
            }),
        }
    }
}

impl Throttle {
    /// Counts a try as wrong and lets it pass, or refuses it. A try that turns out right is taken back with
    /// [`Throttle::succeeded`].
    ///
    /// # Errors
    /// [`Refused`]: the try must not be looked at.
    pub fn try_begins(
        &self,
        name: &str,
        address: Option<IpAddr>,
        now: Micros,
    ) -> Result<(), Refused> {
        let key = Sha256Digest::of(name.as_bytes());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = address.and_then(|a| state.addresses.wait_s(&a, now)) {
            return Err(Refused::Address(wait));
        }
        if let Some(wait) = state.names.wait_s(&key, now) {
            return Err(Refused::Name(wait));
        }
        state.names.count(&key, now);
        if let Some(address) = address {
            state.addresses.count(&address, now);
        }
        Ok(())
    }

    /// The password was right: the name's wrong tries are forgotten, the address's stay (one good account must
    /// not pay for guessing at others).
    pub fn succeeded(&self, name: &str, address: Option<IpAddr>) {
        let key = Sha256Digest::of(name.as_bytes());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.names.tries.remove(&key);
        if let Some(address) = address {
            state.addresses.uncount(&address);
        }
    }
}

impl Throttle {
    /// Until when this name is locked, if it is.
    pub fn locked_until(&self, name: &str, now: Micros) -> Option<Micros> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = state.names.tries.get(&Sha256Digest::of(name.as_bytes()))?;
        (tries.open_at > now).then_some(tries.open_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn at(seconds: i64) -> Micros {
        Micros(seconds * Micros::PER_SECOND)
    }

    #[test]
    fn a_name_locks_with_growing_time_and_opens_again() {
        let throttle = Throttle::default();
        for _ in 0..PER_NAME.free {
            assert_eq!(throttle.try_begins("王", None, at(0)), Ok(()));
        }
        assert_eq!(
            throttle.try_begins("王", None, at(0)),
            Err(Refused::Name(61))
        );
        assert_eq!(throttle.try_begins("李", None, at(0)), Ok(()));
        assert_eq!(throttle.try_begins("王", None, at(61)), Ok(()));
        assert_eq!(
            throttle.try_begins("王", None, at(62)),
            Err(Refused::Name(120))
        );
    }

    #[test]
    fn success_forgets_the_names_wrong_tries() {
        let throttle = Throttle::default();
        for round in 0..20 {
            assert_eq!(
                throttle.try_begins("王", Some(HERE), at(round)),
                Ok(()),
                "{round}"
            );
            throttle.succeeded("王", Some(HERE));
        }
    }

    #[test]
    fn many_names_from_one_address_are_stopped() {
        let throttle = Throttle::default();
        let refused = (0..100)
            .map(|n| throttle.try_begins(&format!("user{n}"), Some(HERE), at(1)))
            .position(|tried| tried.is_err());
        assert_eq!(refused, Some(PER_ADDRESS.free as usize));
    }

    #[test]
    fn the_table_stays_bounded() {
        let mut counters = Counters::new(PER_NAME);
        for n in 0..MOST + 50 {
            counters.count(&n, at(n as i64 / 100));
        }
        assert_eq!(counters.tries.len(), MOST);
    }
}
