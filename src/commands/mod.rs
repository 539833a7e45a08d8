//! The command line. What changes or reads the catalog goes through [`AdminCommand`], which runs in
//! the `serve` process when there is one and in this one when there is not.

pub mod control;
mod tokens;
mod users;

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::parts::Parts;

/// Docket: receives, proves, keeps and shows enforcement recordings.
#[derive(Debug, Parser)]
#[command(name = "docketd", version)]
pub struct Arguments {
    /// Configuration file (TOML). Without one the built-in defaults hold.
    #[arg(long, env = "DOCKET_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon.
    Serve,
    /// Print the effective configuration; secrets are redacted.
    Config,
    /// Print the API's description (OpenAPI 3.1).
    Openapi,
    /// Compare catalog, vault and ledger with each other; a verdict for each recording.
    Check(CheckOptions),
    /// Fill an empty catalog from vault and ledger.
    Rebuild,
    /// Local users.
    #[command(subcommand)]
    User(users::UserCommand),
    /// Tokens of stations and other systems.
    #[command(subcommand)]
    Token(tokens::TokenCommand),
    /// The ledger's key.
    #[command(subcommand)]
    Key(KeyCommand),
}

/// The ledger's key.
#[derive(Debug, Clone, Subcommand)]
pub enum KeyCommand {
    /// Print the verifier key (signed-note form) that stations and courts pin.
    Show,
}

/// How to check.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub struct CheckOptions {
    /// Compare sizes and side files only, without reading the originals.
    #[arg(long)]
    pub quick: bool,
}

/// A command that needs the catalog.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminCommand {
    /// See [`Command::Check`].
    Check(CheckOptions),
    /// See [`Command::User`].
    User(users::UserCommand),
    /// See [`Command::Token`].
    Token(tokens::TokenCommand),
}

impl Command {
    /// The command in the form that can be sent to a running daemon, with what it reads from
    /// standard input already read.
    pub fn into_admin(self) -> anyhow::Result<Option<AdminCommand>> {
        Ok(match self {
            Self::Check(options) => Some(AdminCommand::Check(options)),
            Self::User(command) => Some(AdminCommand::User(command.read_input()?)),
            Self::Token(command) => Some(AdminCommand::Token(command)),
            Self::Serve | Self::Config | Self::Openapi | Self::Rebuild | Self::Key(_) => None,
        })
    }
}

/// Where a command's lines go: to this terminal, or through the socket to another.
#[derive(Debug, Clone)]
pub struct Output(mpsc::Sender<String>);

impl Output {
    /// Output into a channel.
    pub fn new(lines: mpsc::Sender<String>) -> Self {
        Self(lines)
    }

    /// Prints a line. A reader that went away does not stop the work.
    pub async fn line(&self, text: impl Into<String>) {
        let _ = self.0.send(text.into()).await;
    }
}

/// Runs a command; the number is the exit code.
pub async fn run_admin(
    command: AdminCommand,
    parts: &Arc<Parts>,
    out: &Output,
) -> anyhow::Result<u8> {
    match command {
        AdminCommand::Check(options) => crate::check::run(parts, &options, out).await,
        AdminCommand::User(command) => users::run(command, parts, out).await,
        AdminCommand::Token(command) => tokens::run(command, parts, out).await,
    }
}

/// Runs a command in this process, printing as it goes.
pub async fn run_here(command: AdminCommand, parts: &Arc<Parts>) -> anyhow::Result<u8> {
    let parts = Arc::clone(parts);
    print_lines(|out| async move { run_admin(command, &parts, &out).await }).await
}

/// Runs work whose output goes to this terminal.
pub async fn print_lines<F: Future<Output = anyhow::Result<u8>>>(
    work: impl FnOnce(Output) -> F,
) -> anyhow::Result<u8> {
    let (send, mut lines) = mpsc::channel(64);
    let print = async {
        while let Some(line) = lines.recv().await {
            println!("{line}");
        }
    };
    let (code, ()) = tokio::join!(work(Output::new(send)), print);
    code
}

/// A password from standard input: the first line, without its end.
fn password_from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .context("reading the password")?;
    let password = text.lines().next().unwrap_or_default().to_owned();
    anyhow::ensure!(!password.is_empty(), "no password on standard input");
    Ok(password)
}
