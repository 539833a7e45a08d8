//! `docket-dock`: see the library's documentation and `docs/dock.md`.

mod identity;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use docket_dock::config::{Bay, Config};
use docket_dock::display::Screen;
use docket_dock::enrolment::EnrolmentError;
use docket_dock::station::Mode;

/// Exit code when the ledger's key is not the pinned one.
const EXIT_OTHER_KEY: u8 = 3;

/// Takes recordings from the recorders in a station's bays to Docket.
#[derive(Debug, Parser)]
#[command(name = "docket-dock", version)]
struct CommandLine {
    /// Configuration file.
    #[arg(long, global = true, env = "DOCKET_DOCK_CONFIG")]
    config: Option<PathBuf>,
    /// Log lines as `text` or `json`; which lines: DOCKET_DOCK_LOG (e.g. debug).
    #[arg(long, global = true, default_value = "text", value_parser = ["text", "json"])]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this station known to a daemon and pin its ledger's key.
    Enrol(Enrol),
    /// Work until stopped.
    Run(Bays),
    /// Take in what is there now, then end: 0 all safe, 2 something is left to look at.
    Once(Once),
    /// Show enrolment and bays.
    Status,
    /// Print the effective configuration.
    Config,
}

#[derive(Debug, Args)]
struct Enrol {
    /// The daemon's address.
    #[arg(long)]
    server: Option<String>,
    /// File holding the station's token.
    #[arg(
        long,
        conflicts_with = "token_stdin",
        required_unless_present = "token_stdin"
    )]
    token_file: Option<PathBuf>,
    /// Read the token from standard input.
    #[arg(long)]
    token_stdin: bool,
    /// The ledger key's fingerprint as its administrator gave it: refused if the daemon's is
    /// another, and needed to replace a pinned key.
    #[arg(long)]
    fingerprint: Option<String>,
}

#[derive(Debug, Args)]
struct Bays {
    /// A further bay.
    #[arg(long = "bay", value_name = "NAME=PATH", value_parser = parse_bay)]
    bays: Vec<Bay>,
}

#[derive(Debug, Args)]
struct Once {
    #[command(flatten)]
    bays: Bays,
    /// Give up after so many tries without progress; without it the daemon is waited for.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    tries: Option<u32>,
}

fn parse_bay(text: &str) -> Result<Bay, String> {
    let (name, path) = text.split_once('=').ok_or("expected NAME=PATH")?;
    Ok(Bay {
        name: name.to_owned(),
        path: path.into(),
        recorder: None,
        mounted: false,
    })
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let screen = Screen::detect();
    start_log(&command_line.log, &screen);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("docket-dock")
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(execute(command_line, screen));
            // A thread may hang in a dying medium; nothing it could still do is needed.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("docket-dock: {error:#}");
            match error.downcast_ref::<EnrolmentError>() {
                Some(EnrolmentError::OtherKey { .. }) => ExitCode::from(EXIT_OTHER_KEY),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn start_log(form: &str, screen: &Screen) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("DOCKET_DOCK_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(screen.is_terminal())
        .with_writer(screen.clone());
    match form {
        "json" => log.json().init(),
        _ => log.init(),
    }
}

async fn execute(command_line: CommandLine, screen: Screen) -> anyhow::Result<ExitCode> {
    let mut config = load_config(command_line.config.as_deref())?;
    match command_line.command {
        Command::Enrol(enrol) => identity::enrol(&config, enrol).await,
        Command::Run(bays) => {
            config.bay.extend(bays.bays);
            work::work(config, Mode::Endless, screen).await
        }
        Command::Once(once) => {
            config.bay.extend(once.bays.bays);
            work::work(config, Mode::Once(once.tries), screen).await
        }
        Command::Status => identity::status(&config),
        Command::Config => {
            config.check()?;
            print!("{}", toml::to_string(&config)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn load_config(path: Option<&Path>) -> anyhow::Result<Config> {
    let environment = std::env::vars_os().filter_map(|(name, value)| {
        // What is no text can be none of ours.
        Some((name.into_string().ok()?, value.into_string().ok()?))
    });
    let usual = [
        PathBuf::from("docket-dock.toml"),
        PathBuf::from("/etc/docket/docket-dock.toml"),
    ];
    let path = match path {
        Some(path) => Some(path),
        None => usual
            .iter()
            .map(PathBuf::as_path)
            .find(|path| path.exists()),
    };
    let text = match path {
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("configuration {}", path.display()))?,
        None => String::new(),
    };
    Ok(Config::read(&text, environment)?)
}
