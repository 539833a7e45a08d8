//! Files built byte by byte from the published layouts, and files that are none.

use std::io::Cursor;

use super::*;

mod hostile;

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(content);
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// `mvhd` of a film of so many milliseconds.
fn movie(duration_ms: u32) -> Vec<u8> {
    boxed(b"mvhd", &words(&[0, 0, 0, 1000, duration_ms, 0x1_0000]))
}

/// A track whose samples last a second each; `first` is where the first lies, they follow each other.
fn media(handler: &[u8; 4], format: &[u8; 4], first: u32, samples: &[Vec<u8>]) -> Vec<u8> {
    let sizes: Vec<u32> = samples.iter().map(|sample| sample.len() as u32).collect();
    let count = sizes.len() as u32;
    let table = [
        boxed(b"stsd", &[words(&[0, 1]), boxed(format, &[0; 8])].concat()),
        boxed(b"stts", &words(&[0, 1, count, 1000])),
        boxed(b"stsz", &[words(&[0, 0, count]), words(&sizes)].concat()),
        boxed(b"stsc", &words(&[0, 1, 1, count, 1])),
        boxed(b"stco", &words(&[0, 1, first])),
    ];
    let table = boxed(b"stbl", &table.concat());
    let mdia = [
        boxed(b"mdhd", &words(&[0, 0, 0, 1000, count * 1000, 0])),
        boxed(b"hdlr", &[&words(&[0, 0])[..], handler, &[0; 13]].concat()),
        boxed(b"minf", &table),
    ];
    boxed(b"trak", &boxed(b"mdia", &mdia.concat()))
}

/// `ftyp`, the samples, and a `moov` made when it is known where they lie.
fn file(samples: &[Vec<u8>], moov: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let begin = boxed(b"ftyp", b"isom\0\0\0\0");
    let first = begin.len() as u32 + 8;
    [
        begin,
        boxed(b"mdat", &samples.concat()),
        boxed(b"moov", &moov(first)),
    ]
    .concat()
}

fn of(bytes: &[u8]) -> Option<Track> {
    read(&mut Cursor::new(bytes)).expect("memory reads")
}

