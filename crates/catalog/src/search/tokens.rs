//! The tokeniser, the same for index and query and for both engines.
//!
//! Chinese has no spaces and most words have two characters, so runs of CJK become every single
//! character and every overlapping pair. Everything else becomes words, cut also between letters and
//! digits (`VID20261123` is two words), each indexed by all its prefixes.
//!
//! Facts are tokens too (`u…` a unit, `o…` an officer): a listing is an intersection, whatever it
//! filters by. The first character says the sort; CJK tokens begin with a character outside ASCII and
//! can't be mistaken. No token holds anything but ASCII letters and digits and characters outside ASCII,
//! which is what the index and its query language take without quoting.

use std::collections::BTreeSet;

use docket_base::Sha256Digest;

use crate::text::fold;

/// Longer words are cut here, in the index and in the question alike.
const MAX_PREFIX_CHARS: usize = 32;
/// A question is looked for by its first so many tokens: what comes after narrows nothing any more.
const MAX_QUESTION_TOKENS: usize = 32;
/// Notes beyond this many characters are not searchable.
const MAX_TEXT_CHARS: usize = 64 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Cjk,
    Letter,
    Digit,
    Gap,
}

fn class(c: char) -> Class {
    match c {
        '\u{3040}'..='\u{30ff}' // kana
        | '\u{3005}'..='\u{3007}' // 々〆〇
        | '\u{3100}'..='\u{312f}' // bopomofo
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' // hangul
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}' => Class::Cjk,
        c if c.is_numeric() => Class::Digit,
        c if c.is_alphabetic() => Class::Letter,
        _ => Class::Gap,
    }
}

/// The runs of one class, folded.
fn runs(text: &str) -> Vec<(Class, Vec<char>)> {
    let mut out: Vec<(Class, Vec<char>)> = Vec::new();
    let mut open = false;
    for c in fold(text).chars().take(MAX_TEXT_CHARS) {
        let class = class(c);
        if class == Class::Gap {
            open = false;
            continue;
        }
        match out.last_mut() {
            Some((last, run)) if open && *last == class => run.push(c),
            _ => out.push((class, vec![c])),
        }
        open = true;
    }
    out
}

fn word(prefix: &[char]) -> String {
    std::iter::once('w').chain(prefix.iter().copied()).collect()
}

/// The tokens a text is found by.
pub(crate) fn of_text(text: &str, into: &mut BTreeSet<String>) {
    for (class, run) in runs(text) {
        if class == Class::Cjk {
            into.extend(run.iter().map(char::to_string));
            into.extend(run.windows(2).map(|pair| pair.iter().collect::<String>()));
        } else {
            into.extend((1..=run.len().min(MAX_PREFIX_CHARS)).map(|n| word(&run[..n])));
        }
    }
}

/// The tokens that must all be there for a question. None for a question without any letter or digit.
pub(crate) fn of_question(question: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (class, run) in runs(question) {
        if out.len() >= MAX_QUESTION_TOKENS {
            break;
        }
        match (class, run.len()) {
            (Class::Cjk, 1) => {
                out.insert(run.iter().collect());
            }
            (Class::Cjk, _) => {
                let pairs = run.windows(2).take(MAX_QUESTION_TOKENS);
                out.extend(pairs.map(|pair| pair.iter().collect::<String>()));
            }
            (_, len) => {
                out.insert(word(&run[..len.min(MAX_PREFIX_CHARS)]));
            }
        }
    }
    out
}

/// The token of a fact: `sort` is one ASCII letter other than `w`, `value` an id or a word.
pub(crate) fn of_fact(sort: char, value: impl ToString) -> String {
    let value = value.to_string();
    std::iter::once(sort)
        .chain(value.chars().filter(char::is_ascii_alphanumeric))
        .collect()
}

/// The token of a free text that must match whole, such as a tag.
pub(crate) fn of_phrase(sort: char, value: &str) -> String {
    let digest = Sha256Digest::of(fold(value.trim()).as_bytes()).to_string();
    format!("{sort}{}", &digest[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn index(text: &str) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        of_text(text, &mut out);
        out
    }

    fn finds(question: &str, text: &str) -> bool {
        let asked = of_question(question);
        !asked.is_empty() && asked.is_subset(&index(text))
    }

    #[test]
    fn names_and_words_are_found() {
        let text = "南明区 李伟 VID20261123_0930.MP4 〔2026〕12号";
        for question in [
            "李",
            "李伟",
            "南明区",
            "vid",
            "VID2026",
            "0930",
            "mp4",
            "2026〕12号",
            "２０２６",
        ] {
            assert!(finds(question, text), "{question}");
        }
        for question in ["伟李", "明南", "930", "区李", "王"] {
            assert!(!finds(question, text), "{question}");
        }
    }

    #[test]
    fn a_question_of_punctuation_asks_nothing() {
        assert!(of_question("〔〕 -- \"*\u{0}").is_empty());
    }

    proptest! {
        #[test]
        fn every_one_or_two_cjk_characters_of_a_text_are_found(
            text in "[\u{4e00}-\u{9fff}\u{3400}-\u{34ff}\u{20000}-\u{20100}]{1,40}", start in 0usize..40
        ) {
            let chars: Vec<char> = text.chars().collect();
            let start = start % chars.len();
            for len in 1..=2.min(chars.len() - start) {
                let part: String = chars[start..start + len].iter().collect();
                prop_assert!(finds(&part, &text), "{part}");
            }
        }

        #[test]
        fn every_substring_within_any_text_is_found(text in "\\PC{0,40}[\u{4e00}-\u{9fff}]{2,9}\\PC{0,40}") {
            let chars: Vec<char> = text.chars().collect();
            for pair in chars.windows(2).filter(|pair| pair.iter().all(|c| ('\u{4e00}'..='\u{9fff}').contains(c))) {
                prop_assert!(finds(&pair.iter().collect::<String>(), &text));
            }
        }

        #[test]
        fn every_prefix_of_a_word_is_found(word in "[a-z]{1,50}", cut in 1usize..50) {
            let text = format!("x {word}.y");
            prop_assert!(finds(&word[..cut.min(word.len())], &text));
        }

        #[test]
        fn tokens_need_no_quoting(text in "\\PC{0,80}") {
            for token in index(&text).iter().chain(of_question(&text).iter()) {
                prop_assert!(token.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric()), "{token:?}");
            }
        }
    }
}
