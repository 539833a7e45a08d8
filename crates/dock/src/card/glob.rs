//! Patterns over paths: `*` is any run of characters, `/` included, `?` is one character. Case is
//! ignored, as FAT does.

/// Whether the whole of `text` fits `pattern`. Linear in practice, quadratic at worst.
pub fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text) in [
            ("*_KEY.*", "DCIM/0001_key.mp4"),
            ("*重点*", "视频/重点_1.mp4"),
            ("a?c", "abc"),
            ("*", ""),
            ("a*b*c", "a--b-b--c"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a?c", "ac"),
            ("KEY/*", "XKEY/1"),
            ("a*b", "a-c"),
            ("", "a"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
        assert!(!fits(&"*a".repeat(40), &"a".repeat(39)));
    }
}
