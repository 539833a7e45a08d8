//! The parameter sets in force.

use std::collections::BTreeMap;

use super::unit::{PictureSet, Sequence, Set, Unit};
use super::{Codec, h264, h265};

/// Parameter sets by their numbers, as they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Sets {
    video: Option<Vec<u8>>,
    sequences: BTreeMap<u32, (Sequence, Vec<u8>)>,
    pictures: BTreeMap<u32, (PictureSet, Vec<u8>)>,
    /// One came again with other content.
    pub change: bool,
}

impl Sets {
    /// What a unit is, by its first bytes.
    pub fn unit(&self, codec: Codec, bytes: &[u8]) -> Option<Unit> {
        match codec {
            Codec::H264 => h264::unit(bytes, self),
            Codec::H265 => h265::unit(bytes, self),
        }
    }

    /// Takes a set; `unit` are all its bytes.
    pub fn take(&mut self, set: Set, unit: &[u8]) {
        let bytes = unit.to_vec();
        let same = match set {
            Set::Video => self.video.replace(bytes).is_none_or(|old| old == unit),
            Set::Sequence(set) => {
                let old = self.sequences.insert(set.id, (set, bytes));
                old.is_none_or(|(_, old)| old == unit)
            }
            Set::Picture(set) => {
                let old = self.pictures.insert(set.id, (set, bytes));
                old.is_none_or(|(_, old)| old == unit)
            }
        };
        self.change |= !same;
    }

    /// The sets that slices name by a picture set's number.
    pub fn of_picture(&self, id: u32) -> Option<(&PictureSet, &Sequence)> {
        let (picture, _) = self.pictures.get(&id)?;
        let (sequence, _) = self.sequences.get(&picture.sequence)?;
        Some((picture, sequence))
    }

    /// The sequence set with the lowest number.
    pub fn sequence(&self) -> Option<&Sequence> {
        self.sequences.values().next().map(|(set, _)| set)
    }

    /// All that decoding needs is there.
    pub fn is_complete(&self, codec: Codec) -> bool {
        let video = codec == Codec::H264 || self.video.is_some();
        video
            && self
                .pictures
                .keys()
                .any(|id| self.of_picture(*id).is_some())
    }

    /// Of each kind all sets, in the order video, sequence, picture.
    pub fn units(&self) -> [Vec<&[u8]>; 3] {
        [
            self.video.iter().map(Vec::as_slice).collect(),
            self.sequences
                .values()
                .map(|(_, unit)| unit.as_slice())
                .collect(),
            self.pictures
                .values()
                .map(|(_, unit)| unit.as_slice())
                .collect(),
        ]
    }
}
