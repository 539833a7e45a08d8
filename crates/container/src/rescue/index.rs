//! An index (`moov`, ISO/IEC 14496-12, 8.2) of the pictures that were found.

use super::{Codec, Rescued};

/// Ticks a second are at least so many.
const LEAST_TICKS: u32 = 10_000;

impl Rescued {
    /// A `moov` of one track that says where these pictures lie, evenly spaced: so many (the first number)
    /// in so many seconds (the second).
    ///
    /// `None` when a parameter set is longer than can be written, or the rate makes no sense.
    pub fn index(&self, (count, seconds): (u32, u32)) -> Option<Vec<u8>> {
        let (scale, lasts) = ticks(count, seconds)?;
        let pictures = u32::try_from(self.pictures.len()).ok()?;
        let all = u64::from(pictures).checked_mul(lasts.into())?;
        let sequence = self.sets.sequence()?;
        let matrix = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000_u32];
        let mut mvhd = words(&[0x0100_0000]);
        mvhd.extend([0; 16]);
        mvhd.extend(words(&[scale]));
        mvhd.extend(all.to_be_bytes());
        mvhd.extend(words(&[0x1_0000, 0x0100_0000, 0, 0]));
        mvhd.extend(words(&matrix));
        mvhd.extend(words(&[0, 0, 0, 0, 0, 0, 2]));
        let mut tkhd = words(&[0x0100_0003]);
        tkhd.extend([0; 16]);
        tkhd.extend(words(&[1, 0]));
        tkhd.extend(all.to_be_bytes());
        tkhd.extend([0; 16]);
        tkhd.extend(words(&matrix));
        tkhd.extend(words(&[sequence.width << 16, sequence.height << 16]));
        let mut mdhd = words(&[0x0100_0000]);
        mdhd.extend([0; 16]);
        mdhd.extend(words(&[scale]));
        mdhd.extend(all.to_be_bytes());
        mdhd.extend([0x55, 0xc4, 0, 0]); // no language
        let mut hdlr = words(&[0, 0]);
        hdlr.extend(b"vide");
        hdlr.extend([0; 13]);
        let mut dref = words(&[0, 1]);
        dref.extend(boxed(b"url ", &words(&[1])));
        let media = [
            boxed(b"vmhd", &words(&[1, 0, 0])),
            boxed(b"dinf", &boxed(b"dref", &dref)),
            boxed(b"stbl", &self.tables(lasts)?),
        ];
        let media = [
            boxed(b"mdhd", &mdhd),
            boxed(b"hdlr", &hdlr),
            boxed(b"minf", &media.concat()),
        ];
        let track = [boxed(b"tkhd", &tkhd), boxed(b"mdia", &media.concat())];
        let track = boxed(b"trak", &track.concat());
        Some(boxed(b"moov", &[boxed(b"mvhd", &mvhd), track].concat()))
    }

    /// The sample tables (8.5 to 8.7): each picture a chunk of its own.
    fn tables(&self, lasts: u32) -> Option<Vec<u8>> {
        let count = u32::try_from(self.pictures.len()).ok()?;
        let numbered = || (1_u32..).zip(&self.pictures);
        let keys: Vec<u32> = numbered().filter(|(_, p)| p.key).map(|(n, _)| n).collect();
        let mut stss = words(&[0, keys.len() as u32]);
        stss.extend(words(&keys));
        // None is shown before it is decoded: all are shown later by what the earliest needs.
        let ahead = numbered().map(|(n, p)| (n - 1).saturating_sub(p.shown));
        let delay = ahead.max().unwrap_or(0);
        let mut ctts = Vec::new();
        let later = numbered().map(|(n, p)| (p.shown + delay).saturating_sub(n - 1));
        for later in later {
            ctts.extend(words(&[1, later.checked_mul(lasts)?]));
        }
        let mut stsz = words(&[0, 0, count]);
        let mut co64 = words(&[0, count]);
        for picture in &self.pictures {
            stsz.extend(picture.size_bytes.to_be_bytes());
            co64.extend(picture.offset.to_be_bytes());
        }
        let tables = [
            boxed(b"stsd", &[words(&[0, 1]), self.description()?].concat()),
            boxed(b"stts", &words(&[0, 1, count, lasts])),
            boxed(b"ctts", &[words(&[0, count]), ctts].concat()),
            boxed(b"stss", &stss),
            boxed(b"stsc", &words(&[0, 1, 1, 1, 1])),
            boxed(b"stsz", &stsz),
            boxed(b"co64", &co64),
        ];
        Some(tables.concat())
    }

    /// The sample entry (ISO/IEC 14496-15, 5.4.2 and 8.4.1). Sets may also lie in the pictures.
    fn description(&self) -> Option<Vec<u8>> {
        let sequence = self.sets.sequence()?;
        let mut entry = vec![0, 0, 0, 0, 0, 0, 0, 1];
        entry.extend([0; 16]);
        let side = |length: u32| u16::try_from(length).ok().map(u16::to_be_bytes);
        entry.extend(side(sequence.width)?);
        entry.extend(side(sequence.height)?);
        entry.extend(words(&[0x48_0000, 0x48_0000, 0]));
        entry.extend([0, 1]);
        entry.extend([0; 32]);
        entry.extend([0, 0x18, 0xff, 0xff]);
        Some(match self.codec {
            Codec::H264 => {
                entry.extend(boxed(b"avcC", &self.avc_configuration()?));
                boxed(b"avc1", &entry)
            }
            Codec::H265 => {
                entry.extend(boxed(b"hvcC", &self.hevc_configuration()?));
                boxed(b"hev1", &entry)
            }
        })
    }

    /// ISO/IEC 14496-15, 5.3.3.1.
    fn avc_configuration(&self) -> Option<Vec<u8>> {
        let [_, sequences, pictures] = self.sets.units();
        let first = sequences.first()?;
        let mut bytes = vec![1, *first.get(1)?, *first.get(2)?, *first.get(3)?, 0xff];
        bytes.push(0xe0 | u8::try_from(sequences.len()).ok().filter(|n| *n < 32)?);
        append(&mut bytes, &sequences)?;
        bytes.push(u8::try_from(pictures.len()).ok()?);
        append(&mut bytes, &pictures)?;
        Some(bytes)
    }

    /// ISO/IEC 14496-15, 8.3.3.1. Profile and level are the sequence set's, without its escaping bytes;
    /// what else it repeats is left at its least.
    fn hevc_configuration(&self) -> Option<Vec<u8>> {
        let sets = self.sets.units();
        let first = sets[1].first()?;
        let bits = super::bits::Bits::of(first.get(2..)?);
        let mut bytes = vec![1];
        bytes.extend(bits.bytes().get(1..13)?);
        bytes.extend([0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0, 0x0f, 3]);
        for (kind, units) in (32_u8..).zip(&sets) {
            bytes.push(kind);
            bytes.extend(u16::try_from(units.len()).ok()?.to_be_bytes());
            append(&mut bytes, units)?;
        }
        Some(bytes)
    }
}

/// Ticks a second, and of one picture: whole numbers, however odd the rate.
fn ticks(count: u32, seconds: u32) -> Option<(u32, u32)> {
    if count == 0 || seconds == 0 {
        return None;
    }
    let times = LEAST_TICKS.div_ceil(count).max(1);
    Some((count.checked_mul(times)?, seconds.checked_mul(times)?))
}

fn append(bytes: &mut Vec<u8>, units: &[&[u8]]) -> Option<()> {
    for unit in units {
        bytes.extend(u16::try_from(unit.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(unit);
    }
    Some(())
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(content.len() + 8);
    bytes.extend((content.len() as u32 + 8).to_be_bytes()); // below 100 MB by MOST_PICTURES
    bytes.extend(kind);
    bytes.extend_from_slice(content);
    bytes
}
