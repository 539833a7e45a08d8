//! Positions of real recordings, through the real worker.

mod common;

use common::{cases, id, pool, source};
use docket_playback::gps::{GpsSource, GpsTrack};

async fn of(path: &str) -> Option<GpsTrack> {
    let folder = cases()?;
    let pool = pool();
    let found = pool.positions(id(1), source(&folder.join(path))).await;
    pool.shutdown().await;
    Some(found.expect("it is read").expect("it has positions"))
}

#[tokio::test]
async fn a_gopro_karma() {
    let Some(track) = of("device/gopro/gopro-karma.mp4").await else {
        return;
    };
    assert_eq!(track.source, GpsSource::Gpmf);
    // The drone's receiver: values and scales as they stand in the first payload, by hand.
    let first = track.points[0];
    assert_eq!(
        (first.at_ms, first.latitude_deg, first.longitude_deg),
        (0, 33.125_368, -117.331_064_1)
    );
    assert_eq!(
        (first.altitude_m, first.speed_m_per_s),
        (Some(15.445), Some(0.59))
    );
    assert!(track.points.len() >= 8, "{}", track.points.len());
    for (second, point) in track.points.iter().enumerate() {
        assert!(
            (point.latitude_deg - 33.1254).abs() < 0.001
                && (point.longitude_deg + 117.3311).abs() < 0.001
        );
        assert_eq!(point.at_ms / 1000, second as i64);
    }
}

#[tokio::test]
async fn a_phone_names_one_place() {
    let Some(track) = of("device/metadata-extractor/with-gps.mov").await else {
        return;
    };
    assert_eq!((track.source, track.points.len()), (GpsSource::Location, 1));
}

#[tokio::test]
async fn what_is_no_film_has_none_or_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("a.nmea");
    std::fs::write(&log, "$GPRMC,010203.00,A,2630.0,N,10642.0,E,,,020126,,,A\n").expect("written");
    let nothing = folder.path().join("b.log");
    std::fs::write(&nothing, [0xff; 5000]).expect("written");
    let pool = pool();
    let found = pool.positions(id(1), source(&log)).await.expect("read");
    assert_eq!(found.expect("a position").source, GpsSource::Nmea);
    assert_eq!(
        pool.positions(id(2), source(&nothing)).await.expect("read"),
        None
    );
    pool.shutdown().await;
}
