//! Reading on from the middle of an AVI or a Matroska file without its index, which stands at the end:
//! while a recording arrives, and where its end never was written, there is none.
//!
//! Such a file is a head, which says what is in it, and then pieces that each say whose they are. The head
//! joined to any piece and what follows it is a file again: it costs its own bytes and not all before it.
//! Here is where the head ends, and where the piece begins that holds given data.
//!
//! Pure Rust; every number comes from a file that may be hostile. Work and memory are bounded.

mod avi;
mod matroska;
#[cfg(test)]
mod tests;

use std::io;

use crate::rescue::ReadAt;

/// Pieces of a head that are looked at.
const MOST_IN_HEAD: usize = 4096;

/// Containers that can be read on from the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RIFF AVI, OpenDML or not.
    Avi,
    /// Matroska and WebM.
    Matroska,
}

/// Where the head of a file ends; `None` where it can't be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    kind: Kind,
    /// The first piece begins here.
    pub bytes: u64,
}

impl Head {
    /// Of a file.
    ///
    /// # Errors
    /// The source's.
    pub fn of(source: &mut impl ReadAt, kind: Kind) -> io::Result<Option<Self>> {
        let bytes = match kind {
            Kind::Avi => avi::head(source)?,
            Kind::Matroska => matroska::head(source)?,
        };
        Ok(bytes.map(|bytes| Self { kind, bytes }))
    }

    /// Where the piece begins that holds the frame of this stream whose data begin at `data`; `None` where
    /// no piece is found that does.
    ///
    /// # Errors
    /// The source's.
    pub fn piece(
        &self,
        source: &mut impl ReadAt,
        data: u64,
        stream: usize,
    ) -> io::Result<Option<u64>> {
        if data <= self.bytes {
            return Ok(None);
        }
        let found = match self.kind {
            Kind::Avi => avi::chunk(source, data, stream)?,
            Kind::Matroska => matroska::cluster(source, self.bytes, data)?,
        };
        Ok(found.filter(|piece| *piece >= self.bytes))
    }
}

/// Whether all of `into` is there.
fn fill(source: &mut impl ReadAt, offset: u64, into: &mut [u8]) -> io::Result<bool> {
    let mut done = 0;
    while done < into.len() {
        let Some(at) = offset.checked_add(done as u64) else {
            return Ok(false);
        };
        match source.read_at(at, &mut into[done..])? {
            0 => return Ok(false),
            read => done += read,
        }
    }
    Ok(true)
}
