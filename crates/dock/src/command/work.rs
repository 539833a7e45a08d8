//! `run` and `once`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use docket_base::files::OsFiles;
use docket_base::{OsRandom, SystemClock};
use docket_dock::bay::{BayRun, Summary};
use docket_dock::config::Config;
use docket_dock::display::Screen;
use docket_dock::enrolment::{self, EnrolmentError};
use docket_dock::heartbeat;
use docket_dock::state::StateDirectory;
use docket_dock::station::{Mode, Parts, Station};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Exit code of `once` when something is left to look at.
const EXIT_FAULTS: u8 = 2;

pub(crate) async fn work(config: Config, mode: Mode, screen: Screen) -> anyhow::Result<ExitCode> {
    config.check()?;
    if config.bay.is_empty() {
        bail!("no bay configured: add [[bay]] with name and path, or --bay NAME=PATH");
    }
    let state = StateDirectory::open(&config.state, Arc::new(OsFiles))?;
    let _lock = state.lock()?;
    let (client, enrolment) = enrolment::enrolled_client(&config, &state)?;
    let station = Arc::new(Station::new(Parts {
        config,
        client,
        key: enrolment.ledger_key.clone(),
        state,
        clock: Arc::new(SystemClock),
        random: Arc::new(OsRandom),
        mode,
    })?);
    let stop = on_signals()?;
    let summaries = {
        let bays = run_bays(&station, stop)?;
        tokio::select! {
            summaries = bays => summaries?,
            refused = admit(&station, &enrolment) => match refused? {},
            () = station.follow_schedule() => Vec::new(),
            () = heartbeat::run(&station) => Vec::new(),
            () = station.tell_endings() => Vec::new(),
            () = screen.run(&station.board) => Vec::new(),
        }
    };
    screen.finish(&station.board);
    if mode == Mode::Endless {
        return Ok(ExitCode::SUCCESS);
    }
    if !station.is_admitted() {
        return Ok(conclude(&summaries));
    }
    // The last word of a run that ends.
    if let Err(error) = station.outbox.flush(&station.client, &station.pool).await {
        tracing::warn!(%error, "the daemon has not heard the end yet; the next run tells it");
    }
    heartbeat::beat(&station).await;
    Ok(conclude(&summaries))
}

/// The daemon's key must be the pinned one before anything is sent to it, the token included. Waits
/// for the daemon; bays meanwhile show what is in them.
async fn admit(
    station: &Station,
    enrolment: &enrolment::Enrolment,
) -> anyhow::Result<std::convert::Infallible> {
    let notice = |error: &docket_client::Error, wait: std::time::Duration| {
        tracing::warn!(%error, wait_ms = wait.as_millis() as u64, "waits for the daemon");
    };
    let stranger = station.client.without_token();
    let text = stranger
        .patiently(station.patience(), notice, || stranger.ledger_key())
        .await?;
    let offered = text
        .trim()
        .parse()
        .map_err(|_| EnrolmentError::NoKey(stranger.server().to_string()))?;
    enrolment::check_key(enrolment, &offered)?;
    station.admit();
    std::future::pending().await
}

fn run_bays(
    station: &Arc<Station>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<impl Future<Output = anyhow::Result<Vec<Option<Summary>>>>> {
    let mut tasks = Vec::new();
    for index in 0..station.config.bay.len() {
        let bay = BayRun::new(station, index)?;
        tasks.push(tokio::spawn(bay.run(stop.clone())));
    }
    Ok(async move {
        let mut summaries = Vec::new();
        for task in tasks {
            summaries.push(task.await.context("a bay failed")?);
        }
        Ok(summaries)
    })
}

fn conclude(summaries: &[Option<Summary>]) -> ExitCode {
    let found = summaries.iter().flatten();
    let (mut total, mut done, mut faults) = (0, 0, 0);
    for summary in found {
        total += summary.files_total;
        done += summary.files_done;
        faults += summary.faults.len();
    }
    println!("{done} of {total} files safe, {faults} faults");
    if faults > 0 {
        return ExitCode::from(EXIT_FAULTS);
    }
    ExitCode::SUCCESS
}

fn on_signals() -> anyhow::Result<watch::Receiver<bool>> {
    let (stop, stopping) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; what is not through goes on next time");
        let _ = stop.send(true);
        // The sender must outlive its receivers' waiting.
        stop.closed().await;
    });
    Ok(stopping)
}
