//! What an outsider hands in to be verified, and what the vault keeps for the log: every byte string says one thing, and
//! one thing is said by one byte string.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docket_base::Sha256Digest;
use docket_ledger::note::Note;
use docket_ledger::tile::{decode_bundle, encode_bundle};
use docket_ledger::{
    Checkpoint, Entry, LedgerKey, RegisterFile, RegisterRef, SideFile, Tile, VerifierKey,
};
use serde_json::Value;

use crate::log::HONEST;
use crate::text;

/// Entries, side files, register files: what is read is written again as it stood.
pub fn entry(bytes: &[u8]) {
    if let Ok(entry) = Entry::parse(bytes) {
        assert_eq!(entry.to_bytes().as_deref(), Ok(bytes));
    }
    if let Ok(file) = SideFile::parse(bytes) {
        let (again, digest) = file.seal().expect("it was read");
        assert_eq!(again, bytes);
        assert_eq!(digest, Sha256Digest::of(bytes));
    }
    let Some(reference) = register_reference(bytes) else {
        return;
    };
    if let Ok(file) = RegisterFile::open(bytes, &reference) {
        assert_eq!(file.seal(), Ok((bytes.to_vec(), reference)));
    }
}

/// The reference that an entry would have to a file that says this of itself.
fn register_reference(bytes: &[u8]) -> Option<RegisterRef> {
    let file: Value = serde_json::from_slice(bytes).ok()?;
    let kind = file.get("value")?.get("kind")?.clone();
    Some(RegisterRef {
        kind: serde_json::from_value(kind).ok()?,
        id: serde_json::from_value(file.get("id")?.clone()).ok()?,
        version: serde_json::from_value(file.get("version")?.clone()).ok()?,
        sha256: Sha256Digest::of(bytes),
    })
}

/// A note is put together again as it was; and what opens as this log's checkpoint says what the key signed.
pub fn note(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(note) = Note::parse(text) {
        let lines = note.signatures.iter();
        let lines =
            lines.map(|line| format!("\u{2014} {} {}\n", line.name, STANDARD.encode(&line.bytes)));
        assert_eq!(
            format!("{}\n{}", note.text, lines.collect::<String>()),
            text
        );
    }
    if let Ok(checkpoint) = Checkpoint::parse_text(text) {
        assert!(text.starts_with(&checkpoint.text()));
    }
    if let Ok(opened) = Checkpoint::open(text, HONEST.key.verifier()) {
        assert_eq!(opened.head, HONEST.head);
        assert_eq!(opened.origin, HONEST.key.verifier().name());
    }
}

/// A key has one text.
pub fn verifier(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text.trim());
        assert_eq!(key.fingerprint().len(), 16 * 5 - 1);
    }
    if let Ok(key) = LedgerKey::parse(text) {
        assert_eq!(key.to_private_text().as_str(), text.trim());
        assert_eq!(
            key.verifier().to_string().parse::<VerifierKey>().as_ref(),
            Ok(key.verifier())
        );
    }
}

/// A tile has one path, and a bundle one spelling.
pub fn tiles(bytes: &[u8]) {
    if let Some(tile) = text(bytes).and_then(|text| Tile::parse_path(text).ok()) {
        assert_eq!(Some(tile.path().as_str()), text(bytes));
        assert!((1..=256).contains(&tile.width));
        assert_eq!(tile.is_full(), tile.full() == tile);
    }
    if let Ok(entries) = decode_bundle(bytes) {
        assert!(entries.len() <= 256);
        assert_eq!(encode_bundle(&entries).as_deref(), Ok(bytes));
    }
}

/// To begin with.
pub mod seeds {
    use docket_base::ids::{RecordingId, RegisterId, UnitId};
    use docket_base::{Micros, Sha256Digest};
    use docket_ledger::kinds::{RecordingKind, SealedState};
    use docket_ledger::register::NameRow;
    use docket_ledger::tile::encode_bundle;
    use docket_ledger::{RegisterFile, RegisterValue, Salt, SideFile, Tile, TileKind};

    use crate::log::HONEST;

    fn salt() -> Salt {
        "00112233445566778899aabbccddeeff".parse().expect("a salt")
    }

    fn side_file() -> SideFile {
        SideFile {
            schema: SideFile::SCHEMA,
            salt: salt(),
            recording: RecordingId::from_bytes([2; 16]),
            state: SealedState::Sealed,
            kind: RecordingKind::Video,
            file_name: Some("现场.mp4".into()),
            media_type: None,
            size_bytes: 3,
            sha256: Sha256Digest::of(b"abc"),
            sm3: None,
            claimed_sha256: None,
            unit: UnitId::from_bytes([3; 16]),
            officer: None,
            officer_claimed: Some("52010012345".into()),
            recorder: None,
            recorder_claimed: None,
            station: None,
            token: None,
            docking: None,
            path: None,
            recorded_at: Some(Micros(1_795_000_000_000_000)),
            created_at: Micros(1_795_000_000_000_000),
            incomplete_reason: None,
            duplicate_of: None,
            marks: vec!["key".into()],
            note: None,
            case_number: None,
            case_unit: None,
            derived_from: None,
        }
    }

    /// An entry, a side file, a register file.
    pub fn entry() -> Vec<Vec<u8>> {
        let value = RegisterValue::User(NameRow {
            name: "李伟".into(),
        });
        let file = RegisterFile::new(RegisterId::from_bytes([4; 16]), 1, Micros(0), salt(), value);
        vec![
            HONEST.entry.clone(),
            side_file().seal().expect("plain").0,
            file.to_bytes().expect("plain"),
        ]
    }

    /// A checkpoint, signed and not.
    pub fn note() -> Vec<Vec<u8>> {
        let signed = HONEST.checkpoint.as_str();
        let text = signed.split("\n\n").next().map(|text| format!("{text}\n"));
        crate::texts(&[
            signed,
            &text.unwrap_or_default(),
            "a\n\n\u{2014} b AAAAAAAA\n",
        ])
    }

    /// Both halves of a key.
    pub fn verifier() -> Vec<Vec<u8>> {
        crate::texts(&[
            &HONEST.key.verifier().to_string(),
            &HONEST.key.to_private_text(),
        ])
    }

    /// Paths and a bundle.
    pub fn tiles() -> Vec<Vec<u8>> {
        let path = |kind, index, width| Tile { kind, index, width }.path();
        let mut all = crate::texts(&[
            &path(TileKind::Hashes(0), 1_234_067, 256),
            &path(TileKind::Entries, 5, 17),
            &path(TileKind::Hashes(7), 0, 1),
        ]);
        all.push(encode_bundle(&[b"one".to_vec(), Vec::new(), b"three".to_vec()]).expect("short"));
        all
    }
}
