//! The playback index: by the facts, one whose segments are cut from the original, or one whose segments
//! are made.

use docket_playback::facts::{Facts, Reason, ReasonCode, StreamKind, Verdict};
use docket_playback::index::{NewInits, Track};
use docket_playback::{Mode, PlaybackIndex, Variant};
use ffmpeg_next::codec::Parameters;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Stream;
use ffmpeg_next::{Packet, ffi};

use crate::codecs;
use crate::edit::with_edits;
use crate::fault::{Fault, Result};
use crate::init::{Described, init};
use crate::make::{Size, Way, audio_specific_config, picture_encoder, sound_encoder, sound_rate};
use crate::opening::{aspect, open};
use crate::plan::{Part, plan};
use crate::probe::Probed;
use crate::recording::Recording;
use crate::scan::{self, Look, Scan, Wanted};
use crate::segments;

/// Facts with the final verdict, and the index when that is that it plays.
///
/// # Errors
/// The source's.
pub fn index(recording: &Recording, probed: &Probed) -> Result<(Facts, Option<PlaybackIndex>)> {
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
    let as_mode = |raw: Mode| -> Vec<(usize, Mode)> {
        let carried = probed.carried.iter();
        carried
            .map(
                |(stream, mode)| match (mode, stream_kind(probed, *stream)) {
                    (Mode::Raw, StreamKind::Video) => (*stream, raw),
                    (Mode::Raw, _) => (*stream, Mode::Copied),
                    (mode, _) => (*stream, *mode),
                },
            )
            .collect()
    };
    if probed.carried.iter().any(|(_, mode)| *mode != Mode::Raw) {
        return build_made(recording, probed, &probed.carried);
    }
    match build_cut(recording, probed) {
        Err(Fault::Media(reason)) if reason.code == ReasonCode::FramesPacked => {
            build_made(recording, probed, &as_mode(Mode::Copied))
        }
        Err(Fault::Media(reason)) if reason.code == ReasonCode::ParametersChange => {
            build_made(recording, probed, &as_mode(Mode::Transcoded))
        }
        done => done,
    }
}

fn stream_kind(probed: &Probed, stream: usize) -> StreamKind {
    let streams = &probed.facts.streams;
    streams.get(stream).map_or(StreamKind::Data, |s| s.kind)
}

fn build_cut(recording: &Recording, probed: &Probed) -> Result<PlaybackIndex> {
    let input = probed.input.as_ref().ok_or(ReasonCode::UnknownContainer)?;
    let mut facts = probed.facts.clone();
    let streams: Vec<usize> = probed.carried.iter().map(|(stream, _)| *stream).collect();
    let described: Vec<_> = streams.iter().copied().map(Described::stream).collect();
    let made = init(input, &described)?;
    let wanted: Vec<Wanted> = streams
        .iter()
        .zip(&made.timescales)
        .map(|(stream, timescale)| Wanted {
            stream: *stream,
            timescale: *timescale,
            joined: false,
        })
        .collect();
    let mut scan = scan::scan(recording, &probed.layout, &wanted, Look::Exact)?;
    let mut tracks = Vec::new();
    for one in &wanted {
        let stream = input.stream(one.stream).ok_or(ReasonCode::IndexDamaged)?;
        tracks.push(Track {
            kind: stream_kind(probed, one.stream),
            stream: one.stream as u32,
            timescale: one.timescale,
            codec: codecs::parameters(&stream).browser_name(),
            mode: Mode::Raw,
        });
    }
    let picture_leads = tracks[0].kind == StreamKind::Video;
    note_rate(&mut facts, &wanted, &scan, picture_leads);
    note_scan(&mut facts, &scan);
    let frames = std::mem::take(&mut scan.tracks).into_iter();
    let sources = frames.zip(&tracks).map(|(frames, track)| segments::Source {
        timescale: track.timescale,
        frames,
        primes: primes(&facts, track),
        reorders: reorders(input, track),
    });
    let cut = segments::cut(sources.collect(), picture_leads)?;
    let last = cut.segments.last();
    note_end(&mut facts, last.map_or(0, |s| s.start_us + s.duration_us));
    let init = with_edits(made.bytes, &cut.leads)?;
    Ok(PlaybackIndex::build(
        facts,
        tracks,
        cut.origin_us,
        &init,
        &cut.segments,
    )?)
}

