//! The worker's conversation with docketd.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use docket_playback::Error::BadIndex;
use docket_playback::PlaybackIndex;
use docket_playback::facts::{Facts, Reason, ReasonCode, Verdict};
use docket_playback::index::Track;
use docket_playback::protocol::{
    FromWorker, Hello, Misbehaviour, Request, Restrictions, SourceKind, ToWorker, VERSION,
    read_frame, write_frame,
};

use crate::codecs;
use crate::fault::{Fault, Result};
use crate::init::init;
use crate::poster::poster;
use crate::probe::{Probed, probe};
use crate::recording::Recording;
use crate::{scan, segments};

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
    let mut probed = None;
    while let Some((message, _)) = read_frame(&mut socket)? {
        let ToWorker::Request(request) = message else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no request"));
        };
        let (answer, payload) = match request {
            Request::Misbehave(how) if may_misbehave => misbehave(&mut socket, how)?,
            request => answer(&recording, &mut probed, request).unwrap_or_else(|fault| {
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

fn answer(
    recording: &Recording,
    kept: &mut Option<Probed>,
    request: Request,
) -> Result<(FromWorker, Vec<u8>)> {
    if kept.is_none() {
        *kept = Some(probe(recording)?);
    }
    let Some(probed) = kept else {
        return Err(Fault::OutOfMemory);
    }; // was filled above
    match request {
        Request::Probe => Ok((
            FromWorker::Facts(Box::new(probed.facts.clone())),
            Vec::new(),
        )),
        Request::Index => {
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
        Request::Misbehave(_) => Err(Fault::from(BadIndex("not started for tests"))),
    }
}

/// Facts with the final verdict, and the index when that is that it plays.
fn index(recording: &Recording, probed: &Probed) -> Result<(Facts, Option<PlaybackIndex>)> {
    let facts = probed.facts.clone();
    if !facts.verdict.is_playable() {
        return Ok((facts, None));
    }
    match build(recording, probed) {
        Ok(index) => Ok((index.facts().clone(), Some(index))),
        Err(fault @ (Fault::Source(_) | Fault::OutOfMemory)) => Err(fault),
        Err(Fault::Media(reason)) => Ok((not_playable(facts, reason), None)),
        Err(fault) => {
            eprintln!("{fault}");
            Ok((
                not_playable(facts, Reason::of(ReasonCode::IndexDamaged)),
                None,
            ))
        }
    }
}

fn not_playable(mut facts: Facts, reason: Reason) -> Facts {
    facts.verdict = Verdict::NotPlayable { reason };
    facts
        .streams
        .iter_mut()
        .for_each(|stream| stream.carried = false);
    facts
}

fn build(recording: &Recording, probed: &Probed) -> Result<PlaybackIndex> {
    let input = probed.input.as_ref().ok_or(ReasonCode::UnknownContainer)?;
    let mut facts = probed.facts.clone();
    let made = init(input, &probed.carried)?;
    let scan = scan::scan(recording, &probed.layout, &probed.carried, &made.timescales)?;
    let mut tracks = Vec::new();
    for (stream, timescale) in probed.carried.iter().zip(&made.timescales) {
        let stream = input.stream(*stream).ok_or(ReasonCode::IndexDamaged)?;
        tracks.push(Track {
            kind: facts.streams[stream.index()].kind,
            stream: stream.index() as u32,
            timescale: *timescale,
            codec: codecs::parameters(&stream).browser_name(),
        });
    }
    let picture_leads = tracks[0].kind == docket_playback::StreamKind::Video;
    let frames: Vec<_> = made.timescales.iter().copied().zip(scan.tracks).collect();
    if let (Some((scale, lead)), true) = (frames.first(), picture_leads) {
        facts.streams[probed.carried[0]].frames_per_second = rate(*scale, lead);
    }
    let (origin_us, segments) = segments::cut(frames, picture_leads)?;
    let end_us = segments
        .last()
        .map_or(0, |last| last.start_us + last.duration_us);
    facts.duration_ms = Some(end_us.div_ceil(1000));
    if let Verdict::Playable { notes } = &mut facts.verdict {
        let mut note = |applies: bool, code: ReasonCode| {
            if applies && notes.iter().all(|note| note.code != code) {
                notes.push(Reason::of(code));
            }
        };
        note(scan.truncated, ReasonCode::Truncated);
        note(scan.damaged, ReasonCode::DamagedStretches);
    }
    Ok(PlaybackIndex::build(
        facts,
        tracks,
        origin_us,
        &made.bytes,
        &segments,
    )?)
}

fn rate(timescale: u32, frames: &[scan::Frame]) -> Option<f64> {
    let first = frames.iter().map(|frame| frame.pts).min()?;
    let last = frames.iter().map(|frame| frame.pts).max()?;
    let seconds = last.checked_sub(first)? as f64 / f64::from(timescale);
    (seconds > 0.0).then(|| (frames.len() - 1) as f64 / seconds)
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
