//! What docketd and a worker say to each other.

use docket_playback::gps::{GpsTrack, MOST_POINTS};
use docket_playback::protocol::{
    FromWorker, Request, ToWorker, read_frame, receive, send, write_frame,
};

use crate::wait::at_once;
use crate::{playback, text};

/// Answers of a worker that a hostile file has taken over: they end, are read again as they were read, and what is
/// made of their payload holds.
pub fn answers(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok((message, payload)) = at_once(receive(&mut rest)) {
        let mut written = Vec::new();
        write_frame(&mut written, &message, &payload).expect("as it came");
        let (again, same) = at_once(receive(&mut written.as_slice())).expect("written here");
        assert_eq!(same, payload);
        assert_eq!(without_fractions(again), without_fractions(message.clone()));
        match message {
            FromWorker::Positions => positions(&payload),
            FromWorker::Facts(_) => playback::index(&payload),
            _ => {}
        }
    }
}

/// Reading a decimal fraction may miss by the last bit.
fn without_fractions(mut message: FromWorker) -> FromWorker {
    if let FromWorker::Facts(facts) = &mut message {
        facts
            .streams
            .iter_mut()
            .for_each(|stream| stream.frames_per_second = None);
    }
    message
}

fn positions(json: &[u8]) {
    let Ok(track) = GpsTrack::from_worker(json) else {
        return;
    };
    holds(&track);
    for (origin_us, duration_ms) in [
        (0, None),
        (-21_000, Some(5_000)),
        (i64::MIN, Some(u64::MAX)),
        (i64::MAX, None),
    ] {
        if let Some(played) = track.clone().played(origin_us, duration_ms) {
            holds(&played);
            let end_ms = duration_ms
                .and_then(|end| i64::try_from(end).ok())
                .unwrap_or(i64::MAX);
            assert!(
                played
                    .points
                    .iter()
                    .all(|point| (0..=end_ms).contains(&point.at_ms))
            );
        }
    }
}

fn holds(track: &GpsTrack) {
    assert!((1..=MOST_POINTS).contains(&track.points.len()));
    assert!(
        track
            .points
            .windows(2)
            .all(|pair| pair[0].at_ms < pair[1].at_ms)
    );
    for point in &track.points {
        assert!(point.latitude_deg.abs() <= 90.0 && point.longitude_deg.abs() <= 180.0);
    }
    assert!(serde_json::to_vec(track).is_ok_and(|json| text(&json).is_some()));
}

/// Requests as a worker reads them.
pub fn asked(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some((message, payload))) = read_frame(&mut rest) {
        let mut written = Vec::new();
        at_once(send(&mut written, &message, &payload)).expect("as it came");
        let again = read_frame(&mut written.as_slice()).expect("written here");
        if let ToWorker::Request(Request::Segment { .. } | Request::Peaks { .. }) = &message {
            playback::feeds(&payload);
        }
        assert_eq!(again, Some((message, payload)));
    }
}

/// To begin with.
pub mod seeds {
    use docket_playback::StreamKind;
    use docket_playback::facts::{Reason, ReasonCode};
    use docket_playback::index::Track;
    use docket_playback::looks::Frame;
    use docket_playback::made::Variant;
    use docket_playback::protocol::{
        Failure, FromWorker, Hello, Request, Restrictions, SourceKind, ToWorker, VERSION,
    };
    use docket_playback::protocol::{send, write_frame};

    use crate::playback::seeds::{facts, feeds, index};
    use crate::wait::at_once;

    const TRACK: &[u8] = br#"{"source":"gpmf","points":[{"at_ms":-20,"latitude_deg":26.5,"longitude_deg":106.7,
        "altitude_m":1100.5,"speed_m_per_s":1,"fix_at":"2026-01-02T03:04:05.500000Z"},{"at_ms":980,"latitude_deg":26.5,
        "longitude_deg":106.7,"altitude_m":null,"speed_m_per_s":null,"fix_at":null}]}"#;

    fn said(message: &FromWorker, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, message, payload).expect("short");
        bytes
    }

    /// A conversation, and answers with each kind of payload.
    pub fn answers() -> Vec<Vec<u8>> {
        let hello = FromWorker::Hello(Hello {
            version: VERSION,
            libavformat: "61.7.100".into(),
            restrictions: Restrictions::default(),
        });
        let block = FromWorker::NeedBlock {
            offset: 4096,
            length: 65536,
        };
        let sheet = FromWorker::Sheet {
            width: 2,
            height: 1,
            decoded: vec![true, false],
            jpeg_bytes: 3,
        };
        let failed = FromWorker::Failed(Failure::Media {
            reason: Reason::about(ReasonCode::VideoCodecUnsupported, "H.266"),
        });
        let known = FromWorker::Facts(Box::new(facts()));
        let mut all: Vec<Vec<u8>> = index().iter().map(|index| said(&known, index)).collect();
        all.push(
            [
                said(&hello, b""),
                said(&block, b""),
                said(&known, b""),
                said(&failed, b""),
            ]
            .concat(),
        );
        all.push(
            [
                said(&sheet, b"jpgRGBRGB"),
                said(&FromWorker::Peaks, b"\0\xff"),
                said(&FromWorker::Poster, b"j"),
            ]
            .concat(),
        );
        all.push(said(&FromWorker::Positions, TRACK));
        all
    }

    /// Requests of each kind.
    pub fn asked() -> Vec<Vec<u8>> {
        let sent = |message: &ToWorker, payload: &[u8]| {
            let mut bytes = Vec::new();
            at_once(send(&mut bytes, message, payload)).expect("short");
            bytes
        };
        let open = ToWorker::Open {
            source: SourceKind::Blocks,
            size_bytes: 1 << 30,
        };
        let track = || Track {
            kind: StreamKind::Audio,
            stream: 1,
            timescale: 48_000,
            codec: "mp4a.40.2".into(),
            mode: Default::default(),
        };
        let segment = Request::Segment {
            number: 3,
            variant: Variant::Full,
            tracks: vec![track()],
        };
        let sheet = Request::Sheet {
            track: track(),
            frames: vec![Frame::from((1, 2, 3, -4, -5))],
            had: 1,
        };
        let poster = Request::Poster {
            at_ms: Some(7),
            max_width: 640,
        };
        let first = [
            sent(&open, b""),
            sent(&ToWorker::Request(Request::Index), b""),
            sent(&ToWorker::Block, b"bytes"),
        ];
        vec![
            first.concat(),
            sent(&ToWorker::Request(segment), &feeds()[0]),
            [
                sent(&ToWorker::Request(sheet), b"RGB"),
                sent(&ToWorker::Request(poster), b""),
            ]
            .concat(),
        ]
    }
}
