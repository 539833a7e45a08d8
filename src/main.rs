//! `docketd`: reads the configuration, builds the parts, wires them, runs.

mod check;
mod commands;
mod config;
mod instance;
mod logging;
mod parts;
mod rebuild;
mod serve;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;

use commands::{
    AdminCommand, Arguments, CheckOptions, Command, KeyCommand, control, print_lines, run_here,
};
use config::Config;
use instance::DataDir;
use parts::{Bare, Parts};

fn main() -> ExitCode {
    bound_heaps();
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("docketd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The allocator gives every thread that waits for another a heap of its own, of up to eight times the
/// processors, and what is received on one and freed on another stays with the first: two heaps hold a
/// third less at the peak of many uploads, and cost no time.
#[allow(unsafe_code)]
fn bound_heaps() {
    // SAFETY: sets a number, before there is any other thread. Refused, everything works as before.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
}

fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let config = Config::load(arguments.config.as_deref(), std::env::vars())?;
    // Two TLS libraries would otherwise argue about which cryptography to use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(dispatch(arguments.command, config))
}

async fn dispatch(command: Command, config: Config) -> anyhow::Result<u8> {
    match command {
        Command::Config => say(&config.to_toml()?)?,
        Command::Openapi => say(&format!("{}\n", docket_http::openapi().to_pretty_json()?))?,
        Command::Key(KeyCommand::Show) => {
            let key = parts::existing_key(&config.data)?;
            let key = key.with_context(|| {
                format!(
                    "{} has no ledger key yet: run `docketd serve` once",
                    config.data.display()
                )
            })?;
            println!("{}", key.verifier());
        }
        Command::Serve => {
            logging::start(&config.log)?;
            let data = DataDir::open(&config.data)?;
            let lock = data.try_lock()?.with_context(|| {
                format!(
                    "another docketd runs on {}; stop it first",
                    data.root().display()
                )
            })?;
            serve::run(Parts::build(config, data, lock).await?).await?;
        }
        Command::Rebuild => return rebuild::run(&config).await,
        other => {
            let command = other
                .into_admin()?
                .context("not an administrative command")?;
            return administer(command, config).await;
        }
    }
    Ok(0)
}

/// Long output that may be piped into something that reads only its beginning.
fn say(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// In the running daemon, or here when there is none.
async fn administer(command: AdminCommand, config: Config) -> anyhow::Result<u8> {
    let data = DataDir::open(&config.data)?;
    let Some(lock) = data.try_lock()? else {
        return control::ask(&data.socket(), &command).await;
    };
    let parts = match (
        Parts::build(config.clone(), data.clone(), lock).await,
        &command,
    ) {
        (Ok(parts), _) => Arc::new(parts),
        (Err(error), AdminCommand::Check(options)) => {
            eprintln!("docketd would not start: {error:#}");
            return check_bare(&config, &data, options).await;
        }
        (Err(error), _) => return Err(error),
    };
    let code = run_here(command, &parts).await?;
    // What the command did is published now, not at the next start.
    parts.ingest.sequencer.round().await?;
    parts.ingest.catalog.close().await;
    Ok(code)
}

/// What keeps a daemon from starting is what a check is for.
async fn check_bare(config: &Config, data: &DataDir, options: &CheckOptions) -> anyhow::Result<u8> {
    let _lock = data
        .try_lock()?
        .context("another docketd has just started")?;
    let bare = Bare::open(config, data).await?;
    print_lines(|out| async move { check::run_bare(&bare, options, &out).await }).await
}
