//! What docketd and a worker say to each other, over one socket: frames of a JSON header and an
//! optional binary payload, both with their length in front (big-endian `u32`).
//!
//! One request at a time. While a worker works on one whose source is blocks it may ask for blocks;
//! docketd answers each before anything else. Both sides bound what they accept, because the worker
//! may have been taken over by a hostile file.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::facts::{Facts, Reason};
use crate::index::Track;
use crate::looks::Frame;
use crate::made::Variant;

/// Raised with every incompatible change; a worker of another version is refused.
pub const VERSION: u32 = 5;
/// Longest JSON header.
pub const MAX_HEADER_BYTES: u32 = 1 << 20;
/// Longest payload: the index of about a hundred hours.
pub const MAX_PAYLOAD_BYTES: u32 = 64 << 20;
/// Most bytes a worker may ask for at once.
pub const MAX_BLOCK_BYTES: u32 = 4 << 20;

/// Exit code by which a worker says that an allocation failed.
pub const EXIT_OUT_OF_MEMORY: i32 = 77;

/// docketd to worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum ToWorker {
    /// First of all: where the bytes are.
    Open {
        /// How they come.
        source: SourceKind,
        /// How many there are.
        size_bytes: u64,
    },
    /// Answer to [`FromWorker::NeedBlock`]; the payload is the block.
    Block,
    /// The block can't be had.
    BlockFailed,
    /// A request.
    Request(Request),
}

/// How the worker gets the recording's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Standard input is a read-only descriptor of the recording.
    Descriptor,
    /// By [`FromWorker::NeedBlock`].
    Blocks,
}

/// What is asked about the recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// What is it? Answered by [`FromWorker::Facts`].
    Probe,
    /// Where is every frame? Answered by [`FromWorker::Facts`] with the index as payload, when it plays.
    Index,
    /// As [`Self::Index`], of a closed recording whose index never was written: what a search finds.
    Rescue,
    /// One picture as JPEG. Answered by [`FromWorker::Poster`].
    Poster {
        /// From about this time on; `None`: from the first picture that isn't dark.
        at_ms: Option<u64>,
        /// Widest.
        max_width: u32,
    },
    /// Make a segment. The payload are its packed feeds ([`crate::made`]). Answered by
    /// [`FromWorker::Segment`].
    Segment {
        /// Its number.
        number: u32,
        /// Which picture.
        variant: Variant,
        /// The index's tracks.
        tracks: Vec<Track>,
    },
    /// Put keyframes on a sheet of a storyboard. The payload are the pictures that stand on it already
    /// (RGB, one after another). Answered by [`FromWorker::Sheet`].
    Sheet {
        /// The index's track of pictures.
        track: Track,
        /// What is to be added.
        frames: Vec<Frame>,
        /// How many pictures stand on it.
        had: u32,
    },
    /// How loud is it? The payload are packed rows ([`crate::rows`]), or feeds where segments are made
    /// ([`crate::made`]), of one track of sound. Answered by [`FromWorker::Peaks`].
    Peaks {
        /// The index's track of sound.
        track: Track,
        /// The first peak that is asked for, counted from the recording's beginning.
        from: u64,
        /// And the one after the last.
        until: u64,
    },
    /// Where was it made? It need not be a film: also a file that was kept beside one. Answered by
    /// [`FromWorker::Positions`].
    Positions,
    /// Misbehave, for tests of the pool. Refused unless the worker was started with `--misbehave`.
    Misbehave(Misbehaviour),
}

/// Ways a worker can fail, for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaviour {
    /// Abort.
    Crash,
    /// Never answer, without using CPU.
    Hang,
    /// Never answer, using CPU.
    Spin,
    /// Allocate without end.
    Bloat,
    /// Send bytes that are no frame.
    Babble,
    /// Write more to standard error than anyone wants.
    Shout,
}

/// Worker to docketd.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum FromWorker {
    /// First of all, before any media is touched.
    Hello(Hello),
    /// The bytes `offset .. offset + length` are needed to go on.
    NeedBlock {
        /// From.
        offset: u64,
        /// How many.
        length: u32,
    },
    /// Answer to probe and index.
    Facts(Box<Facts>),
    /// Answer to poster; the payload is the JPEG.
    Poster,
    /// Answer to segment; the payload is the fMP4 media segment.
    Segment,
    /// Answer to sheet; the payload is the JPEG, and after it all pictures as they stand on it (RGB).
    Sheet {
        /// Each picture's size.
        width: u32,
        /// Each picture's size.
        height: u32,
        /// Of what was to be added: could it be decoded?
        decoded: Vec<bool>,
        /// Length of the JPEG.
        jpeg_bytes: u32,
    },
    /// Answer to peaks; the payload has a byte for each.
    Peaks,
    /// Answer to positions; the payload is a [`crate::gps::GpsTrack`] as JSON, empty where there are none.
    Positions,
    /// The request can't be met.
    Failed(Failure),
}

