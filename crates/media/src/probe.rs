//! What a recording is, and whether browsers play it without transcoding.

use docket_base::Micros;
use docket_playback::Mode;
use docket_playback::facts::{Facts, Reason, ReasonCode, StreamFacts, StreamKind, Verdict};
use ffmpeg_next::codec::packet::side_data::Type as SideData;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::{Disposition, Stream};
use ffmpeg_next::{ffi, media};

use crate::codecs::{self, Parameters};
use crate::fault::{Fault, Result};
use crate::layout::{self, Layout};
use crate::opening::{Depth, open};
use crate::recording::Recording;
use crate::rescue;

/// Times before this are zero values: QuickTime counts from 1904, and recorders without a set clock
/// write 0.
const EARLIEST_CLAIM: Micros = Micros(315_532_800 * Micros::PER_SECOND); // 1980-01-01

/// A probed recording. The input is there when the container could be opened.
pub struct Probed {
    /// What is known.
    pub facts: Facts,
    /// Its top-level boxes, when it is an MP4 or MOV.
    pub layout: Layout,
    /// Opened in depth.
    pub input: Option<Input>,
    /// Streams that play, and how: picture first. All of them raw, or none.
    pub carried: Vec<(usize, Mode)>,
}

impl Probed {
    /// It is an MP4 or MOV without an index.
    pub fn lacks_index(&self) -> bool {
        self.input.is_none() && self.layout.is_iso && !self.layout.has_moov
    }
}

/// Probes a recording.
///
/// # Errors
/// [`Fault::Source`] and [`Fault::OutOfMemory`]; what the media is at fault for is in the verdict.
pub fn probe(recording: &Recording) -> Result<Probed> {
    let layout = layout::read(recording)?;
    if let (true, Some(cut_at)) = (layout.has_fragments, layout.cut_at) {
        recording.end_at(cut_at);
    }
    opened(recording, layout)
}

/// Probes a recording whose index is missing: what can be found without one.
///
/// # Errors
/// As [`probe`].
pub fn probe_rescuing(recording: &Recording) -> Result<Probed> {
    let probed = probe(recording)?;
    if !probed.lacks_index() {
        return Ok(probed);
    }
    let Some(found) = rescue::rescue(recording, &probed.layout)? else {
        return Ok(probed);
    };
    let mut rescued = opened(recording, layout::read(recording)?)?;
    if let Verdict::Playable { notes } = &mut rescued.facts.verdict {
        let rate = (found.rate * 100.0).round() / 100.0;
        let about = format!("{rate} pictures a second");
        notes.insert(0, Reason::about(ReasonCode::RecoveredByScan, &about));
        rescued.facts.claimed_duration_ms = None;
        if found.changes {
            let modes = rescued.carried.iter_mut();
            modes.for_each(|(_, mode)| *mode = Mode::Transcoded);
        }
        return Ok(rescued);
    }
    Ok(probed)
}

fn opened(recording: &Recording, layout: Layout) -> Result<Probed> {
    let input = match open(recording, Depth::Streams) {
        Ok(input) => input,
        Err(fault @ (Fault::Source(_) | Fault::OutOfMemory)) => return Err(fault),
        Err(_) => return Ok(unopened(recording, layout)),
    };
    let mut streams: Vec<StreamFacts> = input.streams().map(|s| stream_facts(&s)).collect();
    let container = container(&input);
    let (verdict, carried) = judge(&input, &container, &layout);
    carried
        .iter()
        .for_each(|(at, _)| streams[*at].carried = true);
    let claimed_ms = u64::try_from(input.duration() / 1000)
        .ok()
        .filter(|ms| *ms > 0);
    let claimed_at = input
        .metadata()
        .get("creation_time")
        .and_then(|t| Micros::parse_rfc3339(t).ok());
    let facts = Facts {
        container,
        size_bytes: recording.size_bytes(),
        claimed_duration_ms: claimed_ms,
        duration_ms: None,
        creation_claimed_at: claimed_at.filter(|at| *at >= EARLIEST_CLAIM),
        streams,
        verdict,
    };
    Ok(Probed {
        facts,
        layout,
        input: Some(input),
        carried,
    })
}