fn build_made(
    recording: &Recording,
    probed: &Probed,
    carried: &[(usize, Mode)],
) -> Result<PlaybackIndex> {
    let input = probed.input.as_ref().ok_or(ReasonCode::UnknownContainer)?;
    let way = Way::of(&probed.facts.container);
    let mut facts = probed.facts.clone();
    let mut made = Vec::new();
    for (at, mode) in carried {
        made.push(Made::of(recording, probed, input, *at, *mode)?);
    }
    let wanted: Vec<Wanted> = made.iter().map(|one| one.wanted).collect();
    let mut scan = scan::scan(recording, &probed.layout, &wanted, Look::Again(way))?;
    leave_out_what_is_empty(&mut facts, &mut made, &mut scan);
    let wanted: Vec<Wanted> = made.iter().map(|one| one.wanted).collect();
    let picture_leads = made
        .first()
        .is_some_and(|one| one.kind == StreamKind::Video);
    if picture_leads {
        from_the_first_key(&mut scan.tracks[0]);
    }
    note_rate(&mut facts, &wanted, &scan, picture_leads);
    note_scan(&mut facts, &scan);
    let (tracks, mut inits) = describe(input, &made)?;
    let parts = std::mem::take(&mut scan.tracks).into_iter().zip(&tracks);
    let parts = parts.map(|(frames, track)| Part {
        timescale: track.timescale,
        frames,
        mode: track.mode,
        is_picture: track.kind == StreamKind::Video,
        primes: primes(&facts, track),
        reorders: reorders(input, track),
    });
    let cut = plan(parts.collect())?;
    let last = cut.segments.last();
    note_end(&mut facts, last.map_or(0, |s| s.start_us + s.duration_us));
    inits.first = with_edits(inits.first, &cut.leads)?;
    if let Some((bytes, ..)) = &mut inits.full {
        *bytes = with_edits(std::mem::take(bytes), &cut.leads)?;
    }
    Ok(PlaybackIndex::build_made(
        facts,
        tracks,
        cut.origin_us,
        &inits,
        &cut.segments,
    )?)
}

/// Whether what a sound track holds before time 0 is an encoder's priming.
fn primes(facts: &Facts, track: &Track) -> bool {
    let tells = matches!(facts.container.as_str(), "mp4" | "mov" | "3gp" | "matroska");
    tells && track.kind == StreamKind::Audio
}

/// By how many frames a stream says that showing lags behind decoding.
#[allow(unsafe_code)]
fn reorders(input: &Input, track: &Track) -> usize {
    let stream = input.stream(track.stream as usize);
    stream.map_or(0, |stream| {
        // SAFETY: a plain field of parameters that live as long as the stream.
        let frames = unsafe { (*stream.parameters().as_ptr()).video_delay };
        usize::try_from(frames).unwrap_or(0).min(MOST_REORDERED)
    })
}

/// A track that is made.
struct Made {
    mode: Mode,
    kind: StreamKind,
    wanted: Wanted,
    /// Of AAC whose container says it in each frame.
    configuration: Option<[u8; 2]>,
}

