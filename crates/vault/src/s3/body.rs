//! Request bodies that send received chunks as they are, without joining them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::contract::Bytestream;
use crate::error::VaultError;

/// Bytes in memory, in the pieces they arrived in. Cloning copies no bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunks {
    chunks: Vec<Bytes>,
    length_bytes: u64,
}

impl Chunks {
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.length_bytes += bytes.len() as u64;
        self.chunks.push(bytes);
    }

    pub(super) fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length_bytes == 0
    }

    /// CRC64-NVME as the header wants it.
    pub(super) fn crc64_nvme(&self) -> String {
        let mut digest = crc64fast_nvme::Digest::new();
        for chunk in &self.chunks {
            digest.write(chunk);
        }
        STANDARD.encode(digest.sum64().to_be_bytes())
    }

    /// A body that can be sent again when a request is retried.
    pub(super) fn body(&self) -> ByteStream {
        let (chunks, left_bytes): (Arc<[Bytes]>, u64) =
            (self.chunks.clone().into(), self.length_bytes);
        ByteStream::new(SdkBody::retryable(move || {
            SdkBody::from_body_1_x(ChunkBody {
                chunks: Arc::clone(&chunks),
                next: 0,
                left_bytes,
            })
        }))
    }
}

impl From<Bytes> for Chunks {
    fn from(bytes: Bytes) -> Self {
        let mut chunks = Self::default();
        chunks.push(bytes);
        chunks
    }
}

struct ChunkBody {
    chunks: Arc<[Bytes]>,
    next: usize,
    left_bytes: u64,
}

impl Body for ChunkBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(chunk) = self.chunks.get(self.next).cloned() else {
            return Poll::Ready(None);
        };
        self.next += 1;
        self.left_bytes -= chunk.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}

/// A body that is fetched while it is sent. It can be sent once.
pub(super) fn streamed(sources: VecDeque<Bytestream>, length_bytes: u64) -> ByteStream {
    ByteStream::new(SdkBody::from_body_1_x(StreamedBody {
        sources: Mutex::new(sources),
        left_bytes: length_bytes,
    }))
}

struct StreamedBody {
    /// Never contended: it only makes the streams `Sync`, as the client wants bodies to be.
    sources: Mutex<VecDeque<Bytestream>>,
    left_bytes: u64,
}

impl Body for StreamedBody {
    type Data = Bytes;
    type Error = VaultError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, VaultError>>> {
        let sources = self
            .sources
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        while let Some(source) = sources.front_mut() {
            match source.as_mut().poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => {
                    sources.pop_front();
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(bytes))) => {
                    self.left_bytes = self.left_bytes.saturating_sub(bytes.len() as u64);
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
            }
        }
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}
