//! The order of showing, where a container stores only the order of decoding: AVI for all frames, a
//! program stream for those that share a packet with another.

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Packet, ffi};

use crate::scan::Frame;

/// What is known of each frame's place among those shown.
pub struct Order {
    /// Times of showing come from the file, and not from what FFmpeg makes of the order of decoding.
    tells: bool,
    by_count: bool,
    /// The start code of a picture, of codecs whose pictures say their kind right behind it.
    picture_code: Option<u8>,
    frames: Vec<Noted>,
}

#[derive(Debug, Clone, Copy)]
struct Noted {
    /// The codec's own count (H.264, H.265).
    count: i32,
    is_b: bool,
    /// It came without a time of showing.
    is_timeless: bool,
    /// When it is decoded, in the track's ticks.
    decode: i64,
}

#[allow(unsafe_code)]
impl Order {
    /// Of a stream, when its frames may be shown in another order than they are stored.
    pub fn of(stream: &ffmpeg_next::Stream<'_>, tells: bool) -> Option<Self> {
        // SAFETY: plain fields of parameters that live as long as the stream.
        let (id, delay) = unsafe {
            let parameters = stream.parameters();
            (parameters.id(), (*parameters.as_ptr()).video_delay)
        };
        let by_count = matches!(
            id,
            ffmpeg_next::codec::Id::H264 | ffmpeg_next::codec::Id::HEVC
        );
        let picture_code = match id {
            ffmpeg_next::codec::Id::MPEG1VIDEO | ffmpeg_next::codec::Id::MPEG2VIDEO => Some(0),
            ffmpeg_next::codec::Id::MPEG4 => Some(0xb6),
            _ => None,
        };
        (delay > 0).then_some(Self {
            tells,
            by_count,
            picture_code,
            frames: Vec::new(),
        })
    }

    /// Notes the frame that was read last.
    pub fn note(&mut self, input: &Input, packet: &Packet, decode: i64) {
        // SAFETY: the stream exists, for the packet is of it; its parser, where it has one, has just
        // parsed this packet.
        let parsed = unsafe {
            let stream = *(*input.as_ptr()).streams.add(packet.stream());
            let parser = ffi::av_stream_get_parser(stream);
            (!parser.is_null()).then(|| ((*parser).output_picture_number, (*parser).pict_type))
        };
        let (count, kind) = parsed.unwrap_or((0, 0));
        // Where two frames share a packet the parser is one ahead: the frame itself says what it is.
        let own = own_kind(packet.data().unwrap_or_default(), self.picture_code);
        let is_b = own.unwrap_or(kind == ffi::AVPictureType::AV_PICTURE_TYPE_B as i32);
        self.frames.push(Noted {
            count,
            is_b,
            is_timeless: packet.pts().is_none(),
            decode,
        });
    }

    /// Gives the frames times of showing, if any lacks one: of each stretch from one keyframe to the next
    /// the times of decoding, in the order shown, later by what those with a time of their own say. Where
    /// the file tells times they stay, and the others get those that are left.
    pub fn apply(&self, frames: &mut [Frame]) {
        let timeless = self.frames.iter().any(|one| one.is_timeless);
        if frames.len() != self.frames.len() || !timeless {
            return;
        }
        let mut slots = vec![0; frames.len()];
        let mut stretches = Vec::new();
        let mut start = 0;
        while start < frames.len() {
            let next = (start + 1..frames.len()).find(|at| frames[*at].key);
            let end = next.unwrap_or(frames.len());
            let shown = match self.by_count {
                true => self.by_count(start..end),
                false => self.by_kind(start..end),
            };
            let mut ticks: Vec<i64> = self.frames[start..end].iter().map(|f| f.decode).collect();
            ticks.sort_unstable();
            for (at, ticks) in shown.iter().zip(&ticks) {
                slots[*at] = *ticks;
            }
            stretches.push((shown, ticks));
            start = end;
        }
        let told = (0..frames.len()).filter(|at| !self.frames[*at].is_timeless);
        let mut later: Vec<i64> = told.map(|at| frames[at].pts - slots[at]).collect();
        later.sort_unstable();
        let later = later.get(later.len() / 2).copied().unwrap_or(0).max(0);
        if self.tells {
            for (shown, ticks) in stretches {
                self.give_what_is_left(frames, &shown, &ticks, later);
            }
            return;
        }
        for (frame, slot) in frames.iter_mut().zip(slots) {
            frame.pts = slot.saturating_add(later);
        }
    }

