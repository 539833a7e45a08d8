//! Requests as clients send them, and as attackers do.

use docket_tus::{Creation, Length, Metadata, Plan, Refusal, creation, effective_method, patch};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;

const MAX: u64 = 1 << 40;
const PART: &str = "0190163d-8694-739a-aea6-966b6d7bd9a9";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    map.append("tus-resumable", HeaderValue::from_static("1.0.0"));
    for (name, value) in pairs {
        map.append(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).expect("header"),
        );
    }
    map
}

fn create(pairs: &[(&'static str, &str)]) -> Result<Creation, Refusal> {
    creation(&headers(pairs), "/files/", MAX)
}

#[test]
fn creations() {
    let plain = create(&[("upload-length", "10"), ("content-length", "0")]).expect("valid");
    assert_eq!(plain.plan, Plan::Whole(Length::Known(10)));
    assert!(!plain.has_body);

    let deferred = create(&[
        ("upload-defer-length", "1"),
        ("content-type", "application/offset+octet-stream"),
    ]);
    let deferred = deferred.expect("valid");
    assert_eq!(deferred.plan, Plan::Whole(Length::Deferred));
    assert!(deferred.has_body);

    let part = create(&[("upload-concat", "partial"), ("upload-length", "5")]).expect("valid");
    assert_eq!(part.plan, Plan::Partial(Length::Known(5)));

    let whole = create(&[("upload-concat", &format!("final;/files/{PART}"))]).expect("valid");
    assert_eq!(whole.plan, Plan::Final(vec![PART.parse().expect("id")]));
}

#[test]
fn creations_refused() {
    let wrong: &[(&[(&'static str, &str)], u16)] = &[
        (&[], 400),
        (&[("upload-length", "-1")], 400),
        (&[("upload-length", "+1")], 400),
        (&[("upload-length", "1.0")], 400),
        (&[("upload-length", "")], 400),
        (&[("upload-length", "1"), ("upload-length", "2")], 400),
        (&[("upload-length", "99999999999999999999999")], 413),
        (&[("upload-length", "1099511627777")], 413),
        (&[("upload-defer-length", "2")], 400),
        (&[("upload-defer-length", "1"), ("upload-length", "1")], 400),
        (&[("upload-concat", "final;"), ("upload-length", "1")], 400),
        (&[("upload-concat", "final;/files/x")], 400),
        (
            &[
                ("upload-length", "10"),
                ("content-length", "3"),
                ("content-type", "text/plain"),
            ],
            415,
        ),
        (
            &[
                ("upload-length", "2"),
                ("content-length", "3"),
                ("content-type", "application/offset+octet-stream"),
            ],
            413,
        ),
        (
            &[("upload-length", "1"), ("upload-checksum", "md5 AA==")],
            400,
        ),
        (
            &[("upload-length", "1"), ("upload-metadata", "sha256 AA==")],
            400,
        ),
    ];
    for (pairs, status) in wrong {
        let refusal = create(pairs).expect_err("refused");
        assert_eq!(refusal.status(), *status, "{pairs:?}: {refusal}");
    }
    let versionless = creation(&HeaderMap::new(), "/files/", MAX).expect_err("refused");
    assert_eq!(versionless.status(), 412);
}

#[test]
fn patches() {
    let valid = patch(
        &headers(&[
            ("content-type", "Application/Offset+Octet-Stream"),
            ("upload-offset", "0"),
            ("upload-length", "12"),
            ("content-length", "5"),
        ]),
        MAX,
    )
    .expect("valid");
    assert_eq!(
        (valid.offset_bytes, valid.length_bytes, valid.body_bytes),
        (0, Some(12), Some(5))
    );

    let upload_type = ("content-type", "application/offset+octet-stream");
    assert_eq!(
        patch(&headers(&[("upload-offset", "0")]), MAX),
        Err(Refusal::ContentType)
    );
    for pairs in [vec![upload_type], vec![upload_type, ("upload-offset", "x")]] {
        let refusal = patch(&headers(&pairs), MAX).expect_err("refused");
        assert_eq!(refusal.status(), 400, "{pairs:?}");
    }
}

#[test]
fn only_post_can_mean_another_method() {
    let delete = headers(&[("x-http-method-override", "DELETE")]);
    assert_eq!(effective_method(&Method::POST, &delete), Ok(Method::DELETE));
    assert_eq!(effective_method(&Method::GET, &delete), Ok(Method::GET));
    let other = headers(&[("x-http-method-override", "TRACE")]);
    assert!(effective_method(&Method::POST, &other).is_err());
    assert_eq!(
        effective_method(&Method::PATCH, &HeaderMap::new()),
        Ok(Method::PATCH)
    );
}

/// A name comes back byte for byte, through header and typed facts alike.
fn survives(name: &str) {
    let mut metadata = Metadata::default();
    metadata.insert("filename", name).expect("key");
    let parsed = create(&[
        ("upload-length", "1"),
        ("upload-metadata", &metadata.encode()),
    ]);
    let parsed = parsed.expect("a hostile name is still a name");
    assert_eq!(parsed.facts.filename.as_deref(), Some(name));
    assert_eq!(parsed.metadata, metadata);
}

#[test]
fn hostile_names_survive_exactly() {
    for name in [
        "../../etc/passwd",
        "a/b\\c",
        "/",
        ".",
        "",
        " ",
        "CON",
        "名\u{202e}4pm.exe",
        "\r\nX-Evil: 1",
        "\u{feff}贵卫医罚〔2026〕12号.mp4",
        "e\u{301} é",
        "\u{1}\u{7f}",
    ] {
        survives(name);
    }
}

#[test]
fn the_big_list_of_naughty_strings_survives_exactly() {
    let folder = std::env::var_os("DOCKET_CASES").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases"),
        Into::into,
    );
    let path = folder.join("naming/blns/blns.json");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not here", path.display());
        return;
    };
    let names: Vec<String> = serde_json::from_slice(&bytes).expect("a JSON list of strings");
    assert!(names.len() > 400, "the list is {} long", names.len());
    names.iter().for_each(|name| survives(name));
}

const NAMES: [&str; 9] = [
    "tus-resumable",
    "upload-length",
    "upload-defer-length",
    "upload-offset",
    "upload-metadata",
    "upload-checksum",
    "upload-concat",
    "content-type",
    "content-length",
];

proptest! {
    #[test]
    fn arbitrary_headers_never_panic(
        pairs in prop::collection::vec((0..NAMES.len(), prop::collection::vec(any::<u8>(), 0..80)), 0..12),
        versioned in any::<bool>(),
    ) {
        let mut map = if versioned { headers(&[]) } else { HeaderMap::new() };
        for (name, value) in pairs {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                map.append(NAMES[name], value);
            }
        }
        for refusal in [creation(&map, "/files/", MAX).err(), patch(&map, MAX).err()].into_iter().flatten() {
            prop_assert!((400..500).contains(&refusal.status()));
        }
    }

    #[test]
    fn any_name_survives(name in "[^\\x00]{0,300}") {
        survives(&name);
    }
}
