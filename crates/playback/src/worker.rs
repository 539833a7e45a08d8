//! One worker process and the conversation with it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use docket_base::ids::RecordingId;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::{Error, Result};
use crate::protocol::{
    self, EXIT_OUT_OF_MEMORY, Failure, FromWorker, Hello, MAX_BLOCK_BYTES, Request, SourceKind,
    ToWorker, VERSION,
};
use crate::source::Source;

/// What is read of a worker's standard error; the rest is dropped, and still drained.
const MAX_STDERR_BYTES: u64 = 16 << 10;
/// A worker has this long to load its libraries and restrict itself.
const START_TIMEOUT: Duration = Duration::from_secs(20);
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

/// What a worker may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub memory_bytes: u64,
    pub cpu_seconds: u64,
}

/// A running worker with one recording open. Dropping it kills the process, and that is the way every
/// abandoned, hanging or confused one ends.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    socket: UnixStream,
    source: Source,
    size_bytes: u64,
    pub hello: Hello,
    pub requests: u32,
}

impl Worker {
    /// Starts a worker on a recording.
    pub async fn start(
        path: &Path,
        arguments: &[String],
        limits: Limits,
        id: RecordingId,
        source: Source,
    ) -> Result<Self> {
        let size_bytes = source.size_bytes().map_err(Error::Source)?;
        let (stdin, kind) = match &source {
            Source::Descriptor(fd) => {
                let own: OwnedFd = fd.try_clone().map_err(Error::Source)?;
                (Stdio::from(own), SourceKind::Descriptor)
            }
            Source::Blocks(_) => (Stdio::null(), SourceKind::Blocks),
        };
        let (mut child, socket) = spawn(path, arguments, limits, stdin)?;
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(log_stderr(id, stderr));
        }
        let hello = Hello {
            version: 0,
            libavformat: String::new(),
            restrictions: protocol::Restrictions::default(),
        };
        let mut worker = Self {
            child,
            socket,
            source,
            size_bytes,
            hello,
            requests: 0,
        };
        match timeout(START_TIMEOUT, worker.greet(kind)).await {
            Ok(done) => done?,
            Err(_) => return Err(Error::TimedOut(START_TIMEOUT.as_secs())),
        }
        Ok(worker)
    }

    async fn greet(&mut self, source: SourceKind) -> Result<()> {
        let hello = match protocol::receive(&mut self.socket).await {
            Ok((FromWorker::Hello(hello), _)) => hello,
            Ok((other, _)) => return Err(Error::Protocol(format!("{other:?} as greeting"))),
            Err(error) => return Err(self.end(error).await),
        };
        if hello.version != VERSION {
            let message = format!("version {} instead of {VERSION}", hello.version);
            return Err(Error::Protocol(message));
        }
        self.hello = hello;
        let open = ToWorker::Open {
            source,
            size_bytes: self.size_bytes,
        };
        self.say(&open, &[]).await
    }

    /// Takes it up again for the same recording; `false` when it has ended or the recording has grown.
    pub fn resume(&mut self, source: Source) -> bool {
        let alive = matches!(self.child.try_wait(), Ok(None));
        let same = source
            .size_bytes()
            .is_ok_and(|size| size == self.size_bytes);
        let as_before =
            matches!(self.source, Source::Blocks(_)) == matches!(source, Source::Blocks(_));
        self.source = source;
        alive && same && as_before
    }

    /// One request and its answer. After any error but [`Error::Media`] the worker is of no more use.
    pub async fn ask(
        &mut self,
        request: Request,
        payload: &[u8],
        within: Duration,
    ) -> Result<(FromWorker, Vec<u8>)> {
        self.requests += 1;
        let deadline = Instant::now() + within;
        match timeout_at(deadline, self.converse(request, payload)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::TimedOut(within.as_secs())),
        }
    }

    async fn converse(
        &mut self,
        request: Request,
        payload: &[u8],
    ) -> Result<(FromWorker, Vec<u8>)> {
        self.say(&ToWorker::Request(request), payload).await?;
        loop {
            match protocol::receive(&mut self.socket).await {
                Ok((FromWorker::NeedBlock { offset, length }, _)) => {
                    self.give_block(offset, length).await?;
                }
                Ok((FromWorker::Failed(failure), _)) => return Err(failed(failure)),
                Ok((FromWorker::Hello(_), _)) => {
                    return Err(Error::Protocol("a second greeting".into()));
                }
                Ok(answer) => return Ok(answer),
                Err(error) => return Err(self.end(error).await),
            }
        }
    }

    async fn give_block(&mut self, offset: u64, length: u32) -> Result<()> {
        let Source::Blocks(blocks) = &self.source else {
            return Err(Error::Protocol("asks for blocks of a descriptor".into()));
        };
        let end = offset.checked_add(u64::from(length));
        let Some(end) = end.filter(|end| *end <= self.size_bytes && length <= MAX_BLOCK_BYTES)
        else {
            return Err(Error::Protocol(
                "asks for a block outside of the recording".into(),
            ));
        };
        match blocks.read(offset..end).await {
            Ok(bytes) if bytes.len() == length as usize => self.say(&ToWorker::Block, &bytes).await,
            Ok(_) => Err(Error::Source(io::ErrorKind::UnexpectedEof.into())),
            Err(error) => Err(Error::Source(error)),
        }
    }

    async fn say(&mut self, message: &ToWorker, payload: &[u8]) -> Result<()> {
        match protocol::send(&mut self.socket, message, payload).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.end(error).await),
        }
    }

    /// The conversation broke: why? A closed socket means that the process is ending.
    async fn end(&mut self, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::InvalidData {
            return Error::Protocol(error.to_string());
        }
        match timeout(Duration::from_secs(2), self.child.wait()).await {
            Ok(Ok(status)) => ended(status),
            _ => Error::Protocol(format!("the conversation broke: {error}")),
        }
    }

    /// Kills the process and waits until it is gone.
    pub async fn kill(mut self) {
        // Fails only when it has ended already.
        let _ = self.child.kill().await;
    }
}

