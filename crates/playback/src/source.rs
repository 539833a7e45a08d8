//! Where a recording's bytes come from.

use std::fmt;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

/// Bytes that are fetched on demand: an object store, or an upload under assembly.
#[async_trait]
pub trait BlockSource: Send + Sync + fmt::Debug {
    /// The recording's size.
    fn size_bytes(&self) -> u64;

    /// Exactly the bytes of `range`, which lies within the size and is at most 4 MiB long when a worker
    /// asks, and as long as a segment's stretch when a segment is fetched.
    async fn read(&self, range: Range<u64>) -> io::Result<Bytes>;
}

/// A recording's bytes. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Source {
    /// A read-only descriptor, handed to the worker (local vault).
    Descriptor(Arc<OwnedFd>),
    /// Blocks fetched by this process for the worker (S3).
    Blocks(Arc<dyn BlockSource>),
}

impl Source {
    /// A source over a descriptor opened for reading only.
    ///
    /// # Errors
    /// When the descriptor is also open for writing: a worker must not get one.
    pub fn descriptor(descriptor: OwnedFd) -> io::Result<Self> {
        let flags = rustix::fs::fcntl_getfl(&descriptor)?;
        if flags & rustix::fs::OFlags::ACCMODE != rustix::fs::OFlags::RDONLY {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the descriptor of a recording must be read-only",
            ));
        }
        Ok(Self::Descriptor(Arc::new(descriptor)))
    }

    /// A source over blocks.
    pub fn blocks(source: Arc<dyn BlockSource>) -> Self {
        Self::Blocks(source)
    }

    /// The size now.
    ///
    /// # Errors
    /// When the descriptor can't be asked.
    pub fn size_bytes(&self) -> io::Result<u64> {
        match self {
            Self::Descriptor(fd) => {
                Ok(u64::try_from(rustix::fs::fstat(fd)?.st_size).unwrap_or_default())
            }
            Self::Blocks(blocks) => Ok(blocks.size_bytes()),
        }
    }

    /// Exactly the bytes of `range`.
    ///
    /// # Errors
    /// The disk's or store's, or `UnexpectedEof` when the recording is shorter.
    pub async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let wanted = usize::try_from(range.end.saturating_sub(range.start))
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let bytes = match self {
            Self::Blocks(blocks) => blocks.read(range).await?,
            Self::Descriptor(fd) => {
                let fd = Arc::clone(fd);
                tokio::task::spawn_blocking(move || read_exactly_at(&fd, range.start, wanted))
                    .await
                    .map_err(io::Error::other)??
            }
        };
        if bytes.len() != wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }
}

fn read_exactly_at(fd: &OwnedFd, offset: u64, wanted: usize) -> io::Result<Bytes> {
    let mut bytes = BytesMut::zeroed(wanted);
    let mut done = 0;
    while done < wanted {
        match rustix::io::pread(fd, &mut bytes[done..], offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => done += read,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes.freeze())
}
