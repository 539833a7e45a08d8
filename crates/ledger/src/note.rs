//! C2SP signed-note: a text and signature lines under it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key::{LedgerKey, SIGNATURE_BYTES, VerifierKey, check_name};

/// A note longer than this is refused unread.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;
/// More signature lines than this are refused: each costs work.
const MAX_SIGNATURES: usize = 100;

/// Why a text is not a note signed by the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not of a signed note's form.
    #[error("not a signed note")]
    Form,
    /// No signature by this key.
    #[error("the note is not signed by the key")]
    Unsigned,
    /// A signature line of this key that does not fit the text.
    #[error("the note's signature is wrong")]
    BadSignature,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The signing key's name.
    pub name: String,
    /// The key hash, then the signature.
    pub bytes: Vec<u8>,
}

/// A note taken apart. Nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The signed text, its last newline included.
    pub text: String,
    /// The signature lines in their order; those of unknown keys (witnesses) included.
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// Takes a note apart.
    ///
    /// # Errors
    /// [`NoteError::Form`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES || !is_clean(note) {
            return Err(NoteError::Form);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, lines) = (&note[..=split], &note[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        let signatures: Vec<NoteSignature> = lines
            .split('\n')
            .take(MAX_SIGNATURES + 1)
            .map(parse_line)
            .collect::<Option<_>>()
            .ok_or(NoteError::Form)?;
        if text.len() < 2 || signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Form);
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// Checks that the key signed the text. Lines of other keys are passed over; a wrong line of
    /// this key spoils the note.
    ///
    /// # Errors
    /// [`NoteError::Unsigned`], [`NoteError::BadSignature`].
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let mut signed = false;
        for line in &self.signatures {
            let Some((hash, signature)) = line.bytes.split_first_chunk::<4>() else {
                continue;
            };
            if line.name != key.name() || *hash != key.hash() {
                continue;
            }
            let signature: &[u8; SIGNATURE_BYTES] =
                signature.try_into().map_err(|_| NoteError::BadSignature)?;
            if signed || !key.verifies(self.text.as_bytes(), signature) {
                return Err(NoteError::BadSignature);
            }
            signed = true;
        }
        if signed {
            Ok(())
        } else {
            Err(NoteError::Unsigned)
        }
    }
}

fn parse_line(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    check_name(name).ok()?;
    let bytes = STANDARD.decode(encoded).ok()?;
    (bytes.len() > 4).then(|| NoteSignature {
        name: name.to_owned(),
        bytes,
    })
}

/// A note holds no control characters but newlines. Receipts rely on it: what they sign begins with
/// a NUL-terminated separator, so it is never a note.
fn is_clean(text: &str) -> bool {
    !text.bytes().any(|b| b < 0x20 && b != b'\n')
}

/// Signs a text that ends in a newline and holds no other control character.
///
/// # Errors
/// [`NoteError::Form`].
pub fn sign_note(text: &str, key: &LedgerKey) -> Result<String, NoteError> {
    if text.len() < 2 || !text.ends_with('\n') || !is_clean(text) {
        return Err(NoteError::Form);
    }
    let mut bytes = key.verifier().hash().to_vec();
    bytes.extend_from_slice(&key.sign(text.as_bytes()));
    Ok(format!(
        "{text}\n\u{2014} {} {}\n",
        key.verifier().name(),
        STANDARD.encode(bytes)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of Go's golang.org/x/mod/sumdb/note, made by another implementation.
    const PRIVATE: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    const SIGNED: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_known_note_is_signed_and_verified_alike() {
        let key = LedgerKey::parse(PRIVATE).expect("known key");
        assert_eq!(key.verifier().to_string(), PUBLIC);
        assert_eq!(key.to_private_text().as_str(), PRIVATE);
        assert_eq!(sign_note(TEXT, &key).as_deref(), Ok(SIGNED));
        let note = Note::parse(SIGNED).expect("known note");
        assert_eq!(note.text, TEXT);
        assert_eq!(note.verify(&PUBLIC.parse().expect("known key")), Ok(()));
    }

    #[test]
    fn other_signers_are_passed_over_but_not_enough() {
        let key = LedgerKey::parse(PRIVATE).expect("known key");
        let other = LedgerKey::generate("witness", &docket_base::OsRandom).expect("name");
        let witness_line = sign_note(TEXT, &other).expect("signs")[TEXT.len() + 1..].to_owned();
        let both = Note::parse(&format!("{SIGNED}{witness_line}")).expect("note");
        assert_eq!(both.verify(key.verifier()), Ok(()));
        assert_eq!(both.verify(other.verifier()), Ok(()));
        let alone = Note::parse(&format!("{TEXT}\n{witness_line}")).expect("note");
        assert_eq!(alone.verify(key.verifier()), Err(NoteError::Unsigned));
    }

    #[test]
    fn a_changed_text_is_noticed() {
        let key: VerifierKey = PUBLIC.parse().expect("known key");
        let changed = SIGNED.replace("your problem is", "your problem was");
        let note = Note::parse(&changed).expect("form is right");
        assert_eq!(note.verify(&key), Err(NoteError::BadSignature));
    }

    #[test]
    fn malformed_notes_are_refused() {
        for bad in [
            "",
            "\n",
            "\n\n",
            "text\n",
            "text\n\n",
            "text\n\nno dash\n",
            "te\0xt\n\n\u{2014} a AAAAAAAA\n",
        ] {
            assert_eq!(Note::parse(bad), Err(NoteError::Form), "{bad:?}");
        }
        assert_eq!(Note::parse(SIGNED.trim_end()), Err(NoteError::Form));
    }

    #[test]
    fn keys_with_a_wrong_hash_or_name_are_refused() {
        let wrong = PUBLIC.replace("c74f20a3", "c74f20a4");
        assert!(wrong.parse::<VerifierKey>().is_err());
        assert!(
            PUBLIC
                .replace("Peter", "Petra")
                .parse::<VerifierKey>()
                .is_err()
        );
        assert!(
            PUBLIC
                .replace("c74f20a3", "C74F20A3")
                .parse::<VerifierKey>()
                .is_err()
        );
        assert!(PRIVATE.parse::<VerifierKey>().is_err());
        for name in ["", "a b", "a+b", "a\nb"] {
            assert!(
                LedgerKey::generate(name, &docket_base::OsRandom).is_err(),
                "{name:?}"
            );
        }
    }
}
