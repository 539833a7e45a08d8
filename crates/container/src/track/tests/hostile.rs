//! Files that are none, or were damaged: what the fuzz target says, over bytes made here.

use proptest::prelude::*;

use super::*;

/// What must hold of any bytes. The fuzz target says the same.
fn holds(bytes: &[u8]) -> Option<Track> {
    let found = of(bytes)?;
    assert!((1..=MOST_POINTS).contains(&found.points.len()));
    assert!(
        found
            .points
            .windows(2)
            .all(|pair| pair[0].at_ms < pair[1].at_ms)
    );
    for point in &found.points {
        assert!(point.latitude_deg.abs() <= 90.0 && point.longitude_deg.abs() <= 180.0);
        assert!(
            point.altitude_m.is_none_or(f64::is_finite)
                && point.speed_m_per_s.is_none_or(|speed| speed >= 0.0)
        );
    }
    Some(found)
}

/// A file of each kind.
fn seeds() -> Vec<Vec<u8>> {
    let gpmf = [
        gps5(3, b"260102030405.500", 265_000_000),
        gps5(2, b"260102030406.500", 265_000_200),
    ];
    let novatek = vec![block(&[(72, b"ANE")], &[(76, 2630.25), (80, 10_642.5)]); 3];
    let dji = [timed("[latitude: 26.5] [longitude: 106.7]")];
    let text = b"\0\x12\0\0+26.5000+106.7000/";
    vec![
        with_gpmf(&gpmf, &[]),
        with_novatek(&novatek, 3000),
        file(&dji, |first| media(b"sbtl", b"tx3g", first, &dji)),
        file(&[], |_| boxed(b"udta", &boxed(b"\xa9xyz", text))),
        b"1\n00:00:00,000 --> 00:00:01,000\nGPS(106.7,26.5,9)\n".to_vec(),
        b"$GPRMC,010203.00,A,2630.0,N,10642.0,E,1.0,,020126,,,A\n".to_vec(),
    ]
}

#[test]
fn every_seed_is_a_track() {
    for (number, seed) in seeds().iter().enumerate() {
        assert!(holds(seed).is_some(), "{number}");
    }
}

#[test]
fn tables_that_claim_much_cost_little() {
    let samples = [gps5(3, b"260102030405.500", 265_000_000)];
    let sound = with_gpmf(&samples, &[]);
    for (kind, fields) in [
        (b"stts", &[(0, u32::MAX), (4, u32::MAX)][..]),
        (b"stsz", &[(4, u32::MAX)][..]),
        (b"stsc", &[(0, u32::MAX), (8, u32::MAX)][..]),
        (b"stco", &[(0, u32::MAX)][..]),
        (b"stsc", &[(8, 0)][..]),
    ] {
        let mut bytes = sound.clone();
        let at = bytes
            .windows(4)
            .rposition(|window| window == kind)
            .expect("a table")
            + 8;
        for (offset, value) in fields {
            bytes[at + offset..at + offset + 4].copy_from_slice(&value.to_be_bytes());
        }
        holds(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        holds(&bytes);
        let mut into = Points::default();
        gpmf::payload(&bytes, 0, 1_000_000, &mut into);
        let framed = file(std::slice::from_ref(&bytes), |first| media(b"meta", b"gpmd", first, std::slice::from_ref(&bytes)));
        holds(&framed);
    }

    #[test]
    fn any_text_never_panics(text in "[\\PC\\$,*:>\n\\-0-9NESWAVGPRMCGA.()\\[\\]latitude]{0,300}") {
        holds(text.as_bytes());
        holds(format!("00:00:00,000 --> 00:00:01,000\n{text}").as_bytes());
        holds(format!("$GPRMC,{text}").as_bytes());
    }

    #[test]
    fn damaged_files_never_panic(
        seed in 0_usize..6,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = seeds().swap_remove(seed);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len()));
        }
        holds(&bytes);
    }
}
