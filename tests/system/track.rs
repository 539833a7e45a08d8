//! Where films were made: from the film itself, and from files that the recorder kept beside it.

use serde_json::{Value, json};

use crate::growing::{Upload, film};
use crate::harness::{Api, Daemon, until};

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut bytes = (content.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(content);
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A film whose index is at its end, with these bytes before the index, and in it what `index` makes of where they
/// begin.
fn spliced(film: &[u8], bytes: &[u8], index: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let moov = film
        .windows(4)
        .rposition(|window| window == b"moov")
        .expect("an index")
        - 4;
    let (front, moov) = film.split_at(moov);
    let added = boxed(b"mdat", bytes);
    let inside = [&moov[8..], &index(front.len() as u32 + 8)].concat();
    [front, &added, &boxed(b"moov", &inside)].concat()
}

/// A second of GoPro's metadata: one position.
fn payload(north: i32) -> Vec<u8> {
    let klv = |key: &[u8; 4], kind: u8, size: u8, data: &[u8]| {
        let repeat = (data.len() / usize::from(size)) as u16;
        [&key[..], &[kind, size], &repeat.to_be_bytes(), data].concat()
    };
    let ints = |values: &[i32]| -> Vec<u8> {
        values
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect()
    };
    let stream = [
        klv(b"GPSF", b'L', 4, &ints(&[3])),
        klv(b"GPSU", b'c', 16, b"260102030405.000"),
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
            &ints(&[north, 1_067_000_000, 1_071_500, 1500, 150]),
        ),
    ];
    klv(b"DEVC", 0, 4, &klv(b"STRM", 0, 4, &stream.concat()))
}

fn gopro(film: &[u8]) -> Vec<u8> {
    let samples = [
        payload(265_000_000),
        payload(265_001_000),
        payload(265_002_000),
    ];
    let size = samples[0].len() as u32;
    spliced(film, &samples.concat(), |first| {
        let table = [
            boxed(
                b"stsd",
                &[words(&[0, 1]), boxed(b"gpmd", &words(&[0, 1]))].concat(),
            ),
            boxed(b"stts", &words(&[0, 1, 3, 1000])),
            boxed(b"stsc", &words(&[0, 1, 1, 3, 1])),
            boxed(b"stsz", &words(&[0, size, 3])),
            boxed(b"stco", &words(&[0, 1, first])),
        ];
        let header = [words(&[7, 0, 0, 3, 0, 3000]), vec![0; 60]].concat();
        let reference = boxed(
            b"dref",
            &[words(&[0, 1]), boxed(b"url ", &words(&[1]))].concat(),
        );
        let minf = [
            boxed(b"nmhd", &[0; 4]),
            boxed(b"dinf", &reference),
            boxed(b"stbl", &table.concat()),
        ];
        let media = [
            boxed(b"mdhd", &words(&[0, 0, 0, 1000, 3000, 0x55c4_0000])),
            boxed(b"hdlr", &[&words(&[0, 0])[..], b"meta", &[0; 13]].concat()),
            boxed(b"minf", &minf.concat()),
        ];
        boxed(
            b"trak",
            &[boxed(b"tkhd", &header), boxed(b"mdia", &media.concat())].concat(),
        )
    })
}