fn spawn(
    path: &Path,
    arguments: &[String],
    limits: Limits,
    stdin: Stdio,
) -> Result<(Child, UnixStream)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(Error::Start)?;
    ours.set_nonblocking(true).map_err(Error::Start)?;
    // Standard input is the recording, standard output the socket. Every other descriptor of this
    // process is close-on-exec, and the worker closes what it should nevertheless find.
    let mut command = Command::new(path);
    command
        .args(arguments)
        .arg(format!("--memory-bytes={}", limits.memory_bytes))
        .arg(format!("--cpu-seconds={}", limits.cpu_seconds))
        .env_clear()
        .current_dir("/")
        .stdin(stdin)
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::WorkerMissing(path.to_owned()),
        _ => Error::Start(error),
    })?;
    drop(command); // it holds the worker's end of the socket: a dead worker must read as closed
    let socket = UnixStream::from_std(ours).map_err(Error::Start)?;
    Ok((child, socket))
}

fn failed(failure: Failure) -> Error {
    match failure {
        Failure::Media { reason } => Error::Media(reason),
        Failure::Source { message } => Error::Source(io::Error::other(message)),
        Failure::OutOfMemory => Error::OutOfMemory,
        Failure::Other { message } => Error::Protocol(message),
    }
}

fn ended(status: ExitStatus) -> Error {
    match (status.signal(), status.code()) {
        (Some(SIGXCPU), _) => Error::CpuLimit,
        (Some(SIGKILL), _) => Error::Crashed("killed".into()),
        (Some(signal), _) => Error::Crashed(format!("signal {signal}")),
        (_, Some(EXIT_OUT_OF_MEMORY)) => Error::OutOfMemory,
        (_, code) => Error::Crashed(format!("exit code {}", code.unwrap_or(-1))),
    }
}

/// Passes on what a worker complains about, a bounded part of it, and drains the rest so that it never
/// waits for us.
async fn log_stderr(id: RecordingId, mut stderr: ChildStderr) {
    let mut lines = BufReader::new((&mut stderr).take(MAX_STDERR_BYTES)).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let text: String = String::from_utf8_lossy(&line).chars().take(300).collect();
        tracing::debug!(recording = %id, worker = %text.escape_debug(), "media worker");
    }
    drop(lines);
    // Ends when the worker does.
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
}