fn klv(key: &[u8; 4], kind: u8, size: u8, data: &[u8]) -> Vec<u8> {
    let repeat = if size == 0 {
        0
    } else {
        data.len() / usize::from(size)
    };
    let mut bytes = [
        &key[..],
        &[kind, size],
        &(repeat as u16).to_be_bytes(),
        data,
    ]
    .concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn ints(values: &[i32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_be_bytes())
        .collect()
}

fn payload(stream: &[Vec<u8>]) -> Vec<u8> {
    let camera = klv(b"DVNM", b'c', 6, b"Camera");
    let stream = klv(b"STRM", 0, 1, &stream.concat());
    klv(b"DEVC", 0, 1, &[camera, stream].concat())
}

/// A second of GPS5: two positions.
fn gps5(fix: u32, utc: &[u8; 16], north: i32) -> Vec<u8> {
    payload(&[
        klv(b"GPSF", b'L', 4, &words(&[fix])),
        klv(b"GPSU", b'U', 16, utc),
        klv(b"GPSP", b'S', 2, &[0, 200]),
        klv(
            b"SCAL",
            b'l',
            4,
            &ints(&[10_000_000, 10_000_000, 1000, 1000, 100]),
        ),
        klv(
            b"GPS5",
            b'l',
            20,
            &ints(&[
                north,
                1_067_000_000,
                1_071_500,
                1500,
                150,
                north + 10,
                1_067_000_000,
                1_071_500,
                1500,
                150,
            ]),
        ),
    ])
}

fn with_gpmf(samples: &[Vec<u8>], before: &[u8]) -> Vec<u8> {
    file(samples, |first| {
        let track = media(b"meta", b"gpmd", first, samples);
        [movie(60_000), track, before.to_vec()].concat()
    })
}

#[test]
fn gopro_gps5() {
    let samples = [
        gps5(3, b"260102030405.500", 265_000_000),
        gps5(0, b"260102030406.500", 265_000_100),
        gps5(3, b"260102030407.500", 265_000_200),
    ];
    let found = of(&with_gpmf(&samples, &[])).expect("a track");
    assert_eq!(found.source, Source::Gpmf);
    let utc =
        (civil::day(2026, 1, 2).expect("a day") * 24 * 3600 + 3 * 3600 + 4 * 60 + 5) * 1000 + 500;
    let first = Point {
        at_ms: 0,
        latitude_deg: 26.5,
        longitude_deg: 106.7,
        altitude_m: Some(1071.5),
        speed_m_per_s: Some(1.5),
        fix_at_ms: Some(utc),
    };
    let third = Point {
        at_ms: 2000,
        latitude_deg: 26.50002,
        fix_at_ms: Some(utc + 2000),
        ..first
    };
    assert_eq!(found.points, [first, third]);
}

#[test]
fn gopro_gps9_is_better_than_gps5() {
    let row = [
        ints(&[
            265_000_000,
            1_067_000_000,
            1_071_500,
            1500,
            150,
            9498,
            3_723_250,
        ]),
        vec![0, 150, 0, 3],
    ];
    let no_fix = [ints(&[1, 1_067_000_000, 0, 0, 0, 9498, 0]), vec![0; 4]];
    let gps9 = [
        klv(b"TYPE", b'c', 1, b"lllllllSS"),
        klv(
            b"SCAL",
            b'l',
            4,
            &ints(&[10_000_000, 10_000_000, 1000, 1000, 100, 1, 1000, 100, 1]),
        ),
        klv(b"GPS9", b'?', 32, &[no_fix.concat(), row.concat()].concat()),
    ];
    let both = klv(
        b"DEVC",
        0,
        1,
        &[
            &gps5(3, b"260102030405.500", 999)[8..],
            &klv(b"STRM", 0, 1, &gps9.concat()),
        ]
        .concat(),
    );
    let found = of(&with_gpmf(&[both], &[])).expect("a track");
    assert_eq!(found.points.len(), 1);
    let only = found.points[0];
    // The second of two in a second.
    assert_eq!(
        (only.at_ms, only.latitude_deg, only.speed_m_per_s),
        (500, 26.5, Some(1.5))
    );
    let day = civil::day(2026, 1, 2).expect("a day");
    assert_eq!(only.fix_at_ms, Some(day * 86_400_000 + 3_723_250));
}

#[test]
fn an_edit_list_moves_the_track() {
    let samples = [gps5(3, b"260102030405.500", 265_000_000)];
    let with_edit = |edits: &[u32]| {
        let list = boxed(
            b"elst",
            &[words(&[0, edits.len() as u32 / 3]), words(edits)].concat(),
        );
        let bytes = file(&samples, |first| {
            let track = media(b"meta", b"gpmd", first, &samples);
            let track = boxed(b"trak", &[&boxed(b"edts", &list)[..], &track[8..]].concat());
            [movie(60_000), track].concat()
        });
        of(&bytes).expect("a track").points[0].at_ms
    };
    assert_eq!(with_edit(&[60_000, 0, 0x1_0000]), 0);
    assert_eq!(
        with_edit(&[1500, u32::MAX, 0x1_0000, 60_000, 0, 0x1_0000]),
        1500
    );
    assert_eq!(with_edit(&[60_000, 200, 0x1_0000]), -200);
}

/// A block of Novatek's with letters and numbers where the layout has them.
fn block(letters: &[(usize, &[u8])], floats: &[(usize, f32)]) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[..4].copy_from_slice(&512_u32.to_be_bytes());
    bytes[4..12].copy_from_slice(b"freeGPS ");
    for (at, text) in letters {
        bytes[*at..at + text.len()].copy_from_slice(text);
    }
    for (at, number) in floats {
        bytes[*at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

fn with_novatek(blocks: &[Vec<u8>], duration_ms: u32) -> Vec<u8> {
    file(blocks, |first| {
        let places = blocks.iter().enumerate();
        let list: Vec<u32> = places
            .flat_map(|(n, block)| [first + n as u32 * 512, block.len() as u32])
            .collect();
        let list = [words(&[0x101, blocks.len() as u32]), words(&list)].concat();
        [movie(duration_ms), boxed(b"gps ", &list)].concat()
    })
}

#[test]
fn novatek_in_its_layouts() {
    // Multiples of a power of two, so that a float has them exactly.
    let place = (2630.25, 10_642.5);
    let double = {
        let mut bytes = block(&[(28, b"A"), (40, b"N"), (56, b"E")], &[]);
        for (at, number) in [(32, place.0), (48, place.1), (64, 10.0)] {
            bytes[at..at + 8].copy_from_slice(&f64::to_le_bytes(number));
        }
        bytes
    };
    let (latitude, longitude) = (place.0 as f32, place.1 as f32);
    let sentence = b"$GPRMC,010203.00,A,2630.25,N,10642.5,E,10.0,,020126,,,A";
    for (name, one) in [
        (
            "72",
            block(
                &[(72, b"ANE")],
                &[(76, latitude), (80, longitude), (84, 10.0)],
            ),
        ),
        (
            "40",
            block(
                &[(40, b"ANE")],
                &[(44, latitude), (48, longitude), (52, 10.0)],
            ),
        ),
        (
            "64",
            block(
                &[(64, b"ANE")],
                &[(92, longitude), (96, latitude), (100, 10.0), (108, 9.5)],
            ),
        ),
        (
            "60",
            block(
                &[(60, b"A"), (68, b"N"), (76, b"E")],
                &[(64, latitude), (72, longitude), (80, 10.0)],
            ),
        ),
        ("28", double),
        ("text", block(&[(90, sentence)], &[])),
    ] {
        let lost = block(&[(72, b"VNE")], &[(76, latitude), (80, longitude)]);
        let found = of(&with_novatek(&[lost, one.clone()], 2000)).expect(name);
        assert_eq!(found.source, Source::Novatek, "{name}");
        let only = found.points[0];
        assert_eq!((only.at_ms, found.points.len()), (1000, 1), "{name}");
        let (north, east) = (
            only.latitude_deg - 26.504_166_667,
            only.longitude_deg - 106.708_333_333,
        );
        assert!(north.abs() < 1e-8 && east.abs() < 1e-8, "{name}: {only:?}");
        assert_eq!(only.speed_m_per_s, Some(5.144), "{name}");
        assert_eq!(only.altitude_m, (name == "64").then_some(9.5), "{name}");
        // Another length than listed, a listed place that is nothing: no position.
        let nothing = with_novatek(&[vec![0; 512], one[1..].to_vec()], 2000);
        assert_eq!(of(&nothing), None, "{name}");
    }
    let south_west = block(&[(72, b"ASW")], &[(76, latitude), (80, longitude)]);
    let found = of(&with_novatek(&[south_west], 1000))
        .expect("a track")
        .points[0];
    assert!(found.latitude_deg < -26.0 && found.longitude_deg < -106.0);
    // Encrypted: nothing where the latitude would be.
    let hidden = block(&[(72, b"ANE")], &[(80, 61.25)]);
    assert_eq!(of(&with_novatek(&[hidden], 1000)), None);
}

#[test]
fn more_blocks_than_seconds_are_spread_over_the_film() {
    let one = block(&[(72, b"ANE")], &[(76, 2630.25), (80, 10_642.5)]);
    let times = |duration_ms| {
        let found = of(&with_novatek(&vec![one.clone(); 20], duration_ms)).expect("a track");
        found
            .points
            .iter()
            .map(|point| point.at_ms)
            .collect::<Vec<_>>()
    };
    assert_eq!(times(20_000), (0..20).map(|n| n * 1000).collect::<Vec<_>>());
    assert_eq!(times(19_000), (0..20).map(|n| n * 1000).collect::<Vec<_>>());
    assert_eq!(times(2_000), [0, 1000]);
}

#[test]
fn camera_motion_metadata() {
    let least = [
        &[0, 0, 5, 0][..],
        &26.5_f64.to_le_bytes(),
        &106.7_f64.to_le_bytes(),
        &1071.5_f64.to_le_bytes(),
    ];
    let floats: Vec<u8> = [1071.5, 1.0, 1.0, 3.0, 4.0, 0.0, 0.1]
        .iter()
        .flat_map(|f: &f32| f.to_le_bytes())
        .collect();
    let most = |fix: i32| {
        [
            &[0, 0, 6, 0][..],
            &1.4e9_f64.to_le_bytes(),
            &fix.to_le_bytes(),
            &26.5_f64.to_le_bytes(),
            &106.7_f64.to_le_bytes(),
            &floats,
        ]
        .concat()
    };
    let samples = [least.concat(), most(3), most(0), vec![0, 0, 2, 0, 1, 2]];
    let found = of(&file(&samples, |first| {
        media(b"camm", b"camm", first, &samples)
    }))
    .expect("a track");
    assert_eq!((found.source, found.points.len()), (Source::Camm, 2));
    let speeds: Vec<_> = found
        .points
        .iter()
        .map(|p| (p.at_ms, p.speed_m_per_s))
        .collect();
    assert_eq!(speeds, [(0, None), (1000, Some(5.0))]);
    assert!(
        found
            .points
            .iter()
            .all(|p| (p.latitude_deg, p.altitude_m) == (26.5, Some(1071.5)))
    );
}

fn timed(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

#[test]
fn subtitles_with_positions() {
    let dji = [
        timed("no fix"),
        timed("[latitude: 26.5] [longitude: 106.7] [rel_alt: 1 abs_alt: 1071.5]"),
    ];
    let found = of(&file(&dji, |first| media(b"sbtl", b"tx3g", first, &dji))).expect("a track");
    assert_eq!(
        (found.source, found.points[0].at_ms, found.points.len()),
        (Source::Srt, 1000, 1)
    );
    assert_eq!(found.points[0].altitude_m, Some(1071.5));
    let sentences = [timed(
        "$GPRMC,010203.00,A,2630.0,N,10642.0,E,10.0,,020126,,,A\r\n$GPGGA,010203.00,2630.0,N,10642.0,E,1,08,0.9,1071.5,M,,M,,",
    )];
    let found = of(&file(&sentences, |first| {
        media(b"text", b"text", first, &sentences)
    }))
    .expect("a track");
    assert_eq!(
        (found.source, found.points[0].altitude_m),
        (Source::Nmea, Some(1071.5))
    );
    assert_eq!(
        (found.points[0].latitude_deg, found.points[0].longitude_deg),
        (26.5, 106.7)
    );
}

#[test]
fn side_files() {
    let srt = "\u{feff}1\r\n00:00:00,000 --> 00:00:00,500\r\nGPS(106.7,26.5,9)\r\n\r\n2\r\n00:00:01,000 --> 00:00:01,500\r\n\
        GPS(106.8,26.5,9)\r\n\r\n3\r\n00:00:01,500 --> 00:00:02,000\r\nGPS(106.9,26.5,9)\r\n";
    let found = of(srt.as_bytes()).expect("a track");
    let seen: Vec<_> = found
        .points
        .iter()
        .map(|p| (p.at_ms, p.longitude_deg))
        .collect();
    assert_eq!(
        (found.source, seen),
        (Source::Srt, vec![(0, 106.7), (1000, 106.8)])
    );
    let nmea = "$GPRMC,010203.00,A,2630.0,N,10642.0,E,,,020126,,,A\n$GPRMC,010204.00,A,2630.0,N,10642.0,E,,,020126,,,A\n";
    let found = of(nmea.as_bytes()).expect("a track");
    assert_eq!((found.source, found.points.len()), (Source::Nmea, 2));
    for none in [
        "",
        "hello",
        "$",
        "1\n00:00:00,000 --> 00:00:01,000\nhello\n",
        "\0$GPRMC,",
    ] {
        assert_eq!(of(none.as_bytes()), None, "{none:?}");
    }
}

#[test]
fn a_single_place_is_the_last_resort() {
    let text = b"+26.5000+106.7000+1071.5/";
    let xyz = boxed(
        b"\xa9xyz",
        &[&[0, text.len() as u8, 0x15, 0xc7][..], text].concat(),
    );
    let udta = boxed(b"udta", &xyz);
    let found = of(&file(&[], |_| udta.clone())).expect("a place");
    assert_eq!((found.source, found.points.len()), (Source::Location, 1));
    let place = (
        found.points[0].latitude_deg,
        found.points[0].longitude_deg,
        found.points[0].altitude_m,
    );
    assert_eq!(place, (26.5, 106.7, Some(1071.5)));
    let name = b"com.apple.quicktime.location.ISO6709";
    let key = boxed(b"mdta", name);
    let other = boxed(b"mdta", b"com.apple.quicktime.make");
    let data = boxed(b"data", &[&words(&[1, 0])[..], text].concat());
    let meta = [
        boxed(b"hdlr", &[0; 24]),
        boxed(b"keys", &[words(&[0, 2]), other, key].concat()),
        boxed(b"ilst", &boxed(&2_u32.to_be_bytes(), &data)),
    ];
    let apple = of(&file(&[], |_| boxed(b"meta", &meta.concat()))).expect("a place");
    assert_eq!(apple.points, found.points);
    let full = [vec![0; 4], meta.concat()].concat();
    assert_eq!(
        of(&file(&[], |_| boxed(b"meta", &full))).as_ref(),
        Some(&found)
    );
    let samples = [gps5(3, b"260102030405.500", 265_000_000)];
    assert_eq!(
        of(&with_gpmf(&samples, &udta)).expect("both").source,
        Source::Gpmf
    );
    let samples = [gps5(0, b"260102030405.500", 265_000_000)];
    assert_eq!(of(&with_gpmf(&samples, &udta)), Some(found));
}

#[test]
fn what_is_no_position_is_left_out() {
    let at = |at_ms, latitude_deg, longitude_deg| Point {
        at_ms,
        latitude_deg,
        longitude_deg,
        altitude_m: Some(f64::NAN),
        speed_m_per_s: Some(-1.0),
        fix_at_ms: Some(0),
    };
    let mut into = Points::default();
    into.extend([
        at(0, 0.0, 0.0),
        at(0, f64::NAN, 106.7),
        at(0, 90.5, 106.7),
        at(0, 26.5, f64::INFINITY),
        at(0, 26.5, -180.5),
        at(i64::MAX, 26.5, 106.7),
        at(5000, 26.5, 106.7),
        at(4000, 26.5, 106.7),
        at(5999, 26.5, 106.7),
        at(6000, -26.5, 0.0),
    ]);
    let plain = |at_ms, latitude_deg, longitude_deg| Point {
        altitude_m: None,
        speed_m_per_s: None,
        fix_at_ms: None,
        ..at(at_ms, latitude_deg, longitude_deg)
    };
    assert_eq!(
        into.kept,
        [plain(5000, 26.5, 106.7), plain(6000, -26.5, 0.0)]
    );
}

#[test]
fn a_long_track_is_thinned() {
    let mut into = Points::default();
    for second in 0..250_000 {
        into.push(Point {
            at_ms: second * 1000,
            latitude_deg: 26.5,
            longitude_deg: 106.7,
            altitude_m: None,
            speed_m_per_s: None,
            fix_at_ms: None,
        });
    }
    assert_eq!((into.step_s, into.kept.len()), (4, 62_500));
    assert!(
        into.kept
            .windows(2)
            .all(|pair| pair[1].at_ms - pair[0].at_ms == 4000)
    );
}
