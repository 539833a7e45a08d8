//! `enrol` and `status`.

use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use docket_base::files::OsFiles;
use docket_base::{Clock, SystemClock};
use docket_dock::config::Config;
use docket_dock::enrolment::{self, EnrolmentError};
use docket_dock::heartbeat;
use docket_dock::state::StateDirectory;

use crate::Enrol;

pub(crate) async fn enrol(config: &Config, given: Enrol) -> anyhow::Result<ExitCode> {
    let server = given.server.as_ref().or(config.server.as_ref());
    let server = server.ok_or(EnrolmentError::NoServer)?;
    let token = match &given.token_file {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("token file {}", path.display()))?,
        None => {
            let mut text = String::new();
            std::io::stdin().take(4096).read_to_string(&mut text)?;
            text
        }
    };
    let state = StateDirectory::open(&config.state, Arc::new(OsFiles))?;
    let _lock = state.lock()?;
    let fingerprint = given.fingerprint.as_deref();
    let now = SystemClock.now();
    let (client, enrolment) =
        enrolment::enrol(config, &state, server, token.trim(), fingerprint, now).await?;
    println!("enrolled with {}", enrolment.server);
    println!("ledger key:   {}", enrolment.ledger_key);
    println!("fingerprint:  {}", enrolment.ledger_key.fingerprint());
    println!("Compare the fingerprint with what `docketd key show` prints on the daemon.");
    let hello = docket_client::Heartbeat {
        name: config.name.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        bays: Vec::new(),
    };
    if let Err(error) = client.heartbeat(&hello).await {
        println!("note: the daemon did not take a heartbeat with this token: {error}");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn status(config: &Config) -> anyhow::Result<ExitCode> {
    let state = StateDirectory::open(&config.state, Arc::new(OsFiles))?;
    let enrolment = enrolment::load(&state)?;
    println!(
        "enrolled with {} at {}",
        enrolment.server, enrolment.enrolled_at
    );
    println!(
        "ledger key fingerprint: {}",
        enrolment.ledger_key.fingerprint()
    );
    let runs = state.lock().is_err();
    match state.load::<heartbeat::Status>(&heartbeat::status_path(&state))? {
        Some(status) => {
            let heard = if status.daemon_reached {
                "reached"
            } else {
                "not reached"
            };
            println!(
                "{} at {}, daemon {heard}",
                if runs {
                    "running"
                } else {
                    "not running, last seen"
                },
                status.at
            );
            for report in &status.bays {
                println!("{}", docket_dock::display::line(report));
            }
        }
        None => println!("never run"),
    }
    Ok(ExitCode::SUCCESS)
}