fn unopened(recording: &Recording, layout: Layout) -> Probed {
    let code = match &layout {
        Layout {
            is_iso: true,
            has_moov: false,
            ..
        } => ReasonCode::IndexMissing,
        Layout { is_iso: true, .. } => ReasonCode::IndexDamaged,
        _ => ReasonCode::UnknownContainer,
    };
    let facts = Facts {
        container: if layout.is_iso { "mp4" } else { "unknown" }.to_owned(),
        size_bytes: recording.size_bytes(),
        claimed_duration_ms: None,
        duration_ms: None,
        creation_claimed_at: None,
        streams: Vec::new(),
        verdict: Verdict::NotPlayable {
            reason: Reason::of(code),
        },
    };
    Probed {
        facts,
        layout,
        input: None,
        carried: Vec::new(),
    }
}

fn container(input: &Input) -> String {
    let metadata = input.metadata();
    let brand = metadata.get("major_brand").unwrap_or("qt");
    let name = input.format().name().to_owned();
    match name.as_str() {
        "mov,mp4,m4a,3gp,3g2,mj2" if brand.starts_with("qt") => "mov".into(),
        "mov,mp4,m4a,3gp,3g2,mj2" if brand.starts_with("3g") => "3gp".into(),
        "mov,mp4,m4a,3gp,3g2,mj2" => "mp4".into(),
        "mpeg" => "mpegps".into(),
        _ => name.split(',').next().unwrap_or("unknown").to_owned(),
    }
}

fn stream_facts(stream: &Stream<'_>) -> StreamFacts {
    let parameters = codecs::parameters(stream);
    let kind = kind(stream);
    let rate = f64::from(stream.avg_frame_rate());
    let some = |value: u32| Some(value).filter(|value| *value > 0);
    StreamFacts {
        index: stream.index() as u32,
        kind,
        codec: parameters.name,
        width: some(parameters.width),
        height: some(parameters.height),
        rotation_degrees: rotation(stream),
        frames_per_second: Some(rate)
            .filter(|r| kind == StreamKind::Video && r.is_finite() && *r > 0.0),
        sample_rate_hz: some(parameters.sample_rate_hz),
        channels: some(parameters.channels),
        carried: false,
    }
}

fn kind(stream: &Stream<'_>) -> StreamKind {
    match stream.parameters().medium() {
        media::Type::Video => StreamKind::Video,
        media::Type::Audio => StreamKind::Audio,
        media::Type::Subtitle => StreamKind::Subtitle,
        _ => StreamKind::Data,
    }
}

/// Degrees clockwise to turn the picture by, to the nearest right angle.
#[allow(unsafe_code)]
pub fn rotation(stream: &Stream<'_>) -> u16 {
    let Some(matrix) = stream
        .side_data()
        .find(|data| data.kind() == SideData::DisplayMatrix)
    else {
        return 0;
    };
    let mut numbers = [0_i32; 9];
    let bytes = matrix.data();
    if bytes.len() < 36 {
        return 0;
    }
    for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(4)) {
        *number = i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    // SAFETY: reads nine integers.
    let counter_clockwise = unsafe { ffi::av_display_rotation_get(numbers.as_ptr()) };
    if !counter_clockwise.is_finite() {
        return 0;
    }
    ((-counter_clockwise / 90.0).round() as i64 * 90).rem_euclid(360) as u16
}

/// The streams of one kind, those marked as default first; cover pictures don't count.
fn candidates(input: &Input, wanted: StreamKind) -> Vec<(usize, Parameters)> {
    let mut found: Vec<_> = input
        .streams()
        .filter(|s| kind(s) == wanted && !s.disposition().contains(Disposition::ATTACHED_PIC))
        .map(|s| {
            (
                !s.disposition().contains(Disposition::DEFAULT),
                s.index(),
                codecs::parameters(&s),
            )
        })
        .collect();
    found.sort_by_key(|(not_default, index, _)| (*not_default, *index));
    found
        .into_iter()
        .map(|(_, index, parameters)| (index, parameters))
        .collect()
}

