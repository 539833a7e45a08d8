//! C2SP tlog-checkpoint: a tree head as a signed note.

use crate::hash::TreeHash;
use crate::key::{LedgerKey, VerifierKey};
use crate::note::{Note, NoteError, sign_note};
use crate::tree::TreeHead;

/// Where a log keeps its checkpoint, within the log.
pub const CHECKPOINT_PATH: &str = "checkpoint";

/// A verified tree head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// Size and root.
    pub head: TreeHead,
}

/// Why a text is no checkpoint of this log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Signature or form of the note.
    #[error("checkpoint: {0}")]
    Note(#[from] NoteError),
    /// The note's text is no checkpoint.
    #[error("the note is not a checkpoint")]
    Form,
    /// Another log's.
    #[error("the checkpoint belongs to another log")]
    Origin,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.head.size, self.head.root)
    }

    /// The signed note for this head, under the key's name as origin. Byte-identical for the same
    /// head, so that an interrupted publication can be repeated.
    pub fn sign(head: TreeHead, key: &LedgerKey) -> String {
        let origin = key.verifier().name().to_owned();
        let text = Self { origin, head }.text();
        // A key's name holds no newline or control character, and the rest is made here.
        sign_note(&text, key).unwrap_or_default()
    }

    /// Reads the text of a checkpoint without any signature. Extension lines are passed over.
    ///
    /// # Errors
    /// [`CheckpointError::Form`].
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Form);
        };
        let parsed: u64 = size.parse().map_err(|_| CheckpointError::Form)?;
        if origin.is_empty() || parsed.to_string() != size || !text.ends_with('\n') {
            return Err(CheckpointError::Form);
        }
        let root: TreeHash = root.parse().map_err(|_| CheckpointError::Form)?;
        let head = TreeHead { size: parsed, root };
        if parsed == 0 && head != TreeHead::empty() {
            return Err(CheckpointError::Form);
        }
        Ok(Self {
            origin: origin.to_owned(),
            head,
        })
    }

    /// Reads a signed checkpoint and checks the key's signature and origin.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        note.verify(key)?;
        let checkpoint = Self::parse_text(&note.text)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::Origin);
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::CompactRange;

    fn key() -> LedgerKey {
        LedgerKey::generate("docket.example/log", &docket_base::OsRandom).expect("name")
    }

    #[test]
    fn a_checkpoint_round_trips_and_is_reproducible() {
        let key = key();
        let mut range = CompactRange::new();
        range.push(TreeHash::of_leaf(b"one"));
        let signed = Checkpoint::sign(range.head(), &key);
        assert_eq!(signed, Checkpoint::sign(range.head(), &key));
        let opened = Checkpoint::open(&signed, key.verifier()).expect("own checkpoint");
        assert_eq!(opened.head, range.head());
        assert!(signed.starts_with("docket.example/log\n1\n"));
    }

    #[test]
    fn a_foreign_origin_or_key_is_refused() {
        let (key, other) = (key(), key());
        let signed = Checkpoint::sign(TreeHead::empty(), &key);
        assert_eq!(
            Checkpoint::open(&signed, other.verifier()),
            Err(CheckpointError::Note(NoteError::Unsigned))
        );
        let text = format!("elsewhere\n0\n{}\n", TreeHash::of_empty_tree());
        let foreign = sign_note(&text, &key).expect("signs");
        assert_eq!(
            Checkpoint::open(&foreign, key.verifier()),
            Err(CheckpointError::Origin)
        );
    }

    #[test]
    fn sloppy_texts_are_refused() {
        let root = TreeHash::of_leaf(b"x");
        for text in [
            format!("o\n01\n{root}\n"),
            format!("o\n+1\n{root}\n"),
            format!("\n1\n{root}\n"),
            format!("o\n1\n{root}"),
            format!("o\n0\n{root}\n"),
            "o\n1\nAAAA\n".to_owned(),
            "o\n".to_owned(),
        ] {
            assert_eq!(
                Checkpoint::parse_text(&text),
                Err(CheckpointError::Form),
                "{text:?}"
            );
        }
    }
}
