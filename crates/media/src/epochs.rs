//! One time line where a file has several: recorders that start anew in the middle of a transport or
//! program stream begin to count anew.

/// Frames are decoded in order: a time so much earlier than the one before is of another count.
const BACK_US: i64 = 1_000_000;
/// And one so much later, for the counter goes round after 26 hours. Less is a pause, and is kept.
const AHEAD_US: i64 = 3_600_000_000;
/// Streams begin to count anew within so much of each other.
const TOGETHER_US: i64 = 10_000_000;

/// What is added to the times of each stream.
#[derive(Debug)]
pub struct Epochs {
    /// What is added in each epoch.
    added_us: Vec<i64>,
    tracks: Vec<Track>,
    /// Where the time line ends so far.
    end_us: i64,
}

#[derive(Debug, Clone, Default)]
struct Track {
    epoch: usize,
    /// By so much its sound would overlap where the streams didn't change at the same moment.
    late_us: i64,
    /// The file's own time of the last frame, and where that ends on the time line.
    last: Option<(i64, i64)>,
}

impl Epochs {
    /// Of so many streams.
    pub fn new(tracks: usize) -> Self {
        Self {
            added_us: vec![0],
            tracks: vec![Track::default(); tracks],
            end_us: i64::MIN,
        }
    }

    /// What is to be added to the times of a stream's next frame, which is decoded then and lasts so long.
    pub fn added_us(&mut self, track: usize, decode_us: i64, lasts_us: i64) -> i64 {
        let Some(one) = self.tracks.get_mut(track) else {
            return 0;
        };
        if let Some((last, ended)) = one.last
            && (decode_us < last.saturating_sub(BACK_US)
                || decode_us > last.saturating_add(AHEAD_US))
        {
            let joins = |added: &i64| {
                let moved = decode_us.saturating_add(*added);
                moved.abs_diff(ended) <= TOGETHER_US.unsigned_abs()
            };
            let next = self.added_us.get(one.epoch + 1);
            one.epoch += 1;
            if !next.is_some_and(joins) {
                self.added_us.truncate(one.epoch);
                self.added_us.push(self.end_us.saturating_sub(decode_us));
            }
            let added = self.added_us[one.epoch]; // was pushed or is there
            one.late_us = ended.saturating_sub(decode_us.saturating_add(added)).max(0);
        }
        let added = self.added_us[one.epoch].saturating_add(one.late_us);
        let end = decode_us.saturating_add(added).saturating_add(lasts_us);
        one.last = Some((decode_us, end));
        self.end_us = self.end_us.max(end);
        added
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    #[test]
    fn a_new_count_goes_on_where_the_old_one_ended() {
        let mut epochs = Epochs::new(2);
        for at in 100..110 {
            assert_eq!(epochs.added_us(0, at * S, S), 0);
            assert_eq!(epochs.added_us(1, at * S, S), 0);
        }
        // Picture and sound begin anew at 1 s; the sound of before comes a little later.
        assert_eq!(epochs.added_us(0, S, S), 109 * S);
        assert_eq!(epochs.added_us(1, 110 * S, S / 2), 0);
        assert_eq!(epochs.added_us(0, 2 * S, S), 109 * S);
        assert_eq!(epochs.added_us(1, S, S), 109 * S + S / 2);
        assert_eq!(epochs.added_us(1, 2 * S, S), 109 * S + S / 2);
        // And once more.
        assert_eq!(epochs.added_us(1, 0, S), 112 * S + S / 2);
        assert_eq!(epochs.added_us(0, 0, S), 112 * S + S / 2);
    }

    #[test]
    fn a_pause_is_kept_and_a_jump_of_a_day_is_not() {
        let mut epochs = Epochs::new(1);
        epochs.added_us(0, 0, S);
        assert_eq!(epochs.added_us(0, 600 * S, S), 0);
        assert_eq!(epochs.added_us(0, 90_000 * S, S), 601 * S - 90_000 * S);
        // Frames out of order are no new count.
        assert_eq!(
            epochs.added_us(0, 90_000 * S - S / 2, S),
            601 * S - 90_000 * S
        );
    }

    #[test]
    fn the_largest_times_never_panic() {
        let mut epochs = Epochs::new(1);
        for at in [i64::MIN, i64::MAX, 0, i64::MIN, i64::MAX] {
            epochs.added_us(0, at, i64::MAX);
        }
        assert_eq!(epochs.added_us(7, 0, 0), 0);
    }
}