fn judge(input: &Input, container: &str, layout: &Layout) -> (Verdict, Vec<(usize, Mode)>) {
    let (video, audio) = (
        candidates(input, StreamKind::Video),
        candidates(input, StreamKind::Audio),
    );
    let mut notes = Vec::new();
    let streams = choose(container, &video, &audio, &mut notes);
    if layout.is_cut && video.is_empty() && audio.is_empty() {
        let reason = Reason::of(ReasonCode::IndexDamaged); // the cut goes through the index
        return (Verdict::NotPlayable { reason }, Vec::new());
    }
    match streams {
        Ok(carried) => {
            if layout.is_cut {
                notes.push(Reason::of(ReasonCode::Truncated));
            }
            (Verdict::Playable { notes }, carried)
        }
        Err(reason) => (Verdict::NotPlayable { reason }, Vec::new()),
    }
}

type Candidates = [(usize, Parameters)];

/// Which streams play, and how.
fn choose(
    container: &str,
    video: &Candidates,
    audio: &Candidates,
    notes: &mut Vec<Reason>,
) -> std::result::Result<Vec<(usize, Mode)>, Reason> {
    if video.is_empty() && audio.is_empty() {
        return Err(Reason::of(ReasonCode::NoMediaStreams));
    }
    if video
        .iter()
        .chain(audio)
        .any(|(_, parameters)| parameters.is_encrypted())
    {
        return Err(Reason::of(ReasonCode::Encrypted));
    }
    let mut carried = Vec::new();
    if !video.is_empty() {
        carried.push(pick_picture(video)?);
        if video.len() > 1 {
            notes.push(Reason::of(ReasonCode::OtherVideoOmitted));
        }
    }
    match pick_sound(audio) {
        _ if audio.is_empty() => {}
        Ok(sound) => {
            carried.push(sound);
            if audio.len() > 1 {
                notes.push(Reason::of(ReasonCode::OtherSoundOmitted));
            }
        }
        Err(reason) if carried.is_empty() => return Err(reason),
        Err(_) => notes.push(Reason::about(ReasonCode::SoundOmitted, &audio[0].1.label())),
    }
    let sent_as_it_lies = matches!(container, "mp4" | "mov" | "3gp" | "matroska");
    let complete = |stream: usize| {
        let all = video.iter().chain(audio);
        all.filter(|(index, _)| *index == stream)
            .all(|(_, parameters)| parameters.missing().is_none())
    };
    // One made track makes the segment a made one; the others are then copied into it.
    if sent_as_it_lies
        && carried
            .iter()
            .all(|(stream, mode)| *mode == Mode::Copied && complete(*stream))
    {
        carried.iter_mut().for_each(|(_, mode)| *mode = Mode::Raw);
    }
    Ok(carried)
}

/// A picture that browsers play, else the first that can be decoded.
fn pick_picture(candidates: &Candidates) -> std::result::Result<(usize, Mode), Reason> {
    if let Some((index, _)) = candidates.iter().find(|(_, p)| p.is_plain_h264()) {
        return Ok((*index, Mode::Copied));
    }
    let sized = |p: &Parameters| p.width > 0 && p.height > 0;
    let decodable = candidates
        .iter()
        .find(|(_, p)| p.is_decodable() && sized(p));
    match (decodable, candidates.first()) {
        (Some((index, _)), _) => Ok((*index, Mode::Transcoded)),
        (None, Some((_, first))) if first.is_decodable() => Err(Reason::about(
            ReasonCode::ParametersMissing,
            "width, height",
        )),
        (None, first) => {
            let label = first.map_or_else(String::new, |(_, p)| p.label());
            Err(Reason::about(ReasonCode::VideoCodecUnsupported, &label))
        }
    }
}

/// Sound that browsers play, else the first that can be decoded.
fn pick_sound(candidates: &Candidates) -> std::result::Result<(usize, Mode), Reason> {
    let heard = |p: &Parameters| p.sample_rate_hz > 0 && p.channels > 0;
    let aac = |p: &Parameters| p.name == "aac" && heard(p);
    if let Some((index, _)) = candidates.iter().find(|(_, p)| aac(p)) {
        return Ok((*index, Mode::Copied));
    }
    let mut decodable = candidates
        .iter()
        .filter(|(_, p)| p.is_decodable() && heard(p));
    let label = candidates
        .first()
        .map_or_else(String::new, |(_, p)| p.label());
    decodable
        .next()
        .map(|(index, _)| (*index, Mode::Transcoded))
        .ok_or_else(|| Reason::about(ReasonCode::AudioCodecUnsupported, &label))
}
