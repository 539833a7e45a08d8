//! What a NAL unit is to whoever puts pictures together.

/// One unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    /// A parameter set.
    Set(Set),
    /// What may stand before a picture: delimiter, supplemental information.
    Lead,
    /// The first slice of a picture.
    Picture(Slice),
    /// A further slice of it.
    More,
    /// What may stand behind a picture.
    Tail,
}

/// A parameter set that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Set {
    /// H.265 only.
    Video,
    Sequence(Sequence),
    Picture(PictureSet),
}

/// What of a sequence parameter set is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sequence {
    pub id: u32,
    pub width: u32,
    pub height: u32,
    /// H.264: bits of `frame_num`.
    pub frame_number_bits: u32,
    /// Bits of the order of showing in each slice; 0: shown as decoded.
    pub order_bits: u32,
    pub separate_planes: bool,
    /// H.264: pictures are frames, never fields.
    pub frames_only: bool,
    /// Pictures in so many seconds, as the encoder says.
    pub rate: Option<(u32, u32)>,
}

/// What of a picture parameter set is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PictureSet {
    pub id: u32,
    pub sequence: u32,
    /// H.265: flags in each slice.
    pub extra_bits: u32,
    pub says_output: bool,
}

/// What the first slice says of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    /// Decoding can begin here.
    pub key: bool,
    /// The order of showing begins anew.
    pub resets: bool,
    /// Only slices that need no other picture.
    pub intra: bool,
    /// Others may be predicted from it.
    pub is_reference: bool,
    /// H.264: `frame_num`.
    pub frame_number: u32,
    /// The order of showing, its lowest bits.
    pub order: u32,
}
