//! Ids, digests, times and stored midstates.

use docket_base::digest::Midstate;
use docket_base::ids::RecordingId;
use docket_base::{Micros, RunningDigest, Sha256Digest};
use docket_tus::date::{imf_fixdate, parse_imf_fixdate};

use crate::text;

/// One thing has one text; a time that was read is the same when it is read again.
pub fn ids(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(id) = text.parse::<RecordingId>() {
        assert_eq!(id.to_string(), text);
        assert_eq!(RecordingId::from_bytes(*id.as_bytes()), id);
    }
    if let Ok(digest) = text.parse::<Sha256Digest>() {
        assert_eq!(digest.to_string(), text.to_ascii_lowercase());
    }
    if let Ok(at) = Micros::parse_rfc3339(text) {
        assert_eq!(Micros::parse_rfc3339(&at.to_rfc3339()), Ok(at));
        let (year, month, day) = at.utc_day();
        let date = format!("{year:04}-{month:02}-{day:02}T");
        assert!(at.to_rfc3339().starts_with(&date), "{date}");
    }
    if let Some(at) = parse_imf_fixdate(text) {
        assert_eq!(parse_imf_fixdate(&imf_fixdate(at)), Some(at));
    }
}

/// What is taken up goes on as what was stored, and never fails over what it is fed.
pub fn midstate(bytes: &[u8]) {
    const LONG: usize = 104;
    let Some((with_sm3, rest)) = bytes.split_first() else {
        return;
    };
    let (sha256, rest) = rest.split_at(rest.len().min(LONG));
    let (sm3, more) = match with_sm3 & 1 == 1 {
        true => {
            let (sm3, more) = rest.split_at(rest.len().min(LONG));
            (Some(sm3.to_vec()), more)
        }
        false => (None, rest),
    };
    let stored = Midstate {
        sha256: sha256.to_vec(),
        sm3,
    };
    let Ok(mut running) = RunningDigest::restore(&stored) else {
        return;
    };
    let Ok(mut again) = RunningDigest::restore(&running.midstate()) else {
        panic!("a midstate that was taken up can't be stored");
    };
    running.update(more);
    more.chunks(7).for_each(|some| again.update(some));
    assert_eq!(running.finish(), again.finish());
}

/// To begin with.
pub mod seeds {
    use docket_base::RunningDigest;

    /// A text of each kind.
    pub fn ids() -> Vec<Vec<u8>> {
        crate::texts(&[
            "0190163d-8694-739a-aea6-966b6d7bd9a9",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "2026-11-23T09:30:00.5+08:00",
            "9999-12-31T23:59:59.999999999-00:01",
            "0000-01-01T00:00:00Z",
            "1969-12-31T23:59:59.9999999Z",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ])
    }

    /// Midstates at some offsets, with and without SM3, and what follows.
    pub fn midstate() -> Vec<Vec<u8>> {
        let state = |length: usize, with_sm3: bool| {
            let mut running = RunningDigest::new(with_sm3);
            running.update(&vec![7; length]);
            let state = running.midstate();
            let parts = [
                vec![u8::from(with_sm3)],
                state.sha256,
                state.sm3.unwrap_or_default(),
            ];
            [parts.concat(), b"what follows".to_vec()].concat()
        };
        vec![
            state(0, false),
            state(63, true),
            state(64, false),
            state(1000, true),
        ]
    }
}
