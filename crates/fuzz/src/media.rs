//! What the media worker reads itself and not by FFmpeg.

use docket_media::codecs::Parameters;
use docket_media::edit::with_edits;
use docket_media::make::bits::{Form, audio_specific_config};

/// Bytes that an edit takes.
const EDIT_BYTES: usize = 36;

/// Frames out of another container's form: lengths tell exactly what follows them, and nothing is made up.
pub fn frames(bytes: &[u8]) {
    assert_eq!(
        Form::Same.copied(bytes).as_deref(),
        Some(bytes).filter(|bytes| !bytes.is_empty())
    );
    if let Some(copied) = Form::StartCodes.copied(bytes) {
        let mut rest = copied.as_slice();
        while let Some((length, more)) = rest.split_first_chunk::<4>() {
            let (unit, behind) = more.split_at(u32::from_be_bytes(*length) as usize);
            assert!(!unit.is_empty() && unit.last() != Some(&0));
            assert!(!unit.windows(3).any(|window| window == [0, 0, 1]));
            rest = behind;
        }
        assert!(rest.is_empty());
    }
    let bare = Form::Adts.copied(bytes);
    assert!(
        bare.is_none_or(|bare: Vec<u8>| bytes.ends_with(&bare) && bytes.len() - bare.len() >= 7)
    );
    if let Some([first, second]) = audio_specific_config(bytes) {
        // Object type, rate by number, channels, and nothing behind them (ISO/IEC 14496-3, 1.6.2.1).
        assert!((1..=4).contains(&(first >> 3)));
        assert!((first & 7) << 1 | second >> 7 < 13);
        assert!((1..=7).contains(&(second >> 3 & 15)) && second & 7 == 0);
    }
    for name in ["h264", "aac", "hevc", "unknown"] {
        described(name, bytes);
    }
}

fn described(name: &str, extradata: &[u8]) {
    let parameters = Parameters {
        name: name.to_owned(),
        tag: String::new(),
        extradata: extradata.to_vec(),
        width: 16,
        height: 16,
        sample_rate_hz: 8000,
        channels: 1,
    };
    let browser_name = parameters.browser_name();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.';
    assert!(
        !browser_name.is_empty() && browser_name.bytes().all(plain),
        "{browser_name}"
    );
    let _ = (
        parameters.is_plain_h264(),
        parameters.missing(),
        parameters.label(),
    );
}

/// Edits are put in and nothing else is changed.
pub fn edits(bytes: &[u8]) {
    let Some((leads, init)) = bytes.split_first() else {
        return;
    };
    // Two bits a track, so that all of none, some and many occur.
    let leads: Vec<u32> = (0..=leads >> 6)
        .map(|track| u32::from(leads >> (2 * track) & 3))
        .collect();
    let Ok(edited) = with_edits(init.to_vec(), &leads) else {
        return;
    };
    let early = leads.iter().filter(|lead| **lead > 0).count();
    assert_eq!(edited.len(), init.len() + early * EDIT_BYTES);
}

/// To begin with.
pub mod seeds {
    /// Annex B, ADTS, decoder configurations.
    pub fn frames() -> Vec<Vec<u8>> {
        vec![
            vec![
                0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x65, 1, 2, 0, 0, 0, 1, 0x41, 3,
            ],
            vec![0, 0, 1, 0x67, 0x64, 0, 0x1f, 0, 0, 1, 0x68, 0xee],
            vec![0xff, 0xf1, 0x50, 0x80, 1, 2, 3, 0xaa],
            vec![1, 0x64, 0, 0x1f, 0xff, 0xe1, 0],
            vec![0xf9, 0x48],
        ]
    }

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = content.len() as u32 + 8;
        [&length.to_be_bytes(), &kind[..], content].concat()
    }

    /// Init segments of one and two tracks.
    pub fn edits() -> Vec<Vec<u8>> {
        let track = boxed(
            b"trak",
            &[boxed(b"tkhd", b"head"), boxed(b"mdia", b"media")].concat(),
        );
        let init = |tracks: usize| {
            [
                boxed(b"ftyp", b"iso5"),
                boxed(b"moov", &track.repeat(tracks)),
            ]
            .concat()
        };
        vec![
            [vec![1], init(1)].concat(),
            [vec![0x44], init(2)].concat(),
            [vec![0x40], init(2)].concat(),
        ]
    }
}
