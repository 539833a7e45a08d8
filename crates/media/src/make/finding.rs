//! Telling which packet of an input is which of a feed's.

use std::ops::Range;

use docket_playback::made::{Feed, FeedPacket};
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{self as ffmpeg, Packet};

use super::Way;
use crate::fault::Result;

/// Packets in vain before another place is tried, or the rest is given up.
const MOST_IN_VAIN: usize = 4000;
/// A packet that isn't found may be damaged; so many following ones are compared.
const LOOK_AHEAD: usize = 64;

/// A feed's packets, found one after the other.
pub struct Finding<'a> {
    wanted: &'a [FeedPacket],
    offset: u64,
    way: Way,
    stream: usize,
    tolerance: u64,
    /// Which is looked for now.
    next: usize,
    /// What is left out of the file that is read.
    gap: Range<u64>,
    /// So much is added to the stamps of a file that counts anew behind its gap.
    later: i64,
}

impl<'a> Finding<'a> {
    /// Of a feed whose stamps may differ by so many ticks from those that are read.
    pub fn new(feed: &'a Feed, way: Way, stream: usize, tolerance: i64) -> Self {
        Self {
            wanted: &feed.packets,
            offset: feed.offset,
            way,
            stream,
            tolerance: tolerance.unsigned_abs(),
            next: 0,
            gap: 0..0,
            later: 0,
        }
    }

    /// Whether any was found.
    pub fn has_begun(&self) -> bool {
        self.next > 0
    }

    /// Whether all were.
    pub fn is_done(&self) -> bool {
        self.next == self.wanted.len()
    }

    /// Reads an input on, and calls `take` with what is found.
    pub fn read(
        &mut self,
        input: &mut Input,
        take: &mut impl FnMut(usize, &mut Packet) -> Result<()>,
    ) -> Result<()> {
        let mut in_vain = 0;
        while !self.is_done() && in_vain < MOST_IN_VAIN {
            let mut packet = Packet::empty();
            match packet.read(input) {
                Ok(()) => {}
                Err(ffmpeg::Error::InvalidData) => {
                    in_vain += 1;
                    continue;
                }
                Err(_) => return Ok(()), // the source's failures are asked for at the end
            }
            if packet.stream() != self.stream {
                continue;
            }
            match self.found(&packet) {
                Some(at) => {
                    take(self.next + at, &mut packet)?;
                    self.next += at + 1;
                    in_vain = 0;
                }
                None => in_vain += 1,
            }
        }
        Ok(())
    }

    /// The same of a file without `gap`, whose frames are only then the right ones when the first lies where
    /// it should.
    pub fn read_joined(
        &mut self,
        input: &mut Input,
        gap: Range<u64>,
        take: &mut impl FnMut(usize, &mut Packet) -> Result<()>,
    ) -> Result<()> {
        self.gap = gap;
        let done = self.read(input, take);
        (self.gap, self.later) = (0..0, 0);
        done
    }

    fn place(&self, packet: &Packet) -> Option<u64> {
        let place = u64::try_from(packet.position()).ok()?;
        let left_out = match place < self.gap.start {
            true => 0,
            false => self.gap.end - self.gap.start,
        };
        place.checked_add(left_out)
    }

    /// How many of the wanted ones are passed over by taking this packet for the one after them.
    fn found(&mut self, packet: &Packet) -> Option<usize> {
        let stamp = self.way.stamp(packet)?;
        let (place, first) = (self.place(packet), self.wanted.first()?);
        if self.next == 0 {
            // Times may come again where the recorder began to count anew.
            if self.way == Way::Bytes && place.is_some_and(|place| place < self.offset) {
                return None;
            }
            if self.way == Way::Chunks && !self.gap.is_empty() {
                self.later = first.stamp.saturating_sub(stamp);
                return (place == Some(self.offset)).then_some(0);
            }
        }
        if self.next > 0 && place.is_none() {
            return Some(0); // it shares a packet with the one before: its time is made up
        }
        let ahead = match self.next {
            0 => 1, // what comes before is no reason to skip the beginning
            _ => LOOK_AHEAD,
        };
        let stamp = stamp.saturating_add(self.later);
        let mut ahead = self.wanted[self.next..].iter().take(ahead);
        ahead.position(|one| one.stamp.abs_diff(stamp) <= self.tolerance)
    }
}
