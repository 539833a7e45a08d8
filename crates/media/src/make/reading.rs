//! Reading again the packets a feed names.

use docket_container::resume::Head;
use docket_playback::made::Feed;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Packet, ffi, media};

use super::Way;
use super::finding::Finding;
use crate::fault::{Fault, Result};
use crate::opening::open_joined;
use crate::recording::Recording;
use crate::scan::keep_only;

/// How far before the place reading begins, when the first packet isn't found from there: microseconds.
const BACK_US: [i64; 4] = [0, 1_000_000, 20_000_000, i64::MAX];
/// And bytes. Never at the place itself: a parser gives the frames that share a packet the right times
/// only after it has seen some.
const BACK_BYTES: [i64; 4] = [256 << 10, 2 << 20, 32 << 20, i64::MAX];
/// Stamps that the demuxer works out differ by rounding, in parts of a second.
const ROUNDING_OF_A_SECOND: i64 = 1000;

/// One stream of an input.
pub struct Reading<'a> {
    pub input: &'a mut Input,
    pub way: Way,
    pub head: Option<Head>,
    pub recording: &'a Recording,
    pub stream: usize,
}

impl Reading<'_> {
    /// Calls `take` with each packet of the feed that is found, in order, and its place in the feed.
    pub fn read(
        &mut self,
        feed: &Feed,
        mut take: impl FnMut(usize, &mut Packet) -> Result<()>,
    ) -> Result<()> {
        let Some(first) = feed.packets.first() else {
            return Ok(());
        };
        let mut finding = Finding::new(feed, self.way, self.stream, self.tolerance());
        if !self.read_joined(feed.offset, &mut finding, &mut take)? {
            keep_only(self.input, &self.kept());
            let backs = match self.way {
                Way::Bytes => BACK_BYTES,
                _ => BACK_US,
            };
            for back in backs {
                if !self.seek(feed.offset, first.stamp, back) {
                    continue;
                }
                finding.read(self.input, &mut take)?;
                if finding.has_begun() {
                    break;
                }
            }
        }
        match self.recording.failure() {
            Some(message) => Err(Fault::Source(message)),
            None => Ok(()),
        }
    }

    /// Reads the head and then from the feed's own place on, where the container lets that be: it costs what
    /// is read, needs no index, and finds the same with and without one. Whether anything was found.
    fn read_joined(
        &self,
        offset: u64,
        finding: &mut Finding<'_>,
        take: &mut impl FnMut(usize, &mut Packet) -> Result<()>,
    ) -> Result<bool> {
        let Some(head) = self.head else {
            return Ok(false);
        };
        let piece = head.piece(&mut &*self.recording, offset, self.stream);
        let Some(piece) = piece.map_err(|error| Fault::Source(error.to_string()))? else {
            return Ok(false);
        };
        let gap = head.bytes..piece;
        let mut input = match open_joined(self.recording, gap.clone(), self.way.depth_joined()) {
            Ok(input) => input,
            Err(fault @ (Fault::Source(_) | Fault::OutOfMemory)) => return Err(fault),
            Err(_) => return Ok(false),
        };
        keep_only(&mut input, &[self.stream]);
        finding.read_joined(&mut input, gap, take)?;
        Ok(finding.has_begun())
    }

    /// The stream, and the one that seeking goes by.
    fn kept(&self) -> Vec<usize> {
        match self.way {
            Way::Picture | Way::Chunks | Way::Index => vec![self.stream, self.leader()],
            Way::Stored | Way::Bytes => vec![self.stream],
        }
    }

    fn leader(&self) -> usize {
        let mut streams = self.input.streams();
        streams
            .find(|s| s.parameters().medium() == media::Type::Video)
            .map_or(self.stream, |s| s.index())
    }

    fn tolerance(&self) -> i64 {
        let base = self.input.stream(self.stream).map(|s| s.time_base());
        let rounds = matches!(self.way, Way::Bytes | Way::Chunks | Way::Index);
        base.filter(|base| rounds && base.numerator() > 0)
            .map_or(0, |base| {
                i64::from(base.denominator() / base.numerator()) / ROUNDING_OF_A_SECOND
            })
    }

    #[allow(unsafe_code)]
    fn seek(&mut self, offset: u64, stamp: i64, back: i64) -> bool {
        let leader = self.leader();
        let backward = ffi::AVSEEK_FLAG_BACKWARD;
        let number = |stream: usize| i32::try_from(stream).unwrap_or(-1);
        let (stream, target, flags) = match self.way {
            Way::Bytes => {
                let offset = i64::try_from(offset).unwrap_or(i64::MAX);
                let target = offset.saturating_sub(back).max(0);
                (-1, target, ffi::AVSEEK_FLAG_BYTE)
            }
            Way::Stored => {
                let target = self.earlier(self.stream, stamp, back);
                (number(self.stream), target, backward)
            }
            Way::Picture | Way::Chunks | Way::Index => {
                let stamp = self.rescaled(stamp, self.stream, leader);
                (number(leader), self.earlier(leader, stamp, back), backward)
            }
        };
        // SAFETY: the input is open; the stream exists or is -1.
        let code = unsafe { ffi::av_seek_frame(self.input.as_mut_ptr(), stream, target, flags) };
        code >= 0
    }

    /// A stamp of one stream in another's ticks.
    fn rescaled(&self, stamp: i64, from: usize, to: usize) -> i64 {
        let base = |stream| self.input.stream(stream).map(|s| s.time_base());
        let (Some(from), Some(to)) = (base(from), base(to)) else {
            return stamp;
        };
        let numerator = i128::from(from.numerator()) * i128::from(to.denominator());
        let denominator = i128::from(from.denominator()) * i128::from(to.numerator());
        if denominator <= 0 {
            return stamp;
        }
        i64::try_from((i128::from(stamp) * numerator).div_euclid(denominator)).unwrap_or(stamp)
    }

    /// So many microseconds before a stamp of a stream.
    fn earlier(&self, stream: usize, stamp: i64, back_us: i64) -> i64 {
        if back_us == i64::MAX {
            return i64::MIN / 2;
        }
        let base = self.input.stream(stream).map(|s| s.time_base());
        let ticks = base.map_or(0, |base| {
            i128::from(back_us) * i128::from(base.denominator())
                / (1_000_000 * i128::from(base.numerator().max(1)))
        });
        stamp.saturating_sub(i64::try_from(ticks).unwrap_or(i64::MAX))
    }
}