/// Why a request can't be met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "failure", rename_all = "snake_case")]
pub enum Failure {
    /// Because of the media.
    Media {
        /// Why.
        reason: Reason,
    },
    /// The source could not be read.
    Source {
        /// As the system says it.
        message: String,
    },
    /// Memory limit.
    OutOfMemory,
    /// Anything else.
    Other {
        /// In the worker's words.
        message: String,
    },
}

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub version: u32,
    /// FFmpeg's libavformat version.
    pub libavformat: String,
    /// What holds it back.
    pub restrictions: Restrictions,
}

/// The restrictions a worker has put on itself. What the kernel lacks is `false` or "none".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restrictions {
    /// Memory limit beyond its code (RLIMIT_AS).
    pub memory_bytes: Option<u64>,
    /// CPU limit (RLIMIT_CPU).
    pub cpu_seconds: Option<u64>,
    /// No new privileges by executing anything.
    pub no_new_privs: bool,
    /// Landlock: "full", "partial" or "none".
    pub landlock: String,
    /// A system-call filter is in force.
    pub seccomp: bool,
}

impl Restrictions {
    /// Everything Docket knows to ask for is in force.
    pub fn complete(&self) -> bool {
        self.memory_bytes.is_some()
            && self.cpu_seconds.is_some()
            && self.no_new_privs
            && self.landlock == "full"
            && self.seccomp
    }
}

fn lengths(prefix: [u8; 8]) -> io::Result<(usize, usize)> {
    let [a, b, c, d, e, f, g, h] = prefix;
    let (header, payload) = (
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
    );
    if header > MAX_HEADER_BYTES || payload > MAX_PAYLOAD_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a frame is too long",
        ));
    }
    Ok((header as usize, payload as usize))
}

fn front(message: &impl Serialize, payload: &[u8]) -> io::Result<Vec<u8>> {
    let header = serde_json::to_vec(message)?;
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a frame is too long");
    let header_length = u32::try_from(header.len()).map_err(too_long)?;
    let payload_length = u32::try_from(payload.len()).map_err(too_long)?;
    let mut bytes = Vec::with_capacity(8 + header.len());
    bytes.extend_from_slice(&header_length.to_be_bytes());
    bytes.extend_from_slice(&payload_length.to_be_bytes());
    lengths([
        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
    ])?;
    bytes.extend_from_slice(&header);
    Ok(bytes)
}

/// Writes one frame, blocking: the worker's side.
///
/// # Errors
/// The socket's, or `InvalidInput` when it is longer than a frame may be.
pub fn write_frame(to: &mut impl Write, message: &FromWorker, payload: &[u8]) -> io::Result<()> {
    to.write_all(&front(message, payload)?)?;
    to.write_all(payload)?;
    to.flush()
}

/// Reads one frame, blocking: the worker's side. `None` when docketd has gone.
///
/// # Errors
/// The socket's, or `InvalidData`.
pub fn read_frame(from: &mut impl Read) -> io::Result<Option<(ToWorker, Vec<u8>)>> {
    let mut prefix = [0; 8];
    match from.read(&mut prefix[..1]) {
        Ok(0) => return Ok(None),
        Ok(_) => from.read_exact(&mut prefix[1..])?,
        Err(error) => return Err(error),
    }
    let (header, payload) = lengths(prefix)?;
    let mut bytes = vec![0; header + payload];
    from.read_exact(&mut bytes)?;
    let body = bytes.split_off(header);
    Ok(Some((parse(&bytes)?, body)))
}

/// Writes one frame: docketd's side.
///
/// # Errors
/// The socket's, or `InvalidInput` when it is longer than a frame may be.
pub async fn send(
    to: &mut (impl AsyncWriteExt + Unpin),
    message: &ToWorker,
    payload: &[u8],
) -> io::Result<()> {
    to.write_all(&front(message, payload)?).await?;
    to.write_all(payload).await?;
    to.flush().await
}

/// Reads one frame: docketd's side.
///
/// # Errors
/// The socket's (`UnexpectedEof` when the worker has gone), or `InvalidData`.
pub async fn receive(from: &mut (impl AsyncReadExt + Unpin)) -> io::Result<(FromWorker, Vec<u8>)> {
    let mut prefix = [0; 8];
    from.read_exact(&mut prefix).await?;
    let (header, payload) = lengths(prefix)?;
    let mut head = vec![0; header];
    from.read_exact(&mut head).await?;
    // Grows as bytes come, so that a lying length costs nothing.
    let mut body = Vec::new();
    from.take(payload as u64).read_to_end(&mut body).await?;
    if body.len() != payload {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((parse(&head)?, body))
}

fn parse<T: DeserializeOwned>(header: &[u8]) -> io::Result<T> {
    serde_json::from_slice(header)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}
