//! `docket upload`: files to the daemon, and its receipt for each, checked against what was read here.
//!
//! A broken connection is taken up again within one run; a killed run is not (stations do that, from
//! their journal): what it sent stays on the server as an incomplete recording.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use docket_base::lane::Pool;
use docket_base::{Micros, OsRandom, random};
use docket_client::upload::{Conditions, Upload, Uploaded, Watch, upload};
use docket_client::{
    Client, ClientOptions, Error, Level, Metadata, NewUpload, Patience, ServerAddress, Trust,
};
use docket_ledger::{Receipt, Verdict, VerifierKey, verify_receipt};
use indicatif::{ProgressBar, ProgressStyle};

use crate::exit::Exit;
use crate::verify::read_bounded;
use crate::{key, screen};

/// A token is one line, a bundle of certificates some hundred kilobytes.
const SMALL_FILE_BYTES: u64 = 1 << 20;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 all files are stored and their receipts fit; 1 some are not; 2 wrong usage; 7 nothing was tried: key, token, address or certificates are unusable"
)]
pub struct Arguments {
    /// Files to send
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Address of the daemon, e.g. https://docket.example
    #[arg(long, env = "DOCKET_SERVER")]
    server: String,
    /// File with the bearer token
    #[arg(long, value_name = "FILE", env = "DOCKET_TOKEN_FILE")]
    token_file: PathBuf,
    /// File with the ledger's verifier key: receipts must be signed by it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Which receipt to wait for
    #[arg(long, value_enum, default_value = "stored")]
    level: Wanted,
    /// Folder that the receipts are written to, as <recording>.receipt.json
    #[arg(long, value_name = "FOLDER")]
    receipts: Option<PathBuf>,
    /// Case number the recordings belong to
    #[arg(long)]
    case: Option<String>,
    /// Unit of the case, if not your own
    #[arg(long)]
    case_unit: Option<String>,
    /// Unit of the recordings, if not your own
    #[arg(long)]
    unit: Option<String>,
    /// The officer's certificate number
    #[arg(long)]
    officer: Option<String>,
    /// The recorder's serial number
    #[arg(long)]
    recorder: Option<String>,
    /// When they were recorded, e.g. 2026-11-23T09:30:00+08:00
    #[arg(long, value_parser = Micros::parse_rfc3339)]
    recorded_at: Option<Micros>,
    /// What they are
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// A note
    #[arg(long)]
    note: Option<String>,
    /// Trust only the certificate authorities in this PEM file
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Send the token over plain HTTP to another machine, where the network itself is protected
    #[arg(long)]
    allow_plain_http: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wanted {
    Stored,
    Verified,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Video,
    Audio,
    Photo,
    Document,
    Other,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let pinned = arguments.key.as_deref().map(key::read_key).transpose()?;
    let client = connect(arguments)?;
    let conditions = Conditions {
        readers: Pool::start("upload-read", 1)?,
        limiter: None,
        turns: None,
        patience: Patience::INTERACTIVE,
        wait_when_unauthorised: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut exit = Exit::Proven;
    for file in &arguments.files {
        let sent = runtime.block_on(send(arguments, &client, &conditions, pinned.as_ref(), file));
        match sent {
            Ok(line) => screen::say(&line),
            Err(error) => {
                screen::complain(&format!("docket: {}: {error:#}", file.display()));
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}

fn connect(arguments: &Arguments) -> anyhow::Result<Client> {
    let server = ServerAddress::parse(&arguments.server, arguments.allow_plain_http)?;
    let token = read_bounded(&arguments.token_file, SMALL_FILE_BYTES)?;
    let token = String::from_utf8(token).context("the token file is no text")?;
    let trust = match &arguments.ca {
        Some(file) => Trust::Authorities(read_bounded(file, SMALL_FILE_BYTES)?),
        None => Trust::System,
    };
    let options = ClientOptions {
        trust,
        token: Some(token.trim().to_owned()),
        user_agent: concat!("docket/", env!("CARGO_PKG_VERSION")).to_owned(),
        ..ClientOptions::default()
    };
    Ok(Client::connect(server, options)?)
}

async fn send(
    arguments: &Arguments,
    client: &Client,
    conditions: &Conditions,
    pinned: Option<&VerifierKey>,
    path: &Path,
) -> anyhow::Result<String> {
    let file = File::open(path).context("cannot read it")?;
    let metadata = file.metadata().context("cannot read it")?;
    if !metadata.is_file() {
        bail!("not a file");
    }
    let size_bytes = metadata.len();
    let bar = Bar::new(size_bytes, path);
    let job = Upload {
        file: Arc::new(file),
        new: NewUpload {
            size_bytes,
            metadata: describe(arguments, path),
            idempotency_key: Some(hex::encode(random::bytes::<16>(&OsRandom))),
        },
        known: None,
        marks: Vec::new(),
    };
    let sent = upload(client, job, conditions, Arc::new(bar.clone())).await;
    bar.0.finish_and_clear();
    let sent = sent?;
    check(arguments, client, pinned, &sent, size_bytes).await
}

fn describe(arguments: &Arguments, path: &Path) -> Metadata {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let word = |value: clap::builder::PossibleValue| value.get_name().to_owned();
    let kind = arguments.kind.and_then(|kind| kind.to_possible_value());
    Metadata::new()
        .with_some("filename", name)
        .with_some("case", arguments.case.clone())
        .with_some("case_unit", arguments.case_unit.clone())
        .with_some("unit", arguments.unit.clone())
        .with_some("officer", arguments.officer.clone())
        .with_some("recorder", arguments.recorder.clone())
        .with_some("recorded_at", arguments.recorded_at.map(Micros::to_rfc3339))
        .with_some("kind", kind.map(word))
        .with_some("note", arguments.note.clone())
}

/// Waits for the receipt and holds it against what was read here. What the server says without a
/// signature is not believed.
async fn check(
    arguments: &Arguments,
    client: &Client,
    pinned: Option<&VerifierKey>,
    sent: &Uploaded,
    size_bytes: u64,
) -> anyhow::Result<String> {
    let Some(id) = sent.upload.recording() else {
        bail!("the upload's address {} names no recording", sent.upload);
    };
    let level = match arguments.level {
        Wanted::Stored => Level::Stored,
        Wanted::Verified => Level::Verified,
    };
    let ask = || client.wait_for_receipt(id, level);
    let bytes = client
        .patiently(Patience::INTERACTIVE, |_, _| (), ask)
        .await
        .with_context(|| format!("{id} was sent, but there is no receipt"))?;
    let receipt = Receipt::parse(&bytes).with_context(|| format!("receipt of {id}"))?;
    if receipt.body.recording != id || receipt.body.level.as_str() != level.as_str() {
        bail!("the server gave another receipt than that of {id}");
    }
    let worth = match verify_receipt(&receipt, pinned, &sent.sha256, size_bytes) {
        Verdict::Proven(_) => "proven",
        Verdict::Unpinned(_) => "consistent, but no --key given",
        Verdict::WrongKey { found } => bail!("the receipt is signed by another key: {found}"),
        Verdict::DigestMismatch { .. } | Verdict::SizeMismatch { .. } => {
            bail!("the receipt of {id} is about other bytes than were sent")
        }
        Verdict::Bad(bad) => bail!("the receipt of {id} is worthless: {bad}"),
    };
    if let Some(folder) = &arguments.receipts {
        let target = folder.join(format!("{id}.receipt.json"));
        std::fs::write(&target, &bytes)
            .with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(format!("{id} {} {} ({worth})", level.as_str(), sent.sha256))
}

/// A bar on a terminal, nothing elsewhere.
#[derive(Clone)]
struct Bar(ProgressBar);

impl Bar {
    fn new(size_bytes: u64, path: &Path) -> Self {
        let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = screen::harmless(&name.to_string_lossy());
        Self(
            ProgressBar::new(size_bytes)
                .with_style(style)
                .with_message(name),
        )
    }
}

impl Watch for Bar {
    fn created(&self, _: &docket_client::UploadUrl) -> io::Result<()> {
        Ok(())
    }

    fn progress(&self, sent_bytes: u64) {
        self.0.set_position(sent_bytes);
    }

    fn waiting(&self, error: &Error, wait: Duration) {
        let text = format!("{error}; trying again in {:.1} s", wait.as_secs_f32());
        self.0.suspend(|| screen::complain(&text));
    }
}
