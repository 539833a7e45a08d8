//! The headers of uploads.

use docket_base::ids::RecordingId;
use docket_tus::{
    Concat, Creation, Facts, Length, Metadata, Plan, Standing, check_version, creation,
    effective_method, limits, patch, refused, standing,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::text;

const BASE: &str = "/files/";
const MOST: u64 = 1 << 40;

/// `Upload-Metadata`: what was taken can be given back, and is then the same; what is read of it keeps to its limits.
pub fn pairs(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let Ok(metadata) = Metadata::parse(text) else {
        return;
    };
    assert_eq!(Metadata::parse(&metadata.encode()).as_ref(), Ok(&metadata));
    assert!(metadata.pairs().len() <= limits::METADATA_PAIRS);
    let Ok(facts) = Facts::read(&metadata) else {
        return;
    };
    let short = [
        &facts.filetype,
        &facts.recorder,
        &facts.officer,
        &facts.case,
        &facts.case_unit,
        &facts.unit,
    ];
    for value in short.into_iter().flatten() {
        assert!(!value.is_empty() && value.len() <= limits::VALUE_BYTES && !value.contains('\0'));
    }
    for name in [&facts.filename, &facts.path].into_iter().flatten() {
        assert!(name.len() <= limits::NAME_BYTES && !name.contains('\0'));
    }
    let unknown: usize = facts
        .unknown
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    assert!(unknown <= limits::UNKNOWN_BYTES);
}

/// A request: one that is taken keeps to the server's limit, and what HEAD then says is read back the same; one that
/// is refused is the client's fault.
pub fn headers(bytes: &[u8]) {
    let map = map(bytes);
    let refusals = [
        check_version(&map).err(),
        effective_method(&Method::POST, &map).err(),
        patch(&map, MOST).err(),
        creation(&map, BASE, MOST).err(),
    ];
    for refusal in refusals.into_iter().flatten() {
        assert!((400..500).contains(&refusal.status()), "{refusal:?}");
        assert!(refused(&refusal).contains_key("tus-resumable"));
    }
    if let Ok(patch) = patch(&map, MOST) {
        assert!(
            patch.offset_bytes <= limits::UPLOAD_BYTES
                && patch.length_bytes.is_none_or(|length| length <= MOST)
        );
    }
    if let Ok(created) = creation(&map, BASE, MOST) {
        created_holds(&created);
    }
}

fn created_holds(created: &Creation) {
    let length_bytes = match &created.plan {
        Plan::Whole(Length::Known(length)) | Plan::Partial(Length::Known(length)) => Some(*length),
        _ => None,
    };
    assert!(length_bytes.is_none_or(|length| length <= MOST));
    let concat = match &created.plan {
        Plan::Whole(_) => None,
        Plan::Partial(_) => Some(Concat::Partial),
        Plan::Final(parts) => Some(Concat::Final(parts.clone())),
    };
    assert!(
        !matches!(&concat, Some(Concat::Final(parts)) if !(1..=limits::PARTS).contains(&parts.len()))
    );
    let said = standing(
        &Standing {
            offset_bytes: Some(0),
            length_bytes,
            metadata: &created.metadata,
            concat: concat.as_ref(),
            expires_at: None,
        },
        BASE,
    );
    assert_eq!(Concat::from_headers(&said, BASE), Ok(concat));
    assert_eq!(
        Metadata::from_headers(&said).as_ref(),
        Ok(&created.metadata)
    );
}

/// Headers from lines of `name: value`; what is none is passed over.
pub(crate) fn map(bytes: &[u8]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            map.append(name, value);
        }
    }
    map
}

/// The addresses of parts, as a client would write them.
fn addresses(count: u8) -> String {
    let id = |number| RecordingId::from_bytes([number; 16]);
    let all: Vec<String> = (0..count)
        .map(|number| format!("{BASE}{}", id(number)))
        .collect();
    all.join(" ")
}

/// To begin with.
pub mod seeds {
    /// Values of the header, one with all known keys.
    pub fn pairs() -> Vec<Vec<u8>> {
        let mut long = "k ".to_owned();
        long.push_str(&"QUJD".repeat(2000));
        crate::texts(&[
            "filename 546w5Zy6Lm1wNA==,filetype dmlkZW8vbXA0,kind dmlkZW8=,mark a2V5,recorder UjE,officer T0ZG",
            "sha256 YmE3ODE2YmY4ZjAxY2ZlYTQxNDE0MGRlNWRhZTIyMjNiMDAzNjFhMzk2MTc3YTljYjQxMGZmNjFmMjAwMTVhZA==,empty",
            "recorded_at MjAyNi0xMS0yM1QwOTozMDowMCswODowMA==,note eA,path RENJTS9hLm1wNA==,case MQ,unit dQ,case_unit dQ",
            "docking MDE5MDE2M2QtODY5NC03MzlhLWFlYTYtOTY2YjZkN2JkOWE5",
            &long,
            // As long as it may be, and longer once it is padded.
            &["k YQ,m YQ,j ", &"QUJD".repeat(8187), ",l YWE"].concat(),
        ])
    }

    /// Requests of every kind.
    pub fn headers() -> Vec<Vec<u8>> {
        crate::texts(&[
            "tus-resumable: 1.0.0\nupload-length: 10\nupload-metadata: filename d29ybGQ=\ncontent-length: 0\n",
            "tus-resumable: 1.0.0\nupload-defer-length: 1\nupload-concat: partial\n",
            &format!(
                "tus-resumable: 1.0.0\nupload-concat: final;{}\n",
                super::addresses(3)
            ),
            "tus-resumable: 1.0.0\nupload-concat: final;https://a:1/files/0190163d-8694-739a-aea6-966b6d7bd9a9\n",
            "tus-resumable: 1.0.0\nupload-offset: 7\ncontent-type: application/offset+octet-stream\nupload-length: 9\n",
            "tus-resumable: 1.0.0\nupload-offset: 0\ncontent-type: application/offset+octet-stream; x\n\
             content-length: 5\nupload-checksum: sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=\nx-http-method-override: PATCH\n",
        ])
    }
}