    /// In the order shown, those without a time get the times that no other has.
    fn give_what_is_left(&self, frames: &mut [Frame], shown: &[usize], ticks: &[i64], later: i64) {
        let is_timeless = |at: &&usize| self.frames[**at].is_timeless;
        let told = shown.iter().filter(|at| !is_timeless(at));
        let mut told: Vec<i64> = told.map(|at| frames[*at].pts).collect();
        told.sort_unstable();
        let left = left(ticks, later, &told);
        let timeless = shown.iter().filter(is_timeless);
        for (at, time) in timeless.zip(left) {
            frames[*at].pts = time;
        }
    }

    fn by_count(&self, range: std::ops::Range<usize>) -> Vec<usize> {
        let mut shown: Vec<usize> = range.collect();
        shown.sort_by_key(|at| self.frames[*at].count);
        shown
    }

    /// Others wait until the next one that is no B-frame.
    fn by_kind(&self, range: std::ops::Range<usize>) -> Vec<usize> {
        let (mut shown, mut waiting) = (Vec::with_capacity(range.len()), None);
        for at in range {
            match self.frames[at].is_b {
                true => shown.push(at),
                false => shown.extend(waiting.replace(at)),
            }
        }
        shown.extend(waiting);
        shown
    }
}

/// The times, in order and later by so much, that are not among those told.
fn left(ticks: &[i64], later: i64, told: &[i64]) -> Vec<i64> {
    let mut told = told.iter().copied().peekable();
    let half = |at: usize| match (ticks.get(at + 1), at.checked_sub(1)) {
        (Some(next), _) => (next - ticks[at]) / 2,
        (None, Some(before)) => (ticks[at] - ticks[before]) / 2,
        (None, None) => 0,
    };
    let mut left = Vec::new();
    for (at, ticks) in ticks.iter().enumerate() {
        let time = ticks.saturating_add(later);
        let has = |told: &i64| *told <= time.saturating_add(half(at));
        if told.next_if(has).is_none() {
            left.push(time);
        }
    }
    left
}

/// Whether a picture is a B-picture (ISO/IEC 13818-2, 6.2.3; 14496-2, 6.2.5).
fn own_kind(data: &[u8], picture_code: Option<u8>) -> Option<bool> {
    let code = picture_code?;
    let at = data.windows(4).position(|bytes| bytes == [0, 0, 1, code])?;
    match code {
        0 => data.get(at + 5).map(|byte| (byte >> 3) & 7 == 3),
        _ => data.get(at + 4).map(|byte| byte >> 6 == 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_time_gets_one_that_is_left() {
        let ticks = [0, 40, 80, 120, 160];
        assert_eq!(left(&ticks, 20, &[20, 60, 101, 180]), [140]);
        assert_eq!(left(&ticks, 20, &[20, 60, 100, 140, 180]), [] as [i64; 0]);
        assert_eq!(left(&ticks, 0, &[39, 160]), [0, 80, 120]);
        assert_eq!(left(&[7], i64::MAX, &[]), [i64::MAX]);
    }

    #[test]
    fn pictures_say_their_kind() {
        // Temporal reference 5, B; and a P.
        let mpeg2 = |kind: u8| [0, 0, 1, 0, 1, 0x40 | (kind << 3), 0, 0];
        assert_eq!(own_kind(&mpeg2(3), Some(0)), Some(true));
        assert_eq!(own_kind(&mpeg2(2), Some(0)), Some(false));
        assert_eq!(own_kind(&[9, 0, 0, 1, 0xb6, 0x90], Some(0xb6)), Some(true));
        assert_eq!(own_kind(&[0, 0, 1, 0xb6, 0x50], Some(0xb6)), Some(false));
        assert_eq!(own_kind(&[0, 0, 1, 0], Some(0)), None);
        assert_eq!(own_kind(&mpeg2(3), None), None);
    }
}
