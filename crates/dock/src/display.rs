//! Progress for people: bars on a terminal, plain lines in a log.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use docket_client::{BayReport, BayState};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tracing_subscriber::fmt::MakeWriter;

use crate::board::Board;

/// How the state is called on a terminal.
pub fn state_word(state: BayState) -> &'static str {
    match state {
        BayState::Empty => "empty",
        BayState::Reading => "reading",
        BayState::Uploading => "uploading",
        BayState::Verified => "verified",
        BayState::MayBeTaken => "MAY BE TAKEN",
        BayState::Fault => "FAULT",
    }
}

/// Where progress and log lines go. Log lines pass above the bars.
#[derive(Debug, Clone)]
pub struct Screen {
    bars: Option<MultiProgress>,
}

impl Screen {
    /// Bars if standard error is a terminal.
    pub fn detect() -> Self {
        Self {
            bars: io::stderr().is_terminal().then(MultiProgress::new),
        }
    }

    /// Whether people look at it.
    pub fn is_terminal(&self) -> bool {
        self.bars.is_some()
    }

    /// Shows the board until dropped.
    pub async fn run(&self, board: &Arc<Board>) {
        match &self.bars {
            Some(bars) => draw(bars, board).await,
            None => print(board).await,
        }
    }

    /// Leaves the last picture standing.
    pub fn finish(&self, board: &Board) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
            for report in board.reports() {
                let _ = writeln!(io::stderr(), "{}", line(&report));
            }
        }
    }
}

/// One bay as a line.
pub fn line(report: &BayReport) -> String {
    let mut text = format!("{}: {}", report.name, state_word(report.state));
    if let Some(serial) = &report.recorder_serial {
        text.push_str(&format!(
            ", recorder {serial}, {} of {} files, {} of {}",
            report.files_done,
            report.files_total,
            indicatif::HumanBytes(report.bytes_done),
            indicatif::HumanBytes(report.bytes_total)
        ));
    }
    if let Some(message) = &report.message {
        text.push_str(&format!(" ({message})"));
    }
    text
}

async fn draw(bars: &MultiProgress, board: &Arc<Board>) {
    let style = ProgressStyle::with_template("{prefix:12!} [{bar:30}] {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let shown: Vec<ProgressBar> = board
        .reports()
        .iter()
        .map(|report| {
            let bar = bars.add(ProgressBar::new(0));
            bar.set_style(style.clone());
            bar.set_prefix(report.name.clone());
            bar
        })
        .collect();
    loop {
        for (bar, report) in shown.iter().zip(board.reports()) {
            // Nothing of nothing would be a full bar.
            bar.set_length(report.bytes_total.max(1));
            bar.set_position(report.bytes_done);
            let mut text = state_word(report.state).to_owned();
            if report.files_total > 0 {
                text.push_str(&format!(
                    " {}/{}, {} of {}",
                    report.files_done,
                    report.files_total,
                    indicatif::HumanBytes(report.bytes_done),
                    indicatif::HumanBytes(report.bytes_total)
                ));
            }
            if report.state == BayState::Uploading {
                let rate = indicatif::HumanBytes(report.rate_bytes_per_s);
                text.push_str(&format!(", {rate}/s"));
            }
            if let Some(message) = report.message {
                text.push_str(&format!(" ({message})"));
            }
            bar.set_message(text);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A line when a bay changes, and every ten seconds while it works.
async fn print(board: &Arc<Board>) {
    let mut changes = board.changes();
    let mut said: Vec<Option<(BayState, Option<String>)>> = Vec::new();
    loop {
        let reports = board.reports();
        said.resize(reports.len(), None);
        let woken = tokio::time::timeout(Duration::from_secs(10), changes.changed()).await;
        let tick = woken.is_err();
        for (report, said) in board.reports().iter().zip(&mut said) {
            let now = (report.state, report.message.clone());
            let works = matches!(report.state, BayState::Uploading | BayState::Verified);
            let changed = said.as_ref() != Some(&now);
            let first_empty = said.is_none() && report.state == BayState::Empty;
            if (changed && !first_empty) || (tick && works) {
                tracing::info!("{}", line(report));
            }
            *said = Some(now);
        }
    }
}

impl<'a> MakeWriter<'a> for Screen {
    type Writer = ScreenWriter;
    fn make_writer(&'a self) -> ScreenWriter {
        ScreenWriter {
            bars: self.bars.clone(),
        }
    }
}

/// Writes one log line above the bars.
#[derive(Debug)]
pub struct ScreenWriter {
    bars: Option<MultiProgress>,
}

impl Write for ScreenWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.bars {
            Some(bars) => bars.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