fn novatek(film: &[u8]) -> Vec<u8> {
    let block = |latitude: f32| {
        let mut bytes = vec![0; 128];
        bytes[..4].copy_from_slice(&128_u32.to_be_bytes());
        bytes[4..12].copy_from_slice(b"freeGPS ");
        bytes[72..75].copy_from_slice(b"ANE");
        for (at, number) in [(76, latitude), (80, 10_642.5), (84, 10.0)] {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        bytes
    };
    let blocks = [block(2630.25), block(2630.5)].concat();
    spliced(film, &blocks, |first| {
        boxed(b"gps ", &words(&[0x101, 2, first, 128, first + 128, 128]))
    })
}

async fn sealed(api: &Api, metadata: &[(&str, &str)], file: Vec<u8>) -> String {
    let mut upload = Upload::with(api.clone(), metadata, file).await;
    upload.to(100).await;
    api.await_state(&upload.id, "sealed").await;
    upload.id
}

async fn track(api: &Api, id: &str) -> Option<Value> {
    let answer = api.get(&format!("/v1/recordings/{id}/track.json")).await;
    assert!(matches!(answer.status, 200 | 404), "{}", answer.text());
    (answer.status == 200).then(|| answer.json())
}

async fn found(api: &Api, id: &str) -> Value {
    until("there is a track", || track(api, id)).await
}

fn point(at_ms: u64, latitude: f64, longitude: f64, speed: Value) -> Value {
    json!({"at_ms": at_ms, "latitude_deg": latitude, "longitude_deg": longitude,
        "altitude_m": null, "speed_m_per_s": speed, "fix_at": null})
}

#[tokio::test]
async fn films_that_carry_it() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let plain = film(&daemon, "plain.mp4", &["-t", "4"]).await;
    let id = sealed(&api, &[("filename", "gopro.mp4")], gopro(&plain)).await;
    let made = found(&api, &id).await;
    assert_eq!(
        (&made["source"], &made["from_recording"]),
        (&json!("gpmf"), &Value::Null)
    );
    let points = made["points"].as_array().expect("points");
    assert_eq!(points.len(), 3, "{made}");
    let places: Vec<_> = points
        .iter()
        .map(|p| (p["at_ms"].as_u64(), p["latitude_deg"].as_f64()))
        .collect();
    let origin_ms = places[0].0.expect("a time");
    assert!(origin_ms < 100, "{made}");
    assert_eq!(places[1].1, Some(26.5001));
    assert_eq!(
        (
            &points[0]["altitude_m"],
            &points[0]["speed_m_per_s"],
            &points[0]["longitude_deg"]
        ),
        (&json!(1071.5), &json!(1.5), &json!(106.7))
    );
    let fix = points[0]["fix_at"].as_str().expect("a time");
    assert!(fix.starts_with("2026-01-02T03:04:05"), "{fix}");
    assert_eq!(api.recording(&id).await["playback"]["state"], "ready");

    let id = sealed(&api, &[("filename", "novatek.mp4")], novatek(&plain)).await;
    let made = found(&api, &id).await;
    let east = 106.708_333_333;
    let both = [
        point(0, 26.504_166_667, east, json!(5.144)),
        point(1000, 26.508_333_333, east, json!(5.144)),
    ];
    assert_eq!(
        made,
        json!({"source": "novatek", "from_recording": null, "points": both})
    );
}

/// A docking of a station that is this client.
async fn docking(api: &Api) -> String {
    let report = json!({"name": "采集站一", "version": "1", "bays": []});
    assert!(api.put("PUT", "/v1/stations/self", &report).await.status < 300);
    let docking = json!({"bay": "1", "recorder_serial": "ZF-1", "started_at": "2026-11-23T08:00:00Z", "files": [
        {"path": "DCIM/A.MP4", "size_bytes": 5}, {"path": "DCIM/A.NMEA", "size_bytes": 5}]});
    let answer = api.put("POST", "/v1/dockings", &docking).await.expect(201);
    answer.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_file_beside_the_film_before_and_after_it() {
    let daemon = Daemon::start().await;
    let api = daemon.api().await;
    let plain = film(&daemon, "plain.mp4", &["-t", "4"]).await;
    let docking = docking(&api).await;
    let at = |path| {
        [
            ("filename", "x"),
            ("docking", docking.as_str()),
            ("path", path),
        ]
    };
    let log = |east: &str| {
        let line = |second| format!("$GPRMC,01020{second}.00,A,2630.0,N,{east},E,,,020126,,,A\r\n");
        [line(3), line(4)].concat().into_bytes()
    };
    // Of another name, and of another folder: neither is looked at.
    sealed(&api, &at("DCIM/B.NMEA"), log("10548.0")).await;
    sealed(&api, &at("A.NMEA"), log("10548.0")).await;
    let first = sealed(&api, &at("DCIM/A.MP4"), plain.clone()).await;
    until("it was looked for", || async {
        let ready = api.recording(&first).await["playback"]["state"] == "ready";
        ready.then_some(())
    })
    .await;
    let late = sealed(&api, &at("DCIM/A.NMEA"), log("10642.0")).await;
    let made = found(&api, &first).await;
    let fix = |second| format!("2026-01-02T01:02:0{second}");
    assert_eq!(
        (&made["source"], &made["from_recording"]),
        (&json!("nmea"), &json!(late))
    );
    let points = made["points"].as_array().expect("points");
    assert_eq!(points.len(), 2, "{made}");
    for (number, point) in points.iter().enumerate() {
        assert_eq!(point["at_ms"], number * 1000);
        assert_eq!(
            (&point["latitude_deg"], &point["longitude_deg"]),
            (&json!(26.5), &json!(106.7))
        );
        assert!(
            point["fix_at"]
                .as_str()
                .is_some_and(|at| at.starts_with(&fix(number + 3))),
            "{made}"
        );
    }

    let srt = b"1\n00:00:01,000 --> 00:00:02,000\n[latitude: 26.5] [longitude: 106.7]\n".to_vec();
    let early = sealed(&api, &at("DCIM/C.srt"), srt).await;
    let second = sealed(&api, &at("DCIM/C.mp4"), plain).await;
    let made = found(&api, &second).await;
    let only = [point(1000, 26.5, 106.7, Value::Null)];
    assert_eq!(
        made,
        json!({"source": "srt", "from_recording": early, "points": only})
    );
}
