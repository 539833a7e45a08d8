//! Paths on a recorder: bytes in whatever encoding its firmware uses.

use std::fmt;

use encoding_rs::GB18030;

/// A path below a recorder's root, as raw bytes with `/` between components; no component is empty,
/// `.` or `..`.
///
/// Its text form loses nothing: a component of valid UTF-8 stands as it is but for `%` and control
/// characters, which stand as `%XX`; so does everything but ASCII in any other component. This form names the file in docking lists, metadata and journal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardPath(Vec<u8>);

impl CardPath {
    /// The recorder's root.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// A path one component longer; `None` for a name no directory can hold.
    pub fn join(&self, name: &[u8]) -> Option<Self> {
        let is_name =
            !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && !name.contains(&0);
        if !is_name {
            return None;
        }
        let mut bytes = self.0.clone();
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Some(Self(bytes))
    }

    /// The components, from the root on.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
    }

    /// The lossless text.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        for (index, name) in self.components().enumerate() {
            if index > 0 {
                text.push('/');
            }
            match std::str::from_utf8(name) {
                Ok(name) => escape_some(&mut text, name),
                // Some GBK pairs are UTF-8 by accident: such a name is no text at any place.
                Err(_) => escape(&mut text, name, u8::is_ascii_graphic),
            }
        }
        text
    }

    /// The path of a lossless text; `None` where it is none.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((first, tail)) = rest.split_first() {
            if *first == b'%' {
                // The reader of numbers would take a sign, too.
                let digits = tail.get(..2)?;
                let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
                let digits = std::str::from_utf8(digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &tail[2..];
            } else {
                bytes.push(*first);
                rest = tail;
            }
        }
        bytes
            .split(|byte| *byte == b'/')
            .try_fold(Self::root(), |path, name| path.join(name))
    }

    /// The file's name for people: UTF-8 as it is, else read as GB18030, which is what Chinese
    /// firmware writes; what is neither keeps its readable part.
    pub fn display_name(&self) -> String {
        readable(self.components().next_back().unwrap_or_default())
    }

    /// The whole path for people and patterns.
    pub fn display(&self) -> String {
        let parts: Vec<_> = self.components().map(readable).collect();
        parts.join("/")
    }
}

fn escape_some(text: &mut String, name: &str) {
    for letter in name.chars() {
        if letter == '%' || letter.is_control() {
            escape(text, letter.encode_utf8(&mut [0; 4]).as_bytes(), |_| false);
        } else {
            text.push(letter);
        }
    }
}

fn escape(text: &mut String, bytes: &[u8], stays: impl Fn(&u8) -> bool) {
    for byte in bytes {
        if stays(byte) && *byte != b'%' {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
}

fn readable(name: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(name) {
        return text.to_owned();
    }
    match GB18030.decode_without_bom_handling_and_without_replacement(name) {
        Some(text) => text.into_owned(),
        None => String::from_utf8_lossy(name).into_owned(),
    }
}

impl fmt::Debug for CardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Display for CardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(parts: &[&[u8]]) -> CardPath {
        parts
            .iter()
            .try_fold(CardPath::root(), |path, part| path.join(part))
            .expect("names")
    }

    #[test]
    fn gb18030_is_read_and_nothing_is_lost() {
        let gbk = path(&[b"DCIM", b"\xcf\xd6\xb3\xa1.mp4"]);
        assert_eq!(gbk.display_name(), "现场.mp4");
        assert_eq!(gbk.to_text(), "DCIM/%CF%D6%B3%A1.mp4");
        let plain = path(&["现场检查 100%.mp4".as_bytes()]);
        assert_eq!(plain.display_name(), "现场检查 100%.mp4");
        assert_eq!(plain.to_text(), "现场检查 100%25.mp4");
        assert_eq!(path(&[b"a\nb"]).to_text(), "a%0Ab");
    }

    #[test]
    fn no_name_leads_elsewhere() {
        for name in [&b""[..], b".", b"..", b"a/b", b"a\0"] {
            assert_eq!(CardPath::root().join(name), None);
        }
        for text in ["../a", "a//b", "/a", "a/%2E%2E/b", "%zz", "a%4", "a%+5"] {
            assert_eq!(CardPath::from_text(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_is_lossless(names in prop::collection::vec(prop::collection::vec(1u8.., 1..12), 1..4)) {
            let joined = names.iter().try_fold(CardPath::root(), |path, name| path.join(name));
            if let Some(path) = joined {
                let text = path.to_text();
                prop_assert!(!text.chars().any(char::is_control));
                prop_assert_eq!(CardPath::from_text(&text), Some(path));
            }
        }
    }
}
