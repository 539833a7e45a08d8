//! Bits of a NAL unit: Exp-Golomb codes (ITU-T H.264, 9.1), without the bytes that prevent start codes.

/// Most bytes of a unit that are looked at.
const MOST_BYTES: usize = 4096;

pub(super) struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    /// Of a unit's bytes behind its header.
    pub fn of(payload: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(payload.len().min(MOST_BYTES));
        let mut zeros = 0;
        for byte in payload.iter().take(MOST_BYTES) {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    /// The bytes themselves.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// At most 32.
    pub fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u64;
        for _ in 0..count {
            value = (value << 1) | u64::from(self.bit()?);
        }
        u32::try_from(value).ok()
    }

    pub fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    /// `ue(v)`.
    pub fn number(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.bits(zeros)?;
        Some(((1_u64 << zeros) - 1) as u32 + rest)
    }

    /// `ue(v)` of at most so much.
    pub fn at_most(&mut self, most: u32) -> Option<u32> {
        self.number().filter(|number| *number <= most)
    }

    /// `se(v)`.
    pub fn signed(&mut self) -> Option<i64> {
        let number = i64::from(self.number()?);
        Some(match number % 2 {
            0 => -(number / 2),
            _ => (number + 1) / 2,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_are_read() {
        // 1, 010, 011, 00100, 00101: 0 to 4.
        let mut bits = Bits::of(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let read: Vec<_> = (0..5).map(|_| bits.number()).collect();
        assert_eq!(read, [0, 1, 2, 3, 4].map(Some));
        let mut bits = Bits::of(&[0b0100_1100, 0b1000_0000]);
        assert_eq!((bits.signed(), bits.signed()), (Some(1), Some(-1)));
        assert_eq!(Bits::of(&[0; 8]).number(), None);
        assert_eq!(Bits::of(&[0, 0, 3, 1]).bytes(), [0, 0, 1]);
    }
}
