use std::io;

use proptest::prelude::*;

use super::{Head, Kind};
use crate::rescue::ReadAt;

fn head(mut file: &[u8], kind: Kind) -> Option<Head> {
    Head::of(&mut file, kind).expect("memory reads")
}

fn piece(head: Head, mut file: &[u8], data: u64, stream: usize) -> Option<u64> {
    head.piece(&mut file, data, stream).expect("memory reads")
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

/// A head with a list of odd length, `movi` of a claimed length, and what is given in it.
fn avi(chunks: &[Vec<u8>]) -> (Vec<u8>, u64) {
    let mut file = b"RIFF\xff\xff\xff\xffAVI ".to_vec();
    file.extend(chunk(b"LIST", b"hdrl avih and so on, movi not meant."));
    file.extend(chunk(b"JUNK", b"odd"));
    file.extend(b"LIST\xff\xff\xff\x7fmovi");
    let head = file.len() as u64;
    file.extend(chunks.concat());
    (file, head)
}

#[test]
fn chunks_of_an_avi_are_known_by_their_stream() {
    let (file, bytes) = avi(&[chunk(b"00dc", b"picture"), chunk(b"01wb", b"sound")]);
    let head = head(&file, Kind::Avi).expect("a head");
    assert_eq!(head.bytes, bytes);
    assert_eq!(piece(head, &file, bytes + 8, 0), Some(bytes));
    assert_eq!(piece(head, &file, bytes + 8, 1), None, "another stream's");
    assert_eq!(piece(head, &file, bytes + 24, 1), Some(bytes + 16));
    assert_eq!(
        piece(head, &file, bytes + 26, 1),
        None,
        "not where data begin"
    );
    assert_eq!(piece(head, &file, bytes + 7, 0), None, "within the head");
    assert_eq!(
        piece(head, &file, 1 << 40, 0),
        None,
        "beyond what has arrived"
    );
}

fn element(id: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = id.to_vec();
    bytes.extend((0x1000_0000 | data.len() as u32).to_be_bytes());
    bytes.extend(data);
    bytes
}

const CLUSTER: [u8; 4] = [0x1f, 0x43, 0xb6, 0x75];

fn unknown(id: &[u8]) -> Vec<u8> {
    let mut bytes = id.to_vec();
    bytes.extend([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    bytes
}

fn matroska(clusters: &[Vec<u8>]) -> (Vec<u8>, u64) {
    let mut file = element(&[0x1a, 0x45, 0xdf, 0xa3], b"doctype");
    file.extend(unknown(&[0x18, 0x53, 0x80, 0x67]));
    file.extend(element(&[0x16, 0x54, 0xae, 0x6b], &CLUSTER)); // tracks, and in them what is no cluster
    let head = file.len() as u64;
    file.extend(clusters.concat());
    (file, head)
}

fn place(file: &[u8], what: &[u8]) -> u64 {
    let at = file.windows(what.len()).position(|bytes| bytes == what);
    at.expect("it is there") as u64
}

#[test]
fn blocks_of_matroska_are_found_in_their_clusters() {
    let time = element(&[0xe7], &[7]);
    let mut first = unknown(&CLUSTER);
    first.extend(time.clone());
    first.extend(element(&[0xa3], b"one"));
    // A picture that looks like the beginning of a cluster.
    let mut false_cluster = unknown(&CLUSTER);
    false_cluster.extend(b"two");
    let group = element(&[0xa1], &false_cluster);
    first.extend(element(&[0xa0], &[element(&[0x9b], &[1]), group].concat()));
    first.extend(element(&[0xa3], b"three"));
    let large = element(&[0xa3], &vec![b'x'; 200_000]);
    let second = element(&CLUSTER, &[time, large, element(&[0xa3], b"four")].concat());
    let (file, bytes) = matroska(&[first.clone(), second]);
    let head = head(&file, Kind::Matroska).expect("a head");
    assert_eq!(head.bytes, bytes);
    let found = |what: &[u8]| piece(head, &file, place(&file, what), 0);
    assert_eq!(found(b"one"), Some(bytes));
    assert_eq!(found(&false_cluster), Some(bytes), "in a group");
    assert_eq!(found(b"two"), None, "the middle of a picture");
    assert_eq!(found(b"three"), Some(bytes), "behind a false cluster");
    assert_eq!(found(b"four"), Some(bytes + first.len() as u64));
    assert_eq!(piece(head, &file, file.len() as u64 + 9, 0), None);
}

#[test]
fn other_files_have_no_head() {
    for file in [&b""[..], b"RIFF", b"RIFF\0\0\0\0WAVEfmt ", &[0; 64]] {
        assert_eq!(head(file, Kind::Avi), None);
        assert_eq!(head(file, Kind::Matroska), None);
    }
    let (file, bytes) = avi(&[]);
    assert_eq!(head(&file[..bytes as usize - 1], Kind::Avi), None);
}

/// A file whose every place looks like a cluster that leads on to the next.
struct Endless {
    reads: usize,
}

impl ReadAt for Endless {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        let cluster = unknown(&CLUSTER);
        // A cluster of one cheap element of no length after the other.
        let byte = |at: u64| match at % 4096 {
            near @ 0..12 => cluster[near as usize],
            near if near % 2 == 0 => 0xec,
            _ => 0x80,
        };
        for (at, into) in into.iter_mut().enumerate() {
            *into = byte(offset + at as u64);
        }
        Ok(into.len())
    }
}

#[test]
fn a_hostile_file_ends_the_search() {
    let mut file = Endless { reads: 0 };
    let head = Head {
        kind: Kind::Matroska,
        bytes: 4096,
    };
    let found = head.piece(&mut file, (1 << 30) + 11, 0);
    assert_eq!(found.expect("memory reads"), None);
    assert!(file.reads < 2_000_000, "{} reads", file.reads);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        data in any::<u64>(),
        near in 0_u64..500,
    ) {
        let (avi, _) = avi(std::slice::from_ref(&bytes));
        let (matroska, _) = matroska(std::slice::from_ref(&bytes));
        for (file, kind) in [(avi, Kind::Avi), (matroska, Kind::Matroska)] {
            for file in [&file, &bytes] {
                let Some(head) = head(file, kind) else { continue };
                for data in [data, near] {
                    let found = piece(head, file, data, 0);
                    prop_assert!(found.is_none_or(|at| at >= head.bytes && at < data));
                }
            }
        }
    }
}
