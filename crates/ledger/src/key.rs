//! The ledger's key, in the text forms of C2SP signed-note: `PRIVATE+KEY+name+hash+base64` and
//! `name+hash+base64`. The name is the log's origin.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docket_base::Random;
use docket_base::files::{Files, create_immutable, read_small};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// signed-note's algorithm byte of plain Ed25519 signatures.
const ED25519: u8 = 1;
/// What a private key's text begins with.
const PRIVATE: &str = "PRIVATE+KEY+";
/// A key file is one line; more than this is something else.
const KEY_FILE_LIMIT_BYTES: u64 = 4096;
/// Bytes of an Ed25519 signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// A name must not be empty, hold a space, a control character or `+`, or exceed 200 bytes.
    #[error("a key's name is 1 to 200 bytes without space, control character or '+'")]
    Name,
    /// Not `name+hash+base64`.
    #[error("not a signed-note key: name+hash+base64 expected")]
    Form,
    /// The hash is not the one of this name and key: a typing mistake, or a forgery.
    #[error("the key's hash does not fit its name and bytes")]
    Hash,
    /// Not Ed25519, or no point of the curve that may be used.
    #[error("not a usable Ed25519 key")]
    Algorithm,
}

/// Checks a key's name.
///
/// # Errors
/// [`BadKey::Name`].
pub fn check_name(name: &str) -> Result<(), BadKey> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+' || c == '\u{2014}';
    if name.is_empty() || name.len() > 200 || name.chars().any(bad) {
        return Err(BadKey::Name);
    }
    Ok(())
}

fn key_hash(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([b'\n', ED25519]);
    hash.update(public);
    let full: [u8; 32] = hash.finalize().into();
    [full[0], full[1], full[2], full[3]]
}

/// `name+hash+base64(algorithm || 32 bytes)` taken apart.
fn take_apart(text: &str) -> Result<(&str, u32, Zeroizing<[u8; 32]>), BadKey> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(hash), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(BadKey::Form);
    };
    check_name(name)?;
    if hash.len() != 8 || !hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(BadKey::Form);
    }
    let hash = u32::from_str_radix(hash, 16).map_err(|_| BadKey::Form)?;
    let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| BadKey::Form)?);
    match bytes.split_first() {
        Some((&ED25519, rest)) => {
            let key: [u8; 32] = rest.try_into().map_err(|_| BadKey::Form)?;
            Ok((name, hash, Zeroizing::new(key)))
        }
        _ => Err(BadKey::Algorithm),
    }
}

fn assemble(name: &str, hash: [u8; 4], key: &[u8; 32]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(vec![ED25519]);
    bytes.extend_from_slice(key);
    let encoded = Zeroizing::new(STANDARD.encode(&*bytes));
    Zeroizing::new(format!(
        "{name}+{:08x}+{}",
        u32::from_be_bytes(hash),
        &*encoded
    ))
}

/// The public half: what a station pins and an auditor is handed.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
    hash: [u8; 4],
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Self {
        Self {
            name: name.to_owned(),
            hash: key_hash(name, key.as_bytes()),
            key,
        }
    }

    /// The key's name, which is the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes that stand before each of its signatures.
    pub fn hash(&self) -> [u8; 4] {
        self.hash
    }

    /// The 32 bytes of the Ed25519 public key.
    pub fn public_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// For people to compare: SHA-256 over the verifier key's text, in groups of four digits.
    pub fn fingerprint(&self) -> String {
        let digest: [u8; 32] = Sha256::digest(self.to_string().as_bytes()).into();
        let groups: Vec<String> = digest
            .chunks(2)
            .map(|pair| format!("{:02x}{:02x}", pair[0], pair[1]))
            .collect();
        groups.join(" ")
    }

    /// Whether this is the key's signature over exactly these bytes. Only the one strict encoding of
    /// a signature passes, so no second spelling of a receipt verifies.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let signature = Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&assemble(&self.name, self.hash, self.key.as_bytes()))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = BadKey;
    /// Surrounding white space (a file's last newline) is allowed.
    fn from_str(text: &str) -> Result<Self, BadKey> {
        let (name, hash, public) = take_apart(text.trim())?;
        let key = VerifyingKey::from_bytes(&public).map_err(|_| BadKey::Algorithm)?;
        if key.is_weak() {
            return Err(BadKey::Algorithm);
        }
        let verifier = Self::new(name, key);
        if u32::from_be_bytes(verifier.hash) == hash {
            Ok(verifier)
        } else {
            Err(BadKey::Hash)
        }
    }
}

impl Serialize for VerifierKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifierKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The private half. Never printed, wiped from memory when dropped.
#[derive(Clone)]
pub struct LedgerKey {
    signing: SigningKey,
    verifier: VerifierKey,
}

impl LedgerKey {
    /// A new key of this name.
    ///
    /// # Errors
    /// [`BadKey::Name`].
    pub fn generate(name: &str, random: &dyn Random) -> Result<Self, BadKey> {
        check_name(name)?;
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(&mut *seed);
        Ok(Self::from_seed(name, &seed))
    }

    fn from_seed(name: &str, seed: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, signing.verifying_key());
        Self { signing, verifier }
    }

    /// Reads `PRIVATE+KEY+name+hash+base64`; surrounding white space is allowed.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let rest = text.trim().strip_prefix(PRIVATE).ok_or(BadKey::Form)?;
        let (name, hash, seed) = take_apart(rest)?;
        let key = Self::from_seed(name, &seed);
        if u32::from_be_bytes(key.verifier.hash) == hash {
            Ok(key)
        } else {
            Err(BadKey::Hash)
        }
    }

    /// `PRIVATE+KEY+name+hash+base64`.
    pub fn to_private_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.signing.to_bytes());
        let rest = assemble(&self.verifier.name, self.verifier.hash, &seed);
        Zeroizing::new(format!("{PRIVATE}{}", &*rest))
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Ed25519, deterministic: the same bytes give the same signature.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.signing.sign(message).to_bytes()
    }
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerKey({})", self.verifier)
    }
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file system failed.
    #[error("ledger key file: {0}")]
    Io(#[from] io::Error),
    /// The file holds no private key.
    #[error("ledger key file: {0}")]
    Bad(#[from] BadKey),
}

/// Reads the key file; `None` where there is none.
///
/// # Errors
/// [`KeyFileError`].
pub fn load_key_file(files: &dyn Files, path: &Path) -> Result<Option<LedgerKey>, KeyFileError> {
    let Some(bytes) = read_small(files, path, KEY_FILE_LIMIT_BYTES)?.map(Zeroizing::new) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| BadKey::Form)?;
    Ok(Some(LedgerKey::parse(text)?))
}

/// Writes the key to a file that must not exist yet, readable by its owner only and durable before
/// this returns: nothing may ever be signed by a key that a crash could lose.
///
/// # Errors
/// [`KeyFileError::Io`] of kind `AlreadyExists`, or what the file system says.
pub fn create_key_file(
    files: &dyn Files,
    path: &Path,
    key: &LedgerKey,
) -> Result<(), KeyFileError> {
    let mut text = key.to_private_text();
    text.push('\n');
    // The file layer creates files with mode 0600 and this one ends as 0400.
    let temporary = path.with_extension("new");
    create_immutable(files, path, &temporary, text.as_bytes())?;
    Ok(())
}
