//! Inputs for the tests: seeds, changed at random places but the same in every run.

/// Numbers at which parsers break.
const EDGES: [u64; 12] = [
    0,
    1,
    7,
    8,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];
/// And signs.
const SIGNS: &[u8] = b"\0\n\r \t\"%+,-./0:;=\\_{}\x7f\x80\xff";
/// Longer inputs find nothing more in a test.
const LONGEST: usize = 1 << 16;

/// Changes seeds.
#[derive(Debug)]
pub struct Changing {
    seeds: Vec<Vec<u8>>,
    state: u64,
}

impl Changing {
    /// For the target of this name.
    pub fn new(name: &str, seeds: Vec<Vec<u8>>) -> Self {
        let state = name.bytes().fold(0xcbf2_9ce4_8422_2325, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { seeds, state }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut bytes = self.seed();
        for _ in 0..=self.below(6) {
            self.change(&mut bytes);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn seed(&mut self) -> Vec<u8> {
        let at = self.below(self.seeds.len());
        self.seeds[at].clone()
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.random() % count.max(1) as u64) as usize
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let until = at + self.below(bytes.len() - at + 1).min(64);
        match self.below(9) {
            0 => put(bytes, at, &[self.random() as u8]),
            1 => put(bytes, at, &[SIGNS[self.below(SIGNS.len())]]),
            2 => {
                let edge = EDGES[self.below(EDGES.len())].to_be_bytes();
                let width = [1, 2, 4, 8][self.below(4)];
                put(bytes, at, &edge[8 - width..]);
            }
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            4 => drop(bytes.drain(at..until)),
            5 => {
                let again = bytes[at..until].to_vec();
                drop(bytes.splice(at..at, again));
            }
            6 => drop(bytes.splice(at..at, [SIGNS[self.below(SIGNS.len())]])),
            7 => {
                let other = self.seed();
                let from = self.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => bytes.truncate(at),
        }
    }
}

/// Writes over what is there, and beyond the end.
fn put(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    let end = (at + new.len()).min(bytes.len());
    drop(bytes.splice(at..end, new.iter().copied()));
}
