//! MP4 and MOV files without FFmpeg.

use std::io::Cursor;

use docket_container::resume::{Head, Kind};
use docket_container::track::{MOST_POINTS, read};
use docket_container::{MOST_HINT_BYTES, rescue, walk};

/// The walk ends, and what it names lies inside the file.
pub fn top_level(bytes: &[u8]) {
    let top = walk(&mut Cursor::new(bytes)).expect("memory reads");
    let size = bytes.len() as u64;
    for range in [top.moov.clone(), top.hint()].into_iter().flatten() {
        assert!(range.start < range.end && range.end <= size);
    }
    let hint = top.hint();
    assert!(hint.is_none_or(|range| range.end - range.start <= MOST_HINT_BYTES));
    assert!(top.first_media_data.is_none_or(|at| at < size));
}

/// The search ends, what it finds lies inside the file one behind the other, and an index can be made of it.
pub fn rescue(bytes: &[u8]) {
    let mut source = bytes;
    let found = rescue::scan(&mut source, 0..bytes.len() as u64).expect("memory reads");
    let Some(found) = found else { return };
    assert!(found.pictures.first().is_some_and(|first| first.key));
    let mut end = 0;
    for picture in &found.pictures {
        assert!(picture.offset >= end);
        end = picture.offset + u64::from(picture.size_bytes);
        assert!(end <= bytes.len() as u64);
    }
    if let Some(index) = found.index((25, 1)) {
        let top = walk(&mut Cursor::new(&index)).expect("memory reads");
        assert_eq!(top.moov, Some(0..index.len() as u64));
    }
}

/// The search for the place to read on from ends, and what it finds lies between the head and what was looked for.
pub fn resume(bytes: &[u8]) {
    let (data, rest) = crate::number::<3>(bytes);
    let (stream, rest) = crate::number::<1>(rest);
    for kind in [Kind::Avi, Kind::Matroska] {
        let mut source = rest;
        let Some(head) = Head::of(&mut source, kind).expect("memory reads") else {
            continue;
        };
        let found = head.piece(&mut source, data, stream as usize);
        if let Some(at) = found.expect("memory reads") {
            assert!(at >= head.bytes && at < data);
        }
    }
}

/// Reading ends, and what it finds lies on earth and goes forward in time.
pub fn track(bytes: &[u8]) {
    let found = read(&mut Cursor::new(bytes)).expect("memory reads");
    let Some(found) = found else { return };
    assert!((1..=MOST_POINTS).contains(&found.points.len()));
    assert!(
        found
            .points
            .windows(2)
            .all(|pair| pair[0].at_ms < pair[1].at_ms)
    );
    for point in &found.points {
        assert!(point.latitude_deg.abs() <= 90.0 && point.longitude_deg.abs() <= 180.0);
        assert!(point.altitude_m.is_none_or(f64::is_finite));
        assert!(point.speed_m_per_s.is_none_or(|speed| speed >= 0.0));
    }
}

/// To begin with.
pub mod seeds {
    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = content.len() as u32 + 8;
        [&length.to_be_bytes(), &kind[..], content].concat()
    }

    /// Index first, index last, none, fragments, a long length.
    pub fn top_level() -> Vec<Vec<u8>> {
        let (first, media) = (boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"mdat", b"pictures"));
        let index = boxed(b"moov", &boxed(b"mvhd", &[0; 100]));
        let long = [
            &1_u32.to_be_bytes(),
            &b"mdat"[..],
            &24_u64.to_be_bytes(),
            b"pictures",
        ]
        .concat();
        vec![
            [&first[..], &index, &media].concat(),
            [&first[..], &media, &boxed(b"free", b""), &index].concat(),
            [&first[..], &long, &index].concat(),
            [&first[..], &index, &boxed(b"moof", b""), &media].concat(),
            [&first[..], &[0, 0, 0, 0], b"mdat and so on"].concat(),
        ]
    }

    fn unit(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
    }

    /// H.264, 320 x 240: sets, a keyframe, and pictures shown in another order than decoded.
    pub fn rescue() -> Vec<Vec<u8>> {
        let mut media = unit(&[
            0x67, 0x42, 0xc0, 0x1e, 0x96, 0x54, 0x0a, 0x0f, 0xd0, 0x80, 0, 0, 3, 0, 0x80, 0, 0,
            0x19, 0x60,
        ]);
        media.extend(unit(&[0x68, 0xc8]));
        let slices: [&[u8]; 4] = [
            &[0x65, 0x88, 0x80, 0x40, 0x20],
            &[0x41, 0x9a, 2, 9],
            &[0x41, 0x9a, 4, 5],
            &[0x41, 0x9a, 6, 0x11],
        ];
        for (number, slice) in slices.iter().enumerate() {
            let noise = (0..400).map(|at| 3 + (at * 7 + number) as u8 % 250);
            media.extend(unit(
                &slice.iter().copied().chain(noise).collect::<Vec<u8>>(),
            ));
        }
        vec![
            [boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"mdat", &media)].concat(),
            media,
        ]
    }

    fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_le_bytes();
        [name, &length, content, &b"\0"[..content.len() % 2]].concat()
    }

    fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
        [id, &[0x80 | content.len() as u8], content].concat()
    }

    /// What is looked for (where, of which stream), and an AVI or a Matroska file that is cut off.
    pub fn resume() -> Vec<Vec<u8>> {
        let avi = [
            &b"RIFF\xff\xff\xff\xffAVI "[..],
            &chunk(b"LIST", b"hdrl avih and so on"),
            b"LIST\xff\xff\xff\x7fmovi",
            &chunk(b"00dc", b"picture"),
            &chunk(b"01wb", b"sound"),
        ]
        .concat();
        let sound = (avi.len() - 6) as u8;
        let cluster = [element(&[0xe7], &[7]), element(&[0xa3], b"one")].concat();
        let matroska = [
            element(&[0x1a, 0x45, 0xdf, 0xa3], b"doctype"),
            b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff".to_vec(),
            element(&[0x16, 0x54, 0xae, 0x6b], b"tracks"),
            element(&[0x1f, 0x43, 0xb6, 0x75], &cluster),
            element(&[0x1f, 0x43, 0xb6, 0x75], &cluster),
        ]
        .concat();
        let last = (matroska.len() - 3) as u8;
        vec![
            [&[0, 0, sound, 1], &avi[..]].concat(),
            [&[0, 0, last, 0], &matroska[..]].concat(),
        ]
    }

    /// Texts that lie beside a film, and the one place a phone writes.
    pub fn track() -> Vec<Vec<u8>> {
        let place = boxed(b"\xa9xyz", b"\0\x12\0\0+26.5000+106.7000/");
        let moov = boxed(
            b"moov",
            &[boxed(b"mvhd", &[0; 100]), boxed(b"udta", &place)].concat(),
        );
        let mut all = crate::texts(&[
            "1\n00:00:00,000 --> 00:00:01,000\nGPS(106.7,26.5,9)\n\n2\n00:00:01,000 --> 00:00:02,000\n\
             [latitude: 26.5] [longitude: 106.7] [rel_alt: 1.3 abs_alt: 1200.5]\n",
            "$GPRMC,010203.00,A,2630.0,N,10642.0,E,1.0,,020126,,,A\n$GPGGA,010204,2630.1,N,10642.1,E,1,8,1.0,1100.5,M,,,,\n",
        ]);
        all.push([boxed(b"ftyp", b"isom\0\0\0\0"), moov].concat());
        all
    }
}
