//! `Upload-Checksum`: the digest of one request's body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::Refusal;
use crate::header::{bad, text};

const NAME: &str = "upload-checksum";

/// What `Tus-Checksum-Algorithm` says.
pub const ALGORITHMS: &str = "sha1,sha256";

/// A checksum algorithm spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Every tus server must speak it.
    Sha1,
    /// The one to use.
    Sha256,
}

/// The checksum that a body must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// How it was made.
    pub algorithm: Algorithm,
    expected: Vec<u8>,
}

impl Checksum {
    /// Reads the header of a request.
    ///
    /// # Errors
    /// [`Refusal::ChecksumAlgorithm`] for another algorithm, [`Refusal::Header`] for another form.
    pub fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, Refusal> {
        let Some(value) = text(headers, NAME)? else {
            return Ok(None);
        };
        let (name, encoded) = value
            .split_once(' ')
            .ok_or_else(|| bad(NAME, "algorithm and base64 expected"))?;
        let (algorithm, length) = match name.to_ascii_lowercase().as_str() {
            "sha1" => (Algorithm::Sha1, 20),
            "sha256" => (Algorithm::Sha256, 32),
            _ => return Err(Refusal::ChecksumAlgorithm),
        };
        let expected = STANDARD
            .decode(encoded.trim_ascii())
            .map_err(|_| bad(NAME, "not base64"))?;
        if expected.len() != length {
            return Err(bad(NAME, "not of the algorithm's length"));
        }
        Ok(Some(Self {
            algorithm,
            expected,
        }))
    }

    /// Begins to check a body.
    pub fn begin(&self) -> RunningChecksum {
        let state = match self.algorithm {
            Algorithm::Sha1 => State::Sha1(Sha1::new()),
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
        };
        RunningChecksum {
            state,
            expected: self.expected.clone(),
        }
    }
}

/// A check under way.
#[derive(Debug, Clone)]
pub struct RunningChecksum {
    state: State,
    expected: Vec<u8>,
}

#[derive(Debug, Clone)]
enum State {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl RunningChecksum {
    /// Feeds the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Sha1(hash) => hash.update(bytes),
            State::Sha256(hash) => hash.update(bytes),
        }
    }

    /// Whether the whole body had the announced checksum.
    ///
    /// # Errors
    /// [`Refusal::ChecksumMismatch`]: the caller undoes what it appended.
    pub fn finish(self) -> Result<(), Refusal> {
        let found = match self.state {
            State::Sha1(hash) => hash.finalize().to_vec(),
            State::Sha256(hash) => hash.finalize().to_vec(),
        };
        if bool::from(found.ct_eq(&self.expected)) {
            Ok(())
        } else {
            Err(Refusal::ChecksumMismatch)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn parse(value: &str) -> Result<Option<Checksum>, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(NAME, HeaderValue::from_str(value).expect("header"));
        Checksum::from_headers(&headers)
    }

    #[test]
    fn both_algorithms_check_a_body() {
        for value in [
            "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=",
            "SHA256 LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        ] {
            let checksum = parse(value).expect("valid").expect("there");
            let mut running = checksum.begin();
            running.update(b"hel");
            running.update(b"lo");
            assert_eq!(running.finish(), Ok(()), "{value}");
            let mut other = checksum.begin();
            other.update(b"hello!");
            assert_eq!(other.finish(), Err(Refusal::ChecksumMismatch));
        }
    }

    #[test]
    fn what_is_refused() {
        assert_eq!(
            parse("md5 XUFAKrxLKna5cZ2REBfFkg=="),
            Err(Refusal::ChecksumAlgorithm)
        );
        for value in [
            "sha1",
            "sha1 ",
            "sha1 !!!!",
            "sha256 qvTGHdzF6KLavt4PO0gs2a6pQ00=",
        ] {
            assert!(
                matches!(parse(value), Err(Refusal::Header { .. })),
                "{value}"
            );
        }
    }
}
