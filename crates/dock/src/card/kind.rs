//! What a file is by its name: kind, media type, and the time some recorders write into names.

use docket_base::Micros;

use super::CardPath;
use crate::schedule::UtcOffset;

/// Kind and media type by extension; the daemon looks at the content itself later.
pub fn kind_and_type(path: &CardPath) -> (&'static str, &'static str) {
    let name = path.display_name().to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "mp4" | "m4v" => ("video", "video/mp4"),
        "mov" => ("video", "video/quicktime"),
        "avi" => ("video", "video/x-msvideo"),
        "mkv" => ("video", "video/x-matroska"),
        "ts" | "mts" | "m2ts" => ("video", "video/mp2t"),
        "3gp" => ("video", "video/3gpp"),
        "mpg" | "mpeg" => ("video", "video/mpeg"),
        "wav" => ("audio", "audio/wav"),
        "mp3" => ("audio", "audio/mpeg"),
        "aac" => ("audio", "audio/aac"),
        "m4a" => ("audio", "audio/mp4"),
        "amr" => ("audio", "audio/amr"),
        "jpg" | "jpeg" => ("photo", "image/jpeg"),
        "png" => ("photo", "image/png"),
        "pdf" => ("document", "application/pdf"),
        "txt" | "log" => ("document", "text/plain"),
        _ => ("other", "application/octet-stream"),
    }
}

/// The time in a file's name, in the recorder's local time: fourteen digits, or eight and six with
/// one separator between, the first that is a time of this century.
pub fn time_in_name(path: &CardPath, offset: UtcOffset) -> Option<Micros> {
    let name = path.display_name();
    let bytes = name.as_bytes();
    (0..bytes.len()).find_map(|start| {
        let after_digit = start > 0 && bytes[start - 1].is_ascii_digit();
        if after_digit {
            return None;
        }
        let day = digits(bytes, start, 8)?;
        let gap = match bytes.get(start + 8)? {
            b'_' | b'-' | b'T' | b' ' => 1,
            _ => 0,
        };
        let clock = digits(bytes, start + 8 + gap, 6)?;
        let goes_on = bytes.get(start + 14 + gap).is_some_and(u8::is_ascii_digit);
        if goes_on || !day.starts_with("20") {
            return None;
        }
        let text = format!(
            "{}-{}-{}T{}:{}:{}{offset}",
            &day[..4],
            &day[4..6],
            &day[6..],
            &clock[..2],
            &clock[2..4],
            &clock[4..]
        );
        Micros::parse_rfc3339(&text).ok()
    })
}

fn digits(bytes: &[u8], start: usize, count: usize) -> Option<&str> {
    let part = bytes.get(start..start + count)?;
    if !part.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(part).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(name: &str) -> Option<String> {
        let path = CardPath::root().join(name.as_bytes()).expect("name");
        time_in_name(&path, UtcOffset::hours(8)).map(Micros::to_rfc3339)
    }

    #[test]
    fn times_in_names() {
        let expected = Some("2026-11-23T01:30:05.000000Z".to_owned());
        for name in [
            "20261123093005.mp4",
            "VID_20261123_093005.mp4",
            "执法_20261123-093005_0001.MP4",
        ] {
            assert_eq!(time(name), expected, "{name}");
        }
        for name in [
            "MOVI0001.mp4",
            "20261323093005.mp4",
            "19991123093005.mp4",
            "120261123093005.mp4",
            "现20261123",
        ] {
            assert_eq!(time(name), None, "{name}");
        }
    }
}
