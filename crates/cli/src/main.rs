//! `docket`: upload recordings, verify receipts off-line, look at keys. Links no server code and no
//! FFmpeg, so that it runs on any laptop.

mod exit;
mod key;
mod language;
mod screen;
mod upload;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::exit::Exit;
use crate::language::Language;

#[derive(Debug, Parser)]
#[command(
    name = "docket",
    version,
    about = "Docket: evidence from enforcement recorders"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check, without any network, that a receipt proves a file
    Verify(verify::Arguments),
    /// Send files to a daemon and check the receipts
    Upload(Box<upload::Arguments>),
    /// Look at ledger keys
    #[command(subcommand)]
    Key(key::Command),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let language = Language::of_environment();
    let result = match arguments.command {
        Command::Verify(arguments) => verify::run(&arguments, language),
        Command::Upload(arguments) => upload::run(&arguments),
        Command::Key(command) => key::run(&command),
    };
    let exit = result.unwrap_or_else(|error| {
        screen::complain(&format!("docket: {error:#}"));
        Exit::Unreadable
    });
    exit.into()
}