impl Made {
    fn of(
        recording: &Recording,
        probed: &Probed,
        input: &Input,
        at: usize,
        mode: Mode,
    ) -> Result<Self> {
        let stream = input.stream(at).ok_or(ReasonCode::IndexDamaged)?;
        let (kind, own) = (stream_kind(probed, at), codecs::parameters(&stream));
        let (mut mode, mut configuration) = (mode, None);
        if mode == Mode::Copied && kind == StreamKind::Audio && own.extradata.len() < 2 {
            configuration = adts_configuration(recording, probed, at)?;
            // What can't be described is decoded.
            mode = configuration.map_or(Mode::Transcoded, |_| Mode::Copied);
        }
        let timescale = match (kind, mode) {
            (StreamKind::Audio, Mode::Transcoded) => sound_rate(own.sample_rate_hz),
            (StreamKind::Audio, _) => own.sample_rate_hz,
            _ => picture_timescale(&stream),
        };
        let wanted = Wanted {
            stream: at,
            timescale,
            joined: mode == Mode::Transcoded && kind == StreamKind::Audio,
        };
        Ok(Self {
            mode,
            kind,
            wanted,
            configuration,
        })
    }
}

/// Ticks a second that show the stream's times exactly, and are fine enough for a muxer.
fn picture_timescale(stream: &Stream<'_>) -> u32 {
    let ticks = u32::try_from(stream.time_base().denominator()).unwrap_or(0);
    match ticks {
        0 => 90_000,
        1..10_000 => ticks * 10_000_u32.div_ceil(ticks),
        10_000..=10_000_000 => ticks,
        _ => 90_000,
    }
}

/// No codec lets more frames wait.
const MOST_REORDERED: usize = 16;
/// Packets looked at for an ADTS header.
const MOST_PACKETS: usize = 1000;

