//! What every bay shows, for heartbeat, display and `status`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use docket_client::{BayReport, BayState};
use tokio::sync::watch;
use tokio::time::Instant;

/// One bay as it sits.
#[derive(Debug, Clone)]
struct Row {
    report: BayReport,
    /// Bytes of files that are through.
    settled_bytes: u64,
    /// Bytes out of the files on their way, by the file's number.
    moving: Vec<(usize, u64)>,
    /// Everything ever sent, to measure speed.
    sent_bytes: u64,
    measured: (Instant, u64),
}

/// All bays. Cheap to write: every chunk that goes out is told here.
#[derive(Debug)]
pub struct Board {
    rows: Mutex<Vec<Row>>,
    changed: watch::Sender<u64>,
}

impl Board {
    /// All bays empty.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let row = |name| Row {
            report: empty(name),
            settled_bytes: 0,
            moving: Vec::new(),
            sent_bytes: 0,
            measured: (Instant::now(), 0),
        };
        Self {
            rows: Mutex::new(names.into_iter().map(row).collect()),
            changed: watch::Sender::new(0),
        }
    }

    /// Wakes when a bay's state changes, not when only bytes move.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// All bays as they sit, with the speed since the last call.
    pub fn reports(&self) -> Vec<BayReport> {
        let mut rows = self.rows();
        rows.iter_mut()
            .map(|row| {
                row.measure();
                let mut report = row.report.clone();
                let moving: u64 = row.moving.iter().map(|(_, bytes)| bytes).sum();
                report.bytes_done = (row.settled_bytes + moving).min(report.bytes_total);
                report
            })
            .collect()
    }

    /// Whether anything moves.
    pub fn is_active(&self) -> bool {
        let moves = |row: &Row| {
            matches!(
                row.report.state,
                BayState::Reading | BayState::Uploading | BayState::Verified
            )
        };
        self.rows().iter().any(moves)
    }

    /// One bay's handle.
    pub fn bay(self: &std::sync::Arc<Self>, index: usize) -> BayFace {
        BayFace {
            board: std::sync::Arc::clone(self),
            index,
        }
    }

    fn rows(&self) -> MutexGuard<'_, Vec<Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Row {
    fn measure(&mut self) {
        let (since, sent_then) = self.measured;
        let elapsed = since.elapsed();
        if elapsed < Duration::from_millis(500) {
            return;
        }
        let sent = self.sent_bytes.saturating_sub(sent_then);
        self.report.rate_bytes_per_s = (sent as f64 / elapsed.as_secs_f64()) as u64;
        self.measured = (Instant::now(), self.sent_bytes);
    }
}

fn empty(name: String) -> BayReport {
    BayReport {
        name,
        state: BayState::Empty,
        recorder_serial: None,
        officer_name: None,
        files_total: 0,
        files_done: 0,
        bytes_total: 0,
        bytes_done: 0,
        rate_bytes_per_s: 0,
        message: None,
    }
}

/// A message fits a screen, whatever name or answer it quotes.
fn short(text: String) -> String {
    text.chars().take(300).collect()
}

/// One bay's side of the board.
#[derive(Debug, Clone)]
pub struct BayFace {
    board: std::sync::Arc<Board>,
    index: usize,
}

impl BayFace {
    fn with(&self, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.board.rows().get_mut(self.index) {
            change(row);
        }
    }

    fn tell(&self) {
        self.board.changed.send_modify(|count| *count += 1);
    }

    /// No recorder.
    pub fn clear(&self) {
        self.with(|row| {
            row.report = empty(std::mem::take(&mut row.report.name));
            row.settled_bytes = 0;
            row.moving.clear();
        });
        self.tell();
    }

    /// A recorder with so much on it.
    pub fn recorder(&self, serial: &str, officer: Option<&str>, files: u64, bytes: u64) {
        self.with(|row| {
            row.report.recorder_serial = Some(serial.to_owned());
            row.report.officer_name = officer.map(str::to_owned);
            row.report.files_total = files;
            row.report.bytes_total = bytes;
            row.report.files_done = 0;
            row.settled_bytes = 0;
            row.moving.clear();
        });
        self.tell();
    }

    /// Another state.
    pub fn show(&self, state: BayState, message: Option<String>) {
        let message = message.map(short);
        let mut changed = false;
        self.with(|row| {
            changed = row.report.state != state || row.report.message != message;
            row.report.state = state;
            row.report.message = message;
        });
        if changed {
            self.tell();
        }
    }

    /// The same state with another word to it.
    pub fn say(&self, message: Option<String>) {
        self.with(|row| row.report.message = message.map(short));
    }

    /// A file on its way has sent so much.
    pub fn moving(&self, file: usize, sent_bytes: u64) {
        self.with(|row| {
            let at = match row.moving.iter().position(|(number, _)| *number == file) {
                Some(at) => at,
                None => {
                    row.moving.push((file, 0));
                    row.moving.len() - 1
                }
            };
            let before = std::mem::replace(&mut row.moving[at].1, sent_bytes);
            row.sent_bytes += sent_bytes.saturating_sub(before);
        });
    }

    /// A file is no longer on its way; `bytes` of it count as through.
    pub fn settled(&self, file: usize, bytes: u64) {
        self.with(|row| {
            row.moving.retain(|(number, _)| *number != file);
            row.settled_bytes += bytes;
        });
    }

    /// A file is safe.
    pub fn done(&self) {
        self.with(|row| row.report.files_done += 1);
        self.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn bytes_are_counted_once_and_speed_is_measured() {
        let board = Arc::new(Board::new(["1".to_owned()]));
        let face = board.bay(0);
        face.recorder("R", None, 2, 3000);
        face.show(BayState::Uploading, None);
        assert!(board.is_active());
        face.moving(0, 1000);
        face.moving(0, 400);
        face.moving(1, 100);
        tokio::time::advance(Duration::from_secs(1)).await;
        let report = board.reports().remove(0);
        assert_eq!((report.bytes_done, report.rate_bytes_per_s), (500, 1100));
        face.settled(0, 2000);
        face.done();
        let report = board.reports().remove(0);
        assert_eq!((report.bytes_done, report.files_done), (2100, 1));
        face.clear();
        assert!(!board.is_active());
    }
}
