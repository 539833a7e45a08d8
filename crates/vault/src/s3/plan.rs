//! How large each part of a multipart upload is, so that 10,000 parts suffice for 5 TB while memory
//! stays bounded by pieces.

const MIB: u64 = 1024 * 1024;

/// What is held in memory and sent in one request; never more than the 16 MiB that may be
/// unacknowledged.
const PIECE_BYTES: u64 = 16 * MIB;

/// So many parts of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Parts of this size.
    pub parts: u32,
    /// Their size. Above the piece size it must be a multiple of it: such a part is gathered from
    /// pieces that are durable scaffold objects.
    pub part_bytes: u64,
}

/// The sizes of an upload's parts, in order. All uploads that are open when it changes must be sealed
/// first: the sizes of their parts follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartPlan {
    /// In order; 10,000 parts together at most.
    pub tiers: Vec<Tier>,
    /// The largest piece.
    pub piece_bytes: u64,
}

impl Default for PartPlan {
    /// 8 MiB up to 31 GiB, 16 MiB up to 94 GiB, then 2.75 GiB: 5.7 TB in all. A few
    /// numbers stay for parts that a crash made useless.
    fn default() -> Self {
        let tiers = [(4_000, 8 * MIB), (4_000, 16 * MIB), (1_900, 2_816 * MIB)];
        Self {
            tiers: tiers
                .map(|(parts, part_bytes)| Tier { parts, part_bytes })
                .to_vec(),
            piece_bytes: PIECE_BYTES,
        }
    }
}

impl PartPlan {
    /// The size of a part, counted from 1; `None` behind the last.
    pub(super) fn part_bytes(&self, number: u32) -> Option<u64> {
        let mut before = 0;
        for tier in &self.tiers {
            before += tier.parts;
            if number <= before {
                return Some(tier.part_bytes);
            }
        }
        None
    }

    /// The size of the pieces that a part is sent in.
    pub(super) fn piece_bytes(&self, number: u32) -> Option<u64> {
        Some(self.part_bytes(number)?.min(self.piece_bytes))
    }

    /// Where the piece that begins at or contains this offset ends; `None` behind the last part.
    pub(super) fn piece_end(&self, offset_bytes: u64) -> Option<u64> {
        let mut start = 0;
        for tier in &self.tiers {
            let end = start + u64::from(tier.parts) * tier.part_bytes;
            if offset_bytes < end {
                let piece = tier.part_bytes.min(self.piece_bytes);
                return Some(start + ((offset_bytes - start) / piece + 1) * piece);
            }
            start = end;
        }
        None
    }

    /// The first part's pieces: what is sent without waste.
    pub(super) fn first_piece_bytes(&self) -> u64 {
        self.piece_bytes(1).unwrap_or(PIECE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_hold_five_terabytes_in_pieces_of_bounded_size() {
        let plan = PartPlan::default();
        assert_eq!(plan.tiers.iter().map(|tier| tier.parts).sum::<u32>(), 9_900);
        let total: u64 = (1..=10_000).filter_map(|n| plan.part_bytes(n)).sum();
        assert!(total > 5_000_000_000_000, "{total}");
        assert_eq!(plan.part_bytes(9_901), None);
        assert_eq!(plan.piece_end(total), None);
        for tier in &plan.tiers {
            assert!((5 * MIB..5_120 * MIB).contains(&tier.part_bytes));
            assert_eq!(tier.part_bytes % tier.part_bytes.min(plan.piece_bytes), 0);
        }
        for offset in [0, 1, 8 * MIB - 1, 8 * MIB, 33_554_432_000, total - 1] {
            let end = plan.piece_end(offset).expect("inside");
            assert!(end > offset && end - offset <= PIECE_BYTES, "{offset}");
        }
    }
}