fn adts_configuration(
    recording: &Recording,
    probed: &Probed,
    stream: usize,
) -> Result<Option<[u8; 2]>> {
    let mut input = open(recording, Way::of(&probed.facts.container).depth())?;
    scan::keep_only(&mut input, &[stream]);
    for _ in 0..MOST_PACKETS {
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => {}
            Err(ffmpeg_next::Error::InvalidData) => continue,
            Err(_) => break, // the scan meets the source's failures again
        }
        let found = audio_specific_config(packet.data().unwrap_or_default());
        if packet.stream() == stream && found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Tracks and init segments of what is made.
fn describe(input: &Input, made: &[Made]) -> Result<(Vec<Track>, NewInits)> {
    let (mut tracks, mut described, mut inits) = (Vec::new(), Vec::new(), NewInits::default());
    let mut full = None;
    for one in made {
        let stream = input
            .stream(one.wanted.stream)
            .ok_or(ReasonCode::IndexDamaged)?;
        let own = codecs::parameters(&stream);
        let timescale = one.wanted.timescale;
        let parameters = match (one.mode, one.kind, one.configuration) {
            (Mode::Transcoded, StreamKind::Video, _) => {
                let encoder = |variant| {
                    let encoder = picture_encoder(
                        &own,
                        (aspect(&stream), stream.avg_frame_rate()),
                        timescale,
                        variant,
                    )?;
                    Ok::<_, Fault>(Parameters::from(&encoder))
                };
                let first = Size::of(&own, Variant::First);
                let whole = Size::of(&own, Variant::Full);
                inits.first_size = Some((first.width, first.height));
                if first != whole {
                    full = Some((encoder(Variant::Full)?, (whole.width, whole.height)));
                }
                Some(encoder(Variant::First)?)
            }
            (Mode::Transcoded, ..) => Some(Parameters::from(&sound_encoder(&own)?)),
            (_, _, Some(configuration)) => Some(with_extradata(&stream, &configuration)?),
            _ => None,
        };
        tracks.push(Track {
            kind: one.kind,
            stream: one.wanted.stream as u32,
            timescale,
            codec: match &parameters {
                Some(parameters) => codecs::of(parameters).browser_name(),
                None => own.browser_name(),
            },
            mode: one.mode,
        });
        described.push(Described {
            stream: one.wanted.stream,
            parameters,
            timescale: Some(timescale),
        });
    }
    let first = init(input, &described)?;
    let wanted = made.iter().map(|one| one.wanted.timescale);
    if first.timescales.iter().copied().ne(wanted) {
        return Err(ReasonCode::IndexDamaged.into());
    }
    inits.first = first.bytes;
    if let Some((parameters, size)) = full {
        let codec = codecs::of(&parameters).browser_name();
        described[0].parameters = Some(parameters);
        inits.full = Some((init(input, &described)?.bytes, codec, size));
    }
    Ok((tracks, inits))
}

/// A stream's parameters with this decoder configuration.
#[allow(unsafe_code)]
fn with_extradata(stream: &Stream<'_>, configuration: &[u8]) -> Result<Parameters> {
    let mut copy = Parameters::new();
    let padding = ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
    // SAFETY: parameters are copied deeply; the buffer is allocated as FFmpeg wants it, padded with
    // zeros, and belongs to the copy, whose old one is freed.
    unsafe {
        let raw = copy.as_mut_ptr();
        let code = ffi::avcodec_parameters_copy(raw, (*stream.as_ptr()).codecpar);
        if code < 0 {
            return Err(ffmpeg_next::Error::from(code).into());
        }
        let buffer = ffi::av_mallocz(configuration.len() + padding).cast::<u8>();
        if buffer.is_null() {
            return Err(Fault::OutOfMemory);
        }
        std::ptr::copy_nonoverlapping(configuration.as_ptr(), buffer, configuration.len());
        ffi::av_freep((&raw mut (*raw).extradata).cast());
        (*raw).extradata = buffer;
        (*raw).extradata_size = i32::try_from(configuration.len()).unwrap_or(0);
    }
    Ok(copy)
}

/// Streams that are announced and never come.
fn leave_out_what_is_empty(facts: &mut Facts, made: &mut Vec<Made>, scan: &mut Scan) {
    let empty = |at: usize| scan.tracks.get(at).is_none_or(Vec::is_empty);
    let gone: Vec<usize> = (0..made.len()).rev().filter(|at| empty(*at)).collect();
    for at in gone {
        if made.len() < 2 {
            return;
        }
        let one = made.remove(at);
        scan.tracks.remove(at);
        if let Some(stream) = facts.streams.get_mut(one.wanted.stream) {
            stream.carried = false;
        }
    }
}

/// Nothing decodes before the first keyframe. A picture in which none is marked begins where it does.
fn from_the_first_key(frames: &mut Vec<scan::Frame>) {
    let first = frames.iter().position(|frame| frame.key).unwrap_or(0);
    frames.drain(..first);
    if let Some(first) = frames.first_mut() {
        first.key = true;
    }
}

fn note_end(facts: &mut Facts, end_us: u64) {
    facts.duration_ms = Some(end_us.div_ceil(1000));
}

fn note_scan(facts: &mut Facts, scan: &Scan) {
    let Verdict::Playable { notes } = &mut facts.verdict else {
        return;
    };
    let mut note = |applies: bool, code: ReasonCode| {
        if applies && notes.iter().all(|note| note.code != code) {
            notes.push(Reason::of(code));
        }
    };
    note(scan.truncated, ReasonCode::Truncated);
    note(scan.damaged, ReasonCode::DamagedStretches);
}

fn note_rate(facts: &mut Facts, wanted: &[Wanted], scan: &Scan, picture_leads: bool) {
    if let (true, Some(lead), Some(frames)) = (picture_leads, wanted.first(), scan.tracks.first())
        && let Some(stream) = facts.streams.get_mut(lead.stream)
    {
        stream.frames_per_second = rate(lead.timescale, frames);
    }
}

fn rate(timescale: u32, frames: &[scan::Frame]) -> Option<f64> {
    let first = frames.iter().map(|frame| frame.pts).min()?;
    let last = frames.iter().map(|frame| frame.pts).max()?;
    let seconds = last.checked_sub(first)? as f64 / f64::from(timescale);
    (seconds > 0.0).then(|| (frames.len() - 1) as f64 / seconds)
}
