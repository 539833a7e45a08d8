//! The worker's conversation with docketd.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use docket_playback::Error::BadIndex;
use docket_playback::facts::ReasonCode;
use docket_playback::protocol::{
    FromWorker, Hello, Misbehaviour, Request, Restrictions, SourceKind, ToWorker, VERSION,
    read_frame, write_frame,
};

use crate::fault::{Fault, Result};
use crate::indexing::index;
use crate::look::{self, Frames};
use crate::make::Maker;
use crate::positions::positions;
use crate::poster::poster;
use crate::probe::{Probed, probe, probe_rescuing};
use crate::recording::Recording;

/// Serves one recording until docketd hangs up. `descriptor` is the recording, where docketd hands one
/// over.
///
/// # Errors
/// When the conversation breaks.
pub fn serve(
    socket: &Arc<UnixStream>,
    descriptor: OwnedFd,
    restrictions: Restrictions,
    may_misbehave: bool,
) -> io::Result<()> {
    let shared = Arc::clone(socket);
    let mut socket: &UnixStream = socket;
    let version = ffmpeg_next::format::version();
    let libavformat = format!(
        "{}.{}.{}",
        version >> 16,
        (version >> 8) & 0xff,
        version & 0xff
    );
    let hello = Hello {
        version: VERSION,
        libavformat,
        restrictions,
    };
    write_frame(&mut socket, &FromWorker::Hello(hello), &[])?;
    let Some((ToWorker::Open { source, size_bytes }, _)) = read_frame(&mut socket)? else {
        return Ok(());
    };
    let recording = match source {
        SourceKind::Descriptor => Recording::from_descriptor(descriptor, size_bytes),
        SourceKind::Blocks => Recording::from_blocks(shared, size_bytes),
    };
    let mut open = Open::default();
    while let Some((message, payload)) = read_frame(&mut socket)? {
        let ToWorker::Request(request) = message else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no request"));
        };
        let (answer, payload) = match request {
            Request::Misbehave(how) if may_misbehave => misbehave(&mut socket, how)?,
            request => answer(&recording, &mut open, request, &payload).unwrap_or_else(|fault| {
                eprintln!("{fault}");
                (FromWorker::Failed(fault.into_failure()), Vec::new())
            }),
        };
        write_frame(&mut socket, &answer, &payload)?;
        if recording.failure().is_some() {
            return Ok(()); // a source that failed once is not asked again
        }
    }
    Ok(())
}

/// What stays open from one request to the next.
#[derive(Default)]
struct Open {
    probed: Option<Probed>,
    /// It was looked for what can be found without an index.
    rescued: bool,
    maker: Option<Maker>,
}

fn answer(
    recording: &Recording,
    open: &mut Open,
    request: Request,
    payload: &[u8],
) -> Result<(FromWorker, Vec<u8>)> {
    // It need not be a film, so nothing is found out about it first.
    if request == Request::Positions {
        return Ok((FromWorker::Positions, positions(recording)?));
    }
    let probed = match open.probed.take() {
        Some(probed) => open.probed.insert(probed),
        None => open.probed.insert(probe(recording)?),
    };
    // Of what is still arriving the index may yet come: only who asks for more has what there is searched.
    let searches = !matches!(request, Request::Probe | Request::Index);
    if searches && !open.rescued && probed.lacks_index() {
        open.rescued = true;
        *probed = probe_rescuing(recording)?;
    }
    match request {
        Request::Probe => Ok((
            FromWorker::Facts(Box::new(probed.facts.clone())),
            Vec::new(),
        )),
        Request::Index | Request::Rescue => {
            let (facts, index) = index(recording, probed)?;
            let payload = index.map_or_else(Vec::new, |index| index.to_bytes().to_vec());
            Ok((FromWorker::Facts(Box::new(facts)), payload))
        }
        Request::Poster { at_ms, max_width } => {
            let input = probed.input.as_mut().ok_or(ReasonCode::NoPicture)?;
            Ok((
                FromWorker::Poster,
                poster(input, recording, at_ms, max_width)?,
            ))
        }
        Request::Segment {
            number,
            variant,
            tracks,
        } => {
            let maker = match open.maker.take() {
                Some(maker) => open.maker.insert(maker),
                None => open.maker.insert(Maker::new(recording, probed)?),
            };
            let made = maker.segment(recording, probed, number, variant, &tracks, payload)?;
            Ok((FromWorker::Segment, made))
        }
        Request::Sheet { track, frames, had } => {
            let mut from = Frames {
                recording,
                probed,
                maker: &mut open.maker,
            };
            look::sheet(&mut from, &track, &frames, had as usize, payload)
        }
        Request::Peaks { track, from, until } => {
            let mut frames = Frames {
                recording,
                probed,
                maker: &mut open.maker,
            };
            let found = look::peaks(&mut frames, &track, (from, until), payload)?;
            Ok((FromWorker::Peaks, found))
        }
        Request::Positions | Request::Misbehave(_) => {
            Err(Fault::from(BadIndex("not started for tests")))
        }
    }
}

fn misbehave(socket: &mut &UnixStream, how: Misbehaviour) -> io::Result<(FromWorker, Vec<u8>)> {
    match how {
        Misbehaviour::Crash => std::process::abort(),
        Misbehaviour::Hang => loop {
            std::thread::park();
        },
        Misbehaviour::Spin => loop {
            std::hint::spin_loop();
        },
        Misbehaviour::Bloat => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
            }
        }
        Misbehaviour::Babble => {
            io::Write::write_all(socket, &[0xff; 64])?;
            Ok((FromWorker::Poster, Vec::new()))
        }
        Misbehaviour::Shout => {
            (0..20_000).for_each(|_| eprintln!("{}", "x".repeat(100)));
            Ok((FromWorker::Poster, Vec::new()))
        }
    }
}
