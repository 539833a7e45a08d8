use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn boxed(kind: &[u8; 4], content: usize) -> Vec<u8> {
    claimed(kind, 8 + content as u32, content)
}

fn claimed(kind: &[u8; 4], length: u32, content: usize) -> Vec<u8> {
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(kind);
    bytes.resize(8 + content, 0);
    bytes
}

fn long(kind: &[u8; 4], length: u64, content: usize) -> Vec<u8> {
    let mut bytes = 1_u32.to_be_bytes().to_vec();
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.resize(16 + content, 0);
    bytes
}

fn of(parts: &[Vec<u8>]) -> TopLevel {
    walk(&mut Cursor::new(parts.concat())).expect("memory reads")
}

#[test]
fn an_index_behind_the_media_data_is_sent_ahead() {
    let top = of(&[boxed(b"ftyp", 8), boxed(b"mdat", 100), boxed(b"moov", 50)]);
    assert_eq!(top.moov, Some(124..182));
    assert!(top.is_iso && top.is_index_last() && !top.is_cut);
    assert_eq!(top.hint(), Some(124..182));
    let small_between = of(&[
        boxed(b"ftyp", 8),
        long(b"mdat", 116, 100),
        boxed(b"free", 4),
        boxed(b"moov", 50),
        boxed(b"uuid", 9),
    ]);
    assert_eq!(small_between.hint(), Some(132..202));
}

#[test]
fn an_index_in_front_is_not() {
    let top = of(&[boxed(b"ftyp", 8), boxed(b"moov", 50), boxed(b"mdat", 100)]);
    assert!(!top.is_index_last());
    assert_eq!((top.moov.clone(), top.hint()), (Some(16..74), None));
    let to_the_end = of(&[boxed(b"moov", 4), claimed(b"mdat", 0, 70)]);
    assert!(!to_the_end.is_cut && to_the_end.hint().is_none());
    let fragmented = of(&[
        boxed(b"mdat", 4),
        boxed(b"moov", 8),
        boxed(b"moof", 8),
        boxed(b"mdat", 8),
    ]);
    assert!(fragmented.has_fragments && fragmented.hint().is_none());
}

#[test]
fn a_last_box_without_a_length_reaches_to_the_end() {
    let top = of(&[
        boxed(b"ftyp", 8),
        boxed(b"mdat", 20),
        claimed(b"moov", 0, 30),
    ]);
    assert_eq!(top.hint(), Some(44..82));
}

#[test]
fn what_is_not_whole_is_no_hint() {
    let cut = of(&[boxed(b"ftyp", 8), claimed(b"mdat", 1000, 40)]);
    assert!(cut.is_cut && cut.hint().is_none() && cut.moov.is_none());
    let half = of(&[
        boxed(b"ftyp", 8),
        boxed(b"mdat", 9),
        claimed(b"moov", 900, 40),
    ]);
    assert!(half.is_cut && half.moov.is_none());
    for junk in [
        &b""[..],
        b"RIFF",
        b"RIFFxxxxAVI LIST",
        &[0; 64],
        &[0xff; 64],
    ] {
        let top = walk(&mut Cursor::new(junk)).expect("memory reads");
        assert!(!top.is_iso && top.hint().is_none(), "{junk:?}");
    }
}

#[test]
fn junk_behind_the_index_hides_nothing() {
    let top = of(&[
        boxed(b"ftyp", 8),
        boxed(b"mdat", 9),
        boxed(b"moov", 40),
        vec![0; 500],
    ]);
    assert!(top.is_cut);
    assert_eq!(top.hint(), Some(33..81));
    // Lengths that lead nowhere or backwards end the walk.
    for bad in [
        long(b"free", 0, 9),
        long(b"free", 3, 9),
        claimed(b"free", 7, 9),
    ] {
        let top = of(&[boxed(b"ftyp", 8), bad, boxed(b"moov", 8)]);
        assert!(top.is_cut && top.moov.is_none());
    }
    let beyond = of(&[boxed(b"ftyp", 8), long(b"mdat", u64::MAX, 9)]);
    assert!(beyond.is_cut);
}

#[test]
fn an_index_beyond_the_limit_is_not_sent() {
    /// Zeros behind a real beginning: gigabytes that take no memory.
    struct Vast {
        front: Vec<u8>,
        at: u64,
        moov_at: u64,
        moov: Vec<u8>,
        size: u64,
    }
    impl Read for Vast {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            for (n, byte) in into.iter_mut().enumerate() {
                let at = self.at + n as u64;
                let in_moov = at.checked_sub(self.moov_at).map(|at| at as usize);
                *byte = *self
                    .front
                    .get(at as usize)
                    .or_else(|| self.moov.get(in_moov?))
                    .unwrap_or(&0);
            }
            self.at += into.len() as u64;
            Ok(into.len())
        }
    }
    impl Seek for Vast {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.at = match to {
                SeekFrom::Start(at) => at,
                _ => self.size,
            };
            Ok(self.at)
        }
    }
    for (moov_bytes, fits) in [(MOST_HINT_BYTES, true), (MOST_HINT_BYTES + 1, false)] {
        let mdat_bytes = 5 << 30;
        let front = [boxed(b"ftyp", 8), long(b"mdat", mdat_bytes, 0)].concat();
        let moov_at = 16 + mdat_bytes;
        let mut source = Vast {
            front,
            at: 0,
            moov_at,
            moov: claimed(b"moov", moov_bytes as u32, 0),
            size: moov_at + moov_bytes,
        };
        let top = walk(&mut source).expect("reads");
        assert!(top.is_index_last());
        assert_eq!(top.hint().is_some(), fits);
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_ranges_lie_inside(
        mut bytes in prop::collection::vec(any::<u8>(), 0..300), as_file in any::<bool>(),
    ) {
        if as_file {
            bytes.splice(0..0, boxed(b"ftyp", 8));
        }
        check(&bytes)?;
    }

    #[test]
    fn mutated_files_never_panic_and_ranges_lie_inside(
        sizes in prop::collection::vec((0_usize..60, 0_usize..6), 0..12),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let kinds = [b"mdat", b"moov", b"free", b"moof", b"wide", b"uuid"];
        let mut bytes = boxed(b"ftyp", 8);
        for (content, kind) in sizes {
            bytes.extend(boxed(kinds[kind], content));
        }
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        check(&bytes)?;
    }
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let top = walk(&mut Cursor::new(bytes)).expect("memory reads");
    prop_assert_eq!(top.size_bytes, bytes.len() as u64);
    let ranges = [top.moov.clone(), top.hint()];
    for range in ranges.into_iter().flatten() {
        prop_assert!(range.start < range.end && range.end <= top.size_bytes);
        let kind = range.start as usize + 4;
        prop_assert!(bytes.len() >= kind + 4);
    }
    if let (Some(hint), Some(moov)) = (top.hint(), top.moov) {
        prop_assert!(hint.start <= moov.start && hint.end == moov.end);
        prop_assert_eq!(
            &bytes[moov.start as usize + 4..moov.start as usize + 8],
            b"moov"
        );
    }
    Ok(())
}
