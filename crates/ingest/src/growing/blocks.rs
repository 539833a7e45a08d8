//! The bytes of an open upload as a media worker and the cutting of segments read them.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use docket_playback::BlockSource;
use docket_vault::{AssemblyState, Vault};
use futures_util::StreamExt;

/// The durable bytes of an upload, and the hint's stretch where there is one.
#[derive(Debug)]
pub(super) struct GrowingBlocks {
    pub(super) vault: Arc<dyn Vault>,
    pub(super) state: AssemblyState,
    pub(super) durable_bytes: u64,
    /// As the source has it: with a hint the whole file's, else the durable bytes.
    pub(super) size_bytes: u64,
    pub(super) hint: Option<(u64, Bytes)>,
}

#[async_trait]
impl BlockSource for GrowingBlocks {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// What neither came nor stands in the hint reads as zeros. That is only ever media data, whose
    /// content an index of places and times does not need; segments are cut from durable bytes alone.
    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let length = usize::try_from(range.end.saturating_sub(range.start))
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut out = BytesMut::zeroed(length);
        let durable = range.start..range.end.min(self.durable_bytes);
        if durable.start < durable.end {
            let mut stream = self
                .vault
                .read_assembly(&self.state, durable)
                .await
                .map_err(io::Error::other)?;
            let mut at = 0;
            while let Some(block) = stream.next().await {
                let block = block.map_err(io::Error::other)?;
                let place = out
                    .get_mut(at..at + block.len())
                    .ok_or_else(|| io::Error::other("more came than was asked for"))?;
                place.copy_from_slice(&block);
                at += block.len();
            }
        }
        if let Some((from, bytes)) = &self.hint {
            lay_over(&mut out, range.start, *from, bytes);
        }
        Ok(out.freeze())
    }
}

/// Lays `bytes`, which begin at `from` in the file, over `out`, which begins at `start`.
fn lay_over(out: &mut [u8], start: u64, from: u64, bytes: &[u8]) {
    let end = start.saturating_add(out.len() as u64);
    let (low, high) = (
        start.max(from),
        end.min(from.saturating_add(bytes.len() as u64)),
    );
    if low >= high {
        return;
    }
    // Both differences are within the slices they index.
    let count = (high - low) as usize;
    let (to, of) = ((low - start) as usize, (low - from) as usize);
    out[to..to + count].copy_from_slice(&bytes[of..of + count]);
}

#[cfg(test)]
mod tests {
    use super::lay_over;

    #[test]
    fn a_stretch_lies_where_it_belongs() {
        for (start, from, expected) in [
            (0, 2, *b"..abc."),
            (3, 2, *b"bc...."),
            (0, 4, *b"....ab"),
            (10, 2, *b"......"),
            (0, 10, *b"......"),
        ] {
            let mut out = *b"......";
            lay_over(&mut out, start, from, b"abc");
            assert_eq!(out, expected, "{start} {from}");
        }
    }
}
